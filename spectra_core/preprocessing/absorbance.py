"""For absorbance beyond what the instrument can measure: clip it, or work in transmittance."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.options import Range
from spectra_core.preprocessing.base import Preprocessing
from spectra_core.spectra import Frame


@dataclass(eq=False)
class Clip(Preprocessing):
    """Absorbance above `level` becomes `level`.

    Beyond about 3 hardly a thousandth of the light passes, and stray light and dark noise decide the reading.

    Parameters
    ----------
    level
        Largest absorbance kept.
    """

    title: ClassVar[str] = "Clipped absorbance"
    explanation: ClassVar[str] = "Cuts absorbance off at a level above which an instrument reads noise and stray light."

    level: Annotated[float, Range(1e-6, 1000)] = 3.0

    def _transformed(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.minimum(signal, self.level)

    def _check(self, frame: Frame) -> None:
        _require_absorbance(frame, self.title)


@dataclass(eq=False)
class Transmittance(Preprocessing):
    """T = 10^-A, the share of light that passes, in which the detector's noise is about even."""

    title: ClassVar[str] = "Transmittance"
    explanation: ClassVar[str] = "Turns absorbance into the share of light that passes; dark channels then say little."
    caution: ClassVar[str] = (
        "Concentrations act on transmittance in a bent way, so linear methods need more components than in absorbance."
    )

    def _transformed(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        transmitted: NDArray[np.float64] = 10.0**-signal
        return transmitted

    def _check(self, frame: Frame) -> None:
        _require_absorbance(frame, self.title)

    def _renamed(self, quantity: str, unit: str) -> tuple[str, str]:
        return "Transmittance", ""


def _require_absorbance(frame: Frame, title: Any) -> None:
    if frame.quantity != "Absorbance":
        raise SpectraError(
            f"{title} is computed from absorbance, but these spectra hold {frame.quantity}. "
            "Put it before the steps that change the quantity, or leave it out."
        )

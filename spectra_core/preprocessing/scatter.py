"""Corrections of scatter and path length in solids and suspensions."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import Arrays
from spectra_core.errors import ConfigError
from spectra_core.preprocessing.base import Preprocessing, constant_to_one
from spectra_core.spectra import Frame

_CAUTION = (
    "It divides every spectrum by its own size. In clear solutions that size is the concentration (A = ε l c), so the "
    "correction destroys what is to be predicted; it is meant for powders and suspensions."
)
_SMALLEST_SLOPE = 1e-3
"""Below this share of the mean spectrum a slope is rounding and noise; dividing by it would blow them up to signal."""


@dataclass(eq=False)
class SNV(Preprocessing):
    """Standard normal variate: every spectrum minus its mean, over its standard deviation (divisor n - 1).

    Source: Barnes, Dhanoa & Lister, Appl. Spectrosc. 1989, 43, 772-777. A spectrum without any variation becomes 0.
    """

    title: ClassVar[str] = "Standard normal variate (SNV)"
    explanation: ClassVar[str] = "Gives every spectrum mean 0 and standard deviation 1, against scatter."
    caution: ClassVar[str] = _CAUTION

    def _transformed(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        centred = signal - signal.mean(axis=1, keepdims=True)
        spread = centred.std(axis=1, ddof=1, keepdims=True) if signal.shape[1] > 1 else np.zeros((len(signal), 1))
        return np.asarray(centred / constant_to_one(spread))

    def _renamed(self, quantity: str, unit: str) -> tuple[str, str]:
        return f"{quantity}, SNV", ""


@dataclass(eq=False)
class MSC(Preprocessing):
    """Multiplicative scatter correction towards the mean training spectrum m: x = a + b m + rest becomes (x - a)/b.

    Source: Geladi, MacDougall & Martens, Appl. Spectrosc. 1985, 39, 491-500. A spectrum with b between -0.001 and
    0.001, which is not like the mean at all, is moved by a and not divided.

    Attributes
    ----------
    mean_ : (n_channels,)
        Mean of the training spectra.
    """

    title: ClassVar[str] = "Multiplicative scatter correction (MSC)"
    explanation: ClassVar[str] = "Moves and scales every spectrum so that it fits the mean training spectrum best."
    caution: ClassVar[str] = _CAUTION

    mean_: NDArray[np.float64] = field(init=False, repr=False)

    def to_arrays(self) -> Arrays:
        """Return the mean training spectrum."""
        return {"mean": self.mean_}

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a mean training spectrum after checking it."""
        mean = arrays.get("mean")
        if mean is None or mean.shape != (len(frame.axis),) or not np.isfinite(mean).all():
            raise ConfigError(f"The stored state of {self.title} holds no mean spectrum on this axis. Fit it again.")
        self.mean_ = np.asarray(mean, dtype=np.float64)
        return super().from_arrays(arrays, frame)

    def _learn(self, signal: NDArray[np.float64]) -> None:
        self.mean_ = signal.mean(axis=0)

    def _transformed(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        reference = self.mean_ - self.mean_.mean()
        centre = signal.mean(axis=1, keepdims=True)
        slope = (signal - centre) @ reference[:, None] / constant_to_one(np.atleast_1d(reference @ reference))
        divisor = np.where(np.abs(slope) < _SMALLEST_SLOPE, 1.0, slope)
        return np.asarray((signal - centre + slope * self.mean_.mean()) / divisor)

    def _renamed(self, quantity: str, unit: str) -> tuple[str, str]:
        return f"{quantity}, MSC", unit

"""Smoothed derivatives, which remove offsets and slopes of the baseline."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.options import Range
from spectra_core.preprocessing.base import Preprocessing
from spectra_core.spectra import Frame

_EVEN = 1e-3
"""Channel steps that differ by less, relative to the largest, are even; more than rounding of positions in files."""


@dataclass(eq=False)
class SavitzkyGolay(Preprocessing):
    """Derivative of the polynomial that fits the neighbouring channels best; order 0 smooths.

    Source: Savitzky & Golay, Anal. Chem. 1964, 36, 1627-1639, by `scipy.signal.savgol_filter`; at the ends the
    polynomial of the last full window is read. Derivatives keep A ~ c, since they are linear in the spectrum.

    Parameters
    ----------
    window
        Channels that are fitted at a time; odd. Wider windows smooth more.
    order
        Of the polynomial; below `window`.
    derivative
        How often the spectrum is differentiated along the axis, 0 to 2.
    """

    title: ClassVar[str] = "Savitzky-Golay derivative"
    explanation: ClassVar[str] = "Differentiates and smooths along the axis, which removes offsets of the baseline."
    caution: ClassVar[str] = "A derivative amplifies noise between neighbouring channels; a wider window lessens it."

    window: Annotated[int, Range(3, 9_999, step=2)] = 11
    order: Annotated[int, Range(0, 20)] = 2
    derivative: Annotated[int, Range(0, 2)] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.derivative <= self.order < self.window:
            raise ConfigError(
                f"The polynomial's order lies from the derivative ({self.derivative}) to below the window "
                f"({self.window}), got {self.order}."
            )

    def _check(self, frame: Frame) -> None:
        steps = np.diff(frame.axis.positions)
        if len(frame.axis) < self.window:
            raise SpectraError(
                f"The window of {self.window} channels is wider than the spectra, which have {len(frame.axis)}. "
                "Choose a narrower window."
            )
        if np.ptp(steps) > _EVEN * np.abs(steps).max() and not _even_but_for_digits(frame.axis.positions):
            raise SpectraError(
                "Savitzky-Golay needs channels at even distances, but this axis has steps from "
                f"{np.abs(steps).min():g} to {np.abs(steps).max():g} {frame.axis.unit}. Resample the spectra onto an "
                "even grid when importing them."
            )

    def _transformed(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        from scipy.signal import savgol_filter

        positions = self.frame_.axis.positions
        step = (positions[-1] - positions[0]) / (len(positions) - 1)
        out: NDArray[np.float64] = savgol_filter(
            signal, self.window, self.order, deriv=self.derivative, delta=float(step), axis=1
        )
        return out

    def _renamed(self, quantity: str, unit: str) -> tuple[str, str]:
        if self.derivative == 0:
            return quantity, unit
        return f"{quantity}, derivative {self.derivative}", unit


def _even_but_for_digits(positions: NDArray[np.float64]) -> bool:
    """Whether positions are those of an even grid, rounded to the decimals they are written with.

    >>> _even_but_for_digits(np.array([400.0, 400.3, 400.7, 401.0])), _even_but_for_digits(np.array([1.0, 2.0, 4.0]))
    (True, False)
    """
    decimals = next((n for n in range(7) if np.array_equal(np.round(positions, n), positions)), 7)
    unit = 10.0**-decimals
    places = np.arange(len(positions))
    slope, start = np.polyfit(places, positions, 1)
    off = positions - (start + slope * places)
    return bool(np.ptp(off) <= 1.1 * unit and unit <= 0.5 * abs(slope))

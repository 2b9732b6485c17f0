"""What does the signal measure? Written in the file, chosen, or told from how large the values are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.preparing.base import Prepared
from spectra_core.datasets.questions import Point, Problem, choice
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.table import ImportTable

SIGNAL_CHOICES = (
    choice("Absorbance", signal_quantity="Absorbance", signal_unit=""),
    choice("Transmittance, %", signal_quantity="Transmittance", signal_unit="%"),
    choice("Transmittance (0 to 1)", signal_quantity="Transmittance", signal_unit=""),
    choice("Reflectance, %", signal_quantity="Reflectance", signal_unit="%"),
    choice("Intensity", signal_quantity="Intensity", signal_unit=""),
)
PLAUSIBLE_ABSORBANCE, PLAUSIBLE_PER_CENT = 20.0, 120.0


def set_signal(result: Prepared, table: ImportTable, recipe: Recipe) -> None:
    """Set quantity and unit of the signal."""
    if recipe.signal_quantity is not None:
        quantity, unit, reason = recipe.signal_quantity, recipe.signal_unit or "", "chosen"
    elif table.signal_quantity:
        quantity, unit, reason = table.signal_quantity, table.signal_unit, "written in the file"
        largest = largest_of(table.signal)
        if quantity == "Absorbance" and largest > PLAUSIBLE_ABSORBANCE:
            result.problems.append(
                Problem(
                    "signal",
                    f"The file says absorbance, but values reach {largest:g}, which no absorbance does: they look "
                    "like intensities.",
                    SIGNAL_CHOICES,
                    False,
                )
            )
    else:
        largest = largest_of(table.signal[result.rows])  # not of spectra left out for what no instrument measured
        if largest > PLAUSIBLE_ABSORBANCE:
            quantity, unit, reason = "Intensity", "", f"not stated; values up to {largest:g} are no absorbances"
            if largest <= PLAUSIBLE_PER_CENT:
                text = (
                    f"Values up to {largest:.3g} may be transmittance in per cent, or intensities. Say what they are."
                )
                result.problems.append(Problem("signal", text, SIGNAL_CHOICES[1:], False))
        else:
            quantity, unit, reason = "Absorbance", "", f"not stated; values up to {largest:.3g} could be absorbances"
    result.signal_quantity, result.signal_unit = quantity, unit
    label = f"{quantity}, {unit}".strip(", ")
    result.points.append(Point("signal", "Signal", label, reason, SIGNAL_CHOICES, recipe.signal_quantity is not None))


def largest_of(signal: NDArray[np.floating[Any]]) -> float:
    """Return the largest value, of a sample of the spectra; 0 where none is finite."""
    # A sample of the spectra is enough to tell absorbances from counts, and keeps large sets quick.
    sample = signal[:: max(1, len(signal) // 200)]
    finite = sample[np.isfinite(sample)]
    return float(np.abs(finite).max()) if finite.size else 0.0

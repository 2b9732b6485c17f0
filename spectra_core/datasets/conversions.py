"""Conversions a person may ask for: signal, axis and concentration units. Nothing is converted unasked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.ions import AMOUNT_UNITS, MASS_UNITS
from spectra_core.errors import ReadError
from spectra_core.spectra.text import counted

ELECTRONVOLT_NANOMETRE = 1239.841984332  # h c / e in eV nm, exact constants of the SI (CODATA 2018)
AXIS_GOALS = {"nm": "Wavelength", "cm-1": "Wavenumber", "eV": "Photon energy"}


def converted_signal(
    signal: NDArray[np.floating[Any]], quantity: str, unit: str, goal: str, ids: Sequence[str] | None = None
) -> NDArray[np.floating[Any]]:
    """Convert between decadic absorbance and transmittance: ``A = -log10(T)``.

    Parameters
    ----------
    signal : (n_spectra, n_channels)
        In `quantity` and `unit`; transmittance in "%" or as a fraction.
    goal
        "Absorbance" or "Transmittance" (as a fraction).
    ids : n_spectra names
        How spectra are named where one cannot be converted; by number if left out.

    Raises
    ------
    ReadError
        When there is no such conversion, or a transmittance is not positive.
    """
    scale = 0.01 if unit == "%" else 1.0
    if quantity == goal:
        return signal * scale if scale != 1.0 else signal
    if goal == "Absorbance" and quantity in {"Transmittance", "Reflectance"}:
        fraction = signal * scale
        bad = fraction <= 0
        if bad.any():
            row, channel = (int(index) for index in np.argwhere(bad)[0])
            where = f"{row + 1}" if ids is None else repr(ids[row])
            what = quantity.lower()
            said = f"value of {what} is zero or negative and has", f"values of {what} are zero or negative and have"
            raise ReadError(
                f"{counted(int(bad.sum()), *said)} no absorbance; the first is in spectrum {where}, channel "
                f"{channel + 1}. Leave out those channels or spectra first."
            )
        converted: NDArray[np.floating[Any]] = -np.log10(fraction)
        return converted
    if goal == "Transmittance" and quantity == "Absorbance":
        powers: NDArray[np.floating[Any]] = 10.0 ** (-signal)
        return powers
    raise ReadError(f"{quantity or 'The signal'} cannot be converted to {goal.lower()}. Say what the signal is first.")


def converted_axis(positions: NDArray[np.float64], unit: str, goal: str) -> NDArray[np.float64]:
    """Convert positions between nm, cm-1 and eV, in vacuum; the order of channels is kept.

    Raises
    ------
    ReadError
        When a unit is unknown or a position is not positive.

    Examples
    --------
    >>> converted_axis(np.array([500.0]), "nm", "cm-1")
    array([20000.])
    """
    known = {"nm": 1.0, "µm": 1e3, "cm-1": 0.0, "eV": 0.0}
    if unit not in known or goal not in AXIS_GOALS:
        raise ReadError(
            f"An axis in {unit or 'an unknown unit'} cannot be converted to {goal}. Known: nm, µm, cm-1, eV."
        )
    if (positions <= 0).any():
        raise ReadError(
            f"Positions must be positive to be converted to {goal}; the smallest is {positions.min():g} {unit}."
        )
    if unit == goal:
        return positions
    wavelength = {
        "nm": positions,
        "µm": positions * 1e3,
        "cm-1": 1e7 / positions,
        "eV": ELECTRONVOLT_NANOMETRE / positions,
    }[unit]
    goals = {"nm": wavelength, "cm-1": 1e7 / wavelength, "eV": ELECTRONVOLT_NANOMETRE / wavelength}
    return np.asarray(goals[goal], dtype=np.float64)


def concentration_factor(unit: str, goal: str, molar_mass: float | None, name: str) -> float:
    """Return by what to multiply a concentration in `unit` to have it in `goal`.

    Raises
    ------
    ReadError
        When a unit is unknown, or mass and amount meet without a molar mass.

    Examples
    --------
    >>> round(concentration_factor("mg/L", "mmol/L", 63.546, "Cu2+"), 6)
    0.015737
    """
    if unit == goal:
        return 1.0
    known = {**AMOUNT_UNITS, **MASS_UNITS}
    if unit not in known or goal not in known:
        raise ReadError(
            f"Target {name!r} in {unit or 'an unknown unit'} cannot be converted to {goal}. Known: {', '.join(known)}."
        )
    factor = known[unit] / known[goal]
    if (unit in AMOUNT_UNITS) == (goal in AMOUNT_UNITS):
        return factor
    if molar_mass is None or not molar_mass > 0:
        raise ReadError(f"To convert target {name!r} from {unit} to {goal}, give its molar mass.")
    return factor * molar_mass if unit in AMOUNT_UNITS else factor / molar_mass

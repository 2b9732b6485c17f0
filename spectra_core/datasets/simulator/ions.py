"""The eight ions of the reference data, the salts that bring them, and how they balance."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import SimulationError
from spectra_core.spectra import Target

TARGETS = (
    Target("Zn2+", "mol/L", charge=2, molar_mass=65.38),
    Target("Cu2+", "mol/L", charge=2, molar_mass=63.546),
    Target("Li+", "mol/L", charge=1, molar_mass=6.94),
    Target("Fe3+", "mol/L", charge=3, molar_mass=55.845),
    Target("Ni2+", "mol/L", charge=2, molar_mass=58.693),
    Target("NH4+", "mol/L", charge=1, molar_mass=18.039),
    Target("SO4 2-", "mol/L", charge=-2, molar_mass=96.06),
    Target("NO3-", "mol/L", charge=-1, molar_mass=62.005),
)
"""The labels of every simulated set; charges by convention, molar masses from IUPAC atomic weights."""

IONS = tuple(target.name for target in TARGETS)
CHARGES: NDArray[np.float64] = np.array([target.charge for target in TARGETS], dtype=np.float64)

SALTS: dict[str, dict[str, int]] = {
    "Zn(NO3)2": {"Zn2+": 1, "NO3-": 2},
    "ZnSO4": {"Zn2+": 1, "SO4 2-": 1},
    "Cu(NO3)2": {"Cu2+": 1, "NO3-": 2},
    "CuSO4": {"Cu2+": 1, "SO4 2-": 1},
    "LiNO3": {"Li+": 1, "NO3-": 1},
    "Fe(NO3)3": {"Fe3+": 1, "NO3-": 3},
    "NiSO4": {"Ni2+": 1, "SO4 2-": 1},
    "Ni(NO3)2": {"Ni2+": 1, "NO3-": 2},
    "(NH4)2SO4": {"NH4+": 2, "SO4 2-": 1},
    "NH4NO3": {"NH4+": 1, "NO3-": 1},
}
"""Salts of the reference data [K lo, "assumed"] as number of each ion per formula unit."""

MAX_ION_CONCENTRATION = 10.0
"""mol/L; beyond it no salt here stays dissolved, and the activity model has no meaning."""

_BALANCE_TOLERANCE = 1e-6
"""Relative; labels that a person typed carry about six digits."""


def ions_of(salts: Sequence[str], acid: float = 0.0) -> tuple[str, ...]:
    """Return the ions that `salts` and nitric acid [mol/L] bring, in the order of `IONS`.

    >>> ions_of(["CuSO4", "LiNO3"])
    ('Cu2+', 'Li+', 'SO4 2-', 'NO3-')
    """
    brought = {ion for salt in salts for ion in SALTS[salt]} | ({"NO3-"} if acid else set())
    return tuple(ion for ion in IONS if ion in brought)


def salt_matrix(salts: Sequence[str]) -> NDArray[np.float64]:
    """Return the number of each ion per formula unit, (n_salts, 8), columns as `IONS`."""
    return np.array([[SALTS[salt].get(ion, 0) for ion in IONS] for salt in salts], dtype=np.float64)


def checked_salts(table: pd.DataFrame, salts: Sequence[str]) -> NDArray[np.float64]:
    """Return salt concentrations (n_spectra, n_salts), mol/L, refusing what no solution can be.

    Raises
    ------
    SimulationError
        For an unknown salt, or a concentration that is negative, absurd or not a number.
    """
    unknown = [str(name) for name in table.columns if name not in salts]
    if unknown:
        raise SimulationError(f"Unknown salt {unknown[0]!r}. Known salts: {', '.join(salts)}.")
    filled = table.reindex(columns=list(salts), fill_value=0.0)
    values = _checked_concentrations(filled)
    _checked_concentrations(pd.DataFrame(values @ salt_matrix(salts), columns=list(IONS)))
    return values


def checked_ions(table: pd.DataFrame, acid: float) -> NDArray[np.float64]:
    """Return ion concentrations (n_spectra, 8), mol/L, refusing what cannot be made from salts and nitric acid.

    Parameters
    ----------
    table : (n_spectra, up to 8), mol/L
        Columns are names in `IONS`; ions that are not named are absent. Nitrate includes that of the acid.
    acid
        Added nitric acid, mol/L: the charge that hydrogen ions balance.

    Raises
    ------
    SimulationError
        As `checked_salts`, and where charges do not cancel.
    """
    unknown = [str(name) for name in table.columns if name not in IONS]
    if unknown:
        raise SimulationError(f"Unknown ion {unknown[0]!r}. Known ions: {', '.join(IONS)}.")
    values = _checked_concentrations(table.reindex(columns=list(IONS), fill_value=0.0))
    excess = values @ CHARGES + acid
    allowed = _BALANCE_TOLERANCE * np.maximum(values @ np.abs(CHARGES), 1e-6)
    if (np.abs(excess) > allowed).any():
        row = int(np.argmax(np.abs(excess) - allowed))
        raise SimulationError(
            f"Charges must cancel, but solution {row + 1} has {excess[row]:+.3g} mol/L of charge left over. "
            "Change a concentration, or add the acid that balances it."
        )
    return values


def _checked_concentrations(table: pd.DataFrame) -> NDArray[np.float64]:
    values = table.to_numpy(dtype=np.float64)
    for bad, why, advice in (
        (~np.isfinite(values), "is not a finite number", "Give a number"),
        (values < 0, "is negative", "Give 0 or more"),
        (
            values > MAX_ION_CONCENTRATION,
            f"is above {MAX_ION_CONCENTRATION:g} mol/L, where nothing here stays dissolved",
            "Give less, in mol/L",
        ),
    ):
        if bad.any():
            row, column = (int(index) for index in np.argwhere(bad)[0])
            raise SimulationError(
                f"The concentration of {table.columns[column]} in solution {row + 1} {why} "
                f"({values[row, column]:g} mol/L). {advice}."
            )
    return values

"""Whether a solution is electrically neutral."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.spectra import Target

MOL_PER_LITRE = {
    "mol/l": 1.0,
    "mmol/l": 1e-3,
    "umol/l": 1e-6,
    "nmol/l": 1e-9,
    "mol/m3": 1e-3,
    "mol/dm3": 1.0,
}
"""mol/L in one unit, by the unit in lower case; "M", "mM" and the like are spelled out first."""

_MOLAR = {"M": "mol/l", "mM": "mmol/l", "uM": "umol/l", "nM": "nmol/l"}


def molar_factor(unit: str) -> float | None:
    """Return mol/L in one `unit`; None where it is no amount of substance per volume.

    >>> molar_factor("mM"), molar_factor("mol/L"), molar_factor("mg/L")
    (0.001, 1.0, None)
    """
    return MOL_PER_LITRE.get(_spelled_out(unit))


def charge_residual(targets: pd.DataFrame, target_info: Sequence[Target]) -> NDArray[np.float64] | None:
    """Return sum of z c of every row, (n_sets,) in mol/L; zero in a neutral solution of the listed ions.

    Parameters
    ----------
    targets : (n_sets, n_targets)
        Concentrations, one named column per entry of `target_info`.
    target_info
        Unit and charge of every target. A target with charge 0 does not count.

    Returns
    -------
    ndarray or None
        None where it cannot be computed; `charge_obstacle` says why.

    Raises
    ------
    SpectraError
        When ions are given in different units, or columns are missing.
    """
    return _weighted_sum(targets, target_info, [float(target.charge or 0) for target in target_info])


def charge_total(targets: pd.DataFrame, target_info: Sequence[Target]) -> NDArray[np.float64] | None:
    """Return sum of |z| c of every row, (n_sets,) in mol/L: what a charge residual is small or large against.

    None and errors as in `charge_residual`.
    """
    return _weighted_sum(targets.abs(), target_info, [abs(float(target.charge or 0)) for target in target_info])


def charge_obstacle(target_info: Sequence[Target]) -> str | None:
    """Return one sentence on why charge balance cannot be checked, or None where it can."""
    unknown = [target.name for target in target_info if target.charge is None]
    if unknown:
        return f"Charge balance is not checked: the charge of {', '.join(unknown)} is not known."
    ions = [target for target in target_info if target.charge]
    if not ions:
        return "Charge balance is not checked: no target carries a charge."
    if len({target.charge > 0 for target in ions if target.charge is not None}) == 1:
        missing = "anions" if (ions[0].charge or 0) > 0 else "cations"
        return f"Charge balance is not checked: the counter-ions ({missing}) are not among the targets."
    units = sorted({target.unit for target in ions})
    if len(units) > 1:
        return f"Charge balance is not checked: the ions come in different units, {', '.join(map(repr, units))}."
    if _spelled_out(units[0]) not in MOL_PER_LITRE:
        given = f"{units[0]!r} is not an amount of substance per volume" if units[0] else "their unit is not known"
        return f"Charge balance is not checked: it needs concentrations in mol/L or the like, and {given}."
    return None


def _weighted_sum(
    targets: pd.DataFrame, target_info: Sequence[Target], weights: Sequence[float]
) -> NDArray[np.float64] | None:
    missing = [target.name for target in target_info if target.name not in targets.columns]
    if missing:
        raise SpectraError(
            f"The concentration sets have no column {missing[0]!r}. Give one column per target: "
            f"{', '.join(target.name for target in target_info)}."
        )
    units = sorted({target.unit for target in target_info if target.charge})
    if len(units) > 1:
        raise SpectraError(
            f"Charges can only be added up in one unit, but the ions come in {', '.join(map(repr, units))}. "
            "Convert the targets to one unit first."
        )
    if charge_obstacle(target_info) is not None:
        return None
    ions = [(target.name, weight) for target, weight in zip(target_info, weights, strict=True) if target.charge]
    amounts = targets[[name for name, _ in ions]].to_numpy(dtype=np.float64)
    total: NDArray[np.float64] = MOL_PER_LITRE[_spelled_out(units[0])] * (amounts @ np.array([w for _, w in ions]))
    return total


def _spelled_out(unit: str) -> str:
    """Return a unit in one spelling.

    >>> _spelled_out("mM"), _spelled_out("mol L-1"), _spelled_out("µmol / L")
    ('mmol/l', 'mol/l', 'umol/l')
    """
    plain = unit.strip().replace("µ", "u").replace("μ", "u").replace("³", "3").replace("⁻¹", "-1")
    if plain in _MOLAR:
        return _MOLAR[plain]
    compact = plain.replace("*", " ").replace("·", " ").replace(" / ", "/").lower()
    for per_volume in (" l-1", " l^-1", ".l-1"):
        compact = compact.replace(per_volume, "/l")
    return compact.replace(" ", "")

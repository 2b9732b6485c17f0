"""What a set offers a calibration: independent targets, repeated spectra, channels that carry nothing."""

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.spectra import SpectraSet

DEPENDENCE = 1e-3
"""A target counts as given by others when what they leave is below this share of its size.

Concentrations in files are rounded, often to three or four digits.
"""
SATURATION = 3.0
"""Absorbance above which 0.1 % of the light or less passes and stray light takes over in common instruments."""


def target_dependence(spectra: SpectraSet, *, tolerance: float = DEPENDENCE) -> pd.DataFrame:
    """Find targets that are given by others, such as NO3- = 2 Cu2+ + 2 Ni2+.

    Targets are taken in the order of the set, cations before anions where charges are known; each that is not
    a linear combination of a constant and those taken before becomes independent, each other one is written
    in terms of the independent ones. A calibration cannot tell dependent targets apart from their relation.

    Parameters
    ----------
    tolerance
        Largest root mean square of what the others leave, relative to the target's own, to count as dependent.

    Returns
    -------
    DataFrame, one row per target in the order of the set
        ``target``, ``unit``, ``minimum``, ``maximum``, ``n_distinct``, ``relation`` (empty for an
        independent target), ``residual`` (root mean square of what the relation leaves, relative to the
        target's own; NaN for an independent target).
    """
    values = spectra.target_values
    size = np.sqrt((values**2).mean(axis=0)) if spectra.n_targets else np.zeros(0)
    found: dict[int, tuple[str, float]] = {}
    independent: list[int] = []
    for target in _cations_first(spectra):
        basis = np.column_stack([np.ones(len(spectra)), *(values[:, i] / size[i] for i in independent)])
        scaled = values[:, target] / (size[target] or 1.0)
        coefficients, *_ = np.linalg.lstsq(basis, scaled, rcond=None)
        residual = float(np.sqrt(((scaled - basis @ coefficients) ** 2).mean()))
        # As many spectra as unknowns fit anything: that shows nothing.
        if residual > tolerance or len(spectra) <= basis.shape[1]:
            independent.append(target)
            continue
        in_units = coefficients * size[target] / np.array([1.0, *size[independent]])
        weights = np.abs(coefficients) > tolerance
        found[target] = (_written(spectra, target, independent, np.where(weights, in_units, 0.0)), residual)
    return pd.DataFrame(
        {
            "target": list(spectra.target_names),
            "unit": [info.unit for info in spectra.target_info],
            "minimum": values.min(axis=0),
            "maximum": values.max(axis=0),
            "n_distinct": [len(np.unique(column)) for column in values.T],
            "relation": [found.get(i, ("", 0.0))[0] for i in range(spectra.n_targets)],
            "residual": [found[i][1] if i in found else np.nan for i in range(spectra.n_targets)],
        }
    )


def target_rank(dependence: pd.DataFrame) -> int:
    """Return how many targets are independent, from the table of `target_dependence`."""
    return int((dependence["relation"] == "").sum())


def channel_check(spectra: SpectraSet, *, saturation: float = SATURATION) -> pd.DataFrame:
    """Say which channels carry nothing, and where the detector sees too little light.

    Returns
    -------
    DataFrame, one row per channel
        ``position`` [axis unit], ``constant`` (one value in every spectrum), ``share_saturated`` and
        ``share_negative`` (of spectra above `saturation`, below zero; NaN unless the signal is absorbance).
    """
    signal = spectra.signal
    absorbance = spectra.meta.is_absorbance
    return pd.DataFrame(
        {
            "position": spectra.axis.positions,
            "constant": spectra.constant_channels,
            "share_saturated": (signal > saturation).mean(axis=0) if absorbance else np.nan,
            "share_negative": (signal < 0).mean(axis=0) if absorbance else np.nan,
        }
    )


def repeats(spectra: SpectraSet) -> pd.DataFrame:
    """Count what a split must keep together.

    Returns
    -------
    DataFrame, one row
        ``n_spectra``, ``n_groups`` (replicates and exact duplicates counted once), ``largest_group``,
        ``n_duplicates`` (spectra equal to an earlier one), ``n_mixtures`` (distinct sets of concentrations;
        NaN without targets).
    """
    contents = {row.tobytes() for row in spectra.signal}
    sizes = np.unique(spectra.groups, return_counts=True)[1]
    mixtures: Any = len(np.unique(spectra.target_values, axis=0)) if spectra.n_targets else np.nan
    return pd.DataFrame(
        {
            "n_spectra": [len(spectra)],
            "n_groups": [len(sizes)],
            "largest_group": [int(sizes.max())],
            "n_duplicates": [len(spectra) - len(contents)],
            "n_mixtures": [mixtures],
        }
    )


def _cations_first(spectra: SpectraSet) -> list[int]:
    return sorted(range(spectra.n_targets), key=lambda i: (spectra.target_info[i].charge or 0) < 0)


def _written(spectra: SpectraSet, target: int, independent: list[int], coefficients: NDArray[np.float64]) -> str:
    """Spell "NO3- = 2 Cu2+ + 3 Cr3+ - 0.1", whole numbers and simple fractions as such."""
    names = spectra.target_names
    terms = [(value, names[i]) for value, i in zip(coefficients[1:], independent, strict=True) if value != 0]
    if coefficients[0] != 0 or not terms:
        terms.append((coefficients[0], ""))
    text = ""
    for value, name in terms:
        sign = " - " if value < 0 else " + "
        text += (sign if text else sign.strip(" +")) + _term(abs(float(value)), name)
    return f"{names[target]} = {text}"


def _term(value: float, name: str) -> str:
    if not name:
        return f"{value:.4g}"
    simple = Fraction(value).limit_denominator(4)
    # One part in a hundred: as close as rounded concentrations let a coefficient be known.
    if simple > 0 and abs(value - float(simple)) < 0.01 * value:
        return name if simple == 1 else f"{simple} {name}"
    return f"{value:.3g} {name}"

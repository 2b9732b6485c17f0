"""Whether generated spectra could have been measured: checks that physics sets, spectrum by spectrum."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.conditions.charge import charge_residual, charge_total
from spectra_core.errors import SpectraError
from spectra_core.evaluation.channels.noise import POINTS, local_residual, noise_level
from spectra_core.evaluation.physics.pure_components import PureComponents
from spectra_core.evaluation.roles import require_comparable
from spectra_core.evaluation.suitability.design import SATURATION
from spectra_core.evaluation.suitability.outliers import outliers
from spectra_core.spectra import SpectraSet

CONFIDENCE = 0.99
"""Share of real spectra that every limit lets pass."""
ENOUGH_HELD_OUT = 100
"""Held-out spectra from which a 99 % limit can be read; of fewer, the training spectra give it."""


@dataclass(frozen=True)
class Check:
    """One check of a spectrum.

    Parameters
    ----------
    title
        As a person says it, with the unit.
    sentence
        What an offender has done.
    column
        The column of `physics` that is judged.
    side
        Which side of the limit offends.
    least_limit
        Offences smaller than this are rounding or noise, whatever real spectra show ("above" only).
    """

    title: str
    sentence: str
    column: str
    side: Literal["above", "below"] = "above"
    least_limit: float = 0.0


CHECKS: dict[str, Check] = {
    "negative": Check(
        "Negative absorbance, noise units",
        "The signal falls further below zero than noise explains.",
        "negative",
        least_limit=4.0,
    ),
    "saturation": Check(
        "Saturated channels, share",
        "More channels than in real spectra lie where the detector sees no light.",
        "saturated",
    ),
    "rough": Check("Roughness, noise units", "Neighbouring channels jump more than in real spectra.", "roughness"),
    "smooth": Check(
        "Smoothness (roughness too low), noise units",
        "Neighbouring channels follow each other more closely than the instrument's noise allows.",
        "roughness",
        side="below",
    ),
    "pure_components": Check(
        "Residual from mixtures, noise units",
        "No mixture of the components' spectra looks like this (classical least squares).",
        "mixture_residual",
    ),
    "charge": Check(
        "Charge residual of the labels, share",
        "The concentrations do not make an electrically neutral solution.",
        "charge",
        least_limit=1e-3,
    ),
    "t2": Check("T² over its limit", "An extreme mixture, beyond what the training set spans.", "t2_ratio"),
    "q": Check("Q over its limit", "Holds something the training spectra do not.", "q_ratio"),
}
"""All checks by name."""


def physics(sets: Mapping[str, SpectraSet], *, saturation: float = SATURATION) -> pd.DataFrame:
    """Measure what physics asks of every spectrum of every role, in units of the training set.

    Parameters
    ----------
    sets
        Needs "training".
    saturation
        Absorbance above which a channel counts as saturated.

    Returns
    -------
    DataFrame, one row per (role, spectrum)
        ``role``, ``sample`` (row in its set, from 0), ``id``; ``negative`` (depth of the deepest channel below
        zero, in units of that channel's noise; absorbance only), ``saturated`` (share of channels; absorbance
        only), ``roughness`` (root mean square of the local residual in units of each channel's noise),
        ``mixture_residual`` (root mean square of what no mixture of pure components explains, in noise units),
        ``charge`` (|sum z c| / sum |z| c of the labels), ``t2_ratio``, ``q_ratio`` (over their 99 % limits in a
        PCA of the training set). NaN where a check does not apply.

    Raises
    ------
    SpectraError
        When there is no training set or axes differ.
    """
    require_comparable(sets)
    if "training" not in sets:
        raise SpectraError(f"Physics is judged in units of the training set; got {', '.join(sets)}.")
    training = sets["training"]
    noise = noise_units(training)
    curvature = None
    if training.n_channels >= POINTS:
        curvature = np.median(local_residual(training.signal, training.axis), axis=0)
    components = _components(training)
    tables = []
    for role, spectra in sets.items():
        table = pd.DataFrame({"role": role, "sample": np.arange(len(spectra)), "id": spectra.samples["id"]})
        absorbance = spectra.meta.is_absorbance
        table["negative"] = np.maximum(-spectra.signal / noise, 0.0).max(axis=1) if absorbance else np.nan
        table["saturated"] = (spectra.signal > saturation).mean(axis=1) if absorbance else np.nan
        table["roughness"] = (
            np.nan if curvature is None else _rms((local_residual(spectra.signal, spectra.axis) - curvature) / noise)
        )
        table["mixture_residual"] = np.nan if components is None else _rms(components.residual(spectra.signal) / noise)
        table["charge"] = _charge(spectra)
        apart = _apart(training, None if role == "training" else spectra)
        table["t2_ratio"] = np.nan if apart is None else apart["t2_ratio"]
        table["q_ratio"] = np.nan if apart is None else apart["q_ratio"]
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def physics_limits(table: pd.DataFrame) -> pd.DataFrame:
    """Set a limit for every check that 99 % of the real spectra keep.

    They are the held-out spectra where there are at least 100, since the training set's own residuals are
    somewhat too small; else the training spectra.

    Returns
    -------
    DataFrame, one row per check that applies
        ``check`` (a name of `CHECKS`), ``limit``, ``set_by`` (role), ``n_spectra``.
    """
    held_out = table["role"] == "held-out"
    role = "held-out" if held_out.sum() >= ENOUGH_HELD_OUT else "training"
    real = table[table["role"] == role]
    rows = []
    for name, check in CHECKS.items():
        values = real[check.column].dropna()
        if values.empty:
            continue
        share = CONFIDENCE if check.side == "above" else 1 - CONFIDENCE
        limit = float(values.quantile(share))
        limit = max(limit, check.least_limit) if check.side == "above" else limit
        rows.append({"check": name, "limit": limit, "set_by": role, "n_spectra": len(values)})
    return pd.DataFrame(rows, columns=["check", "limit", "set_by", "n_spectra"])


def physics_offences(table: pd.DataFrame, limits: pd.DataFrame) -> pd.DataFrame:
    """Say which spectrum breaks which limit.

    Returns
    -------
    DataFrame, one row per row of `table`
        ``role``, ``sample``, ``id``, one column of yes or no per check, and ``n_offences``.
    """
    found = table[["role", "sample", "id"]].copy()
    for name, limit in zip(limits["check"], limits["limit"], strict=True):
        values = table[CHECKS[name].column]
        # Equal up to rounding is not beyond.
        slack = 1e-9 * abs(limit)
        found[name] = values > limit + slack if CHECKS[name].side == "above" else values < limit - slack
    found["n_offences"] = found[list(limits["check"])].sum(axis=1)
    return found


def physics_summary(table: pd.DataFrame, limits: pd.DataFrame) -> pd.DataFrame:
    """Sum the checks up per role.

    Returns
    -------
    DataFrame, one row per (check, role)
        ``check``, ``title``, ``role``, ``limit``, ``offenders`` (number), ``share``, ``median``, ``n_spectra``.
    """
    offences = physics_offences(table, limits)
    rows = []
    for name, limit in zip(limits["check"], limits["limit"], strict=True):
        for role, part in table.groupby("role", sort=False):
            values = part[CHECKS[name].column]
            count = int(offences.loc[part.index, name].sum())
            rows.append(
                {
                    "check": name,
                    "title": CHECKS[name].title,
                    "role": role,
                    "limit": limit,
                    "offenders": count,
                    "share": count / len(part),
                    "median": float(values.median()),
                    "n_spectra": len(part),
                }
            )
    return pd.DataFrame(rows)


def noise_units(training: SpectraSet) -> NDArray[np.float64]:
    """Return the noise per channel (n_channels,) to measure by, in the signal's unit, never zero.

    Channels without noise take the median of the others; a set without any noise, or with too few channels to
    tell, is measured by a thousandth of its signal's standard deviation.
    """
    fallback = 1e-3 * float(training.signal.std()) or 1.0
    if training.n_channels < POINTS:
        return np.full(training.n_channels, fallback)
    noise = noise_level(training)
    # Rounding of stored numbers is not noise.
    there = noise > 1e-9 * float(np.abs(training.signal).max())
    return np.where(there, noise, np.median(noise[there]) if there.any() else fallback)


def mixture_residual(sets: Mapping[str, SpectraSet], role: str, sample: int) -> pd.DataFrame:
    """Show what no mixture of pure components explains in one spectrum.

    Returns
    -------
    DataFrame, one row per channel
        ``position`` [axis unit], ``spectrum``, ``mixture`` (the nearest one), ``residual`` [signal unit],
        ``residual_in_noise``. Where targets do not allow pure components, the mixture is the nearest point of
        the PCA that Q is measured in.
    """
    training = sets["training"]
    spectrum = sets[role].signal[[sample]].astype(np.float64)
    components = _components(training)
    residual = (_pca_residual(training, spectrum) if components is None else components.residual(spectrum))[0]
    return pd.DataFrame(
        {
            "position": training.axis.positions,
            "spectrum": spectrum[0],
            "mixture": spectrum[0] - residual,
            "residual": residual,
            "residual_in_noise": residual / noise_units(training),
        }
    )


def _components(training: SpectraSet) -> PureComponents | None:
    try:
        return PureComponents.fit(training)
    except SpectraError:
        return None


def _pca_residual(training: SpectraSet, spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    from spectra_core.evaluation.similarity.two_sample import principal_directions

    _, limits = outliers(training)
    mean = training.signal.mean(axis=0, dtype=np.float64)
    loadings = principal_directions(training.signal.astype(np.float64), limits.n_components)
    centred = spectrum - mean
    left: NDArray[np.float64] = centred - (centred @ loadings) @ loadings.T
    return left


def _apart(training: SpectraSet, spectra: SpectraSet | None) -> pd.DataFrame | None:
    try:
        return outliers(training, spectra)[0]
    except SpectraError:
        return None


def _charge(spectra: SpectraSet) -> NDArray[np.float64] | float:
    if not spectra.n_targets or len({target.unit for target in spectra.target_info if target.charge}) > 1:
        return float("nan")
    residual = charge_residual(spectra.targets, spectra.target_info)
    total = charge_total(spectra.targets, spectra.target_info)
    if residual is None or total is None:
        return float("nan")
    return np.abs(residual) / np.where(total > 0, total, 1.0)


def _rms(values: NDArray[np.float64]) -> NDArray[np.float64]:
    root: NDArray[np.float64] = np.sqrt((values**2).mean(axis=1))
    return root

"""Which labels of the experimental data do not fit their spectra: residuals of spectra left out of a robust fit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.two_sample import principal_directions
from spectra_core.regressors.ridge import left_out_residuals, ridge_fit
from spectra_core.spectra import SpectraSet

FEWEST = 10
MOST_COMPONENTS = 100
"""Principal components that labels are read from; further ones hold noise."""
SHARES = np.geomspace(1e-10, 1.0, 21)
"""Ridge penalties tried, as shares of the largest eigenvalue."""
TRUSTED = 0.7
"""Share of the spectra that the first fits rest on: up to three in ten may be wrong."""
MOST_STEPS = 20
ROUNDED = 1e-3
"""Spread below this share of a target's standard deviation is rounding of the label."""


@dataclass(frozen=True)
class LabelCheck:
    """How labels were checked.

    Parameters
    ----------
    cutoff
        Residuals beyond this many spreads are suspicious.
    spread : one per target
        Robust standard deviation of left-out residuals, in the target's unit.
    n_suspicious
        Spectra with a suspicious label.
    """

    cutoff: float
    spread: dict[str, float]
    n_suspicious: int


def label_errors(spectra: SpectraSet, *, false_alarms: float = 0.05) -> tuple[pd.DataFrame, LabelCheck]:
    """Compare every label with what the other spectra say, wrong ones set aside.

    Labels are read from the principal components of the spectra by ridge regression, leaving out one group of
    replicates at a time. A wrong label bends a fit that trusts it and hides among its own kind, so the fit
    first rests on the seven tenths of spectra that it fits best, found by repeated refitting (concentration
    steps of least trimmed squares, Rousseeuw & Van Driessen, Data Min Knowl Discov 2006), then on all spectra
    within the cutoff. The spread is 1.4826 times the median absolute residual. The cutoff is the normal quantile
    at which `false_alarms` spectra are expected to be named wrongly in the whole set (Bonferroni); where
    concentration acts on the signal in bent ways, tails are longer than normal: look before you correct.

    Parameters
    ----------
    spectra
        With targets; at least 10 independent spectra.
    false_alarms
        Labels expected to be named by chance in the whole set, if residuals are normal.

    Returns
    -------
    DataFrame, one row per (spectrum, target)
        ``sample`` (row, from 0), ``id``, ``target``, ``label``, ``expected`` (from the other spectra), ``residual``
        (label - expected) [target's unit], ``spreads`` (residual in spreads), ``suspicious`` (beyond the cutoff),
        ``fits_label_of`` (id of another suspicious spectrum whose labels would all fit this one: swapped rows;
        else empty).
    LabelCheck

    Raises
    ------
    SpectraError
        When there are no targets or too few independent spectra.
    ConfigError
        When `false_alarms` is not positive.
    """
    from scipy import stats

    n_groups = len(np.unique(spectra.groups))
    varying = np.ptp(spectra.target_values, axis=0) > 0 if spectra.n_targets else np.zeros(0, dtype=bool)
    if not varying.any() or n_groups < FEWEST:
        raise SpectraError(
            f"Labels are checked against each other: that takes a target that varies and at least {FEWEST} "
            f"independent spectra; the set has {int(varying.sum())} such targets and {n_groups} spectra."
        )
    if not false_alarms > 0:
        raise ConfigError(f"The number of false alarms to accept is positive, got {false_alarms:g}.")
    centred = spectra.signal - spectra.signal.mean(axis=0, dtype=np.float64)
    scores = centred @ principal_directions(centred, MOST_COMPONENTS)
    labels = spectra.target_values[:, varying]
    share = min(false_alarms / labels.size, 1.0)
    cutoff = float(stats.norm.isf(share / 2))
    residual, spread = _robust_residuals(scores, labels, spectra.groups, cutoff)
    in_spreads = residual / spread
    suspicious: NDArray[np.bool_] = np.asarray(np.abs(in_spreads) > cutoff)
    names = np.array(spectra.target_names, dtype=object)[varying]
    ids = spectra.samples["id"].to_numpy(dtype=object)
    partners = _swaps(labels / spread, (labels - residual) / spread, np.flatnonzero(suspicious.any(axis=1)), cutoff)
    swapped = np.array([ids[row] if row >= 0 else "" for row in partners], dtype=object)
    n_targets = len(names)
    table = pd.DataFrame(
        {
            "sample": np.repeat(np.arange(len(spectra)), n_targets),
            "id": np.repeat(ids, n_targets),
            "target": np.tile(names, len(spectra)),
            "label": labels.ravel(),
            "expected": (labels - residual).ravel(),
            "residual": residual.ravel(),
            "spreads": in_spreads.ravel(),
            "suspicious": suspicious.ravel(),
            "fits_label_of": np.repeat(swapped, n_targets),
        }
    )
    spreads = {str(name): float(value) for name, value in zip(names, spread, strict=True)}
    return table, LabelCheck(cutoff, spreads, int(suspicious.any(axis=1).sum()))


def _robust_residuals(
    scores: NDArray[Any], labels: NDArray[np.float64], groups: NDArray[np.int64], cutoff: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return left-out residuals (n, n_targets) and their spread (n_targets,)."""
    n = len(labels)
    kept = np.ones(n, dtype=bool)
    residual = _left_out(scores, labels, groups, kept)
    for trimming in (True, False):
        for _ in range(MOST_STEPS):
            spread = _spread(residual, labels)
            worst = np.abs(residual / spread).max(axis=1)
            if trimming:
                now = np.zeros(n, dtype=bool)
                now[np.argsort(worst, kind="stable")[: int(np.ceil(TRUSTED * n))]] = True
            else:
                now = worst <= cutoff
            if np.array_equal(now, kept) or len(np.unique(groups[now])) < 2:
                break
            kept = now
            residual = _left_out(scores, labels, groups, kept)
    return residual, _spread(residual, labels)


def _left_out(
    scores: NDArray[Any], labels: NDArray[np.float64], groups: NDArray[np.int64], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return residuals of a fit to the kept rows: of kept ones with their group left out, of others as they are."""
    centre, mean = scores[kept].mean(axis=0), labels[kept].mean(axis=0)
    x, y = scores[kept] - centre, labels[kept] - mean
    coefficients, penalties = ridge_fit(x, y, groups[kept], SHARES)
    residual = labels - mean - (scores - centre) @ coefficients
    eigenvalues, directions = np.linalg.eigh(x.T @ x)
    turned = x @ directions
    for target, penalty in enumerate(penalties):
        penalised = np.maximum(eigenvalues, 0.0) + penalty
        residual[kept, target] = left_out_residuals(turned, penalised, y[:, [target]], groups[kept])[:, 0]
    return np.asarray(residual)


def _spread(residual: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.float64]:
    robust = 1.4826 * np.median(np.abs(residual), axis=0)
    spread: NDArray[np.float64] = np.maximum(robust, ROUNDED * labels.std(axis=0))
    return spread


def _swaps(
    labels: NDArray[np.float64], expected: NDArray[np.float64], rows: NDArray[np.int64], cutoff: float
) -> NDArray[np.int64]:
    """Return per spectrum the row among `rows` whose labels it would fit in every target, -1 for none.

    Labels and what is expected (n, n_targets) come in spreads.
    """
    found = np.full(len(labels), -1, dtype=np.int64)
    for row in rows:
        others = rows[rows != row]
        if len(others):
            misfit = np.abs(expected[row] - labels[others]).max(axis=1)
            if misfit.min() <= cutoff:
                found[row] = others[misfit.argmin()]
    return found

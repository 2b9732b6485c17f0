"""Which labels of the experimental data do not fit their spectra: residuals of spectra left out of a robust fit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.similarity.distances import nearest
from spectra_core.evaluation.similarity.two_sample import principal_directions
from spectra_core.evaluation.suitability.design import SATURATION
from spectra_core.regressors.ridge import left_out_residuals, ridge_fit
from spectra_core.spectra import SpectraSet

FEWEST = 10
MOST_COMPONENTS = 100
"""Principal components that labels are read from; further ones hold noise."""
SHARES = np.geomspace(1e-10, 1.0, 21)
"""Ridge penalties tried, as shares of the largest eigenvalue."""
TRUSTED = 0.7
"""Share of the spectra with similar labels that the first fits rest on: three in ten may be wrong."""
AT_LEAST = 0.5
"""Share of the spectra with similar labels that is never set aside: what most spectra do is no error."""
SIMILAR = 8
"""Labels are similar within an eighth of the spectra, ties together."""
MOST_STEPS = 20
ROUNDED = 1e-3
"""Spread below this share of a target's standard deviation is rounding of the label."""
NEIGHBOURS = 10
"""Spectra around one that say how well labels are read there."""
READABLE = 0.5
"""A target is readable where what its labels keep from the fit is less than this share of their deviation."""


@dataclass(frozen=True)
class LabelCheck:
    """How labels were checked.

    Parameters
    ----------
    cutoff
        Residuals beyond this many spreads are suspicious.
    spread : one per target
        Robust standard deviation of left-out residuals, in the target's unit.
    unreadable
        Targets that the spectra do not tell well enough for their labels to be checked.
    n_suspicious
        Spectra with a suspicious label.
    """

    cutoff: float
    spread: dict[str, float]
    unreadable: tuple[str, ...]
    n_suspicious: int


def label_errors(spectra: SpectraSet, *, false_alarms: float = 0.05) -> tuple[pd.DataFrame, LabelCheck]:
    """Compare every label with what the other spectra say, wrong ones set aside.

    Labels are read from the principal components of the spectra by ridge regression, target by target, leaving out
    one group of replicates at a time. A wrong label bends a fit that trusts it and hides among its own kind, so the
    fit first rests on the seven tenths of the spectra that it fits best, found by repeated refitting (concentration
    steps of least trimmed squares, Rousseeuw & Van Driessen, Data Min Knowl Discov 2006), then on all spectra
    within the cutoff. Both are taken among spectra with similar labels: else, where most solutions lack an ion, all
    that hold it would be set aside. The spread is 1.4826 times the median absolute residual, of the whole set or of
    similar labels, whichever is larger. The cutoff is the normal quantile at which `false_alarms` labels are expected
    to be named wrongly in the whole set.

    Where the signal bends (saturation, equilibria) a straight fit errs for all spectra alike, and that is no error of
    their labels: a residual counts only as far as it also differs from the median of the ten nearest spectra, in
    spreads of theirs where those are larger. Absorbance is cut at 3 first. Some false alarms remain on such
    data: look before you correct.

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
        (label - expected) [target's unit], ``spreads`` (residual in spreads, of the whole set or beside the
        nearest spectra, whichever is smaller), ``suspicious`` (beyond the cutoff, and the target is readable),
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
    signal = np.minimum(spectra.signal, SATURATION) if spectra.meta.is_absorbance else spectra.signal
    centred = signal - signal.mean(axis=0, dtype=np.float64)
    scores = centred @ principal_directions(centred, MOST_COMPONENTS)
    labels = spectra.target_values[:, varying]
    share = min(false_alarms / labels.size, 1.0)
    cutoff = float(stats.norm.isf(share / 2))
    columns = [_robust_residual(scores, column, spectra.groups, cutoff) for column in labels.T]
    residual, spread = (np.stack([column[part] for column in columns], axis=1) for part in (0, 1))
    readable = np.array([column[2] for column in columns])
    in_spreads = np.sign(residual) * np.minimum(np.abs(residual) / spread, _beside_neighbours(scores, residual, spread))
    suspicious: NDArray[np.bool_] = np.asarray((np.abs(in_spreads) > cutoff) & readable)
    names = np.array(spectra.target_names, dtype=object)[varying]
    ids = spectra.samples["id"].to_numpy(dtype=object)
    misfit = _misfit(labels[:, readable], (labels - residual)[:, readable], np.median(spread, axis=0)[readable])
    partners = _swaps(misfit, np.flatnonzero(suspicious.any(axis=1)), cutoff)
    swapped = np.array([ids[partners[row]] if row in partners else "" for row in range(len(ids))], dtype=object)
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
    spreads = {str(name): float(np.median(column)) for name, column in zip(names, spread.T, strict=True)}
    unreadable = tuple(str(name) for name in names[~readable])
    return table, LabelCheck(cutoff, spreads, unreadable, int(suspicious.any(axis=1).sum()))


def _robust_residual(
    scores: NDArray[Any], labels: NDArray[np.float64], groups: NDArray[np.int64], cutoff: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Return left-out residuals (n,) of one target, the spread (n,) to judge each by, and whether it is readable."""
    similar = _similar(labels)
    kept = np.ones(len(labels), dtype=bool)
    for trimming in (True, False):
        residual, penalty = _left_out(scores, labels, groups, kept)
        for _ in range(MOST_STEPS):
            size = np.abs(residual)
            now = _best(size, similar, TRUSTED if trimming else AT_LEAST)
            if not trimming:
                now |= size <= cutoff * _spread(residual, labels, similar)
            if np.array_equal(now, kept) or len(np.unique(groups[now])) < FEWEST // 2:
                break
            kept = now
            residual, _ = _left_out(scores, labels, groups, kept, penalty)
    error = float(np.sqrt((residual[kept] ** 2).mean()))
    return residual, _spread(residual, labels, similar), error < READABLE * float(labels[kept].std())


def _left_out(
    scores: NDArray[Any],
    labels: NDArray[np.float64],
    groups: NDArray[np.int64],
    kept: NDArray[np.bool_],
    penalty: float | None = None,
) -> tuple[NDArray[np.float64], float]:
    """Fit to the kept rows; residuals (n,) of kept ones with their group left out, of others as they are.

    The penalty is chosen by left-out error among the kept rows where none is given, and returned.
    """
    centre, mean = scores[kept].mean(axis=0), labels[kept].mean()
    x, y = scores[kept] - centre, (labels[kept] - mean)[:, None]
    if penalty is None:
        penalty = float(ridge_fit(x, y, groups[kept], SHARES)[1][0])
    eigenvalues, directions = np.linalg.eigh(x.T @ x)
    penalised = np.maximum(eigenvalues, 0.0) + penalty
    turned = x @ directions
    coefficients = directions @ ((turned.T @ y)[:, 0] / penalised)
    residual: NDArray[np.float64] = labels - mean - (scores - centre) @ coefficients
    residual[kept] = left_out_residuals(turned, penalised, y, groups[kept])[:, 0]
    return residual, penalty


def _similar(labels: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number the spectra (n,) by parts of similar labels; every part has at least ten spectra or is all there is."""
    values, which, counts = np.unique(labels, return_inverse=True, return_counts=True)
    least = max(FEWEST, len(labels) // SIMILAR)
    part = np.zeros(len(values), dtype=np.int64)
    number, held = 0, 0
    for place, count in enumerate(counts):
        part[place] = number
        held += int(count)
        if held >= least and counts[place + 1 :].sum() >= least:
            number, held = number + 1, 0
    return part[which]


def _best(size: NDArray[np.float64], similar: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """Mark the share of every part of similar labels with the smallest residuals."""
    marked = np.zeros(len(size), dtype=bool)
    for number in range(similar.max() + 1):
        rows = np.flatnonzero(similar == number)
        marked[rows[np.argsort(size[rows], kind="stable")[: int(np.ceil(share * len(rows)))]]] = True
    return marked


def _spread(
    residual: NDArray[np.float64], labels: NDArray[np.float64], similar: NDArray[np.int64]
) -> NDArray[np.float64]:
    size = np.abs(residual)
    overall = max(1.4826 * float(np.median(size)), ROUNDED * float(labels.std()))
    local = [1.4826 * float(np.median(size[similar == number])) for number in range(similar.max() + 1)]
    spread: NDArray[np.float64] = np.maximum(overall, np.array(local)[similar])
    return spread


def _beside_neighbours(
    scores: NDArray[Any], residual: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far residuals (n, n_targets) differ from those of the nearest spectra, in spreads."""
    n_near = min(NEIGHBOURS, len(scores) - 1)
    around = residual[nearest(scores, scores, n_near + 1)[0][:, 1:]]  # (n, n_near, n_targets)
    middle = np.median(around, axis=1)
    local = 1.4826 * np.median(np.abs(around - middle[:, None]), axis=1)
    apart: NDArray[np.float64] = np.abs(residual - middle) / np.maximum(spread, local)
    return apart


def _misfit(
    labels: NDArray[np.float64], expected: NDArray[np.float64], spread: NDArray[np.float64]
) -> Callable[[int, NDArray[np.int64]], NDArray[np.float64]]:
    """Return how badly spectrum i would fit the labels of others, in spreads, the worst target counting."""
    return lambda row, others: np.asarray(np.abs((expected[row] - labels[others]) / spread).max(axis=1, initial=0.0))


def _swaps(
    misfit: Callable[[int, NDArray[np.int64]], NDArray[np.float64]], rows: NDArray[np.int64], cutoff: float
) -> dict[int, int]:
    """Return for spectra among `rows` the other one whose labels they would fit in every target."""
    found = {}
    for row in rows.tolist():
        others = rows[rows != row]
        misfits = misfit(row, others)
        if len(others) and misfits.min() <= cutoff:
            found[row] = int(others[misfits.argmin()])
    return found

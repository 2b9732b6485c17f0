"""Does a calibration hold: its intervals in cross-validation, and all of it on samples analysed later."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.calibration.calibration import Calibration
from spectra_core.calibration.conformal import fewest_groups, group_weights, require_level
from spectra_core.calibration.merit import line_of
from spectra_core.calibration.reading import on_axis_of, predicted, readings, signed_members
from spectra_core.errors import SpectraError
from spectra_core.evaluation.errors.intervals import crps, interval_measures
from spectra_core.evaluation.errors.regression_errors import measures_by
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.checks import require_same_units

Floats = NDArray[np.float64]

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Of a curve of coverage."""
USUAL_LEVELS = (0.8, 0.9, 0.95)
"""Of validation, as far as there are enough calibration samples."""
_MOST_IN_PAIRS = 2000
"""Spectra whose slopes are compared pair by pair: memory grows with the square."""


@dataclass(frozen=True, eq=False)
class ExternalValidation:
    """How a calibration did on samples whose reference values came later.

    Parameters
    ----------
    errors : one row per target
        ``target``, ``n``; ``rmsep``, ``bias``, ``sep``, ``r2``, ``rpd``; ``bias_p``: chance of such a bias where there
        is none (t test); ``slope``, ``offset``, ``p_ideal`` as in `Line`; ``crps``, and ``width`` of 90 % intervals (of
        80 % with fewer than nine calibration samples), in the target's unit; ``drift``: change of the error per 100
        spectra in measuring order (Theil & Sen, over at most 2000 spectra at even steps), and ``drift_p``, the chance
        of such a trend where there is none (Kendall).
    coverage : one row per (target, level)
        ``target``, ``level``, ``n``, ``covered``, ``width``, ``score`` as of `interval_measures`.
    residuals : one row per (spectrum, target) with a reference value
        The reading, with ``order``, ``reference`` and ``error``.
    unmatched
        Ids with a reference value and without a spectrum.
    """

    errors: pd.DataFrame
    coverage: pd.DataFrame
    residuals: pd.DataFrame
    unmatched: tuple[str, ...]


def validate(
    calibration: Calibration, spectra: SpectraSet, references: pd.DataFrame | None = None, *, axis: str = "refuse"
) -> ExternalValidation:
    """Compare readings with reference values that the calibration has not seen.

    Parameters
    ----------
    spectra
        In measuring order.
    references
        ``id`` and a column per target; NaN where a value is missing. None to take the targets of `spectra`.
    axis
        As in `read`.

    Raises
    ------
    SpectraError
        When no spectrum has a reference value, or an id has several.
    """
    train = calibration.train
    if references is None:
        require_same_units(train.target_info, spectra.target_info, f"the set {spectra.meta.name!r}")
        known, named = _own(train.target_names, spectra), []
    else:
        known, named = _by_id(calibration, spectra, references), list(references["id"].astype(str))
    moved = on_axis_of(calibration, spectra, axis)
    n_groups = len(np.unique(train.groups))
    require_level(USUAL_LEVELS[0], n_groups)
    levels = [level for level in USUAL_LEVELS if n_groups >= fewest_groups(level)]
    value, of_folds = predicted(calibration, moved)
    tables = {level: readings(calibration, moved, value, of_folds, level) for level in levels}
    rows = np.repeat(np.arange(len(spectra)), calibration.train.n_targets)
    residuals = tables[levels[:2][-1]].assign(order=rows + 1, reference=known.ravel())
    residuals["error"] = residuals["value"] - residuals["reference"]
    scored = np.column_stack(
        [crps(column, members) for column, members in zip(known.T, signed_members(calibration, of_folds), strict=True)]
    )
    residuals["crps"] = scored.ravel()
    kept = residuals["reference"].notna().to_numpy()
    residuals = residuals[kept].reset_index(drop=True)
    coverage = [
        interval_measures(table[kept].assign(reference=known.ravel()[kept]), level).assign(level=level)
        for level, table in sorted(tables.items())
    ]
    have = set(spectra.samples["id"])
    unmatched = tuple(one for one in named if one not in have)
    return ExternalValidation(_errors(residuals), pd.concat(coverage, ignore_index=True), residuals, unmatched)


def interval_calibration(calibration: Calibration, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
    """Return how many held-out labels lie within intervals of every level, by cross-validation.

    The interval of a row lies about what the model reads that has not seen it, as wide as the scaled residuals of all
    other folds ask for, and at least as those of the largest third do where it is one of these; rows weigh as in
    `conformal`. Unknown spectra have a model of every fold, and where these differ their intervals are wider.

    Returns
    -------
    DataFrame, one row per (target, level)
        ``target``, ``level``, ``covered``, ``covered_largest`` (of the fifth with the largest predictions), and the
        mean ``width`` in the target's unit.
    """
    train, fold = calibration.train, calibration.fold
    weights, predicted = group_weights(train.groups), calibration.clipped(calibration.held_out)
    rows = []
    for at, name in enumerate(train.target_names):
        errors = calibration.errors[at]
        scores = np.abs(errors.residuals) / errors.size(errors.residuals, errors.place)
        sizes = errors.below.at(errors.place) + errors.above.at(errors.place)
        largest = predicted[:, at] >= np.quantile(predicted[:, at], 0.8)
        for level in levels:
            reach = np.empty(len(train))
            third, judged = errors.largest(level, errors.place)
            for number in range(calibration.n_folds):
                others, own = fold != number, fold == number
                reach[own] = _quantile(scores[others], weights[others], level)
                among = own & judged
                if among.any():
                    least = _quantile(scores[others & third], weights[others & third], level)
                    reach[among] = np.maximum(reach[among], least)
            inside = scores <= reach
            rows.append(
                {
                    "target": name,
                    "level": level,
                    "covered": np.average(inside, weights=weights),
                    "covered_largest": np.average(inside[largest], weights=weights[largest]),
                    "width": np.average(sizes * reach, weights=weights),
                }
            )
    return pd.DataFrame(rows)


def _quantile(scores: Floats, weights: Floats, level: float) -> float:
    """Return the smallest score that a share `level` does not exceed, with one more row of infinite score."""
    order = np.argsort(scores)
    place = int(np.searchsorted(np.cumsum(weights[order]), level * (weights.sum() + 1.0) - 1e-9))
    return float(scores[order][place]) if place < len(scores) else np.inf


def _own(names: Sequence[str], spectra: SpectraSet) -> Floats:
    """Return the targets of the spectra themselves, (n_spectra, n_targets); NaN where they have not that target."""
    if not set(names) & set(spectra.target_names):
        raise SpectraError(
            f"The set {spectra.meta.name!r} has none of the calibrated targets: {', '.join(names)}. "
            "Give reference values with ids."
        )
    return spectra.targets.reindex(columns=list(names)).to_numpy(np.float64)


def _by_id(calibration: Calibration, spectra: SpectraSet, references: pd.DataFrame) -> Floats:
    """Return reference values (n_spectra, n_targets) in the order of spectra; NaN where there is none."""
    if "id" not in references:
        raise SpectraError(
            f"Reference values need a column 'id' to be matched by; got {', '.join(map(str, references)) or 'none'}."
        )
    table = references.assign(id=references["id"].astype(str))
    valued = table.dropna(how="all", subset=[name for name in table if name != "id"])
    repeated = valued["id"][valued["id"].duplicated()]
    if len(repeated):
        raise SpectraError(f"The id {repeated.iloc[0]!r} has several reference values. Give one row per id.")
    names = calibration.train.target_names
    found = valued.set_index("id").reindex(columns=list(names)).reindex(spectra.samples["id"]).to_numpy(np.float64)
    if not np.isfinite(found).any():
        raise SpectraError(
            f"No reference value belongs to a spectrum: ids are like {_like(valued['id'])}, those of the spectra like "
            f"{_like(spectra.samples['id'])}. Write the same ids in both."
        )
    return found


def _like(ids: "pd.Series[str]") -> str:
    return ", ".join(repr(str(one)[:40]) for one in ids.head(3)) or "none"


def _errors(residuals: pd.DataFrame) -> pd.DataFrame:
    from scipy import stats

    measures = measures_by(residuals, ["target"]).rename(columns={"n_test": "n"})
    more = []
    for _, rows in residuals.groupby("target", sort=False):
        error, order, n = rows["error"].to_numpy(), rows["order"].to_numpy(), len(rows)
        some = np.unique(np.linspace(0, n - 1, min(n, _MOST_IN_PAIRS)).round().astype(int))
        line = line_of(rows["reference"].to_numpy(), rows["value"].to_numpy())
        trend = n > 2 and np.ptp(error) > 0
        more.append(
            {
                "bias_p": stats.ttest_1samp(error, 0.0).pvalue if trend else np.nan,
                "slope": line.slope,
                "offset": line.offset,
                "p_ideal": line.p_ideal,
                "crps": rows["crps"].mean(),
                "width": (rows["high"] - rows["low"]).mean(),
                "drift": 100 * stats.theilslopes(error[some], order[some])[0] if trend else np.nan,
                "drift_p": stats.kendalltau(order, error).pvalue if trend else np.nan,
            }
        )
    kept = measures[["target", "n", "rmsep", "bias", "sep", "r2", "rpd"]]
    return kept.join(pd.DataFrame(more))

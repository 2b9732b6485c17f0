"""Whether an arm's errors differ from the reference's: effect, interval, verdict, and what it would take to tell."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from spectra_core.errors import SpectraError
from spectra_core.evaluation.errors.gatekeeping import gatekeeping
from spectra_core.evaluation.errors.log_ratios import ROW, log_ratios, own_references, test_share
from spectra_core.evaluation.errors.question import Question
from spectra_core.evaluation.errors.resampled_t import (
    SIGNIFICANCE,
    MeanDifference,
    larger_set_needed,
    repeats_needed,
    smallest_told,
)

ALL_TARGETS = "all"
"""In place of a target: the mean over the declared ones."""
EXPLAINED = 0.1
"""Share of a target's variance that the reference must explain, for the target to matter unless told otherwise."""
COLUMNS = [
    *("arm", "reference", "regressor", "target", "n_train", "ratio", "declared"),
    *("reference_error", "arm_error", "reference_median", "arm_median", "difference"),
    *("effect", "low", "high", "smallest_told", "p", "p_adjusted", "p_same", "n_folds", "flagged"),
    *("verdict", "repeats_needed", "spectra_needed"),
]
_UNIT = ["arm", "reference", "regressor", "n_train", "ratio"]


def compare_arms(
    errors: pd.DataFrame,
    reference: str | Mapping[str, str] = "step_matched",
    question: Question | None = None,
    *,
    spreads: Mapping[str, float] | None = None,
    measure: str = "rmsep",
    independent: bool = False,
) -> pd.DataFrame:
    """Compare every arm with the reference arm, fold by fold, on the logarithm of the ratio of their errors.

    Errors scatter by factors, so the effect is the mean over folds of ln(arm / reference); it and its 95 % interval
    are told in per cent of the reference's error. The test is the corrected resampled t-test, see `MeanDifference`.

    Declared comparisons share a chance of 5 % of any false "improved" or "worse" (`gatekeeping`: an arm's mean over
    the declared targets first, then its targets). Their verdict is the first of these that holds:

    - "same": the effect lies within the smallest effect of interest, up or down, by two one-sided tests at 5 % each
      (per comparison; a region symmetric in the logarithm).
    - "improved" or "worse": the adjusted p is below 0.05.
    - "cannot tell": all else; also a single fold.

    All others are "looked at afterwards": effect and interval, and no verdict.

    Parameters
    ----------
    errors
        From `regression_errors`, or a table with its keys and `measure`.
    reference
        Name of the arm to compare with, or for every arm to be compared the name of its own reference, such as the
        step-matched arm of its ratio.
    question
        What is declared; None for all arms and regressors at the largest training size, and the targets that matter.
    spreads
        Standard deviation of every target, to find targets that the reference does not explain and runs that blew up;
        None to go by ``r2`` of `errors` where it is there.
    measure
        Column of `errors` to compare; smaller must be better.
    independent
        Whether every fold has training spectra of its own, and one test set serves them all: then the plain paired
        t-test holds.

    Returns
    -------
    DataFrame, one row per (arm, regressor, target, n_train, ratio) but those of the reference, and one row with the
    target "all" per declared (arm, regressor, n_train, ratio) with several declared targets
        - ``arm``, ``reference``, ``regressor``, ``target``, ``n_train`` (see `with_training_size`), ``ratio``
        - ``declared``: whether it is part of the question
        - ``reference_error``, ``arm_error``, ``reference_median``, ``arm_median``: over folds, in the target's unit
          (NaN for "all"); ``difference`` = arm_error - reference_error
        - ``effect``, ``low``, ``high`` (95 % interval), in per cent of the reference's error; ``smallest_told``: the
          true fall, in per cent, that this design tells with 80 %
        - ``p``, ``p_adjusted``, ``p_same``: NaN where nothing is tested or declared
        - ``n_folds``; ``flagged``: folds in which a run blew up
        - ``verdict``; ``verdict_without``: what it would be without the flagged folds, empty where there are none
        - ``repeats_needed``, ``spectra_needed``: repeats of these folds, or spectra in as many folds, at which a
          declared comparison that "cannot tell" would tell the effect with 80 % (or, where it lies within the
          smallest effect of interest, would tell that effect); infinite where no number would, NaN elsewhere

    Raises
    ------
    SpectraError
        When there is no such reference, an arm and its reference were not tested on the same folds, or the question
        names what is not there.
    """
    question = question or Question()
    if question.reference is not None:
        reference = question.reference
    references = own_references([str(arm) for arm in errors["arm"].unique()], reference)
    pairs = log_ratios(errors, references, measure, spreads)
    pairs["declared"] = _declared(pairs, question, spreads)
    table = _compared(pairs, question, independent)
    table["verdict_without"] = ""
    if pairs["flagged"].any():
        without = _compared(pairs[~pairs["flagged"]], question, independent).set_index(ROW)["verdict"]
        affected = table["flagged"] > 0
        found = without.reindex(pd.MultiIndex.from_frame(table.loc[affected, ROW])).fillna("cannot tell")
        table.loc[affected, "verdict_without"] = found.to_numpy()
    return table


def targets_that_matter(pairs: pd.DataFrame, spreads: Mapping[str, float] | None = None) -> list[str]:
    """Return the targets of which the reference explains at least a tenth of the variance; all where there is none.

    Parameters
    ----------
    pairs
        From `log_ratios`; the best regressor counts.
    spreads
        As in `compare_arms`; where there are none and `pairs` have no ``r2`` of the arms, all targets matter.
    """
    names = [str(name) for name in pairs["target"].unique()]
    if spreads is None and "r2" not in pairs:
        return names
    if spreads is not None:
        relative = pairs["reference_value"] / pairs["target"].map(spreads).astype(float)
    else:
        relative = np.sqrt(1.0 - pairs["r2"]) * pairs["reference_value"] / pairs["value"]
    means = relative.groupby([pairs["target"], pairs["regressor"]]).median().groupby("target").min()
    return [name for name in names if means[name] <= np.sqrt(1.0 - EXPLAINED)] or names


def _declared(pairs: pd.DataFrame, question: Question, spreads: Mapping[str, float] | None) -> pd.Series:
    """Return which rows are about a declared comparison."""
    declared = pd.Series(True, index=pairs.index)
    for column, named in (
        ("arm", question.arms),
        ("regressor", question.regressors),
        ("target", question.targets or targets_that_matter(pairs, spreads)),
        ("n_train", question.n_train or (max(pairs["n_train"]),)),
    ):
        if named is not None:
            _require_present(column, named, pairs)
            declared &= pairs[column].isin(named)
    return declared


def _require_present(column: str, named: Sequence[Any], pairs: pd.DataFrame) -> None:
    there = list(pairs[column].unique())
    missing = [name for name in named if name not in there]
    if missing:
        raise SpectraError(
            f"The {column} {missing[0]!r} was declared, but the errors compare none of that name. "
            f"There are: {', '.join(map(str, there))}."
        )


def _compared(pairs: pd.DataFrame, question: Question, independent: bool) -> pd.DataFrame:
    """Return the table of comparisons, without `verdict_without`."""
    rows = _rows(pairs, independent)
    units: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if row["declared"]:
            units.setdefault(tuple(row[name] for name in _UNIT), []).append(row)
    means = [_mean_row(own, pairs) if len(own) > 1 else own[0] for own in units.values()]
    adjusted = gatekeeping([_p(mean) for mean in means], [[_p(row) for row in own] for own in units.values()])
    for mean, own, of_mean, of_targets in zip(means, units.values(), *adjusted, strict=True):
        for row, p in zip(own, of_targets, strict=True):
            row["p_adjusted"], row["level"] = p, SIGNIFICANCE / (len(units) * len(own))
        if len(own) > 1:
            mean["p_adjusted"], mean["level"] = of_mean, SIGNIFICANCE / (2.0 * len(units))
            rows.append(mean)
    for row in rows:
        _judge(row, np.log1p(question.smallest_effect / 100.0))
    return pd.DataFrame(rows)[COLUMNS]


def _p(row: Mapping[str, Any]) -> float:
    return 1.0 if np.isnan(row["p"]) else float(row["p"])


def _rows(pairs: pd.DataFrame, independent: bool) -> list[dict[str, Any]]:
    """Return what is known of every comparison before it is judged, and ``rows``: which of the pairs it is about."""
    number = pairs.groupby(ROW, sort=False, dropna=False).ngroup().to_numpy()
    of_each = np.split(np.argsort(number, kind="stable"), np.cumsum(np.bincount(number))[:-1])
    columns = {name: pairs[name].to_numpy() for name in (*ROW, "declared", "flagged", "repeat", "fold")}
    # By numpy, since groups are small: pandas took most of the time of an experiment's table.
    sizes = ("value", "reference_value", "log_ratio", "n_test", "trained_on")
    columns |= {name: pairs[name].to_numpy(dtype=np.float64) for name in sizes}
    return [_row({name: values[rows] for name, values in columns.items()}, rows, independent) for rows in of_each]


def _row(pairs: Mapping[str, np.ndarray], rows: np.ndarray, independent: bool) -> dict[str, Any]:
    errors, base = pairs["value"], pairs["reference_value"]
    n_spectra = pairs["n_test"].sum() / len(np.unique(pairs["repeat"]))
    share = 0.0 if independent else test_share(pairs["n_test"].mean(), n_spectra, pairs["trained_on"].mean())
    return {
        **{name: pairs[name][0] for name in ROW},
        "declared": bool(pairs["declared"][0]),
        "rows": rows,
        "reference_error": float(base.mean()),
        "arm_error": float(errors.mean()),
        "reference_median": float(np.median(base)),
        "arm_median": float(np.median(errors)),
        "difference": float(errors.mean() - base.mean()),
        "flagged": int(pairs["flagged"].sum()),
        "folds": len(np.unique(pairs["fold"])),
        "n_spectra": n_spectra,
        "share": share,
        **_tested(pairs["log_ratio"], share),
    }


def _mean_row(own: list[dict[str, Any]], pairs: pd.DataFrame) -> dict[str, Any]:
    """Return the row about the mean over the targets that an arm has rows of its `own` for, fold by fold."""
    about = pairs.iloc[np.concatenate([row["rows"] for row in own])]
    fold = about.groupby(["repeat", "fold"], sort=False).ngroup().to_numpy()
    n_targets = np.bincount(fold)
    mean = np.bincount(fold, about["log_ratio"]) / n_targets
    whole = n_targets == len(own)  # without a flagged target the mean is another
    absent = ("reference_error", "arm_error", "reference_median", "arm_median", "difference")
    return {
        **own[0],
        **_tested(mean[whole], own[0]["share"]),
        **dict.fromkeys(absent, np.nan),
        "target": ALL_TARGETS,
        "flagged": len(np.unique(fold[about["flagged"].to_numpy(dtype=bool)])),
    }


def _tested(ratios: np.ndarray, share: float) -> dict[str, Any]:
    found = MeanDifference.of(ratios, share) if len(ratios) else MeanDifference(np.nan, np.nan, 0)
    low, high = found.interval
    return {
        "found": found,
        "spread": float(ratios.std(ddof=1)) if len(ratios) > 1 else np.nan,
        "effect": _percent(found.mean),
        "low": _percent(low),
        "high": _percent(high),
        "p": found.p,
        "p_adjusted": np.nan,
        "n_folds": len(ratios),
    }


def _judge(row: dict[str, Any], margin: float) -> None:
    """Add verdict, equivalence and what it would take."""
    found, tests = row["found"], row["n_folds"] > 1
    level = row.get("level", SIGNIFICANCE)
    told = smallest_told(row["spread"], row["n_folds"], row["share"], level) if tests else np.inf
    row["smallest_told"] = -_percent(-told)
    row["p_same"] = found.p_within(-margin, margin) if row["declared"] else np.nan
    row["repeats_needed"] = row["spectra_needed"] = np.nan
    if not row["declared"]:
        row["verdict"] = "looked at afterwards"
    elif tests and row["p_same"] < SIGNIFICANCE:
        row["verdict"] = "same"
    elif tests and row["p_adjusted"] < SIGNIFICANCE:
        row["verdict"] = "improved" if found.mean < 0 else "worse"
    else:
        row["verdict"] = "cannot tell"
        if tests:
            sought = max(abs(found.mean), margin)
            row["repeats_needed"] = repeats_needed(sought, row["spread"], row["folds"], row["share"], level)
            factor = larger_set_needed(sought, row["spread"], row["n_folds"], row["share"], level)
            row["spectra_needed"] = float(np.ceil(factor * row["n_spectra"]))


def _percent(log_ratio: float) -> float:
    with np.errstate(over="ignore"):  # beside an error of 0 any other is infinitely larger
        return float(100.0 * np.expm1(log_ratio))

"""The judgement of an experiment for a table of errors that any program made."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from spectra_core.errors import SpectraError
from spectra_core.evaluation.errors.question import Question
from spectra_core.evaluation.errors.regression_errors import with_training_size
from spectra_core.evaluation.errors.sentences import what_it_takes
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS, compare_arms

KEYS = ["arm", "regressor", "target", "repeat", "fold"]
SIZES = ["n_train", "n_test"]
REFERENCE = "reference"
"""Name of the arm that the others are compared with, unless declared otherwise."""
_MOST_NAMED = 3


def judge(errors: pd.DataFrame, declared: Question | Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Judge fold errors: every arm against the reference, on ln ratios, with a chance of 5 % of any false verdict.

    Parameters
    ----------
    errors : one row per (arm, regressor, target, repeat, fold)
        Columns ``arm``, ``regressor``, ``target``, ``repeat``, ``fold``, ``n_train``, ``n_test`` and ``rmsep`` (in any
        unit of the target). ``n_train`` and ``n_test`` are measured spectra; generated ones do not count. A further
        column ``sd``, the target's standard deviation, tells which targets the reference explains and which runs blew
        up; others are left alone.
    declared
        The question (`Question`, or its JSON values): ``reference``, ``arms``, ``regressors``, ``targets``,
        ``smallest_effect`` in per cent. Without it the arm "reference" is the reference, and everything is declared.

    Returns
    -------
    DataFrame, one row per (arm, regressor, target)
        ``arm``, ``regressor``, ``target`` ("all" for the mean over the declared targets, where there are several),
        ``effect``, ``low``, ``high`` (95 % interval) in per cent of the reference's error, ``verdict`` ("improved",
        "worse", "same", "cannot tell"; "looked at afterwards" for what was not declared), ``takes``: what it would take
        to tell, empty where it is told. With several training sizes also ``n_train``.

    Raises
    ------
    SpectraError, ConfigError
        When columns are missing, an error is no positive number, a fold stands twice or lacks beside others, or the
        question names what is not there.

    Examples
    --------
    >>> rows = [(arm, "pls", "Cu", 0, fold, 70, 10, rmsep * (1 + 0.1 * fold))
    ...         for arm, rmsep in (("reference", 1.0), ("twice as good", 0.5)) for fold in range(8)]
    >>> columns = ["arm", "regressor", "target", "repeat", "fold", "n_train", "n_test", "rmsep"]
    >>> judge(pd.DataFrame(rows, columns=columns))[["arm", "effect", "verdict"]]
                 arm  effect   verdict
    0  twice as good   -50.0  improved
    """
    question = declared if isinstance(declared, Question) else Question.from_json(declared or {})
    table = _checked(errors)
    spreads = None
    if "sd" in table:
        spreads = {str(target): float(sd) for target, sd in table.groupby("target")["sd"].median().items()}
    reference = question.reference or REFERENCE
    _require_whole(table, reference)
    compared = compare_arms(table, reference, question, spreads=spreads)
    compared["takes"] = [what_it_takes(row) for _, row in compared.iterrows()]
    sizes = ["n_train"] if compared["n_train"].nunique() > 1 else []
    return compared[["arm", "regressor", "target", *sizes, "effect", "low", "high", "verdict", "takes"]]


def _checked(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that are used, as the kinds they must be."""
    wanted = [*KEYS, *SIZES, "rmsep"]
    errors = errors.rename(columns=lambda name: str(name).strip().lower())
    missing = [name for name in wanted if name not in errors]
    if missing:
        raise SpectraError(
            f"A table of errors needs the columns {', '.join(wanted)}; {', '.join(missing)} are missing. "
            f"There are: {', '.join(map(str, errors.columns))}."
        )
    if errors.empty:
        raise SpectraError("The table of errors has no rows.")
    used = [*wanted, *(["sd"] if "sd" in errors else [])]
    twice = [name for name in used if list(errors.columns).count(name) > 1]
    if twice:
        raise SpectraError(f"The table of errors has several columns {twice[0]!r}. Keep the one that is meant.")
    table = errors[used].reset_index(drop=True).assign(ratio=0.0)
    for name in KEYS:
        empty = table[name].isna() | (table[name].astype(str).str.strip() == "")
        if empty.any():
            raise SpectraError(f"Every row of a table of errors names its {name}; {_rows(empty)} does not.")
        numbers = pd.to_numeric(table[name], errors="coerce") if name in ("repeat", "fold") else pd.Series([np.nan])
        table[name] = table[name].astype(str) if numbers.isna().any() else numbers
    if ALL_TARGETS in set(table["target"]):
        raise SpectraError(f"No target can be called {ALL_TARGETS!r}: so the mean over targets is. Name it otherwise.")
    for name in ("rmsep", *SIZES, *used[len(wanted) :]):
        values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64)
        bad = ~np.isfinite(values) | (values < 0 if name == "rmsep" else values <= 0)
        if bad.any():
            raise SpectraError(
                f"The column {name!r} holds positive numbers; {_rows(pd.Series(bad))} holds "
                f"{str(table[name][bad].iloc[0])!r:.50}."
            )
        table[name] = values
    curve = _is_curve(table)
    repeated = table.duplicated([*KEYS, "n_train"] if curve else KEYS)
    if repeated.any():
        row = table[repeated].iloc[0]
        raise SpectraError(
            f"The arm {row['arm']!r} has several errors for {row['target']} by {row['regressor']} in fold "
            f"{row['fold']} of repeat {row['repeat']}. Give every fold once, and repeats different numbers."
        )
    if not curve:  # whoever counted generated rows, too, means the fold that they were added to
        table["n_train"] = table.groupby(["repeat", "fold"])["n_train"].transform("min")
    return table


def _require_whole(table: pd.DataFrame, reference: str) -> None:
    """Refuse an arm without some folds of a repeat: those that are left out are seldom left out by chance."""
    keys = ["regressor", "target", "repeat", "size"]
    counts = with_training_size(table).groupby(["arm", *keys])["fold"].nunique().reset_index()
    beside = counts.merge(counts[counts["arm"] == reference], on=keys, suffixes=("", "_reference"))
    short = beside[beside["fold"] < beside["fold_reference"]]
    if len(short):
        row = short.iloc[0]
        raise SpectraError(
            f"The arm {row['arm']!r} has {row['fold']} of the {row['fold_reference']} folds that its reference has in "
            f"repeat {row['repeat']} for {row['target']} by {row['regressor']}. Add what is missing, or leave out the "
            "repeat for this arm."
        )


def _is_curve(table: pd.DataFrame) -> bool:
    """Whether a fold of one arm was trained on several sizes, which makes it a learning curve."""
    return bool((table.groupby(KEYS)["n_train"].nunique() > 1).any())


def _rows(where: pd.Series) -> str:
    numbers = [str(number + 1) for number in np.flatnonzero(where)[:_MOST_NAMED]]
    return f"row {', '.join(numbers)}" + (" and others" if where.sum() > _MOST_NAMED else "")

"""What pages and reports read of a result, kind by kind: a result that holds something else is none of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from spectra_core.errors import SpectraCoreError
from spectra_core.store.shapes import fits


@dataclass(frozen=True)
class Shape:
    """What a kind of result holds at least.

    Parameters
    ----------
    document
        What kind of value a field holds; fields within a field are named after dots.
    tables
        Columns by table: those of words or marks (with a ? where cells may be empty), then those of numbers.
    sometimes
        Likewise, of tables that need not be there, or may be without columns.
    filled
        Tables that have rows.
    """

    document: Mapping[str, Any]
    tables: Mapping[str, tuple[str, str]]
    sometimes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    filled: tuple[str, ...] = ()


_NOTHING = object()
_UNITS = dict[str, str | None]
_COUNTS = dict[str, int]
_COMPARED = {"arguments": dict[str, Any], "arguments.set": str, "arguments.model": str | None, "n_spectra": _COUNTS}
_EXPERIMENT = Shape(
    {
        "data.fingerprint": str,
        "data.name": str,
        "data.origin": str,
        "data.n_spectra": int,
        "data.units": _UNITS,
        "experiment": dict[str, Any],
    },
    {
        "errors": ("arm regressor target", "repeat fold n_train ratio rmsep mae bias n_test"),
        "predictions": ("arm regressor target", "repeat fold sample n_train ratio reference predicted"),
        "spreads": ("target", "sd"),
    },
    {
        "floors": ("target identifiable", "expected_error bayesian_bound"),
        "generators": ("generator options", "n_train"),
        "added": ("arm", "noise_ratio"),
        "densities": ("", "repeat fold sample n_train log_density"),
        "efficiencies": ("arm target regressor", "n_train efficiency"),
        "equivalents": ("arm target regressor", "n_train n_equivalent"),
        "reasons": ("observed_arm change question arm reference regressor target", "n_train effect low high"),
    },
)
_VERDICTS = {"as real", "worse than real", "beyond real", "not defined"}
_COUNTED = {"repeat", "fold", "sample", "n_train", "n_test", "nearest_training"}
"""Columns of whole numbers: a cell that holds none is not one that is not known."""
_MARKS = {"identifiable", "seen", "exact_copy"}
_FINITE = {"errors", "predictions", "spreads", "densities"}
"""Tables whose numbers are not infinite; what could not be computed is empty."""
SHAPES = {
    "study": _EXPERIMENT,
    "pilot": _EXPERIMENT,
    "advice": Shape(
        {
            "data.fingerprint": str,
            "data.units": _UNITS,
            "sentences": list[str],
            "told": list[str],
            "left_out": dict[str, str],
            "actions": dict[str, dict[str, Any]],
            "reference": str,
            "curve_way": str,
            "n_folds": int,
            "n_inner": int,
            "n_repeats": int,
            "seed": int,
            "minutes": float,
        },
        {
            "advice": ("remedy target verdict?", "effect low high promised_error"),
            "curve": ("target", "n_train rmsep"),
        },
    ),
    "fidelity": Shape(
        {
            **_COMPARED,
            "arguments.generated": str,
            "n_judged": _COUNTS,
            "n_judged.generated": int,
            "n_spectra.generated": int,
        },
        {
            "judgement": ("metric verdict?", "value floor floor_low floor_high separation n_per_set n_repeats"),
            "physics": ("role id", "sample"),
            "physics_limits": ("check", "limit"),
        },
        {"label_honesty": ("role id target", "sample asked predicted pure_components")},
        ("judgement",),
    ),
    "neighbours": Shape(
        {
            **_COMPARED,
            "arguments.generated": str,
            "arguments.metric": Literal["euclidean", "spectral_angle", "noise_weighted"],
            "n_asked": _COUNTS,
            "n_spectra.generated": int,
            "n_copies": int,
        },
        {"neighbours": ("id exact_copy", "sample nearest_training distance_training distance_ratio")},
        {"memorisation": ("role", "share lower upper n_held_out"), "floor": ("", "distance_training distance_ratio")},
        ("neighbours",),
    ),
    "map": Shape(
        {
            **_COMPARED,
            "arguments.generated": str | None,
            "arguments.method": Literal["pca", "umap", "tsne"],
            "n_shown": _COUNTS,
            "trustworthiness": float,
        },
        {"map": ("role id", "sample x y share_x share_y")},
        filled=("map",),
    ),
    "bench": Shape(
        {"arguments": dict[str, Any], "arguments.set": str},
        {"bench": ("defect metric verdict seen", "value floor_low floor_high n_per_set n_repeats")},
        filled=("bench",),
    ),
}
"""Those that the app makes; others are kept and given back as they are."""


def require_shape(kind: str, document: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a result that lacks what is read of its kind, or holds it in another form.

    Raises
    ------
    ValueError
        Naming the field, table or column.
    """
    shape = SHAPES.get(kind)
    if shape is None:
        return
    for name, hint in shape.document.items():
        if not fits(_value(document, name.split(".")), hint):
            raise ValueError(f"its field {name!r} holds something else, or nothing")
    for name, columns in {**shape.tables, **shape.sometimes}.items():
        if name not in tables and name in shape.tables:
            raise ValueError(f"its table {name!r} is missing")
        if name in tables and (name in shape.tables or len(tables[name])):
            _require_columns(name, tables[name], *map(str.split, columns))
    _require_what_there_is(kind, shape, document, tables)
    if shape is _EXPERIMENT:
        _require_experiment(document["experiment"], tables)


def with_numbers(kind: str, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables of a result; columns of numbers in which every cell is empty hold NaN, whatever was written."""
    shape, found = SHAPES.get(kind), dict(tables)
    for name, (_, numbers) in {**shape.tables, **shape.sometimes}.items() if shape else ():
        if name in found:
            table = found[name]
            empty = [one for one in map(_bare, numbers.split()) if one in table and table[one].isna().all()]
            found[name] = table.astype(dict.fromkeys(empty, float))
    return found


def _bare(written: str) -> str:
    return written.removesuffix("?")


def _require_columns(name: str, table: pd.DataFrame, words: list[str], numbers: list[str]) -> None:
    for called, cells in table.items():
        if cells.dtype == object and not all(isinstance(cell, str | int | float | None) for cell in cells):
            raise ValueError(f"the column {str(called)[:60]!r} of its table {name!r} holds neither words nor numbers")
    for written in [*words, *numbers]:
        column = _bare(written)
        if column not in table:
            raise ValueError(f"the column {column!r} of its table {name!r} is missing")
        cells = table[column].dropna() if written in numbers or column != written else table[column]
        if written in numbers and len(cells) and not is_numeric_dtype(cells):
            raise ValueError(f"the column {column!r} of its table {name!r} holds no numbers")
        if written in numbers and not _right_numbers(table[column], column in _COUNTED, name in _FINITE):
            raise ValueError(f"the column {column!r} of its table {name!r} holds numbers that cannot be")
        kind = bool if column in _MARKS else str
        if written in words and not all(isinstance(cell, kind) for cell in cells.unique().tolist()):
            raise ValueError(f"the column {column!r} of its table {name!r} holds something else than words")


def _require_what_there_is(
    kind: str, shape: Shape, document: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]
) -> None:
    """Refuse tables without rows where there are some, and counts and rows of what there is not."""
    for name in shape.filled:
        if tables[name].empty:
            raise ValueError(f"its table {name!r} has no rows")
    for name in ("n_judged", "n_asked", "n_shown"):
        if not set(document.get(name) or ()) <= set(document.get("n_spectra") or ()):
            raise ValueError(f"its field {name!r} counts spectra of which there are none")
    if kind == "fidelity":
        _require_checked(tables["physics"], tables["physics_limits"])
    if kind == "neighbours":
        _require_rows(tables["neighbours"], document["n_spectra"])
    if kind == "bench" and not set(tables["bench"]["verdict"]) <= _VERDICTS:
        raise ValueError("its table 'bench' gives verdicts that are none")
    if kind == "bench" and tables["bench"].duplicated(["metric", "defect"]).any():
        raise ValueError("its table 'bench' tells of a defect twice")


def _require_checked(table: pd.DataFrame, limits: pd.DataFrame) -> None:
    """Refuse limits of checks that there are not, or of what was not measured."""
    from spectra_core.evaluation.physics.checks import CHECKS

    if not set(limits["check"]) <= set(CHECKS) or limits["check"].duplicated().any():
        raise ValueError("its table 'physics_limits' is of checks that there are not, or tells of one twice")
    _require_columns("physics", table, [], [CHECKS[name].column for name in limits["check"]])


def _require_rows(table: pd.DataFrame, n_spectra: Mapping[str, int]) -> None:
    """Refuse numbers of spectra that there are not."""
    for column, role in (("sample", "generated"), ("nearest_training", "training")):
        rows = table[column]
        if rows.min() < 0 or rows.max() >= n_spectra.get(role, np.inf):
            raise ValueError(f"the column {column!r} of its table 'neighbours' holds numbers that cannot be")


def _right_numbers(cells: pd.Series, are_counted: bool, are_finite: bool) -> bool:
    values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return bool(np.isfinite(values).all() if are_counted else not (are_finite and np.isinf(values).any()))


def _require_experiment(written: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse an experiment that cannot be made again, or whose tables are about something else."""
    from spectra_core.experiment import Experiment
    from spectra_core.regressors.choice import regressor_label

    try:
        experiment = Experiment.from_document(dict(written))
    except SpectraCoreError as error:
        raise ValueError(f"its experiment is none: {error}") from error
    arms, labels = {arm.name for arm in experiment.arms}, set(map(regressor_label, experiment.regressors))
    for name in ("errors", "predictions"):
        table = tables[name]
        if table.empty or not (set(table["arm"]) <= arms and set(table["regressor"]) <= labels):
            raise ValueError(f"its {name} are those of other arms or regressors")
        if not set(table["target"]) <= set(tables["spreads"]["target"]):
            raise ValueError(f"its {name} are about targets whose spread it does not tell")


def _value(document: Any, names: list[str]) -> Any:
    for name in names:
        document = document.get(name, _NOTHING) if isinstance(document, Mapping) else _NOTHING
    return document

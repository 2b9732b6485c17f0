"""Several experiments on the same data beside each other: what differs in their design, and in their errors."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from spectra_core.errors import ConfigError
from spectra_core.evaluation.errors.question import Question
from spectra_core.evaluation.errors.regression_errors import error_summary
from spectra_core.evaluation.errors.verdicts import compare_arms

_FOLDS = ("seed", "n_folds", "n_repeats")
"""Fields that decide the test spectra of every fold."""


def design_differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> pd.DataFrame:
    """List what differs between two experiments.

    Parameters
    ----------
    one, other
        JSON values of experiments.

    Returns
    -------
    DataFrame, one row per difference
        ``field`` (of the experiment, or "arm"/"regressor" with its name), ``one``, ``other`` as text; empty text where
        there is none.
    """
    rows = [
        {"field": name, "one": _text(one.get(name)), "other": _text(other.get(name))}
        for name in dict.fromkeys([*one, *other])
        if name not in ("arms", "regressors") and one.get(name) != other.get(name)
    ]
    for field in ("arms", "regressors"):
        ours, theirs = _by_name(one.get(field, [])), _by_name(other.get(field, []))
        rows += [
            {"field": f"{field[:-1]} {name}", "one": _text(ours.get(name)), "other": _text(theirs.get(name))}
            for name in dict.fromkeys([*ours, *theirs])
            if ours.get(name) != theirs.get(name)
        ]
    return pd.DataFrame(rows, columns=["field", "one", "other"])


def side_by_side(studies: Mapping[str, tuple[Mapping[str, Any], pd.DataFrame]]) -> pd.DataFrame:
    """Sum up the errors of several experiments on the same data.

    Parameters
    ----------
    studies
        By name: document of the result, and its table of errors.

    Returns
    -------
    DataFrame, one row per (experiment, arm, regressor, target, n_train, ratio)
        As `error_summary`.

    Raises
    ------
    ConfigError
        When the experiments are about different data.
    """
    _require_same_data({name: document for name, (document, _) in studies.items()})
    tables = [error_summary(errors).assign(experiment=name) for name, (_, errors) in studies.items()]
    table = pd.concat(tables, ignore_index=True)
    return table[["experiment", *[name for name in table if name != "experiment"]]]


def compare_experiments(
    studies: Mapping[str, tuple[Mapping[str, Any], pd.DataFrame]], question: Question | None = None
) -> pd.DataFrame:
    """Compare arms of the same name with those of the first experiment, fold by fold.

    Returns
    -------
    DataFrame
        As `compare_arms`, arms named "experiment: arm". Empty where no other experiment has the folds of the first (its
        seed, folds and repetitions) and an arm of the same name: then errors cannot be paired.

    Raises
    ------
    ConfigError
        When the experiments are about different data.
    """
    documents = {name: document for name, (document, _) in studies.items()}
    _require_same_data(documents)
    first, *others = studies
    paired = [name for name in others if same_folds(documents[first], documents[name])]
    arms = {name: set(studies[name][1]["arm"]) for name in studies}
    references = {f"{name}: {arm}": f"{first}: {arm}" for name in paired for arm in sorted(arms[name] & arms[first])}
    if not references:
        return pd.DataFrame()
    keys = ["regressor", "target", "n_train", "repeat", "fold"]
    common = studies[first][1][keys].drop_duplicates()
    for name in paired:
        common = common.merge(studies[name][1][keys].drop_duplicates())
    if common.empty:
        return pd.DataFrame()
    tables = []
    for name in (first, *paired):
        rows = studies[name][1].merge(common)
        tables.append(rows.assign(arm=f"{name}: " + rows["arm"].astype(str)))
    # An arm is paired by its name; its ratio may be what differs.
    errors = pd.concat(tables, ignore_index=True)
    return compare_arms(errors, references, question)


def same_folds(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two results were tested on the same spectra, fold by fold."""
    return all(one["experiment"][name] == other["experiment"][name] for name in _FOLDS)


def _require_same_data(documents: Mapping[str, Mapping[str, Any]]) -> None:
    found = {name: document["data"]["fingerprint"] for name, document in documents.items()}
    if len(set(found.values())) > 1:
        raise ConfigError(
            f"Experiments are compared on the same data, but {', '.join(map(repr, found))} are about different sets. "
            "Choose experiments on one set."
        )


def _by_name(parts: list[Any]) -> dict[str, Any]:
    from spectra_core.regressors.choice import regressor_from_json, regressor_label

    return {part["name"] if "kind" in part else regressor_label(regressor_from_json(part)): part for part in parts}


def _text(value: Any) -> str:
    import json

    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)

"""The reason card: what each change beside an observed arm does to its errors."""

from collections.abc import Mapping

import pandas as pd

from spectra_core.evaluation.errors.verdicts import compare_arms
from spectra_core.experiment.counterfactuals import CHANGES
from spectra_core.experiment.design import Experiment

OBSERVED = "observed"
_COLUMNS = [
    "observed_arm",
    "change",
    "question",
    "arm",
    "reference",
    "regressor",
    "target",
    "n_train",
    "difference",
    "effect",
    "low",
    "high",
]


def reasons(experiment: Experiment, errors: pd.DataFrame, spreads: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Set every observed arm beside its counterfactuals, change by change, with spread.

    An arm is observed when others of the experiment stand beside it (`Arm.beside`). Changes are single ones: their
    effects do not add up, since one may hide or need another.

    Parameters
    ----------
    errors
        From `regression_errors`.
    spreads
        As in `compare_arms`.

    Returns
    -------
    DataFrame, one row per (observed arm, change, regressor, target, n_train)
        - ``change``: "observed" for the arm itself against its reference, else what was changed; ``question``
        - ``arm`` against ``reference``: a changed arm against the observed one, so that a positive effect says that
          the change makes it worse; controls without generated rows against the baseline
        - ``difference`` in the target's unit; ``effect``, ``low``, ``high`` (95 % interval) in per cent of the
          reference's error. Reasons are looked at afterwards, so there are no verdicts.
    """
    observed = [arm for arm in experiment.arms if any(other.beside == arm.name for other in experiment.arms)]
    tables = []
    for arm in observed:
        pairs = _pairs(experiment, arm.name)
        table = compare_arms(errors, {name: reference for name, (reference, _) in pairs.items()}, None, spreads=spreads)
        changes = table["arm"].map({name: change for name, (_, change) in pairs.items()})
        questions = changes.map({**CHANGES, OBSERVED: "The arm against its reference: what is to be explained."})
        tables.append(table.assign(observed_arm=arm.name, change=changes, question=questions)[_COLUMNS])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)


def _pairs(experiment: Experiment, name: str) -> Mapping[str, tuple[str, str]]:
    """Return for every arm of the card its reference and what it changes, in order of appearance."""
    observed = experiment.arm(name)
    baseline = next((arm.name for arm in experiment.arms if arm.kind == "baseline"), None)
    pairs: dict[str, tuple[str, str]] = {}
    reference = experiment.references().get(name)
    if reference is not None:
        pairs[name] = (reference, OBSERVED)
    for arm in experiment.arms:
        control = {"step_matched": "optimiser steps", "duplicate_rows": "repeated rows"}.get(arm.kind)
        if control and baseline is not None and arm.ratio == observed.ratio and control not in _changes(pairs):
            pairs[arm.name] = (baseline, control)
        elif arm.beside == name:
            pairs[arm.name] = (name, arm.change)
    return pairs


def _changes(pairs: Mapping[str, tuple[str, str]]) -> set[str]:
    return {change for _, change in pairs.values()}

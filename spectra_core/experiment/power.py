"""What a design will tell, before it is run: from how errors scatter in a pilot, or in an earlier study of the set."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from spectra_core.errors import ConfigError
from spectra_core.evaluation.errors.gatekeeping import starting_shares
from spectra_core.evaluation.errors.log_ratios import log_ratios
from spectra_core.evaluation.errors.question import Question
from spectra_core.evaluation.errors.resampled_t import SIGNIFICANCE, smallest_told
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS, targets_that_matter
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.experiment.presets import PRESET_ARMS
from spectra_core.regressors import REGRESSORS

AGAIN = "The same with another seed"
PERTURBED = "Mixing"
"""Arm by which regressors without chance are piloted: two trainings of them are one."""
_PILOT_SETS = 8
_ONE_ROW = 1e-3
"""Ratio of a step-matched arm that trains for as many steps as the baseline: that of one added row."""


def pilot_of(experiment: Experiment) -> Experiment:
    """Return the reference of an experiment trained twice, with different seeds, over its folds once.

    Regressors without chance would give the same twice, so they are trained with mixed rows, too. All of it is looked
    up when the experiment is run afterwards.

    Raises
    ------
    ConfigError
        When nothing is compared with a reference.
    """
    reference = _reference_of(experiment)
    if reference.kind == "baseline":
        again = Arm(AGAIN, "step_matched", ratio=_ONE_ROW)
    else:  # the number of members is part of what names the seed; only an ensemble counts them
        again = replace(reference, name=AGAIN, n_members=reference.n_members + (1 if reference.n_members < 100 else -1))
    arms = [reference, again]
    if not all(REGRESSORS[choice.name].has_steps for choice in experiment.regressors):
        arms.append(PRESET_ARMS[PERTURBED])
    return replace(
        experiment,
        arms=tuple(arms),
        n_repeats=1,
        n_train=(_largest(experiment),),
        fresh_sets=min(experiment.fresh_sets, _PILOT_SETS),
        reference=reference.kind,
        question=Question(reference=reference.name),
    )


def smallest_effects(
    experiment: Experiment,
    errors: pd.DataFrame,
    references: Mapping[str, str],
    spreads: Mapping[str, float],
    n_spectra: int,
) -> pd.DataFrame:
    """Return the smallest fall of an error that a design tells with 80 %, as far as its regressors are known.

    Errors scatter over folds by the median of what the arms of `errors` show, and by the root of how many times more
    spectra a fold tests. Two trainings of one arm show the least that any arm will scatter.

    Parameters
    ----------
    experiment
        The design, with its question.
    errors, references
        Of a pilot or an earlier study of the same spectra, and the reference of each of its arms.
    spreads
        Standard deviation of every target.
    n_spectra
        Of the set.

    Returns
    -------
    DataFrame, one row per (regressor, target)
        ``target`` is "all" for the mean over the declared targets, where there are several; ``smallest_told``: per cent
        of the reference's error, for an effect on that target alone; infinite where no fall would do.
    """
    pairs = log_ratios(errors, references, spreads=spreads)
    pairs = pairs[pairs["n_train"] == pairs["n_train"].max()]
    labels = [label for label in declared_regressors(experiment) if label in set(pairs["regressor"])]
    targets = list(experiment.question.targets or targets_that_matter(pairs, spreads))
    of_mean, of_target = starting_shares(n_declared(experiment), len(targets))
    n_tested = experiment.n_fresh_test if experiment.fresh_sets else n_spectra / experiment.n_folds
    scale = float(np.sqrt(pairs["n_test"].mean() / n_tested))
    share = 0.0 if experiment.fresh_sets else 1.0 / (experiment.n_folds - 1)
    rows = []
    for label in labels:
        folds = pairs[(pairs["regressor"] == label) & pairs["target"].isin(targets)]
        by_target = folds.pivot_table(index=["arm", "ratio", "repeat", "fold"], columns="target", values="log_ratio")
        if len(targets) > 1:
            by_target.insert(0, ALL_TARGETS, by_target.mean(axis="columns", skipna=False))
        scatter = by_target.groupby(level=["arm", "ratio"]).std(ddof=1)
        for target in by_target.columns:
            seen = scatter[target][scatter[target] > 0]  # an arm that changes nothing shows no scatter
            level = SIGNIFICANCE * (of_mean if target == ALL_TARGETS else of_target)
            told = (
                smallest_told(scale * float(seen.median()), experiment.n_splits, share, level) if len(seen) else np.nan
            )
            rows.append({"regressor": label, "target": target, "smallest_told": float(-100.0 * np.expm1(-told))})
    return pd.DataFrame(rows, columns=["regressor", "target", "smallest_told"])


def n_declared(experiment: Experiment) -> int:
    """Return how many arms are judged, each by every declared regressor at every declared size."""
    question = experiment.question
    arms = len(question.arms) if question.arms else len(experiment.arms) - 1
    return max(1, arms) * len(declared_regressors(experiment)) * len(question.n_train or (0,))


def declared_regressors(experiment: Experiment) -> list[str]:
    """Return what tables call the regressors by which arms are judged."""
    from spectra_core.regressors.choice import regressor_label

    return list(experiment.question.regressors or map(regressor_label, experiment.regressors))


def _reference_of(experiment: Experiment) -> Arm:
    named = experiment.question.reference or next(iter(experiment.references().values()), None)
    if named is None:
        raise ConfigError("A pilot trains the reference that other arms are compared with; this experiment has none.")
    return experiment.arm(named)


def _largest(experiment: Experiment) -> int:
    return 0 if 0 in experiment.n_train else max(experiment.n_train)

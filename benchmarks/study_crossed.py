"""Ways of choosing concentrations against latent strategies: which of the two decides the cVAE's errors."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.study_arms import LATENT, WAYS, crossed
from benchmarks.study_cells import change, markdown
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS, compare_arms
from spectra_core.experiment.presets import USUAL_REGRESSORS
from spectra_core.regressors import REGRESSORS as REGISTRY

SHOWN = ("Cu2+", "Ni2+", "Fe3+", "NO3-")
"""Of the simulated set, the ions that networks read well: an error near that of guessing has no room to grow."""
PRIOR = "prior"
STRATEGIES = (PRIOR, *LATENT)
REGRESSORS = {name: REGISTRY[name].title for name in (*USUAL_REGRESSORS, "mlp_ensemble", "stack")}


def arm_of(way: str, strategy: str) -> str:
    """Return the name of the arm with these concentrations and latent points."""
    return WAYS[way] if strategy == PRIOR else crossed(way, strategy)


def shown(targets: list[str]) -> list[str]:
    """Return the targets that the comparison is shown for: those of `SHOWN`, all on other sets."""
    return [target for target in SHOWN if target in targets] or targets


def ways_and_strategies(comparisons: pd.DataFrame, arms: list[str]) -> str:
    """Return the change of the MLP's error against the step-matched arm: row per ion and way, column per strategy."""
    comparisons = comparisons[(comparisons["regressor"] == "mlp") & (comparisons["target"] != ALL_TARGETS)]
    table = comparisons.set_index(["arm", "target"])
    rows = []
    for target in shown(list(dict.fromkeys(comparisons["target"]))):
        for way in WAYS:
            names = [arm_of(way, strategy) for strategy in STRATEGIES]
            rows.append([target, way, *(change(table.loc[(name, target)]) if name in arms else "" for name in names)])
    return markdown(["ion", "concentrations", *(f"z: {strategy}" for strategy in STRATEGIES)], rows)


def against_the_prior(errors: pd.DataFrame, arms: list[str]) -> str:
    """Return how often a strategy's errors differ from the prior's at the same way of choosing concentrations."""
    pairs = [(strategy, way, arm_of(way, strategy)) for strategy in LATENT for way in WAYS]
    references = {name: WAYS[way] for _, way, name in pairs if name in arms}
    strategy_of = {name: strategy for strategy, _, name in pairs}
    kept = errors[errors["arm"].isin([*references, *WAYS.values()])]
    table = compare_arms(kept, references)
    table = table[table["target"] != ALL_TARGETS]
    rows = []
    for strategy, here in table.groupby(table["arm"].map(strategy_of), sort=False):
        for regressor, own in here.groupby("regressor", sort=False):
            title = REGRESSORS[regressor]
            middle, low, high = (own["effect"].quantile(q) for q in (0.5, 0.1, 0.9))
            rows.append(
                [
                    *(strategy, title, len(own), f"{middle:+.1f} ({low:+.1f}, {high:+.1f})"),
                    *((own["high"] < 0).sum(), (own["low"] > 0).sum()),
                ]
            )
    head = ["z", "", "comparisons", "change of error, %: median (10th, 90th percentile)"]
    return markdown([*head, "intervals below zero", "above"], rows)


def shares(errors: pd.DataFrame, targets: list[str]) -> str:
    """Return which share of the variation of log RMSEP comes from concentrations, from z and from both together.

    Differences between folds that all arms share are taken out first; what is left after the three is what arms do
    differently from fold to fold.
    """
    rows = []
    for regressor, own in errors.groupby("regressor", sort=False):
        title = REGRESSORS[regressor]
        for target in targets:
            values = _log_errors(own[own["target"] == target])
            parts = variation(values)
            mean = np.exp(values.mean(axis=2))
            rows.append(
                [
                    *(title, target, *(f"{100 * part:.0f}" for part in parts)),
                    *(f"{largest / smallest:.2f}" for smallest, largest in (_range(mean, 1), _range(mean, 0))),
                ]
            )
    head = ["", "ion", "concentrations, %", "z, %", "both together, %", "folds, %"]
    return markdown([*head, "worst way to best", "worst z to best"], rows)


def variation(values: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return shares of the sum of squares: first factor, second factor, both together, what is left.

    Parameters
    ----------
    values : (n_ways, n_strategies, n_folds)

    Examples
    --------
    >>> way, fold = np.array([[[0.0]], [[2.0]]]), np.array([[[0.0, 5.0, 7.0]]])
    >>> variation(way + fold + np.zeros((2, 2, 3)))
    (1.0, 0.0, 0.0, 0.0)
    """
    centred = values - values.mean(axis=(0, 1), keepdims=True)
    first = centred.mean(axis=(1, 2), keepdims=True)
    second = centred.mean(axis=(0, 2), keepdims=True)
    both = centred.mean(axis=2, keepdims=True) - first - second
    left = centred - first - second - both
    sums = [float((np.broadcast_to(part, values.shape) ** 2).sum()) for part in (first, second, both, left)]
    whole = sum(sums)
    way, strategy, together, rest = (one / whole for one in sums)
    return way, strategy, together, rest


def _log_errors(errors: pd.DataFrame) -> NDArray[np.float64]:
    """Return ln RMSEP (n_ways, n_strategies, n_folds) of one regressor and target; strategies run at all ways."""
    wide = errors.pivot_table(index="arm", columns=["repeat", "fold"], values="rmsep")
    whole = [strategy for strategy in STRATEGIES if all(arm_of(way, strategy) in wide.index for way in WAYS)]
    return np.log([[wide.loc[arm_of(way, strategy)] for strategy in whole] for way in WAYS])


def _range(mean: NDArray[np.float64], axis: int) -> tuple[float, float]:
    """Return the smallest and the largest geometric mean along the other factor."""
    along = np.exp(np.log(mean).mean(axis=axis))
    return float(along.min()), float(along.max())

"""What a unit of work will cost, estimated from the number of multiplications, before it is done."""

from itertools import pairwise
from typing import Any

from spectra_core.contracts import NO_MEMO, Budget, Memo
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.spectra import SpectraSet

_DIRECT_FIT_GFLOP = 3e-5
"""Per value of the training spectra, for fits without optimiser steps: PLS with inner cross-validation, ridge, PCA."""

_COMPONENTS, _SMALLER_IS_SLOWER = 64, 2.0
"""Inputs of networks trained on principal components, at most; such small products run at half the rate."""

BESIDES = 2.0
"""Seconds for what is not fitted: loading, splitting, tables."""


def regressor_cost(regressor: Any, n_rows: int, n_channels: int, n_targets: int) -> float:
    """Return Gflop of one fit: three products (forward, two backward) of 2 operations per weight and row."""
    if not regressor.has_steps:
        return _DIRECT_FIT_GFLOP * n_rows * n_channels
    n_inputs, slower = _inputs(regressor, n_channels)
    widths = (n_inputs, *regressor.hidden, 1)
    n_weights = slower * sum(a * b for a, b in pairwise(widths)) * n_targets
    members = getattr(regressor, "n_members", 1)
    steps = Budget(epochs=regressor.epochs).total_steps(n_rows, regressor.batch_size)
    return float(6e-9 * n_weights * steps * regressor.batch_size * members)


def generator_cost(generator: Any, n_rows: int, n_channels: int) -> float:
    """Return Gflop of training a generator."""
    if not hasattr(generator, "epochs"):
        return _DIRECT_FIT_GFLOP * n_rows * n_channels
    n_inputs, slower = _inputs(generator, n_channels)
    n_weights = slower * (2 * generator.n_hidden * n_inputs + 3 * generator.n_hidden * generator.n_latent)
    steps = Budget(epochs=generator.epochs).total_steps(n_rows, generator.batch_size)
    return float(6e-9 * n_weights * steps * generator.batch_size)


def _inputs(network: Any, n_channels: int) -> tuple[int, float]:
    """Return what a network sees of a spectrum, and how much longer an operation takes than on all channels."""
    if getattr(network, "coordinates", "channels") == "channels":
        return n_channels, 1.0
    return min(n_channels, _COMPONENTS), _SMALLER_IS_SLOWER


def arm_cost(arm: Arm, regressor: Any, n_train: int, n_channels: int, n_targets: int) -> float:
    """Return Gflop of training `regressor` on the set of `arm`."""
    if arm.kind == "ensemble" and regressor.has_steps:
        return arm.n_members * regressor_cost(regressor, n_train, n_channels, n_targets)
    grows = arm.kind not in ("baseline", "ensemble")
    n_rows = n_train + round(arm.ratio * n_train) if grows else n_train
    return regressor_cost(regressor, n_rows, n_channels, n_targets)


def estimated_seconds(
    experiment: Experiment, spectra: SpectraSet, n_workers: int, memo: Memo = NO_MEMO, niceness: int = 0
) -> float:
    """Return about how long the whole experiment takes beside what this computer does now, in seconds.

    Parameters
    ----------
    memo
        Keeps how fast this computer fits each kind of member; measured in a second where it is not known.
    niceness
        How far the work steps back, as in `pace.slowdown`.
    """
    from spectra_core.choices import build
    from spectra_core.experiment.pace import seconds_per_gflop, slowdown
    from spectra_core.experiment.tables import generators_of
    from spectra_core.generators import GENERATORS
    from spectra_core.regressors import REGRESSORS

    n_channels = spectra.n_channels
    if experiment.targets is not None:
        spectra = spectra.with_targets(experiment.targets)
    n_targets = spectra.n_targets

    def of_regressor(regressor: Any, on: SpectraSet) -> float:
        return regressor_cost(regressor, len(on), on.n_channels, on.n_targets)

    def of_generator(generator: Any, on: SpectraSet) -> float:
        return generator_cost(generator, len(on), on.n_channels)

    whole_fold = len(spectra) - len(spectra) // experiment.n_folds
    total = 0.0
    for size in experiment.n_train:
        n_train = min(size or whole_fold, whole_fold)
        for choice in experiment.regressors:
            regressor = build(REGRESSORS, choice, "regressor")
            pace = seconds_per_gflop(regressor, of_regressor, spectra, memo)
            total += pace * sum(arm_cost(arm, regressor, n_train, n_channels, n_targets) for arm in experiment.arms)
        for choice in generators_of(experiment):
            generator = build(GENERATORS, choice, "generator")
            pace = seconds_per_gflop(generator, of_generator, spectra, memo)
            total += pace * generator_cost(generator, n_train, n_channels)
    n_workers = max(1, n_workers)
    seconds = total * experiment.n_folds * experiment.n_repeats / n_workers + BESIDES
    return seconds * slowdown(n_workers, niceness)

"""What a unit of work will cost, estimated from the number of multiplications, before it is done."""

import time
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from spectra_core.contracts import Budget
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.spectra import SpectraSet
from spectra_core.training.parallel import one_blas_thread

_DIRECT_FIT_GFLOP = 3e-5
"""Per value of the training spectra, for fits without optimiser steps: PLS with inner cross-validation, ridge, PCA."""

_COMPONENTS, _SMALLER_IS_SLOWER = 64, 2.0
"""Inputs of networks trained on principal components, at most; such small products run at half the rate."""

_PROBE = (256, 911, 512)
"""Rows, inputs and outputs of the product that tells how fast a core is: about what a first layer multiplies."""


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


def estimated_seconds(experiment: Experiment, spectra: SpectraSet, n_workers: int) -> float:
    """Return a rough running time of the whole experiment, in seconds, for the page that designs it."""
    from spectra_core.choices import build
    from spectra_core.experiment.tables import generators_of
    from spectra_core.generators import GENERATORS
    from spectra_core.regressors import REGRESSORS

    n_targets = spectra.n_targets if experiment.targets is None else len(experiment.targets)
    whole_fold = len(spectra) - len(spectra) // experiment.n_folds
    total = 0.0
    for size in experiment.n_train:
        n_train = min(size or whole_fold, whole_fold)
        for choice in experiment.regressors:
            regressor = build(REGRESSORS, choice, "regressor")
            total += sum(arm_cost(arm, regressor, n_train, spectra.n_channels, n_targets) for arm in experiment.arms)
        for choice in generators_of(experiment):
            total += generator_cost(build(GENERATORS, choice, "generator"), n_train, spectra.n_channels)
    n_fits = experiment.n_folds * experiment.n_repeats
    return total * n_fits / gflop_per_second() / max(1, n_workers)


@cache
def gflop_per_second() -> float:
    """Return how fast one core multiplies matrices, the best of a few tries of some milliseconds.

    Training reaches about this rate in the operations that are counted here, since what is counted for the first
    layer and not done (its inputs need no derivative) makes up for what is done and not counted.
    """
    n_rows, n_inputs, n_outputs = _PROBE
    rng = np.random.default_rng(0)
    one = rng.standard_normal((n_rows, n_inputs), dtype=np.float32)
    other = rng.standard_normal((n_inputs, n_outputs), dtype=np.float32)
    seconds = []
    with one_blas_thread():
        for _ in range(10):
            begin = time.perf_counter()
            one @ other
            seconds.append(time.perf_counter() - begin)
    return 2e-9 * n_rows * n_inputs * n_outputs / min(seconds)

"""What a unit of work will cost before it is done, estimated from what each member tells of itself."""

import time
from functools import cache

import numpy as np

from spectra_core.experiment.design import Arm, Experiment
from spectra_core.regressors.base import Regressor
from spectra_core.spectra import SpectraSet
from spectra_core.training.parallel import one_blas_thread

_PROBE = (256, 911, 512)
"""Rows, inputs and outputs of the product that tells how fast a core is: about what a first layer multiplies."""


def arm_cost(arm: Arm, regressor: Regressor, n_train: int, n_channels: int, n_targets: int) -> float:
    """Return Gflop of training `regressor` on the set of `arm`."""
    if arm.kind == "ensemble" and regressor.has_steps:
        return arm.n_members * regressor.cost(n_train, n_channels, n_targets)
    grows = arm.kind not in ("baseline", "ensemble")
    n_rows = n_train + round(arm.ratio * n_train) if grows else n_train
    return regressor.cost(n_rows, n_channels, n_targets)


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
            total += build(GENERATORS, choice, "generator").cost(n_train, spectra.n_channels)
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

"""What an experiment will cost, counted in another way."""

from dataclasses import replace

import pytest

from spectra_core.choices import Choice
from spectra_core.experiment import Arm, Experiment
from spectra_core.experiment.cost import arm_cost, estimated_seconds, gflop_per_second
from spectra_core.generators import GENERATORS
from spectra_core.regressors import REGRESSORS

MLP = REGRESSORS["mlp"](epochs=10, batch_size=5)
EXPERIMENT = Experiment(
    arms=(Arm("Baseline", "baseline"), Arm("Step-matched", "step_matched")),
    regressors=(Choice("mlp", {"epochs": 10, "batch_size": 4}),),
    n_folds=4,
)


def test_a_network_costs_two_operations_per_weight_and_product():
    # 50 channels, 64 and 16 hidden units: forward, and two products backward; 40 rows in whole batches, 10 epochs.
    by_hand = 3 * 2 * (50 * 64 + 64 * 16 + 16) * 40 * 10
    assert MLP.cost(40, 50, 1) == pytest.approx(1e-9 * by_hand)
    assert MLP.cost(40, 50, 4) == pytest.approx(4e-9 * by_hand)
    vae = GENERATORS["vae"](epochs=10, batch_size=5, n_hidden=8, n_latent=3)
    assert vae.cost(40, 50) == pytest.approx(1e-9 * 3 * 2 * (50 * 8 + 8 * 6 + 3 * 8 + 8 * 50) * 40 * 10)


def test_what_adds_rows_costs_more_and_an_ensemble_its_members():
    base = arm_cost(Arm("Baseline", "baseline"), MLP, 40, 50, 4)
    assert arm_cost(Arm("Three", "duplicate_rows", ratio=2.0), MLP, 40, 50, 4) == pytest.approx(3 * base)
    assert arm_cost(Arm("Ensemble", "ensemble", n_members=7), MLP, 40, 50, 4) == pytest.approx(7 * base)


def test_time_goes_with_repetitions_and_is_shared_by_workers(mixtures):
    once = estimated_seconds(EXPERIMENT, mixtures, 1)
    assert estimated_seconds(replace(EXPERIMENT, n_repeats=3), mixtures, 1) == pytest.approx(3 * once)
    assert estimated_seconds(EXPERIMENT, mixtures, 2) == pytest.approx(once / 2)
    # 45 of 60 spectra train, in batches of 4: 12 steps for 45 rows, 23 for 90.
    rows = 4 * 10 * (12 + 23)
    expected = 4 * 6e-9 * 4 * (50 * 64 + 64 * 16 + 16) * rows / gflop_per_second()
    assert once == pytest.approx(expected)

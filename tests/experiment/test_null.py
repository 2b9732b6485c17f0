"""Whole experiments whose arms differ by their seed alone must not see improvements."""

from spectra_core.choices import Choice
from spectra_core.experiment import Arm, Experiment, run
from tests.conftest import beer_lambert_set

MLP = Choice("mlp", {"epochs": 3, "batch_size": 8})
REFERENCE = Arm("Step-matched", "step_matched")
# The number of members means nothing for this kind: it changes the arm's seed and nothing else.
ANOTHER_SEED = Arm("The same with another seed", "step_matched", n_members=3)


def comparisons(arm, number):
    experiment = Experiment(arms=(REFERENCE, arm), regressors=(MLP,), n_folds=4, seed=number)
    return run(experiment, beer_lambert_set(30, 20, seed=number)).tables["comparisons"]


def test_arms_that_differ_by_their_seed_seldom_improve():
    """At a rate of 5 %, more than 3 of 12 experiments say so with probability 0.002."""
    tables = [comparisons(ANOTHER_SEED, number) for number in range(12)]
    assert all((table["effect"] != 0).all() for table in tables)
    assert sum((table["verdict"] == "improved").any() for table in tables) <= 3


def test_the_same_check_sees_a_true_improvement():
    """Networks of three epochs have hardly begun to learn; twenty times as many steps must show."""
    table = comparisons(Arm("Twenty times the steps", "step_matched", ratio=19.0), 0)
    assert (table["verdict"] == "improved").any()
    assert table["effect"].max() < -40

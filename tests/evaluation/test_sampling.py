"""Samples of large sets: their size, their randomness, and what stays whole."""

import numpy as np
from numpy.testing import assert_array_equal

from spectra_core.evaluation.sampling import most_asked, sampled, sampled_rows
from tests.conftest import beer_lambert_set


def test_small_sets_stay_themselves_and_large_ones_are_cut(mixtures):
    large = beer_lambert_set(90, seed=1)
    sets, rows = sampled({"training": mixtures, "generated": large}, 60)
    assert sets["training"] is mixtures
    assert_array_equal(rows["training"], np.arange(60))
    assert_array_equal(sets["generated"].signal, large.signal[rows["generated"]])
    assert (len(rows["generated"]), len(set(rows["generated"]))) == (60, 60)
    assert (np.diff(rows["generated"]) > 0).all()


def test_seed_and_role_decide_and_every_row_is_as_likely():
    assert_array_equal(sampled_rows(90, "training", 30, 1), sampled_rows(90, "training", 30, 1))
    assert set(sampled_rows(90, "training", 30, 1)) != set(sampled_rows(90, "generated", 30, 1))
    counts = np.zeros(20)
    for seed in range(600):
        counts[sampled_rows(20, "training", 5, seed)] += 1
    # 600 draws with probability 1/4: mean 150, standard deviation 10.6.
    assert (np.abs(counts - 150) < 4 * 10.6).all()


def test_the_pool_of_neighbours_decides_how_many_ask():
    assert most_asked(3744) > 10_000
    assert most_asked(100_000) * 100_000 == 100_000_000
    assert most_asked(10**9) == 1000

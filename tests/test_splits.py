import numpy as np
import pytest

from spectra_core.errors import ConfigError
from spectra_core.splits import hold_out, k_fold


def test_every_row_is_tested_once_per_repetition():
    splits = k_fold(np.arange(30), 8, seed=0, n_repeats=3)
    for repeat in range(3):
        tested = np.concatenate([s.test for s in splits if s.repeat == repeat])
        assert sorted(tested) == list(range(30))


def test_train_and_test_are_complements():
    for split in k_fold(np.arange(30), 8, seed=0):
        assert sorted([*split.train, *split.test]) == list(range(30))


def test_fold_sizes_of_ungrouped_rows_differ_by_at_most_one():
    sizes = [len(s.test) for s in k_fold(np.arange(3744), 8, seed=1)]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("seed", range(10))
def test_the_largest_group_is_dealt_first_so_that_folds_are_even(seed):
    # 20 rows in one group and 20 single ones: dealt later, the large group would come on top of single rows.
    groups = np.array([7] * 20 + list(range(100, 120)))
    assert [len(split.test) for split in k_fold(groups, 2, seed=seed)] == [20, 20]
    assert sorted(len(split.test) for split in k_fold(groups, 3, seed=seed)) == [10, 10, 20]


def test_groups_are_never_divided():
    groups = np.random.default_rng(0).integers(0, 12, 100)
    for split in k_fold(groups, 4, seed=0):
        assert not set(groups[split.train]) & set(groups[split.test])


def test_seed_decides_and_repetitions_differ():
    one, again, other = (k_fold(np.arange(40), 4, seed=s, n_repeats=2) for s in (0, 0, 1))
    assert all(np.array_equal(a.test, b.test) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0].test, other[0].test)
    assert not np.array_equal(one[0].test, one[4].test)


def test_three_spectra_cannot_be_divided_into_eight_folds():
    with pytest.raises(ConfigError, match="8 folds need at least 8 independent spectra, but the set has 3"):
        k_fold(np.arange(3), 8, seed=0)


def test_as_many_folds_as_groups_leave_one_out():
    assert sorted(split.test.tolist() for split in k_fold(np.array([5, 5, 8]), 2, seed=0)) == [[0, 1], [2]]


def test_hold_out_keeps_groups_together_and_takes_about_the_share():
    groups = np.repeat(np.arange(50), 2)
    split = hold_out(groups, 0.2, seed=0)
    assert len(split.test) == 20
    assert not set(groups[split.train]) & set(groups[split.test])
    assert (split.repeat, split.fold) == (0, 0)


@pytest.mark.parametrize(("share", "n_test"), [(0.001, 1), (0.1, 1), (0.26, 3), (0.89, 9)])
def test_hold_out_takes_the_nearest_number_of_rows_but_at_least_one(share, n_test):
    assert len(hold_out(np.arange(10), share, seed=0).test) == n_test


@pytest.mark.parametrize("share", [-0.1, 0.0, 1.0, float("nan")])
def test_a_share_that_leaves_a_part_empty_is_refused(share):
    with pytest.raises(ConfigError, match="lies between 0 and 1"):
        hold_out(np.arange(10), share, seed=0)
    with pytest.raises(ConfigError, match="leaves none to train on"):
        hold_out(np.zeros(10, dtype=int), 0.5, seed=0)

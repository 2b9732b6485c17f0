import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special, stats

from spectra_core.evaluation.errors.resampled_t import (
    MeanDifference,
    larger_set_needed,
    repeats_needed,
    smallest_told,
    told_from,
)

DIFFERENCES = np.array([-0.3, -0.1, -0.25, 0.05, -0.2, -0.15, -0.3, -0.05])


def test_without_shared_training_spectra_it_is_the_paired_t_test():
    found = MeanDifference.of(DIFFERENCES, 0.0)
    expected = stats.ttest_1samp(DIFFERENCES, 0.0)
    assert found.p == pytest.approx(expected.pvalue)
    assert_allclose(found.interval, expected.confidence_interval(0.95))


def test_the_correction_widens_the_error_as_nadeau_and_bengio_say():
    plain, corrected = MeanDifference.of(DIFFERENCES, 0.0), MeanDifference.of(DIFFERENCES, 1 / 7)
    assert corrected.error / plain.error == pytest.approx(np.sqrt((1 / 8 + 1 / 7) / (1 / 8)))
    t = DIFFERENCES.mean() / np.sqrt((1 / 8 + 1 / 7) * DIFFERENCES.var(ddof=1))
    assert corrected.p == pytest.approx(2 * stats.t.sf(abs(t), 7))


@pytest.mark.parametrize(("low", "high"), [(-0.3, 0.3), (-0.2, 0.05), (-1.0, 1.0), (-0.1, 0.1)])
def test_equivalence_is_that_of_statsmodels(low, high):
    from statsmodels.stats.weightstats import DescrStatsW

    expected = DescrStatsW(DIFFERENCES).ttost_mean(low, high)[0]
    assert MeanDifference.of(DIFFERENCES, 0.0).p_within(low, high) == pytest.approx(expected)


@pytest.mark.parametrize("n", [3, 8, 24, 80])
@pytest.mark.parametrize("level", [0.05, 0.005])
def test_the_smallest_effect_told_is_that_of_statsmodels(n, level):
    from statsmodels.stats.power import TTestPower

    expected = TTestPower().solve_power(nobs=n, alpha=level, power=0.8, alternative="two-sided")
    assert smallest_told(1.0, n, 0.0, level) == pytest.approx(expected, rel=2e-3)
    assert told_from(n - 1, level) == pytest.approx(expected * np.sqrt(n), rel=2e-3)


@pytest.mark.parametrize("level", [0.05, 0.000625, 0.0003125])
def test_the_smallest_effect_told_is_known_for_every_number_of_folds(level):
    """Far beyond the limit scipy's noncentral t is NaN here and there, as at 5 degrees of freedom."""
    for dof in (*range(1, 33), 91, 93, 95, 112, 799, 1599):
        limit = stats.t.isf(level / 2.0, dof)
        assert special.nctdtr(dof, told_from(dof, level), limit) == pytest.approx(0.2, abs=1e-4)


def test_effects_of_the_smallest_size_are_told_four_times_in_five():
    rng = np.random.default_rng(0)
    effect = smallest_told(1.0, 8, 0.0, 0.05)
    told = [MeanDifference.of(rng.normal(effect, 1.0, 8), 0.0).p < 0.05 for _ in range(2000)]
    assert np.mean(told) == pytest.approx(0.8, abs=3 * np.sqrt(0.16 / 2000))


def test_repeats_and_spectra_needed_are_the_first_that_suffice():
    needed = repeats_needed(0.6, 1.0, 8, 0.01, 0.05)
    assert (
        smallest_told(1.0, int(needed) * 8, 0.01, 0.05) <= 0.6 < smallest_told(1.0, (int(needed) - 1) * 8, 0.01, 0.05)
    )
    assert np.isinf(repeats_needed(0.3, 1.0, 8, 1 / 7, 0.05))  # 0.3 / sqrt(1/7) = 0.79 stays below 1.96 for ever
    factor = larger_set_needed(0.3, 1.0, 8, 1 / 7, 0.05)
    assert smallest_told(1.0 / np.sqrt(factor), 8, 1 / 7, 0.05) == pytest.approx(0.3)
    assert larger_set_needed(50.0, 1.0, 8, 1 / 7, 0.05) == 1.0
    assert np.isinf(larger_set_needed(0.0, 1.0, 8, 1 / 7, 0.05))


def test_a_single_fold_and_folds_that_agree_to_the_digit():
    one = MeanDifference.of(np.array([0.5]), 0.1)
    assert np.isnan([one.p, *one.interval, one.p_within(-1, 1)]).all()
    alike = MeanDifference.of(np.full(4, -0.2), 0.1)
    assert (alike.p, alike.interval) == (0.0, (-0.2, -0.2))
    assert (alike.p_within(-0.3, 0.3), alike.p_within(-0.1, 0.1)) == (0.0, 1.0)
    assert MeanDifference.of(np.zeros(4), 0.1).p == 1.0

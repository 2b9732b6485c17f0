"""Intervals against their definition, counted one by one."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spectra_core.calibration.conformal import ErrorScale, OutOfFold, fitted_scale, group_weights, interval
from spectra_core.errors import ConfigError


def made(n_rows: int, n_folds: int = 4, n_new: int = 7):
    rng = np.random.default_rng(1)
    fold = np.arange(n_rows) % n_folds
    return rng.normal(size=(n_folds, n_new)), rng.uniform(0.5, 2.0, (n_folds, n_new)), rng.gamma(2.0, size=n_rows), fold


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_single_rows_give_the_interval_of_barber_and_others(level):
    centres, sizes, scores, fold = made(37)
    n = len(scores)
    low, high = interval(centres, sizes, scores, fold=fold, groups=np.arange(n), level=level)
    for new in range(centres.shape[1]):
        ends = [(centres[fold[i], new], sizes[fold[i], new] * scores[i]) for i in range(n)]
        above, below = sorted(mu + r for mu, r in ends), sorted(mu - r for mu, r in ends)
        assert_allclose(high[new], above[math.ceil(round(level * (n + 1), 9)) - 1], rtol=1e-8)
        assert_allclose(low[new], below[math.floor(round((1 - level) * (n + 1), 9)) - 1], rtol=1e-8)


def test_replicates_are_no_more_evidence_than_their_sample():
    centres, sizes, scores, fold = made(24)
    alone = interval(centres, sizes, scores, fold=fold, groups=np.arange(24), level=0.9)
    three_times = interval(
        centres, sizes, np.repeat(scores, 3), fold=np.repeat(fold, 3), groups=np.repeat(np.arange(24), 3), level=0.9
    )
    assert_allclose(three_times, alone, rtol=1e-8)


def test_a_level_that_so_few_samples_cannot_give_is_refused():
    for n_rows in (9, 8):
        centres, sizes, scores, fold = made(n_rows)
        if n_rows == 9:
            assert np.isfinite(interval(centres, sizes, scores, fold=fold, groups=np.arange(9), level=0.9)).all()
        else:
            with pytest.raises(ConfigError, match=r"more independent calibration samples than 8, which allow 88\.8 %"):
                interval(centres, sizes, scores, fold=fold, groups=np.arange(8), level=0.9)


def test_the_size_of_errors_is_found_again_and_never_falls_to_nothing():
    predicted = np.linspace(0.2, 3.0, 50)
    scale = fitted_scale(0.1 + 0.3 * (predicted - 0.2), predicted, np.ones(50), lowest=0.2)
    assert_allclose([scale.start, scale.slope], [0.1, 0.3], rtol=1e-9)
    proportional = fitted_scale(0.3 * predicted, predicted, np.ones(50), lowest=0.0)
    assert_allclose(proportional.at(np.array([-1.0])), 0.1 * (0.3 * predicted).mean())
    assert fitted_scale(np.zeros(4), np.ones(4), group_weights(np.arange(4)), 0.0).at(np.ones(1)) > 0


def test_a_left_out_fold_of_large_labels_does_not_make_large_predictions_look_sure():
    rng = np.random.default_rng(4)
    labels, fold = rng.gamma(1.0, size=60), np.arange(60) % 4
    without = np.array([labels[fold != number].mean() for number in range(4)])
    errors = OutOfFold.of(labels, without[fold], fold, np.arange(60), np.zeros(4))  # nothing is known but the mean
    assert_allclose(errors.place, labels.mean(), rtol=1e-12)
    assert_allclose(errors.residuals, labels - without[fold])


def test_places_of_models_that_predict_less_of_the_same_are_stretched_to_those_of_all():
    rng = np.random.default_rng(6)
    shape, fold, gains = np.tile(rng.normal(size=20), 3), np.repeat([0, 1, 2], 20), np.array([0.5, 1.0, 2.0])
    labels = np.tile(rng.gamma(2.0, size=20), 3)  # of folds alike, so that nothing is moved
    predicted = labels.mean() + gains[fold] * shape
    errors = OutOfFold.of(labels, predicted, fold, np.arange(60), gains * shape.std())
    usual = np.sqrt((gains**2).mean())
    assert_allclose(errors.place, labels.mean() + usual * shape, rtol=1e-12)
    of_new = labels.mean() + gains[:, None] * np.array([-1.0, 0.0, 3.0])
    assert_allclose(errors.places(of_new, np.arange(3)), np.tile(labels.mean() + usual * np.array([-1, 0, 3]), (3, 1)))
    nearly_alike = OutOfFold.of(labels, predicted, fold, np.arange(60), np.array([1e-9, 1.0, 1.0]))
    assert_allclose(nearly_alike.stretches[0], 10.0)  # not 1e9


def test_errors_above_and_below_have_sizes_of_their_own():
    predicted = np.linspace(1.0, 3.0, 20)
    labels = np.concatenate([predicted - 0.2, predicted + 0.3 + 0.5 * (predicted - 0.8)])
    both = np.tile(labels, 2), np.tile(predicted, 4)  # of folds alike, so that nothing is moved
    errors = OutOfFold.of(*both, np.repeat([0, 1], 40), np.arange(80), np.ones(2))
    at = np.array([1.0, 2.5])
    assert_allclose(errors.size(np.array([-1.0, -1.0]), at), 0.2, rtol=1e-9)
    assert_allclose(errors.size(np.array([1.0, 1.0]), at), 0.3 + 0.5 * (at - 0.8), rtol=1e-9)


@pytest.mark.parametrize("growth", [9.0, -0.9])
@pytest.mark.parametrize(("level", "enough"), [(0.9, True), (0.97, False)])
def test_the_largest_third_is_also_judged_among_itself_where_it_is_many_enough(growth, level, enough):
    rng = np.random.default_rng(5)
    n, below, above = 60, ErrorScale(1.0, 0.0, 0.0), ErrorScale(2.0, 0.0, 0.0)
    place, fold = rng.permutation(np.arange(n) / n), np.arange(n) % 4
    residuals = rng.normal(size=n) * (1.0 + growth * (place > 0.65))
    errors = OutOfFold(residuals, place, fold, np.arange(n), np.zeros(4), np.ones(4), below, above)
    centres = np.tile([0.2, 0.9], (4, 1))
    low, high = errors.interval(centres, level)

    def reach(rows):
        sizes = np.sort(np.where(residuals > 0, residuals / 2.0, -residuals)[rows])
        return sizes[math.ceil(level * (len(sizes) + 1) - 1e-9) - 1]

    of_all, third = reach(place >= 0), place >= 2 / 3 - 1e-9
    wanted = np.array([of_all, max(of_all, reach(third)) if enough else of_all])
    assert_allclose([low, high], centres[0] + np.array([-wanted, 2.0 * wanted]), rtol=1e-7)
    assert not enough or growth < 0 or wanted[1] > wanted[0]

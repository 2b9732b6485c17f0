"""Estimators keep scikit-learn's contract, groups, and folds that nothing leaks into."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from spectra_core.estimators import (
    NOT_APPLICABLE,
    AugmentedRegressor,
    SpectralPreprocessing,
    SpectralRegressor,
    SpectralResampler,
)
from spectra_core.generators import GENERATORS
from spectra_core.regressors import Ridge
from tests.conftest import beer_lambert_set

SMOOTHING = SpectralPreprocessing("savitzky_golay", {"window": 3, "order": 1})


@pytest.fixture(scope="module")
def arrays(mixtures):
    return np.array(mixtures.signal), np.array(mixtures.target_values)


@pytest.mark.parametrize(
    "estimator", [SpectralRegressor("ridge"), SpectralPreprocessing("msc"), SMOOTHING, AugmentedRegressor()], ids=str
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_own_checks_pass(estimator):
    expected = NOT_APPLICABLE if estimator is SMOOTHING else {}
    check_estimator(estimator, expected_failed_checks=expected, on_skip=None)


def test_an_estimator_predicts_as_its_member_does(arrays, mixtures):
    X, y = arrays
    fresh = beer_lambert_set(10, seed=8)
    expected = Ridge().fit(mixtures).predict(fresh)
    assert_allclose(SpectralRegressor("ridge").fit(X, y).predict(fresh.signal), expected, rtol=1e-9)


def test_groups_stay_together_inside_and_outside_in_pipelines_and_searches(arrays):
    X, y = arrays
    groups = np.repeat(np.arange(20), 3)
    model = make_pipeline(SpectralPreprocessing("snv"), SpectralRegressor("pls"))
    found = cross_val_predict(model, X, y[:, 0], cv=GroupKFold(4), groups=groups)
    for train, test in GroupKFold(4).split(X, groups=groups):
        assert_allclose(found[test], clone(model).fit(X[train], y[train, 0]).predict(X[test]))
    tuned = {"spectralregressor__options": [{"max_components": n} for n in (1, 5)]}
    search = GridSearchCV(model, tuned, cv=GroupKFold(4)).fit(X, y, groups=groups)
    assert search.best_params_["spectralregressor__options"] == {"max_components": 5}
    alone = SpectralRegressor("ridge").fit(X, y)
    together = SpectralRegressor("ridge").fit(X, y, groups=np.argsort(np.argsort(y[:, 0])) // 20)
    assert not np.allclose(alone.regressor_.penalties_, together.regressor_.penalties_)


def test_nothing_but_the_training_fold_is_resampled(arrays):
    X, y = arrays
    spoilt = np.array(X)
    spoilt[:15] *= 100.0  # were these seen while fitting the other folds, predictions there would change
    model = AugmentedRegressor(SpectralResampler("jitter", ratio=2.0), SpectralRegressor("ridge"))
    folds = [(np.arange(15, 60), np.arange(15))]
    for train, _ in folds:
        one, other = (clone(model).fit(signal[train], y[train]).predict(X[:15]) for signal in (X, spoilt))
        assert_allclose(one, other)
    more, labels = SpectralResampler("jitter", ratio=2.0).fit_resample(X, y)
    assert (more.shape, labels.shape) == ((180, 50), (180, 4))
    assert_allclose(more[:60], X)


def test_copies_stay_with_their_spectrum_where_the_regressor_chooses(arrays):
    X, y = arrays
    given = np.repeat(np.arange(20), 3)
    model = AugmentedRegressor(SpectralResampler("jitter", ratio=2.0), SpectralRegressor("ridge"))
    fitted = clone(model).fit(X, y, groups=given)
    more, labels = clone(model.resampler).fit_resample(X, y)
    parents = np.abs(labels[60:, None] - y).sum(axis=2).argmin(axis=1)  # jitter keeps the labels
    by_hand = SpectralRegressor("ridge").fit(more, labels, groups=np.concatenate([given, given[parents]]))
    assert_allclose(fitted.regressor_.regressor_.penalties_, by_hand.regressor_.penalties_)
    divided = SpectralRegressor("ridge").fit(more, labels)
    assert not np.allclose(divided.regressor_.penalties_, by_hand.regressor_.penalties_)


@pytest.mark.parametrize("member", sorted(set(GENERATORS) - {"physics_residual"}))
def test_every_generator_is_a_resampler(member, arrays):
    X, y = arrays
    quick = {"epochs": 2, "n_latent": 3}
    options = {name: value for name, value in quick.items() if name in GENERATORS[member].__dataclass_fields__}
    signal, labels = SpectralResampler(member, options).fit(X, y).sample(7)
    assert (signal.shape, labels.shape) == ((7, 50), (7, 4))
    assert np.isfinite(signal).all()


def test_what_is_refused_is_a_value_error(arrays):
    with pytest.raises(ValueError, match="Unknown regressor 'magic'"):
        SpectralRegressor("magic").fit(*arrays)

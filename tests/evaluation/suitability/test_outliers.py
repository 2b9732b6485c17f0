"""T2 and Q against the Mahalanobis distance, scikit-learn's PCA, and their stated false-alarm rates."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.optimize import brentq
from sklearn.decomposition import PCA

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.suitability.outliers import _q_limit, outliers
from spectra_core.spectra import SpectralAxis, SpectraSet


def _normal(n, n_channels=8, seed=0):
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(3, n_channels))
    signal = rng.normal(size=(n, 3)) @ mixing + 0.1 * rng.normal(size=(n, n_channels))
    return SpectraSet(SpectralAxis(np.arange(float(n_channels))), signal)


@pytest.mark.parametrize(("n", "n_channels"), [(50, 8), (12, 30)], ids=["tall", "wide"])
def test_t2_and_q_are_those_of_scikit_learns_pca(n, n_channels):
    training, other = _normal(n, n_channels), _normal(9, n_channels, seed=1)
    table, limits = outliers(training, other, n_components=3)
    pca = PCA(3, svd_solver="full").fit(training.signal)
    scores = pca.transform(other.signal)
    assert_allclose(table["t2"], (scores**2 / pca.explained_variance_).sum(axis=1))
    assert_allclose(table["q"], ((other.signal - pca.inverse_transform(scores)) ** 2).sum(axis=1))
    assert_allclose(limits.explained, pca.explained_variance_ratio_.sum())


def test_with_all_components_t2_is_the_squared_mahalanobis_distance():
    training = _normal(60, 4)
    table, limits = outliers(training, n_components=4)
    centred = training.signal - training.signal.mean(axis=0)
    expected = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(np.cov(training.signal.T)), centred)
    assert_allclose(table["t2"], expected)
    assert limits.q == 0
    assert table["q_ratio"].isna().all()
    # Leverage is the diagonal of the hat matrix with an intercept.
    design = np.column_stack([np.ones(60), training.signal])
    assert_allclose(table["leverage"], np.diag(design @ np.linalg.pinv(design)))


def test_each_limit_lets_its_share_of_fresh_normal_spectra_pass():
    table, _ = outliers(_normal(2000), _normal(4000, seed=5), n_components=3, confidence=0.95)
    # Binomial standard error at 4000 is 0.35 %; Jackson-Mudholkar is itself an approximation.
    assert_allclose([(table["t2_ratio"] > 1).mean(), (table["q_ratio"] > 1).mean()], 0.05, atol=0.012)


@pytest.mark.parametrize("others", [False, True], ids=["own spectra", "other spectra"])
def test_limit_of_t2_holds_in_a_small_set(others):
    """For 12 spectra the limit of others is twice that of the set's own: either in place of the other shows."""
    alarms = []
    for number in range(300):
        judged = _normal(12, 3, seed=1000 + number) if others else None
        table, _ = outliers(_normal(12, 3, seed=number), judged, n_components=3, confidence=0.9)
        alarms.append((table["t2_ratio"] > 1).mean())
    # 3600 values, those of one set alike: standard error 0.5 % of its own spectra, below 0.9 % of others.
    assert_allclose(np.mean(alarms), 0.1, atol=0.02)


def test_q_limit_agrees_with_simulated_residuals():
    variances = 0.8 ** np.arange(30)
    draws = (np.random.default_rng(1).normal(size=(100_000, 30)) ** 2) @ variances
    # Jackson & Mudholkar is accurate to a few per cent in the tail of uneven variances, and to well below one
    # per cent for equal ones, where it is the Wilson-Hilferty form of chi2.
    assert_allclose(_q_limit(variances, 0.99), np.quantile(draws, 0.99), rtol=0.05)
    assert_allclose(_q_limit(np.full(20, 0.3), 0.99), 0.3 * stats.chi2.ppf(0.99, 20), rtol=0.003)


def test_q_limit_is_continuous_where_the_exponent_vanishes():
    """Two variances of which h = 1 - 2 sum(v) sum(v^3) / (3 sum(v^2)^2) is exactly 0, and just above."""

    def h(v):
        left_out = np.array([1.0] * 8 + [v])
        return 1 - 2 * left_out.sum() * (left_out**3).sum() / (3 * (left_out**2).sum() ** 2)

    at_zero = brentq(h, 2.0, 5.0, xtol=1e-15)
    limits = [_q_limit(np.array([1.0] * 8 + [v]), 0.99) for v in (at_zero, at_zero - 1e-5)]
    assert abs(h(at_zero)) < 1e-8 < h(at_zero - 1e-5)
    assert_allclose(*limits, rtol=1e-4)


def test_a_spoiled_spectrum_is_set_apart_by_q_and_an_extreme_one_by_t2():
    signal = _normal(200).signal.copy()
    signal[3, 2] += 3.0
    signal[7] += 8 * (signal[7] - signal.mean(axis=0))
    table, _ = outliers(SpectraSet(SpectralAxis(np.arange(8.0)), signal), n_components=3)
    assert table["q_ratio"].idxmax() == 3
    assert table["t2_ratio"].idxmax() == 7
    assert table["set_apart"][[3, 7]].all()


def test_default_components_explain_99_percent():
    _, limits = outliers(_normal(100))
    _, fewer = outliers(_normal(100), n_components=limits.n_components - 1)
    assert limits.explained >= 0.99 > fewer.explained


def test_impossible_requests_are_refused():
    with pytest.raises(SpectraError, match="at least 4 spectra to stand out from, but the set has 3"):
        outliers(_normal(3))
    with pytest.raises(ConfigError, match="from 1 to 8 components, got 9"):
        outliers(_normal(40), n_components=9)
    with pytest.raises(SpectraError, match="All spectra are the same"):
        outliers(SpectraSet(SpectralAxis(np.arange(3.0)), np.ones((5, 3))))
    assert_array_equal(outliers(_normal(4))[0]["sample"], np.arange(4))

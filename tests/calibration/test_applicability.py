"""Limits against formulas, and against how often fresh spectra exceed them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from spectra_core.calibration.applicability import Applicability, moment_limit, n_signal_components, t2_limit
from spectra_core.errors import ConfigError
from tests.conftest import beer_lambert_set


def usual_of(spectra):
    return Applicability.fit(spectra.signal, np.arange(len(spectra)) % 5, spectra.groups)


def test_t2_is_mahalanobis_and_q_is_what_the_components_leave():
    spectra, new = beer_lambert_set(80), beer_lambert_set(6, seed=3)
    usual = usual_of(spectra)
    signal, mean = spectra.signal, spectra.signal.mean(axis=0)
    assert len(usual.variances) == 3  # three salts
    rows = np.linalg.svd(signal - mean)[2][:3]
    scores, known = (new.signal - mean) @ rows.T, (signal - mean) @ rows.T
    inverse = np.linalg.inv(np.cov(known.T))
    assert_allclose(usual.t2(new.signal), [score @ inverse @ score for score in scores], rtol=1e-8)
    assert_allclose(usual.q(new.signal), ((new.signal - mean - scores @ rows) ** 2).sum(axis=1), rtol=1e-8)


def test_the_limit_of_t2_lets_99_of_100_normal_samples_pass():
    rng = np.random.default_rng(0)
    n, a, repeats = 20, 3, 20_000
    known, new = rng.normal(size=(repeats, n, a)), rng.normal(size=(repeats, a))
    off = new - known.mean(axis=1)
    covariance = np.einsum("rni,rnj->rij", known - known.mean(axis=1, keepdims=True), known) / (n - 1)
    t2 = np.einsum("ri,ri->r", off, np.linalg.solve(covariance, off[..., None])[..., 0])
    beyond = (t2 > t2_limit(n, a)).mean()
    assert abs(beyond - 0.01) < 4 * np.sqrt(0.01 * 0.99 / repeats)
    assert t2_limit(3, 3) == np.inf


def test_the_limit_by_moments_is_exact_for_scaled_chi_square():
    scale, freedom = 0.3, 7.0
    expected = scale * stats.chi2.ppf(0.99, freedom)
    assert_allclose(moment_limit(scale * freedom, 2 * scale**2 * freedom), expected, rtol=1e-12)


def test_limits_are_those_of_another_package():
    outliers = pytest.importorskip("chemotools.outliers")
    from sklearn.decomposition import PCA

    spectra, new = beer_lambert_set(80), beer_lambert_set(6, seed=3)
    usual, n = usual_of(spectra), 80
    pca = PCA(len(usual.variances), svd_solver="full").fit(spectra.signal)
    t2 = outliers.HotellingT2(pca, confidence=0.99).fit(spectra.signal)
    assert_allclose(usual.t2(new.signal), t2.predict_residuals(new.signal), rtol=1e-8)
    # Theirs is for the calibration samples; new ones scatter by (n + 1) / n more.
    assert_allclose(t2_limit(n, len(usual.variances)), t2.critical_value_ * (n + 1) / n)
    q = outliers.QResiduals(pca, confidence=0.99, method="chi-square").fit(spectra.signal)
    assert_allclose(usual.q(new.signal), q.predict_residuals(new.signal), rtol=1e-8)
    left = np.linalg.eigvalsh(np.cov((spectra.signal - pca.inverse_transform(pca.transform(spectra.signal))).T))
    left = left[left > 1e-12]
    assert_allclose(moment_limit(left.sum(), 2 * (left**2).sum()), q.critical_value_)


@pytest.mark.parametrize("n_channels", [50, 400])
def test_about_one_of_a_hundred_fresh_spectra_is_beyond_the_limits_of_q_and_none_of_a_channel(n_channels):
    usual = usual_of(beer_lambert_set(100, n_channels))
    fresh = beer_lambert_set(2000, n_channels, seed=5)
    assert 0.002 < (usual.q(fresh.signal) > usual.q_limit).mean() < 0.03
    assert (usual.t2(fresh.signal) > usual.t2_limit).mean() < 0.02
    assert (usual.channels_out(fresh.signal) > 0).mean() < 0.02


def test_components_are_counted_above_noise_only():
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(60, 200))
    signal = 100 * rng.normal(size=(60, 4)) @ np.linalg.qr(rng.normal(size=(200, 4)))[0].T
    for values, expected in ((noise, 1), (noise + signal, 4)):
        centred = values - values.mean(axis=0)
        assert n_signal_components(np.linalg.svd(centred)[1], 60, 200) == expected


def test_spectra_that_do_not_vary_raise_no_alarm_and_others_do():
    usual = Applicability.fit(np.full((10, 6), 0.3), np.arange(10) % 2, np.arange(10))
    assert usual.channels_out(np.full((1, 6), 0.3)) == 0
    assert usual.t2(np.full((1, 6), 0.3)) <= usual.t2_limit
    assert usual.channels_out(np.full((1, 6), 0.4)) == 6


def test_another_state_is_refused():
    usual = usual_of(beer_lambert_set(20))
    with pytest.raises(ConfigError, match="does not fit their axis"):
        Applicability.from_arrays(usual.to_arrays() | {"mean": np.zeros(49)}, 50)

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from spectra_core.errors import SpectraError
from spectra_core.generators import PCAGenerator
from tests.conftest import beer_lambert_set


@pytest.fixture(scope="module")
def noisy():
    """Noise of the size of the third component: a factor 1 - noise / variance is far from 1."""
    return beer_lambert_set(noise=0.3)


@pytest.fixture(scope="module", params=["mixtures", "noisy"])
def spectra(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def model(spectra):
    return PCAGenerator(n_latent=3, standardise=False).fit(spectra)


def loadings_of(model):
    """W of the model, (n_channels, n_latent), read off the decoder."""
    origin = model.decode(np.zeros((1, 3)))
    return (model.decode(np.eye(3)) - origin).T


def test_model_of_the_spectra_is_that_of_sklearn(model, spectra):
    reference = PCA(3, svd_solver="full").fit(spectra.signal)
    share = (len(spectra) - 1) / len(spectra)  # theirs divides by n - 1, maximum likelihood by n
    w = loadings_of(model)
    covariance = w @ w.T + model.noise_variance_ * np.eye(spectra.n_channels)
    assert_allclose(covariance, reference.get_covariance() * share, atol=1e-10)
    assert_allclose(model.noise_variance_, reference.noise_variance_ * share, rtol=1e-9)
    assert_allclose(model.decode(np.zeros((1, 3)))[0], reference.mean_, atol=1e-12)


def test_posterior_follows_from_conditioning_the_joint_normal(model, spectra):
    w, noise = loadings_of(model), model.noise_variance_
    # Joint of (x, z): cov x = W W' + s2 I, cov(z, x) = W'; so z|x ~ N(W' C^-1 (x - m), I - W' C^-1 W).
    covariance = w @ w.T + noise * np.eye(len(w))
    gain = np.linalg.solve(covariance, w).T
    expected_mean = (spectra.signal - spectra.signal.mean(axis=0)) @ gain.T
    expected_covariance = np.eye(3) - gain @ w
    posterior = model.encode(spectra)
    assert_allclose(posterior.mean, expected_mean, atol=1e-6)
    assert_allclose(posterior.std**2, np.tile(np.diag(expected_covariance), (60, 1)), rtol=1e-4)
    assert_allclose(expected_covariance - np.diag(np.diag(expected_covariance)), 0, atol=1e-8)


def test_aggregate_posterior_has_unit_second_moment(model, spectra):
    """At the maximum of the likelihood the mean over spectra of E[z z'] is the identity."""
    posterior = model.encode(spectra)
    second = posterior.mean.T @ posterior.mean / len(posterior) + np.diag((posterior.std**2).mean(axis=0))
    assert_allclose(second, np.eye(3), atol=1e-8)


def test_mixtures_of_three_salts_come_back_up_to_noise(mixtures):
    model = PCAGenerator(n_latent=3, standardise=False).fit(mixtures)
    residual = model.decode(model.encode(mixtures).mean) - mixtures.signal
    assert np.sqrt((residual**2).mean()) == pytest.approx(1e-3, rel=0.1)  # the noise of the fixture
    assert np.sqrt(model.noise_variance_) == pytest.approx(1e-3, rel=0.1)


def test_too_many_components_are_refused_with_the_most_that_fit(mixtures):
    with pytest.raises(SpectraError, match=r"5 spectra .* allow at most 3 components and noise, but 4"):
        PCAGenerator(n_latent=4).fit(mixtures.take(range(5)))


def test_spectra_without_noise_are_refused_more_components_than_they_have():
    clean = beer_lambert_set(noise=0.0)
    with pytest.raises(SpectraError, match=r"vary in only 3 independent ways, but 5 .* at most 3"):
        PCAGenerator(n_latent=5).fit(clean)
    exact = PCAGenerator(n_latent=3).fit(clean)
    assert_allclose(exact.decode(exact.encode(clean).mean), clean.signal, atol=1e-5)

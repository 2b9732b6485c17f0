"""Two-sample distances against scikit-learn, scipy and closed forms for normal distributions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics.pairwise import rbf_kernel

from spectra_core.contracts import random_stream
from spectra_core.evaluation.similarity import two_sample
from tests.evaluation.similarity.test_fidelity import pair_of


@pytest.fixture(scope="module")
def clouds():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(6, 6))
    return rng.normal(size=(90, 6)) @ mixing, 0.4 + rng.normal(size=(90, 6)) @ mixing * 1.2


def test_energy_distance_is_that_of_its_definition(clouds):
    """Székely & Rizzo, J Stat Plan Inference 2013: twice the mean distance across less those within, unbiased."""
    real, generated = clouds
    within = [cdist(one, one).sum() / (90 * 89) for one in clouds]
    expected = 2 * cdist(real, generated).mean() - sum(within)
    assert_allclose(two_sample.energy_distance(pair_of(real, generated)), expected, rtol=1e-9)


def test_mmd_is_that_of_scikit_learns_kernel(clouds):
    real, generated = clouds
    gaps = np.linalg.norm(real[:, None] - real[None], axis=2)
    width = np.median(gaps[np.triu_indices(90, 1)])
    kernel = rbf_kernel(np.concatenate([real, generated]), gamma=0.5 / width**2)
    own, other, across = kernel[:90, :90], kernel[90:, 90:], kernel[:90, 90:]
    off = ~np.eye(90, dtype=bool)
    expected = own[off].mean() + other[off].mean() - 2 * across.mean()
    assert_allclose(two_sample.mmd(pair_of(real, generated)), expected, rtol=1e-9)


def test_unbiased_distances_average_to_zero_for_equal_distributions():
    found = []
    for seed in range(60):
        points = np.random.default_rng(seed).normal(size=(60, 3))
        pair = pair_of(points[:30], points[30:])
        found.append([two_sample.mmd(pair), two_sample.energy_distance(pair)])
    error = np.std(found, axis=0) / np.sqrt(60)
    assert (np.abs(np.mean(found, axis=0)) < 4 * error).all()


def test_sliced_wasserstein_is_scipys_direction_by_direction(clouds):
    real, generated = clouds
    directions = random_stream(0, "sliced Wasserstein").standard_normal((6, two_sample.N_DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    expected = [stats.wasserstein_distance(real @ d, generated @ d) for d in directions.T]
    assert_allclose(two_sample.sliced_wasserstein(pair_of(real, generated)), np.mean(expected))
    fewer = [stats.wasserstein_distance(real @ d, generated[:50] @ d) for d in directions.T]
    assert_allclose(two_sample.sliced_wasserstein(pair_of(real, generated[:50])), np.mean(fewer))


def test_sliced_wasserstein_of_a_shift_is_its_mean_projection(clouds):
    real, _ = clouds
    # In six dimensions a unit vector's mean |projection| is 2 / (6 B(6/2 - 1/2, 1/2)) x 6/5 = 0.3395.
    mean_projection = stats.gmean([1]) * 2 * stats.beta(0.5, 2.5).expect(np.sqrt) / 2
    shifted = real + np.array([2.0, 0, 0, 0, 0, 0])
    # 200 directions: standard error of about 5 %.
    assert_allclose(two_sample.sliced_wasserstein(pair_of(real, shifted)), 2 * mean_projection, rtol=0.15)


def test_frechet_distance_is_that_of_scipys_matrix_root_in_scikit_learns_pca(clouds):
    real, generated = clouds
    pca = PCA(6).fit(real)
    one, other = pca.transform(real), pca.transform(generated)
    s1, s2 = np.cov(one.T), np.cov(other.T)
    expected = ((one.mean(axis=0) - other.mean(axis=0)) ** 2).sum() + np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real)
    assert_allclose(two_sample.frechet_distance(pair_of(real, generated)), np.sqrt(expected), rtol=1e-8)


@pytest.mark.parametrize("n", [40, 200], ids=["wide", "tall"])
def test_frechet_distance_of_a_stretched_copy_follows_the_closed_form(n):
    real = np.random.default_rng(1).normal(size=(n, 60))
    stretched = real.mean(axis=0) + 3.0 * (real - real.mean(axis=0))
    # Commuting covariances S and 9 S: d^2 = tr(S + 9 S - 6 S) = 4 tr S, over the components looked at.
    kept = np.sort(np.linalg.eigvalsh(np.cov(real.T)))[::-1][: min(two_sample.MOST_COMPONENTS, n - 1)]
    assert_allclose(two_sample.frechet_distance(pair_of(real, stretched)), 2 * np.sqrt(kept.sum()), rtol=1e-6)


def test_classifier_knows_what_can_be_known_and_no_more():
    rng = np.random.default_rng(5)
    real, same, far = rng.normal(size=(3, 400, 3))
    # 800 cases: standard error of the AUC about 0.02.
    assert two_sample.classifier_auc(pair_of(real, same)) < 0.07
    assert two_sample.classifier_auc(pair_of(real, far + 20)) == pytest.approx(0.5)
    shifted = far + np.array([1.5, 0, 0])
    best = stats.norm.cdf(1.5 / np.sqrt(2)) - 0.5
    assert 0.75 * best < two_sample.classifier_auc(pair_of(real, shifted)) < best + 0.04


def test_classifier_sees_a_difference_of_spread_that_no_linear_one_can():
    rng = np.random.default_rng(6)
    real, generated = rng.normal(size=(400, 5)), rng.normal(size=(400, 5)) * np.array([0.1, 1, 1, 1, 1])
    assert two_sample.classifier_auc(pair_of(real, generated)) > 0.3


def test_trees_are_those_of_scikit_learns_forest():
    rng = np.random.default_rng(7)
    scores, origin, asked = rng.normal(size=(60, 9)), np.arange(60) % 2, rng.normal(size=(20, 9))
    scores[:, 0] += origin
    forest = ExtraTreesClassifier(two_sample.N_TREES, min_samples_leaf=3, random_state=11).fit(scores, origin)
    assert_allclose(two_sample._trees_say(scores, origin, asked, 11), forest.predict_proba(asked)[:, 1], atol=1e-12)

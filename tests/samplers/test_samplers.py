"""Contract of every latent sampler, and the formula of each."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from spectra_core.contracts import configuration
from spectra_core.errors import ConfigError
from spectra_core.samplers import SAMPLERS
from spectra_core.samplers.aggregate_posterior import AggregatePosterior
from spectra_core.samplers.equalised import Equalised
from spectra_core.samplers.normal import FittedNormal, FittedNormalFull, StandardNormal, aggregate_covariance
from spectra_core.samplers.uniform_box import UniformBox
from spectra_core.spectra.latent import LatentPosterior

N_MANY = 20_000
FIVE_SIGMA = 5 / np.sqrt(N_MANY)
"""A mean of standard normal draws is farther off once in two million tries."""


@pytest.fixture(scope="module")
def posterior() -> LatentPosterior:
    """Two correlated active dimensions and one inactive one, 300 spectra."""
    rng = np.random.default_rng(5)
    first = rng.normal(1.0, 2.0, 300)
    mean = np.column_stack([first, 0.5 * first + rng.normal(0, 0.4, 300), rng.normal(0, 1e-3, 300)])
    std = np.column_stack([rng.uniform(0.05, 0.3, (300, 2)), np.ones(300)])
    return LatentPosterior(mean, std)


@pytest.mark.parametrize("name", SAMPLERS)
class TestEverySampler:
    def test_returns_one_finite_row_per_point(self, name, posterior):
        points = SAMPLERS[name]().draw(posterior, 7, np.random.default_rng(0))
        assert points.shape == (7, 3)
        assert points.dtype == np.float64
        assert np.isfinite(points).all()

    def test_is_decided_by_the_generator_it_is_given(self, name, posterior):
        one = SAMPLERS[name]().draw(posterior, 5, np.random.default_rng(1))
        two = SAMPLERS[name]().draw(posterior, 5, np.random.default_rng(1))
        assert_array_equal(one, two)

    def test_draws_other_points_the_second_time(self, name, posterior):
        rng = np.random.default_rng(1)
        sampler = SAMPLERS[name]()
        assert (sampler.draw(posterior, 5, rng) != sampler.draw(posterior, 5, rng)).all()

    def test_draws_the_prior_where_a_dimension_is_inactive(self, name, posterior):
        inactive = SAMPLERS[name]().draw(posterior, N_MANY, np.random.default_rng(2))[:, 2]
        assert stats.kstest(inactive, "norm").pvalue > 1e-4

    @pytest.mark.parametrize("shape", [(1, 1), (1, 4), (2, 1)])
    def test_needs_no_more_than_one_spectrum_and_one_dimension(self, name, shape):
        tiny = LatentPosterior(np.arange(float(np.prod(shape))).reshape(shape), np.full(shape, 0.1))
        assert np.isfinite(SAMPLERS[name]().draw(tiny, 3, np.random.default_rng(0))).all()

    def test_refuses_to_draw_nothing(self, name, posterior):
        with pytest.raises(ConfigError, match="must be at least 1, got 0"):
            SAMPLERS[name]().draw(posterior, 0, np.random.default_rng(0))

    def test_explains_itself_in_one_sentence(self, name):
        explanation = SAMPLERS[name].explanation
        assert explanation[0].isupper()
        assert explanation.count(". ") == 0
        assert explanation.endswith(".")
        assert SAMPLERS[name].title

    def test_is_made_again_from_its_configuration(self, name):
        sampler = SAMPLERS[name]()
        assert SAMPLERS[name](**json.loads(json.dumps(configuration(sampler)))) == sampler


def test_titles_tell_samplers_apart():
    assert len({sampler.title for sampler in SAMPLERS.values()}) == len(SAMPLERS)


def test_uniform_box_is_uniform_between_the_extreme_means(posterior):
    points = UniformBox().draw(posterior, N_MANY, np.random.default_rng(0))
    for dimension in (0, 1):
        low, high = posterior.mean[:, dimension].min(), posterior.mean[:, dimension].max()
        assert stats.kstest(points[:, dimension], stats.uniform(low, high - low).cdf).pvalue > 1e-4


def test_quantile_of_the_box_leaves_out_extreme_means():
    mean = np.append(np.linspace(0.0, 1.0, 101), [1000.0]).reshape(-1, 1)
    points = UniformBox(quantile=0.05).draw(LatentPosterior(mean, np.ones_like(mean)), 500, np.random.default_rng(0))
    # Of 102 means, those at ranks 0.05 x 101 and 0.95 x 101 bound the box.
    assert points.min() >= 0.0505
    assert points.max() <= 0.9595


def test_standard_normal_ignores_the_data(posterior):
    points = StandardNormal().draw(posterior, N_MANY, np.random.default_rng(0))
    assert_allclose(points.mean(axis=0), 0.0, atol=FIVE_SIGMA)
    assert_allclose(np.cov(points, rowvar=False), np.eye(3), atol=8 / np.sqrt(N_MANY))  # sd of a variance: sqrt(2/n)


def test_full_normal_has_mean_and_covariance_of_draws_from_the_posteriors(posterior):
    rng = np.random.default_rng(0)
    rows = np.tile(np.arange(300), 300)
    brute = posterior.mean[rows] + posterior.std[rows] * rng.standard_normal((len(rows), 3))
    points = FittedNormalFull().draw(posterior, 90_000, rng)
    # Variances reach 4; their sampling error at 90,000 draws is 4 x sqrt(2/90000) = 0.02.
    assert_allclose(np.cov(points, rowvar=False), np.cov(brute, rowvar=False), atol=0.12)
    assert_allclose(points.mean(axis=0), brute.mean(axis=0), atol=0.05)
    assert stats.skew(points[:, 0]) == pytest.approx(0.0, abs=0.05)


def test_covariance_of_the_aggregate_posterior_is_that_of_uneven_mixtures():
    """Widths from 0.01 to 3: the mean of the squares, 4.5, is twice the square of the mean."""
    mean, std = np.array([[0.0, 1.0], [2.0, -1.0]]), np.array([[0.01, 3.0], [3.0, 0.01]])
    # By hand: Cov(means) of (0, 1) and (2, -1) is [[1, -1], [-1, 1]]; the mean of the variances is 4.50005 in both.
    expected = np.array([[5.50005, -1.0], [-1.0, 5.50005]])
    posterior = LatentPosterior(mean, std)
    assert_allclose(aggregate_covariance(posterior), expected)
    points = FittedNormal().draw(posterior, N_MANY, np.random.default_rng(0))
    assert_allclose(points.var(axis=0), np.diag(expected), rtol=0.05)


def test_diagonal_normal_keeps_variances_and_forgets_correlation(posterior):
    points = FittedNormal().draw(posterior, 90_000, np.random.default_rng(0))
    expected = [
        np.mean((posterior.mean[:, d] - posterior.mean[:, d].mean()) ** 2 + posterior.std[:, d] ** 2) for d in range(3)
    ]
    assert_allclose(points.var(axis=0), expected, rtol=0.03)
    assert np.corrcoef(posterior.mean[:, :2], rowvar=False)[0, 1] > 0.9
    assert abs(np.corrcoef(points[:, :2], rowvar=False)[0, 1]) < 0.02


def test_aggregate_posterior_picks_every_training_spectrum_alike():
    mean = 100.0 * np.arange(10.0).reshape(-1, 1)
    points = AggregatePosterior().draw(LatentPosterior(mean, np.full((10, 1), 0.5)), N_MANY, np.random.default_rng(0))
    picked = np.round(points[:, 0] / 100).astype(int)
    assert stats.chisquare(np.bincount(picked, minlength=10)).pvalue > 1e-4
    assert (points[:, 0] - 100 * picked).std() == pytest.approx(0.5, rel=0.03)


class TestEqualised:
    def test_strength_zero_is_the_aggregate_posterior(self, posterior):
        assert_array_equal(Equalised(strength=0.0).weights(posterior), np.full(300, 1 / 300))

    def test_weights_are_powers_of_the_nearest_neighbour_density(self, posterior):
        scores = PCA(2, whiten=True).fit_transform(posterior.mean[:, :2])
        distance, _ = NearestNeighbors(n_neighbors=8).fit(scores).kneighbors(scores)
        density = 7 / (300 * np.pi * distance[:, -1] ** 2)
        for strength in (0.3, 1.0):
            expected = density**-strength / (density**-strength).sum()
            weights = Equalised(strength=strength, n_neighbours=7, max_weight=1e9).weights(posterior)
            # 2 components are needed here, since the first holds less than 99 % of the variance.
            assert_allclose(weights, expected, rtol=1e-9)

    def test_evens_out_a_dense_and_a_sparse_region(self):
        rng = np.random.default_rng(0)
        mean = np.concatenate([rng.uniform(0, 1, 1800), rng.uniform(1, 2, 200)]).reshape(-1, 1)
        posterior = LatentPosterior(mean, np.full_like(mean, 1e-3))
        points = Equalised().draw(posterior, N_MANY, rng)
        # An even density puts half of the points on either side; the data have 10 % on the right.
        assert (points > 1).mean() == pytest.approx(0.5, abs=0.05)

    def test_strength_moves_weights_from_dense_to_sparse_regions(self):
        mean = np.concatenate([np.linspace(0, 1, 90), np.linspace(1.1, 2, 10)]).reshape(-1, 1)
        posterior = LatentPosterior(mean, np.full_like(mean, 0.1))
        sparse = [Equalised(strength=s, n_neighbours=3).weights(posterior)[90:].sum() for s in (0, 0.25, 0.5, 1)]
        assert sparse == sorted(sparse)
        assert sparse[-1] > 3 * sparse[0]

    def test_a_remote_spectrum_is_capped(self):
        mean = np.append(np.random.default_rng(0).normal(0, 1, 200), 1e6).reshape(-1, 1)
        weights = Equalised(max_weight=4.0).weights(LatentPosterior(mean, np.ones_like(mean)))
        assert weights[-1] == weights.max()
        assert weights.max() <= 4.0 * np.median(weights) * (1 + 1e-12)

    def test_identical_spectra_have_a_density(self):
        mean = np.append(np.zeros(50), np.linspace(1, 5, 50)).reshape(-1, 1)
        weights = Equalised(n_neighbours=5).weights(LatentPosterior(mean, np.ones_like(mean)))
        assert np.isfinite(weights).all()
        assert weights[:50].max() < weights[50:].min()

    def test_a_collapsed_latent_space_gives_equal_weights(self):
        weights = Equalised().weights(LatentPosterior(np.full((40, 3), 0.01), np.ones((40, 3))))
        assert_array_equal(weights, np.full(40, 1 / 40))

    def test_inactive_dimensions_leave_the_density_alone(self, posterior):
        active_only = LatentPosterior(posterior.mean[:, :2], posterior.std[:, :2])
        assert_array_equal(Equalised().weights(posterior), Equalised().weights(active_only))

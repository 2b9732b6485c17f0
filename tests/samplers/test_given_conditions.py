"""Latent points for chosen concentration sets."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from spectra_core.errors import SpectraError
from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS, SimilarConcentrations
from spectra_core.spectra.latent import LatentPosterior

N_TRAIN = 80


@pytest.fixture(scope="module")
def train_targets() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"Cu": rng.uniform(0, 1, N_TRAIN), "NO3": rng.uniform(0, 50, N_TRAIN)})


@pytest.fixture(scope="module")
def posterior() -> LatentPosterior:
    """Row i has its mean at 100 i, so that a point tells which training spectrum it came from."""
    return LatentPosterior(100.0 * np.arange(N_TRAIN).reshape(-1, 1) * [1.0, -1.0], np.full((N_TRAIN, 2), 1e-3))


@pytest.fixture(scope="module")
def asked_for() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({"Cu": rng.uniform(0, 1, 40), "NO3": rng.uniform(0, 50, 40)})


@pytest.mark.parametrize("name", CONDITIONAL_SAMPLERS)
class TestEveryConditionalSampler:
    def test_returns_one_point_per_concentration_set(self, name, posterior, train_targets, asked_for):
        points = CONDITIONAL_SAMPLERS[name]().draw_given(posterior, train_targets, asked_for, np.random.default_rng(0))
        assert points.shape == (40, 2)
        assert np.isfinite(points).all()

    def test_is_decided_by_the_generator_it_is_given(self, name, posterior, train_targets, asked_for):
        draws = [
            CONDITIONAL_SAMPLERS[name]().draw_given(posterior, train_targets, asked_for, np.random.default_rng(3))
            for _ in range(2)
        ]
        assert_array_equal(*draws)

    def test_refuses_targets_of_other_spectra(self, name, posterior, train_targets, asked_for):
        with pytest.raises(SpectraError, match="80 posteriors but 79 rows"):
            CONDITIONAL_SAMPLERS[name]().draw_given(
                posterior, train_targets.iloc[1:], asked_for, np.random.default_rng(0)
            )

    def test_refuses_concentrations_in_another_order(self, name, posterior, train_targets, asked_for):
        with pytest.raises(SpectraError, match="Expected concentration sets of Cu, NO3, got NO3, Cu"):
            CONDITIONAL_SAMPLERS[name]().draw_given(
                posterior, train_targets, asked_for[["NO3", "Cu"]], np.random.default_rng(0)
            )

    def test_explains_itself_in_one_sentence(self, name):
        explanation = CONDITIONAL_SAMPLERS[name].explanation
        assert explanation.count(". ") == 0
        assert explanation.endswith(".")


def test_prior_ignores_data_and_concentrations(posterior, train_targets):
    many = pd.DataFrame({"Cu": np.linspace(0, 1, 5000), "NO3": 50.0})
    points = CONDITIONAL_SAMPLERS["prior"]().draw_given(posterior, train_targets, many, np.random.default_rng(0))
    assert stats.kstest(points.ravel(), "norm").pvalue > 1e-4


@pytest.mark.parametrize("k", [1, 4])
def test_points_come_from_the_nearest_spectra_in_units_of_spread(k, posterior, train_targets, asked_for):
    points = SimilarConcentrations(n_neighbours=k).draw_given(
        posterior, train_targets, asked_for, np.random.default_rng(0)
    )
    picked = np.round(points[:, 0] / 100).astype(int)
    spread = train_targets.std(ddof=0)
    for row, source in enumerate(picked):
        distance = np.sqrt((((train_targets - asked_for.iloc[row]) / spread) ** 2).sum(axis=1))
        assert source in np.argsort(distance.to_numpy())[:k]


def test_every_similar_spectrum_has_the_same_chance(posterior, train_targets):
    same = pd.DataFrame({"Cu": np.full(4000, 0.5), "NO3": 25.0})
    points = SimilarConcentrations(n_neighbours=4).draw_given(posterior, train_targets, same, np.random.default_rng(0))
    counts = np.unique(np.round(points[:, 0] / 100), return_counts=True)[1]
    assert len(counts) == 4
    assert stats.chisquare(counts).pvalue > 1e-4


def test_unit_of_a_target_does_not_matter(posterior, train_targets, asked_for):
    factor = pd.Series({"Cu": 1000.0, "NO3": 1.0})
    method = SimilarConcentrations()
    one = method.draw_given(posterior, train_targets, asked_for, np.random.default_rng(0))
    two = method.draw_given(posterior, train_targets * factor, asked_for * factor, np.random.default_rng(0))
    assert_allclose(one, two)


def test_a_target_that_never_varies_does_not_matter(posterior, train_targets, asked_for):
    method = SimilarConcentrations()
    one = method.draw_given(posterior, train_targets, asked_for, np.random.default_rng(0))
    with_constant = method.draw_given(
        posterior, train_targets.assign(Li=0.1), asked_for.assign(Li=7.0), np.random.default_rng(0)
    )
    assert_array_equal(one, with_constant)


def test_more_neighbours_than_spectra_means_all_of_them(posterior, train_targets, asked_for):
    few = LatentPosterior(posterior.mean[:3], posterior.std[:3])
    points = SimilarConcentrations(n_neighbours=10).draw_given(
        few, train_targets.iloc[:3], asked_for, np.random.default_rng(0)
    )
    assert set(np.round(points[:, 0] / 100)) == {0, 1, 2}


def test_repeated_zeros_are_no_trouble_where_denormal_numbers_count_as_zero():
    """Worker threads flush denormal numbers; a tree that splits zeros apart by the next larger number never ends."""
    import torch

    targets = pd.DataFrame({"Cu2+": np.r_[np.zeros(30), np.linspace(0.1, 0.2, 10)]})
    posterior = LatentPosterior(np.arange(40.0)[:, None], np.full((40, 1), 1e-9))
    torch.set_flush_denormal(True)
    try:
        z = SimilarConcentrations(1).draw_given(posterior, targets, targets.iloc[30:], np.random.default_rng(0))
    finally:
        torch.set_flush_denormal(False)
    np.testing.assert_allclose(z[:, 0], np.arange(30.0, 40.0), atol=1e-6)

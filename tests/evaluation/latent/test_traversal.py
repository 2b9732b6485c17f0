"""Walks through latent space against a linear generator, whose spectra are known in closed form."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.latent import distance as latent_distance
from spectra_core.evaluation.latent import traversal
from spectra_core.generators import GENERATORS
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.latent import LatentPosterior
from tests.conftest import beer_lambert_set


@dataclass
class Linear:
    """Stands for a latent generator: three channels are its posterior mean; decoding is linear in z and in c."""

    needs_conditions: bool = False

    def encode(self, spectra):
        return LatentPosterior(spectra.signal[:, [5, 20, 35]], np.ones((len(spectra), 3)))

    def decode(self, latent, conditions=None):
        decoded = latent @ np.arange(150.0).reshape(3, 50)
        return decoded if conditions is None else decoded + 1000 * conditions.to_numpy().sum(axis=1, keepdims=True)


def matrix(spectra):
    return spectra.pivot(index="step", columns="position", values="signal").to_numpy()


def test_a_walk_along_a_dimension_changes_it_alone(mixtures):
    steps, spectra = traversal.walk_along(Linear(), mixtures, 2, start=7, reach=3.0, n_steps=7)
    assert_allclose(steps["at"], [-3, -2, -1, 0, 1, 2, 3])
    points = np.tile(mixtures.signal[7, [5, 20, 35]], (7, 1))
    points[:, 1] = steps["at"]
    assert_allclose(matrix(spectra), Linear().decode(points))
    assert_array_equal(spectra["position"][:50], mixtures.axis.positions)
    _, average = traversal.walk_along(Linear(), mixtures, 1, n_steps=3)
    means = mixtures.signal[:, [5, 20, 35]].mean(axis=0)
    assert_allclose(matrix(average), Linear().decode(means * [0, 1, 1] + np.outer([-4, 0, 4], [1, 0, 0])))


def test_a_walk_between_two_spectra_passes_both_and_goes_on(mixtures):
    steps, spectra = traversal.walk_between(Linear(), mixtures, 3, 11, beyond=0.5, n_steps=5)
    assert_allclose(steps["at"], [-0.5, 0, 0.5, 1, 1.5])
    ends = Linear().decode(mixtures.signal[[3, 11]][:, [5, 20, 35]])
    assert_allclose(matrix(spectra)[[1, 3]], ends)
    assert_allclose(matrix(spectra)[4], ends[1] + 0.5 * (ends[1] - ends[0]))


def test_steps_beyond_the_data_are_told_by_brute_force():
    # Two channels vary widely, the third is inactive; replicates come in threes.
    rng = np.random.default_rng(0)
    base = beer_lambert_set(90)
    signal = np.repeat(rng.normal(size=(30, 50)), 3, axis=0) + 1e-3 * rng.normal(size=(90, 50))
    signal[:, 35] *= 1e-3
    groups = np.repeat(np.arange(30), 3).astype(str)
    spectra = SpectraSet(base.axis, signal, samples=pd.DataFrame({"group": groups}))
    steps, walked = traversal.walk_along(Linear(), spectra, 1, start=0, reach=5.0)
    means = signal[:, [5, 20]]
    apart = cdist(means, means)
    apart[groups[:, None] == groups[None, :]] = np.inf
    limit = np.quantile(apart.min(axis=1), 0.95)
    points = np.column_stack([steps["at"], np.full(len(steps), signal[0, 20])])
    nearest = cdist(points, means).min(axis=1)
    assert_allclose(steps["nearest"], nearest, atol=1e-7)
    assert_array_equal(steps["remote"], nearest > limit)
    assert_array_equal(steps["outside_range"], (steps["at"] < means[:, 0].min()) | (steps["at"] > means[:, 0].max()))
    decoded = matrix(walked)
    outside = (decoded < signal.min(axis=0)) | (decoded > signal.max(axis=0))
    assert_allclose(steps["channels_outside"], outside.mean(axis=1))
    assert steps["remote"].any()
    assert not steps["remote"].all()


class TestConditionalGenerator:
    def test_concentrations_follow_the_walk_and_stay_at_its_ends(self, mixtures):
        steps, _ = traversal.walk_between(Linear(needs_conditions=True), mixtures, 3, 11, beyond=0.5, n_steps=5)
        low, high = mixtures.target_values[[3, 11]]
        expected = np.vstack([low, low, (low + high) / 2, high, high])
        assert_allclose(steps[[f"target {name}" for name in mixtures.target_names]], expected)

    def test_concentrations_of_the_start_or_chosen_ones_are_asked_for(self, mixtures):
        generator = Linear(needs_conditions=True)
        steps, spectra = traversal.walk_along(generator, mixtures, 1, start=4, n_steps=2)
        assert_allclose(steps["target Cu2+"], mixtures.target_values[4, 0])
        chosen = {"Cu2+": 1.0, "Ni2+": 2.0, "SO4 2-": 3.0, "NO3-": 4.0}
        fixed, moved = traversal.walk_along(generator, mixtures, 1, start=4, n_steps=2, conditions=chosen)
        assert_allclose(fixed["target NO3-"], 4.0)
        difference = 1000 * (10.0 - mixtures.target_values[4].sum())
        assert_allclose(matrix(moved) - matrix(spectra), difference)

    def test_concentrations_are_complete_or_refused(self, mixtures):
        with pytest.raises(ConfigError, match=r"a concentration of each of Cu2\+, Ni2\+, SO4 2-, NO3-, got Cu2\+"):
            traversal.walk_along(Linear(needs_conditions=True), mixtures, 1, conditions={"Cu2+": 1.0})
        with pytest.raises(ConfigError, match="Linear does not know concentrations"):
            traversal.walk_along(Linear(), mixtures, 1, conditions={"Cu2+": 1.0})


@pytest.mark.parametrize("name", ["pca", "vae", "cvae"])
def test_every_latent_generator_can_be_walked_through(name, mixtures):
    options = {"n_latent": 2} if name == "pca" else {"n_latent": 2, "epochs": 1}
    generator = GENERATORS[name](**options).fit(mixtures)
    steps, spectra = traversal.walk_between(generator, mixtures, 0, 1, beyond=0.0, n_steps=3)
    assert len(spectra) == 3 * 50
    posterior = generator.encode(mixtures.take([0]))
    asked = mixtures.targets.iloc[[0]] if generator.needs_conditions else None
    assert_allclose(matrix(spectra)[0], generator.decode(posterior.mean, asked)[0], rtol=1e-4, atol=1e-5)
    assert_allclose(steps["at"], [0, 0.5, 1])


def test_distances_leave_out_replicates_and_are_missing_where_nothing_is_active():
    mean = np.array([[0.0, 9], [0.1, 9], [3, 9], [7, 9]])
    posterior = LatentPosterior(mean, np.ones((4, 2)))
    groups = np.array([0, 0, 1, 2])
    assert_allclose(latent_distance.nearest_other_mean(posterior), [0.1, 0.1, 2.9, 4])
    assert_allclose(latent_distance.nearest_other_mean(posterior, groups), [3, 2.9, 2.9, 4])
    assert_allclose(latent_distance.remote_from(posterior, groups), np.quantile([3, 2.9, 2.9, 4], 0.95))
    collapsed = LatentPosterior(np.zeros((4, 2)), np.ones((4, 2)))
    assert np.isnan(latent_distance.nearest_mean(collapsed, mean)).all()
    assert np.isnan(latent_distance.remote_from(collapsed, groups))
    assert np.isnan(latent_distance.nearest_other_mean(posterior, np.zeros(4, int))).all()


def test_impossible_walks_are_refused(mixtures):
    for call, error, sentence in (
        (lambda: traversal.walk_along(Linear(), mixtures, 4), ConfigError, "dimensions 1 to 3, got 4"),
        (lambda: traversal.walk_along(Linear(), mixtures, 1, reach=0), ConfigError, "positive distance"),
        (lambda: traversal.walk_along(Linear(), mixtures, 1, start=60), SpectraError, "rows 0 to 59, got 60"),
        (lambda: traversal.walk_along(Linear(), mixtures, 1, n_steps=1), ConfigError, "at least 2 steps"),
        (lambda: traversal.walk_between(Linear(), mixtures, 5, 5), ConfigError, "two different ones"),
        (lambda: traversal.walk_between(Linear(), mixtures, 5, 6, beyond=-1), ConfigError, "got -1"),
    ):
        with pytest.raises(error, match=sentence):
            call()

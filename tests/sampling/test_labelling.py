"""What every labelling gives, and what each reads its labels from."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.regressors import PLS
from spectra_core.sampling.labelling import LABELLINGS, AskedFor, LabelContext, Latent, Parents, Spectral
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.latent import LatentPosterior
from tests.conftest import beer_lambert_set


@pytest.fixture(scope="module")
def context(mixtures):
    """Latent space = the three salts plus one inactive dimension; generated spectra as if decoded from it."""
    generated = beer_lambert_set(n_spectra=25, seed=8)
    return LabelContext(
        train=mixtures,
        spectra=SpectraSet(generated.axis, generated.signal),
        latent=latent_of(generated, inactive=np.random.default_rng(1).normal(size=25)),
        conditions=generated.targets,
        posterior=LatentPosterior(latent_of(mixtures, inactive=np.zeros(60)), np.full((60, 4), 0.1)),
        teacher=PLS().fit(mixtures),
        parents=generated.targets * 0.5,
    )


def latent_of(spectra, inactive):
    """Return copper, nickel and sulphate, linear in the salts, scaled to about N(0, 1), and a useless dimension."""
    return np.column_stack([(spectra.target_values[:, :3] - 0.15) * 10.0, inactive])


@pytest.mark.parametrize("name", LABELLINGS)
class TestEveryLabelling:
    def test_labels_every_spectrum_under_the_names_of_the_targets(self, name, context):
        labels = LABELLINGS[name]().label(context)
        assert list(labels.columns) == list(context.train.target_names)
        assert len(labels) == len(context.spectra)
        assert np.isfinite(labels.to_numpy()).all()

    def test_says_what_it_lacks(self, name, mixtures):
        with pytest.raises(ConfigError, match="another labelling"):
            LABELLINGS[name]().label(LabelContext(train=mixtures))

    def test_explains_itself_in_a_sentence(self, name):
        assert LABELLINGS[name].title
        assert LABELLINGS[name].explanation.endswith(".")


def test_asked_for_and_parents_pass_on_what_they_are_given(context):
    assert_array_equal(AskedFor().label(context), context.conditions)
    assert_array_equal(Parents().label(context), context.parents)


def test_given_labels_of_other_targets_are_refused(context, mixtures):
    swapped = context.conditions[list(mixtures.target_names)[::-1]]
    with pytest.raises(SpectraError, match="Expected the targets Cu2"):
        AskedFor().label(LabelContext(train=mixtures, conditions=swapped))


def test_spectral_labels_are_the_teacher_s_predictions(context):
    assert_array_equal(Spectral().label(context), context.teacher.predict(context.spectra))


def test_latent_labels_find_a_linear_relation_where_posteriors_are_sharp(context, mixtures):
    # Targets are linear in the latent space here (nitrate too: charge balance), so the truth is known.
    sharp = LatentPosterior(context.posterior.mean, np.full((60, 4), 1e-5))
    labels = Latent().label(LabelContext(train=mixtures, latent=context.latent, posterior=sharp))
    assert_allclose(labels, context.conditions, atol=1e-6)


def test_latent_labels_are_least_squares_over_many_draws_of_the_posteriors(context, mixtures):
    rng = np.random.default_rng(3)
    std = rng.uniform(0.05, 1.0, (60, 4))
    posterior = LatentPosterior(latent_of(mixtures, inactive=0.2 * rng.normal(size=60)), std)
    n_draws = 4000
    draws = (posterior.mean + std * rng.standard_normal((n_draws, 60, 4))).reshape(-1, 4)
    design = np.column_stack([np.ones(len(draws)), draws])
    coefficients, *_ = np.linalg.lstsq(design, np.tile(mixtures.target_values, (n_draws, 1)), rcond=None)
    expected = np.column_stack([np.ones(25), context.latent]) @ coefficients
    labels = Latent().label(LabelContext(train=mixtures, latent=context.latent, posterior=posterior))
    # 240,000 draws leave a sampling error of about 0.2 % of a target's sd (0.06 mol/L).
    assert_allclose(labels, expected, atol=1e-3)


def test_draws_from_the_posteriors_get_labels_within_the_spread_of_the_data(mixtures):
    """Many dimensions that are active by a hair must not scatter the labels beyond the data."""
    rng = np.random.default_rng(2)
    mean = np.column_stack([latent_of(mixtures, inactive=np.zeros(60)), 0.15 * rng.normal(size=(60, 60))])
    posterior = LatentPosterior(mean, np.full(mean.shape, 0.98))
    drawn = mean + 0.98 * rng.standard_normal(mean.shape)
    labels = Latent().label(LabelContext(train=mixtures, latent=drawn, posterior=posterior))
    assert (labels.std() <= mixtures.targets.std()).all()


def test_latent_labels_need_an_active_dimension(context, mixtures):
    still = LatentPosterior(np.full((60, 4), 0.01), np.ones((60, 4)))
    with pytest.raises(SpectraError, match="none is active"):
        Latent().label(LabelContext(train=mixtures, latent=np.zeros((5, 4)), posterior=still))


def test_latent_points_of_another_space_and_posteriors_of_other_spectra_are_refused(context, mixtures):
    with pytest.raises(SpectraError, match=r"Expected latent points \(n_points, 4\), got an array of shape \(5, 3\)"):
        Latent().label(LabelContext(train=mixtures, latent=np.zeros((5, 3)), posterior=context.posterior))
    few = context.posterior.take(np.arange(10))
    with pytest.raises(SpectraError, match="60 training spectra but 10 posteriors"):
        Latent().label(LabelContext(train=mixtures, latent=np.zeros((5, 4)), posterior=few))


@pytest.mark.parametrize("labelling", [Spectral, Latent])
def test_labels_are_left_as_read_unless_bounds_are_asked_for(labelling, context, mixtures):
    far = np.array([[-30.0, 0.0, 0.0, 0.0], [30.0, 0.0, 0.0, 0.0]])
    # A spectrum far below and one far above any in training.
    extremes = SpectraSet(mixtures.axis, np.outer([-3.0, 3.0], mixtures.signal.mean(axis=0)))
    outside = LabelContext(
        train=mixtures, spectra=extremes, latent=far, posterior=context.posterior, teacher=context.teacher
    )
    low, high = mixtures.target_values.min(axis=0), mixtures.target_values.max(axis=0)
    free = labelling().label(outside)
    assert free["Cu2+"][0] < 0
    assert free["Cu2+"][1] > high[0]
    assert_allclose(labelling(clip_to_range=True).label(outside), np.clip(free, low, high))
    assert_allclose(labelling(non_negative=True).label(outside), np.maximum(free, 0.0))


def test_training_spectra_without_targets_cannot_give_labels(mixtures):
    with pytest.raises(SpectraError, match="has no targets"):
        LabelContext(train=SpectraSet(mixtures.axis, mixtures.signal))


def test_latent_points_that_tell_nothing_apart_are_refused_in_a_sentence(context):
    far = np.repeat(1e20 * np.arange(60.0)[:, None], 4, axis=1)  # beside it the posteriors' widths are lost
    posterior = LatentPosterior(far, np.full((60, 4), 0.1))
    with pytest.raises(SpectraError, match="No labels can be read from latent points"):
        Latent().label(replace(context, latent=far[:25], posterior=posterior))

"""What every labelling gives, and what each reads its labels from."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.labelling import LABELLINGS, AskedFor, LabelContext, Latent, Parents, Spectral, label_spread
from spectra_core.latent import LatentPosterior
from spectra_core.regressors import PLS, MLPEnsemble
from spectra_core.spectra import SpectraSet
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


def test_latent_labels_find_a_linear_relation_whatever_the_inactive_dimension_holds(context):
    # Targets are linear in the latent space here (nitrate too: charge balance), so the truth is known.
    assert_allclose(Latent().label(context), context.conditions, atol=1e-6)


def test_a_dimension_that_hardly_varies_in_training_has_no_say_where_it_varies_later(context, mixtures):
    """Means of an inactive dimension vary by 0.01, points from the prior by 1: standardised, by 100."""
    rng = np.random.default_rng(2)
    noise = 0.05 * mixtures.target_values.std(axis=0)
    uncertain = mixtures.relabelled(mixtures.targets + noise * rng.normal(size=(60, 4)))
    mean = latent_of(mixtures, inactive=0.01 * rng.normal(size=60))
    labels = Latent().label(
        LabelContext(train=uncertain, latent=context.latent, posterior=LatentPosterior(mean, np.full((60, 4), 0.1)))
    )
    # A fit to 60 labels with this noise errs by about noise x sqrt(4 / 60).
    assert (np.abs(labels - context.conditions) < 2.0 * noise).all().all()


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


def test_an_ensemble_teacher_says_how_far_its_members_disagree(context, mixtures):
    teacher = MLPEnsemble(n_members=2, epochs=2).fit(mixtures)
    spread = label_spread(LabelContext(train=mixtures, spectra=context.spectra, teacher=teacher))
    one, two = (member.predict(context.spectra).to_numpy() for member in teacher.members_)
    # The standard deviation of two values, with divisor 1.
    assert_allclose(spread, np.abs(one - two) / np.sqrt(2.0), atol=1e-12)
    assert isinstance(spread, pd.DataFrame)


def test_a_single_teacher_has_no_spread(context):
    with pytest.raises(ConfigError, match="'PLS' does not say how certain it is"):
        label_spread(context)


def test_training_spectra_without_targets_cannot_give_labels(mixtures):
    with pytest.raises(SpectraError, match="has no targets"):
        LabelContext(train=SpectraSet(mixtures.axis, mixtures.signal))

"""What the tables on the training page say, against formulas computed apart."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.errors import SpectraError
from spectra_core.evaluation.latent.learning import (
    RANKS,
    latent_dimensions,
    learned_sentence,
    rebuilt_share,
    reconstruction_errors,
    reconstructions,
)
from spectra_core.generators.base import LatentGenerator
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.latent import LatentPosterior


class Offset(LatentGenerator):
    """Reconstructs every spectrum with an error that is known: its row number in thousandths, in every channel."""

    title, explanation = "Offset", "For tests."

    def __init__(self, spectra: SpectraSet, order: np.ndarray) -> None:
        self.spectra, self.order = spectra, order

    def fit(self, train, **_):
        return self

    @property
    def history_(self):
        return pd.DataFrame({"epoch": []})

    def to_arrays(self):
        return {}

    def from_arrays(self, arrays, frame):
        return self

    def encode(self, spectra):
        rows = self.order[:, None].astype(float)
        return LatentPosterior(rows, np.ones_like(rows))

    def decode(self, latent, conditions=None):
        return self.spectra.signal + latent / 1000.0


def test_dimensions_are_sorted_by_the_closed_form_of_the_kl_divergence():
    mean = np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])
    std = np.array([[1.0, 0.5, 2.0], [1.0, 0.5, 2.0]])
    table = latent_dimensions(LatentPosterior(mean, std))
    expected = {1: 0.0, 2: 0.5 * (1 + 0.25 - 1) - np.log(0.5), 3: 0.5 * (4 - 1) - np.log(2.0)}
    assert list(table["dimension"]) == sorted(expected, key=expected.__getitem__, reverse=True)
    assert_allclose(table["kl"], sorted(expected.values(), reverse=True), rtol=1e-12)
    assert list(table.loc[table["active"], "dimension"]) == [2]
    assert table.set_index("dimension")["variance_of_mean"].to_dict() == {1: 0.0, 2: 1.0, 3: 0.0}


def test_a_constant_offset_is_its_own_root_mean_square(mixtures):
    order = np.arange(len(mixtures))
    assert_allclose(reconstruction_errors(Offset(mixtures, order), mixtures), order / 1000.0, atol=1e-12)


def test_the_five_spectra_stand_at_the_quartiles_of_the_error(mixtures):
    order = np.random.default_rng(3).permutation(len(mixtures))
    table = reconstructions(Offset(mixtures, order), mixtures)
    per_rank = table.groupby("rank", sort=False)["rmse"].first() * 1000.0
    # 60 errors 0, 1, ..., 59: the quartiles lie at 59/4, 59/2, 3*59/4, rounded to a row.
    assert list(per_rank.index) == [name for name, _ in RANKS]
    assert_allclose(per_rank, [0, 15, 30, 44, 59], atol=1e-9)
    rows = {int(np.argmax(order == round(value))) for value in per_rank}
    assert {int(sample) - 1 for sample in table["sample"]} == rows


def test_the_difference_is_spectrum_minus_reconstruction(mixtures):
    table = reconstructions(Offset(mixtures, np.arange(len(mixtures))), mixtures)
    assert_array_equal(table["difference"], table["spectrum"] - table["reconstruction"])
    assert len(table) == len(RANKS) * mixtures.n_channels


def test_fewer_than_five_spectra_are_refused(mixtures):
    few = mixtures.take([0, 1, 2])
    with pytest.raises(SpectraError, match="shown for 5 spectra, the set has 3"):
        reconstructions(Offset(few, np.arange(3)), few)


def test_the_share_that_is_not_rebuilt_is_measured_by_how_far_spectra_lie_from_the_mean(mixtures):
    order = np.arange(len(mixtures))
    away = mixtures.signal - mixtures.signal[:30].mean(axis=0)
    by_hand = np.sqrt(np.mean((order / 1000.0) ** 2) / np.mean(away**2))
    assert_allclose(rebuilt_share(Offset(mixtures, order), mixtures, mixtures.take(range(30))), by_hand)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (
            np.r_[np.linspace(2.0, 1.0, 30), np.linspace(1.0, 1.5, 20)],
            "has risen since about epoch 3[0-4]: it memorises",
        ),
        (1.0 / np.arange(1, 51), "was still falling: train for more epochs"),
        (np.r_[np.linspace(2.0, 1.0, 20), np.full(30, 1.0)], "has levelled off"),
    ],
)
def test_the_curve_of_held_out_spectra_is_read_in_words(loss, said):
    rng = np.random.default_rng(0)
    curve = pd.DataFrame({"validation_loss": loss * (1 + 0.01 * rng.normal(size=50))})
    sentence = learned_sentence(curve, 0.2, "held-out spectra")
    assert re.search(said, sentence)
    assert "all but 20\N{NO-BREAK SPACE}%" in sentence

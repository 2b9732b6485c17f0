import numpy as np
import pytest
from numpy.testing import assert_allclose

from spectra_core.errors import SpectraError
from spectra_core.evaluation.latent.dependence import dependence_on_targets
from spectra_core.spectra.latent import LatentPosterior


def posterior(mean):
    return LatentPosterior(mean, np.full(mean.shape, 0.1))


def test_z_that_is_the_concentrations_tells_them_all(mixtures):
    scaled = (mixtures.target_values - mixtures.target_values.mean(axis=0)) / mixtures.target_values.std(axis=0)
    assert_allclose(dependence_on_targets(posterior(scaled), mixtures)["r2"], 1.0, atol=1e-3)


def test_z_drawn_independently_tells_nothing_however_many_dimensions_it_has(mixtures):
    mean = np.random.default_rng(0).standard_normal((len(mixtures), 50))
    # Fitted R2 of 50 random columns on 60 rows would be 0.85; left out, it stays about 0.
    assert (dependence_on_targets(posterior(mean), mixtures)["r2"].abs() < 0.15).all()


def test_r2_is_that_of_leaving_one_spectrum_out_by_hand(mixtures):
    rng = np.random.default_rng(1)
    values = mixtures.target_values
    mean = (values[:, :1] - values[:, :1].mean()) / values[:, :1].std() + rng.standard_normal((len(mixtures), 1))
    squares = 0.0
    for row in range(len(mixtures)):
        rest = np.arange(len(mixtures)) != row
        slope, offset = np.polyfit(mean[rest, 0], values[rest, 0], 1)
        squares += (values[row, 0] - slope * mean[row, 0] - offset) ** 2
    expected = 1.0 - squares / (values[:, 0].var() * len(mixtures))
    # The ridge penalty, chosen by left-out error, moves it a little.
    assert dependence_on_targets(posterior(mean), mixtures)["r2"][0] == pytest.approx(expected, abs=0.02)


def test_collapsed_latent_space_tells_nothing(mixtures):
    table = dependence_on_targets(posterior(np.zeros((len(mixtures), 3))), mixtures)
    assert (table["r2"] == 0.0).all()


def test_posteriors_of_other_spectra_are_refused(mixtures):
    with pytest.raises(SpectraError, match="60 spectra but 3 posteriors"):
        dependence_on_targets(posterior(np.eye(3)), mixtures)

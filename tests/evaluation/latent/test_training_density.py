import numpy as np
import pytest
from numpy.testing import assert_allclose

from spectra_core.errors import SpectraError
from spectra_core.evaluation.latent.training_density import log_training_density
from spectra_core.spectra import SpectralAxis, SpectraSet

AXIS = SpectralAxis(np.arange(6.0))


def on_a_line(position):
    """Spectra along one direction: density is that of the positions."""
    return SpectraSet(AXIS, np.asarray(position, dtype=float)[:, None] * np.array([1.0, 2.0, 0.0, -1.0, 0.5, 3.0]))


def test_density_falls_with_the_distance_to_the_20th_neighbour_on_a_line():
    train = on_a_line(np.arange(101.0))
    # In the middle, the 20th nearest whole number lies 10 away, counting the spectrum itself; 30 beyond the end, 49.
    inside, outside = log_training_density(train, on_a_line([50.0, 130.0]))
    assert inside - outside == pytest.approx(np.log10(49.0 / 10.0))


@pytest.mark.parametrize("n_training", [2, 5, 20, 21, 22])
def test_small_sets_are_asked_for_their_farthest_other_spectrum(n_training):
    """Among n < 21 spectra the (n - 1)th nearest stands in for the 20th."""
    positions = np.arange(float(n_training)) ** 2
    nearest = [np.sort(np.abs(positions - place))[min(20, n_training - 1) - 1] for place in (-3.0, 1000.0)]
    low, high = log_training_density(on_a_line(positions), on_a_line([-3.0, 1000.0]))
    assert low - high == pytest.approx(np.log10(nearest[1] / nearest[0]))


def test_scale_and_offset_of_spectra_do_not_matter(mixtures):
    train, test = mixtures.take(np.arange(40)), mixtures.take(np.arange(40, 60))
    plain = log_training_density(train, test)
    moved = [SpectraSet(one.axis, 5.0 * one.signal + 2.0) for one in (train, test)]
    assert_allclose(log_training_density(*moved), plain, rtol=1e-6)


def test_more_channels_than_spectra_or_fewer_give_the_same(mixtures):
    """Silent channels change nothing, but turn the wide case into the tall one."""
    train, test = mixtures.take(np.arange(40)), mixtures.take(np.arange(40, 60))

    def narrow(one):
        return SpectraSet(SpectralAxis(np.arange(30.0)), one.signal[:, 10:40])

    def wide(one):
        return SpectraSet(SpectralAxis(np.arange(60.0)), np.hstack([one.signal[:, 10:40], np.zeros((len(one), 30))]))

    assert_allclose(
        log_training_density(wide(train), wide(test)), log_training_density(narrow(train), narrow(test)), rtol=1e-6
    )


def test_constant_spectra_have_no_density_to_tell_apart():
    train = SpectraSet(AXIS, np.ones((5, 6)))
    assert (log_training_density(train, train) == 0.0).all()


def test_one_training_spectrum_is_too_few():
    with pytest.raises(SpectraError, match="at least 2 training spectra, got 1"):
        log_training_density(on_a_line([1.0]), on_a_line([1.0, 2.0]))

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.training.coordinates import MOST_COMPONENTS, signal_coordinates


def low_rank(rank, n_spectra=300, n_channels=120, noise=0.1):
    rng = np.random.default_rng(rank)
    left, right = (np.linalg.qr(rng.standard_normal((n, rank)))[0] for n in (n_spectra, n_channels))
    # Singular values from 4 times what the noise reaches upwards.
    edge = noise * (np.sqrt(n_spectra) + np.sqrt(n_channels))
    signal = left * (edge * np.geomspace(40, 4, rank)) @ right.T
    return signal + noise * rng.standard_normal((n_spectra, n_channels)), right


@pytest.mark.parametrize("rank", [1, 5, 20])
def test_as_many_directions_as_the_signal_has_are_found_and_span_it(rank):
    values, right = low_rank(rank)
    found = signal_coordinates(values)
    assert found.n_components == rank
    assert_allclose(found.basis.T @ found.basis, np.eye(rank), atol=1e-5)
    # The weakest direction is 4 times the noise's edge: its angle to the truth is about 1/4 at most.
    assert np.linalg.svd(right.T @ found.basis, compute_uv=False).min() > 0.95


def test_directions_and_share_left_out_are_those_of_the_singular_value_decomposition():
    values, _ = low_rank(6)
    found = signal_coordinates(values)
    _, singular, rows = np.linalg.svd(values, full_matrices=False)
    # Same subspace to float32: singular values of the product of both bases are cosines of their angles.
    assert_allclose(np.linalg.svd(rows[:6] @ found.basis, compute_uv=False), 1.0, atol=1e-4)
    assert_allclose(found.share_left_out, (singular[6:] ** 2).sum() / (singular**2).sum(), rtol=1e-4)


def test_mixed_directions_span_the_same_and_share_the_variance():
    values, _ = low_rank(20)
    found = signal_coordinates(values)
    assert_allclose(found.mixed @ found.mixed.T, found.basis @ found.basis.T, atol=1e-5)
    spread, of_components = ((values @ basis).std(axis=0) for basis in (found.mixed, found.basis))
    assert spread.max() / spread.min() < 3.0 < 9.0 < of_components.max() / of_components.min()


def test_noise_shared_by_neighbouring_channels_is_capped():
    rng = np.random.default_rng(0)
    smooth = np.exp(-0.5 * (np.subtract.outer(np.arange(400), np.arange(400)) / 2.0) ** 2)
    found = signal_coordinates(rng.standard_normal((500, 400)) @ smooth)
    assert found.n_components == MOST_COMPONENTS


def test_the_same_values_give_the_same_bits_and_channels_that_do_not_vary_are_left_out():
    values, _ = low_rank(5)
    values[:, 7] = 0.0
    one, other = signal_coordinates(values), signal_coordinates(values)
    assert_array_equal(one.basis, other.basis)
    assert_allclose(one.basis[7], 0.0, atol=1e-6)


def test_few_spectra_have_fewer_directions_than_spectra():
    values = np.random.default_rng(1).standard_normal((4, 50))
    assert signal_coordinates(values - values.mean(axis=0)).n_components <= 3

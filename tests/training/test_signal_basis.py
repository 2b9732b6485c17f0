import numpy as np
import pytest
from numpy.testing import assert_allclose

from spectra_core.training.signal_basis import signal_basis, threshold_factor


@pytest.mark.parametrize(("n_spectra", "n_channels"), [(300, 80), (60, 200), (100, 100)])
@pytest.mark.parametrize("rank", [1, 4])
def test_rank_and_noise_of_a_known_mixture_are_found(n_spectra, n_channels, rank):
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((n_spectra, rank)) @ rng.standard_normal((rank, n_channels))
    found = signal_basis(5.0 + signal + 0.05 * rng.standard_normal((n_spectra, n_channels)))
    assert found.directions.shape == (n_channels, rank)
    assert_allclose(found.directions.T @ found.directions, np.eye(rank), atol=1e-12)
    # The directions span the signal: nothing of it is left but what noise of 1 part in 20 turns away.
    left = signal - (signal @ found.directions) @ found.directions.T
    assert np.linalg.norm(left) < 0.1 * np.linalg.norm(signal)
    assert np.sqrt((found.noise**2).mean()) == pytest.approx(0.05, rel=0.05)


def test_constant_channels_have_neither_signal_nor_noise():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((50, 2)) @ rng.standard_normal((2, 30)) + 0.01 * rng.standard_normal((50, 30))
    values[:, 4] = 1.7
    found = signal_basis(values)
    assert found.noise[4] == 0.0
    assert_allclose(found.directions[4], 0.0)


def test_spectra_without_noise_keep_their_exact_rank():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((50, 3)) @ rng.standard_normal((3, 30))
    found = signal_basis(values)
    assert found.directions.shape[1] == 3
    assert found.noise.max() < 1e-12


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.05])
def test_threshold_is_that_of_the_paper(ratio):
    # Eq. 10 and 11: lambda(b) over the root of the median of the Marchenko-Pastur distribution, by quadrature.
    best = np.sqrt(2 * (ratio + 1) + 8 * ratio / (ratio + 1 + np.sqrt(ratio**2 + 14 * ratio + 1)))
    low, high = (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2
    edges = low + (high - low) * np.linspace(0, 1, 200_001) ** 2
    t = (edges[1:] + edges[:-1]) / 2
    weight = np.sqrt((high - t) * (t - low)) / (2 * np.pi * t * ratio) * np.diff(edges)
    median = t[np.searchsorted(weight.cumsum(), 0.5)]
    assert weight.sum() == pytest.approx(1.0, abs=1e-3)
    assert threshold_factor(ratio) == pytest.approx(best / np.sqrt(median), abs=0.02)

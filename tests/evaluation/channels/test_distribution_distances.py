"""Distances between distribution functions and their p-values, against scipy's, one channel at a time."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from spectra_core.evaluation.channels import distribution_distances as distances
from spectra_core.evaluation.channels.distribution_distances import (
    kolmogorov_smirnov,
    kolmogorov_smirnov_p,
    wasserstein,
)


def _rows(n_values, shift=0.0, seed=0, decimals=None):
    values = np.random.default_rng(seed).normal(shift, 1.0, (6, n_values))
    values = values if decimals is None else np.round(values, decimals)
    return np.sort(values, axis=1)


@pytest.mark.parametrize("decimals", [None, 1, 0], ids=["all different", "some ties", "mostly ties"])
@pytest.mark.parametrize(("n_one", "n_other"), [(2, 2), (2, 7), (12, 18), (40, 40), (31, 200), (200, 31)])
def test_distances_equal_scipys(n_one, n_other, decimals):
    one, other = _rows(n_one, 0.3, 1, decimals), _rows(n_other, 0.0, 2, decimals)
    expected = [stats.ks_2samp(a, b, method="asymp").statistic for a, b in zip(one, other, strict=True)]
    assert_allclose(kolmogorov_smirnov(one, other), expected, atol=1e-15)
    expected = [stats.wasserstein_distance(a, b) for a, b in zip(one, other, strict=True)]
    assert_allclose(wasserstein(one, other), expected, rtol=1e-12, atol=1e-15)


def test_a_sample_has_no_distance_to_itself_and_the_largest_to_one_that_lies_elsewhere():
    rows = _rows(30, decimals=1)
    assert_array_equal(kolmogorov_smirnov(rows, rows), 0.0)
    assert_array_equal(wasserstein(rows, rows), 0.0)
    assert_array_equal(kolmogorov_smirnov(rows, rows + 100), 1.0)
    assert_allclose(wasserstein(rows, rows + 100), 100.0)


@pytest.mark.parametrize(("n_one", "n_other"), [(5, 9), (100, 90), (400, 250), (374, 3744), (5000, 5000)])
def test_p_values_equal_scipys_from_no_distance_to_the_largest(n_one, n_other):
    n = round(n_one * n_other / (n_one + n_other))
    # Dense where the method changes, then far into the tail.
    scaled = np.concatenate([[0.0], np.linspace(0.1, 3.0, 30), np.geomspace(3.0, 360.0, 20)])
    distance = np.append(np.minimum(np.sqrt(scaled / n), 1.0), 1.0)
    expected = stats.kstwo.sf(distance, n)
    # Below the smallest normal number neither has all its digits.
    assert_allclose(kolmogorov_smirnov_p(distance, n_one, n_other), expected, rtol=1e-11, atol=1e-300)


def test_p_values_do_not_depend_on_how_many_are_computed_at_once(monkeypatch):
    distance = np.linspace(0.0, 1.0, 50)
    together = kolmogorov_smirnov_p(distance, 900, 700)
    monkeypatch.setattr(distances, "TERMS_AT_ONCE", 1)
    assert_array_equal(kolmogorov_smirnov_p(distance, 900, 700), together)

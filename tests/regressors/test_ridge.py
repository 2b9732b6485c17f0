"""Ridge regression against scikit-learn and against leaving groups out by refitting."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spectra_core.errors import ConfigError
from spectra_core.regressors.ridge import Ridge, left_out_residuals, ridge_fit
from tests.conftest import beer_lambert_set


def standardised(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


@pytest.mark.parametrize("n_channels", [20, 120])  # fewer and more channels than spectra
def test_penalties_and_coefficients_are_those_of_scikit_learn(n_channels):
    from sklearn.linear_model import RidgeCV

    spectra = beer_lambert_set(n_channels=n_channels, noise=0.05)
    x, y = standardised(spectra.signal), standardised(spectra.target_values)
    shares = np.geomspace(1e-6, 1.0, 13)
    coefficients, penalties = ridge_fit(x, y, np.arange(len(x)), shares)
    largest = np.linalg.eigvalsh(x @ x.T).max()
    theirs = RidgeCV(shares * largest, alpha_per_target=True).fit(x, y)
    assert_allclose(penalties, theirs.alpha_, rtol=1e-9)
    assert_allclose(coefficients, theirs.coef_.T, atol=1e-8)


def test_left_out_residuals_are_those_of_refitting_without_the_group():
    from sklearn.linear_model import Ridge as TheirRidge

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 4)), rng.normal(size=(20, 2))
    groups = np.array([0, 0, 1, 1, 1, *range(2, 17)])
    x -= x.mean(axis=0)
    y -= y.mean(axis=0)
    penalty = 0.7
    eigenvalues, directions = np.linalg.eigh(x.T @ x)
    found = left_out_residuals(x @ directions, eigenvalues + penalty, y, groups)
    for group in np.unique(groups):
        out = groups == group
        refitted = TheirRidge(penalty).fit(x[~out], y[~out])
        assert_allclose(found[out], y[out] - refitted.predict(x[out]), atol=1e-12)


def test_repeating_every_row_leaves_the_relative_penalty_as_it_was():
    """Leaving single rows out would see each twin and choose the least penalty."""
    spectra = beer_lambert_set(n_spectra=30, noise=0.5)
    doubled = spectra.take(np.tile(np.arange(30), 2))
    # X'X doubles, and so does a penalty that is a share of its largest eigenvalue.
    assert_allclose(Ridge().fit(doubled).penalties_, 2.0 * Ridge().fit(spectra).penalties_, rtol=1e-9)


def test_options_out_of_range_are_refused():
    with pytest.raises(ConfigError, match=r"small positive share to a larger one; got 1 to 0\.1"):
        Ridge(lowest=1.0, highest=0.1)

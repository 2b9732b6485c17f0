"""PLS against scikit-learn, a plain loop, and a published set's reference errors."""

import os
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.regressors.inner_folds import inner_folds
from spectra_core.regressors.pls import (
    PLS,
    Products,
    chosen_components,
    cross_validated_errors,
    errors_by_kernel,
    pls1_path,
    weights_by_kernel,
)
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet
from spectra_core.splits import k_fold
from tests.conftest import beer_lambert_set


@pytest.mark.parametrize("n_channels", [50, 200])  # fewer and more channels than spectra
@pytest.mark.parametrize("n_components", [1, 3, 8])
def test_coefficients_are_those_of_scikit_learn_for_every_target(n_channels, n_components):
    from sklearn.cross_decomposition import PLSRegression

    spectra = beer_lambert_set(n_channels=n_channels, noise=0.02)
    x = spectra.signal - spectra.signal.mean(axis=0)
    y = spectra.target_values - spectra.target_values.mean(axis=0)
    path = pls1_path(x.T @ x, x.T @ y, n_components)
    by_kernel = x.T @ weights_by_kernel(x @ x.T, y, np.full(y.shape[1], n_components))
    for target in range(spectra.n_targets):
        theirs = PLSRegression(n_components, scale=False).fit(x, y[:, target])
        # X'X squares the condition of X, about 1e3 here: 1e-16 x 1e6, and some for deflation.
        for ours in (path[-1, :, target], by_kernel[:, target]):
            assert_allclose(ours, theirs.coef_[0], rtol=1e-7, atol=1e-9 * np.abs(theirs.coef_).max())


def test_without_components_no_spectrum_has_a_weight():
    x, y = np.random.default_rng(0).normal(size=(2, 6, 9))
    weights = weights_by_kernel(x @ x.T, y[:, :2], np.array([0, 2]))
    assert not weights[:, 0].any()
    assert weights[:, 1].all()


@pytest.mark.parametrize("n_of_noise", [8, 60])  # fewer and more channels than spectra
def test_channels_are_scaled_for_the_targets_that_cross_validation_says_so_of(n_of_noise):
    rng = np.random.default_rng(0)
    strong, weak = rng.normal(size=(2, 60))
    signal = np.column_stack([100.0 * strong + rng.normal(size=60), weak, 30.0 * rng.normal(size=(60, n_of_noise))])
    signal[:, 1] += 0.01 * rng.normal(size=60)
    spectra = SpectraSet(
        SpectralAxis(np.arange(2.0 + n_of_noise)), signal, pd.DataFrame({"weak": weak, "strong": strong})
    )
    chosen, plain, scaled = (
        PLS(scale_channels=how, max_components=2).fit(spectra, seed=1) for how in (None, False, True)
    )
    better = scaled.rmsecv_.min(axis=0) < plain.rmsecv_.min(axis=0)
    assert better.tolist() == [True, False]
    assert_allclose(chosen.predict(spectra)["weak"], scaled.predict(spectra)["weak"])
    assert_allclose(chosen.predict(spectra)["strong"], plain.predict(spectra)["strong"])
    assert_array_equal(chosen.n_components_, np.where(better, scaled.n_components_, plain.n_components_))
    assert_allclose(chosen.rmsecv_, np.where(better, scaled.rmsecv_, plain.rmsecv_))


@pytest.mark.parametrize("scale", [False, True])
def test_predictions_are_those_of_scikit_learn_at_the_chosen_number(scale):
    from sklearn.cross_decomposition import PLSRegression

    train, test = beer_lambert_set(seed=1, noise=0.02), beer_lambert_set(seed=2, noise=0.02)
    regressor = PLS(scale_channels=scale).fit(train, seed=3)
    predicted = regressor.predict(test).to_numpy()
    for target, n in enumerate(regressor.n_components_):
        theirs = PLSRegression(int(n), scale=scale).fit(train.signal, train.target_values[:, target])
        assert_allclose(predicted[:, target], theirs.predict(test.signal).ravel(), rtol=1e-7, atol=1e-9)


def test_cross_validation_is_that_of_refitting_every_fold(monkeypatch):
    from sklearn.cross_decomposition import PLSRegression

    spectra = beer_lambert_set(noise=0.02)
    x, y = spectra.signal - spectra.signal.mean(axis=0), spectra.target_values
    splits = k_fold(np.arange(len(x)), 4, seed=0)
    scales = [np.ones(x.shape[1]), np.linspace(0.5, 2.0, x.shape[1])]
    y = y - y.mean(axis=0)
    errors = cross_validated_errors(x, y, splits, 5, products=Products(x.T @ x, x.T @ y), scales=scales)
    monkeypatch.setattr("spectra_core.regressors.pls._MOST_SCORES", 3 * 5 * y.size)  # three folds, then the fourth
    by_kernel = [errors_by_kernel((x / scale) @ (x / scale).T, y, splits, 5) for scale in scales]
    for (one, scale), (fold, split) in product(enumerate(scales), enumerate(splits)):
        train, test = x[split.train] / scale, x[split.test] / scale
        for n in (1, 5):
            for target in range(y.shape[1]):
                model = PLSRegression(n, scale=False).fit(train, y[split.train, target])
                squared = (model.predict(test).ravel() - y[split.test, target]) ** 2
                for ours in (errors[one], by_kernel[one]):
                    assert ours[fold, n - 1, target] == pytest.approx(squared.mean(), rel=1e-6)


def test_one_standard_error_rule_takes_the_smallest_number_within_it():
    # Mean errors 5, 2, 1.5, 1.4 with a standard error at the least (4 components) of 0.2: the limit is 1.6.
    mean = np.array([5.0, 2.0, 1.5, 1.4])
    errors = mean[None, :, None] + np.array([-0.4, 0.0, 0.4])[:, None, None] * np.sqrt(3.0) / 2.0
    assert chosen_components(errors, "one_standard_error").tolist() == [3]
    assert chosen_components(errors, "minimum").tolist() == [4]


@pytest.mark.parametrize("n_channels", [50, 200])  # fewer and more channels than spectra
def test_spectra_without_noise_are_read_exactly_however_many_components_are_tried(n_channels):
    regressor = PLS(rule="minimum").fit(beer_lambert_set(n_channels=n_channels, noise=0.0))
    test = beer_lambert_set(n_channels=n_channels, seed=9, noise=0.0)
    # Three salts span three directions; anything further is rounding, and must not blow up.
    assert_allclose(regressor.predict(test), test.targets, atol=1e-6)


@pytest.mark.parametrize("n_channels", [50, 200])  # fewer and more channels than spectra
def test_what_spectra_cannot_show_is_left_however_many_components_are_tried(n_channels):
    """Spectra of three directions, targets of noise: from three components on all is read that least squares can."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 3)) @ rng.normal(size=(3, n_channels))
    x, y = x - x.mean(axis=0), rng.normal(size=(60, 2))
    y -= y.mean(axis=0)
    expected = x @ np.linalg.lstsq(x, y, rcond=1e-10)[0]
    path = pls1_path(x.T @ x, x.T @ y, 12)
    by_kernel = x.T @ weights_by_kernel(x @ x.T, y, np.array([12, 12]))
    for coefficients in (path[2], path[-1], by_kernel):
        assert_allclose(x @ coefficients, expected, atol=1e-6)


@pytest.mark.parametrize("n_channels", [5, 40])  # fewer and more channels than spectra
def test_a_target_that_does_not_vary_has_no_components_and_few_spectra_have_few(n_channels):
    spectra = beer_lambert_set(n_spectra=9, n_channels=n_channels, noise=0.1)
    targets = pd.DataFrame({"varies": spectra.target_values[:, 0], "same": np.full(9, 2.5)})
    regressor = PLS(n_folds=3).fit(SpectraSet(spectra.axis, spectra.signal, targets))
    assert regressor.n_components_[1] == 0 < regressor.n_components_[0]
    assert_allclose(regressor.predict(spectra)["same"], 2.5)
    assert len(regressor.rmsecv_) == min(n_channels, 5)  # six spectra train in every inner fold, around their mean


def test_replicates_and_generated_children_stay_with_their_parents():
    rng = np.random.default_rng(0)
    samples = pd.DataFrame(
        {
            "id": [str(n) for n in range(12)],
            "group": ["a", "a", "b", "b", *"cdefgh", "", ""],
            "parent": [""] * 10 + ["0", "5 + 7"],
        }
    )
    samples["group"] = [group or f"own {n}" for n, group in enumerate(samples["group"])]
    spectra = SpectraSet(SpectralAxis(np.arange(3.0)), rng.normal(size=(12, 3)), samples=samples)
    for split in inner_folds(spectra, 4, seed=1):
        for together in ([0, 1, 10], [2, 3], [5, 11]):
            assert np.isin(together, split.test).sum() in (0, len(together))


def test_repeating_every_row_does_not_change_what_is_chosen():
    """A twin in the other inner fold would make every component look good."""
    spectra = beer_lambert_set(n_spectra=30, noise=0.5)
    doubled = spectra.take(np.tile(np.arange(30), 2))
    one, two = PLS(n_folds=30).fit(spectra), PLS(n_folds=30).fit(doubled)
    assert_array_equal(one.n_components_, two.n_components_)


@pytest.fixture(scope="module")
def carbon_dots():
    folder = os.environ.get("SPECTRA_REFERENCE_DATA")
    if not folder:
        pytest.skip("SPECTRA_REFERENCE_DATA is not set")
    path = Path(folder) / "real" / "carbon_dots_cu_ni_cr_no3_ex350.csv.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not among the reference data")
    table = pd.read_csv(path)
    targets = ["Cu", "Ni", "Cr"]
    channels = [name for name in table if name.replace(".", "").isdecimal()]
    return SpectraSet(
        SpectralAxis(np.array(channels, dtype=float)),
        table[channels].to_numpy(),
        table[targets],
        meta=SetMeta("Carbon dots", quantity="Intensity"),
    )


def test_nested_error_on_measured_carbon_dots_is_the_reference_one(carbon_dots):
    from sklearn.model_selection import KFold

    squares = []
    for seed in range(3):
        predicted = np.empty_like(carbon_dots.target_values)
        for train, test in KFold(8, shuffle=True, random_state=seed).split(predicted):
            regressor = PLS(rule="one_standard_error", scale_channels=False).fit(carbon_dots.take(train), seed=seed)
            predicted[test] = regressor.predict(carbon_dots.take(test)).to_numpy()
        squares.append(((predicted - carbon_dots.target_values) ** 2).mean(axis=0))
    rmse = np.sqrt(np.mean(squares, axis=0))
    # Reference values for Cu, Ni and Cr in mmol/L, of another implementation with other inner folds: within 2 %.
    assert_allclose(rmse, [0.735, 1.30, 0.77], rtol=0.02)

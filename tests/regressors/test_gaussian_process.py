"""The Gaussian process against scikit-learn's with the same kernel."""

import numpy as np
from numpy.testing import assert_allclose

from spectra_core.regressors.gaussian_process import LENGTHS, NOISES, GaussianProcess, most_likely
from tests.conftest import beer_lambert_set, relabelled


def scores_and_target(n=60, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 2)) / np.sqrt(2.0)
    target = np.sin(2.0 * scores[:, 0]) + scores[:, 1] + 0.05 * rng.normal(size=n)
    return scores, ((target - target.mean()) / target.std())[:, None]


def test_the_chosen_point_of_the_grid_has_the_largest_likelihood():
    from scipy.stats import multivariate_normal

    scores, target = scores_and_target()
    y = target[:, 0]
    squares = ((scores[:, None] - scores) ** 2).sum(axis=2)
    likelihood = {}
    for length in LENGTHS:
        for noise in NOISES[6:]:
            shape = np.exp(-squares / (2 * length**2)) + noise * np.eye(len(y))
            variance = y @ np.linalg.solve(shape, y) / len(y)
            likelihood[length, noise] = multivariate_normal(cov=variance * shape, allow_singular=True).logpdf(y)
    lengths, noises = most_likely(scores, target)
    assert (lengths[0], noises[0]) == max(likelihood, key=likelihood.get)


def test_predictions_are_those_of_scikit_learn_with_the_same_kernel():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF

    train, test = beer_lambert_set(seed=1, noise=0.05), beer_lambert_set(seed=2, noise=0.05)
    regressor = GaussianProcess(n_components=6).fit(train)
    mean, std = train.target_values.mean(axis=0), train.target_values.std(axis=0)
    centre = train.signal.mean(axis=0)
    predicted = regressor.predict(test).to_numpy()
    for number in range(train.n_targets):
        kernel = RBF(regressor.lengths_[number])
        theirs = GaussianProcessRegressor(kernel, alpha=regressor.noises_[number], optimizer=None).fit(
            (train.signal - centre) @ regressor.directions_,
            (train.target_values[:, number] - mean[number]) / std[number],
        )
        expected = theirs.predict((test.signal - centre) @ regressor.directions_) * std[number] + mean[number]
        assert_allclose(predicted[:, number], expected, atol=1e-6 * std[number])


def test_spanning_kernels_at_every_spectrum_give_the_exact_process():
    train, test = beer_lambert_set(seed=1, noise=0.05), beer_lambert_set(seed=2, noise=0.05)
    exact = GaussianProcess(n_components=4).fit(train).predict(test)
    spanned = GaussianProcess(n_components=4, max_spectra=10, n_inducing=len(train)).fit(train).predict(test)
    # The small ridge that keeps the system solvable moves predictions by far less than their error.
    assert_allclose(spanned, exact, atol=1e-3 * train.target_values.std())


def test_beyond_the_limit_a_part_of_the_kernels_serves_nearly_as_well():
    train, test = beer_lambert_set(n_spectra=400, seed=1, noise=0.01), beer_lambert_set(seed=2, noise=0.01)
    regressor = GaussianProcess(n_components=6, max_spectra=100, n_inducing=100, n_search=100).fit(train, seed=3)
    assert regressor.weights_.shape == (100, 4)
    exact = GaussianProcess(n_components=6).fit(train, seed=3)
    rmse = [np.sqrt(((r.predict(test) - test.targets) ** 2).mean()) for r in (exact, regressor)]
    assert (rmse[1] < 1.25 * rmse[0]).all()


def test_a_curved_relation_is_read_better_than_any_line_can(mixtures):
    curved = relabelled(mixtures, mixtures.targets**2)
    test = beer_lambert_set(seed=4)
    predicted = GaussianProcess().fit(curved).predict(test)
    line = np.column_stack([np.ones(60), mixtures.target_values])
    best_line = np.linalg.lstsq(line, curved.target_values, rcond=None)[0]
    on_line = np.column_stack([np.ones(60), test.target_values]) @ best_line
    truth = test.target_values**2
    assert (((predicted - truth) ** 2).mean() < 0.1 * ((on_line - truth) ** 2).mean(axis=0)).all()

"""Parameters are chosen by errors on measured rows, whatever is generated beside them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from spectra_core.contracts import derived_seed
from spectra_core.generators import GENERATORS
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.gaussian_process import LENGTHS, NOISES, least_wrong
from spectra_core.regressors.inner_folds import inner_folds, measured_rows
from spectra_core.spectra import SetMeta, SpectraSet, stack
from tests.conftest import beer_lambert_set


def repeating_one(train: SpectraSet, n: int) -> SpectraSet:
    """Return what a collapsed generator makes: one plausible spectrum with one label, n times."""
    signal = np.tile(train.signal.mean(axis=0), (n, 1))
    targets = pd.DataFrame(np.tile(train.target_values.mean(axis=0), (n, 1)), columns=list(train.target_names))
    meta = SetMeta("collapsed", "generated", train.frame.quantity, train.frame.unit)
    return SpectraSet(train.axis, signal, targets, target_info=train.target_info, meta=meta)


@pytest.fixture(scope="module")
def measured():
    return beer_lambert_set(30, 20, seed=3, noise=0.05)


@pytest.fixture(scope="module")
def extended(measured):
    return stack([measured, repeating_one(measured, 300)])


def test_generated_rows_are_marked_where_they_join_measured_ones(measured, extended):
    assert measured_rows(extended).tolist() == [True] * 30 + [False] * 300
    assert measured_rows(measured).all()
    assert "generated" not in stack([measured, measured]).samples
    assert "generated" not in repeating_one(measured, 2).samples


def test_generated_rows_train_in_all_folds_and_are_never_tested(extended):
    splits = inner_folds(extended, 5, seed=0)
    assert np.array_equal(np.sort(np.concatenate([split.test for split in splits])), np.arange(30))
    for split in splits:
        assert set(range(30, 330)) <= set(split.train)
        assert not set(split.train) & set(split.test)


def test_rows_with_a_parent_leave_with_it(measured):
    jittered = GENERATORS["jitter"]().fit(measured).generate(60, np.random.default_rng(0))
    both = stack([measured, jittered])
    row_of = {name: row for row, name in enumerate(measured.samples["id"])}
    parents = [row_of[name] for name in jittered.samples["parent"]]
    for split in inner_folds(both, 5, seed=0):
        gone = set(range(len(both))) - set(split.train)
        assert gone == set(split.test) | {30 + child for child, parent in enumerate(parents) if parent in split.test}
        assert max(split.test) < 30


def test_pls_chooses_by_the_errors_of_measured_rows(extended):
    from sklearn.cross_decomposition import PLSRegression

    fitted = REGRESSORS["pls"](scale_channels=False, max_components=6).fit(extended, seed=1)
    splits = inner_folds(extended, 5, derived_seed(1, "pls inner folds"))
    for column in range(extended.n_targets):
        errors = []
        for n in range(1, 7):
            squares = []
            for split in splits:
                model = PLSRegression(n, scale=False).fit(
                    extended.signal[split.train], extended.target_values[split.train, column]
                )
                missed = model.predict(extended.signal[split.test]).ravel() - extended.target_values[split.test, column]
                squares.append((missed**2).mean())
            errors.append(np.mean(squares))
        assert fitted.n_components_[column] == np.argmin(errors) + 1
        scale = extended.target_values[:, column].std()
        assert_allclose(fitted.rmsecv_[:, column], np.sqrt(errors) / scale, rtol=1e-6)


def test_ridge_chooses_by_the_errors_of_measured_rows(extended):
    fitted = REGRESSORS["ridge"](n_penalties=7).fit(extended)
    signal = extended.signal - extended.signal.mean(axis=0)
    signal = signal / signal.std(axis=0)
    targets = extended.target_values
    penalties = np.geomspace(1e-10, 1.0, 7) * np.linalg.eigvalsh(signal.T @ signal).max()
    errors = np.zeros((7, extended.n_targets))
    for number, penalty in enumerate(penalties):
        for row in range(30):
            rest = np.arange(len(signal)) != row
            centre, mean = signal[rest].mean(axis=0), targets[rest].mean(axis=0)
            x, y = signal[rest] - centre, targets[rest] - mean
            beta = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
            errors[number] += ((signal[row] - centre) @ beta + mean - targets[row]) ** 2
    assert_allclose(fitted.penalties_, penalties[errors.argmin(axis=0)], rtol=1e-6)


def test_the_gaussian_process_chooses_by_the_errors_of_measured_rows():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(25, 2)) / np.sqrt(2)
    y = np.column_stack([np.sin(3 * scores[:, 0]), scores[:, 1]]) + 0.1 * rng.normal(size=(25, 2))
    counted = np.arange(25) < 15
    squares = ((scores[:, None] - scores) ** 2).sum(axis=2)
    errors = {}
    for length in LENGTHS:
        for noise in NOISES:
            kernel = np.exp(-squares / (2 * length**2))
            missed = np.zeros(2)
            for row in np.flatnonzero(counted):
                rest = np.arange(25) != row
                shape = kernel[np.ix_(rest, rest)] + noise * np.eye(24)
                missed += (kernel[row, rest] @ np.linalg.solve(shape, y[rest]) - y[row]) ** 2
            errors[length, noise] = missed
    lengths, noises = least_wrong(scores, y, counted)
    for target in range(2):
        least = min(value[target] for value in errors.values())
        assert errors[lengths[target], noises[target]][target] == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("name", ["pls", "ridge", "gaussian_process"])
def test_a_thousand_copies_of_one_answer_are_no_evidence_of_precision(name, measured, extended):
    """A choice by the copies would be that of noise-free spectra: least penalty, most components."""
    test = beer_lambert_set(200, 20, seed=4, noise=0.05)  # the copies tell the truth: their label is their spectrum's
    alone, beside = (REGRESSORS[name]().fit(train, seed=0).predict(test) for train in (measured, extended))
    error_alone, error_beside = (np.sqrt(((p - test.targets) ** 2).mean()) for p in (alone, beside))
    assert (error_beside < 1.35 * error_alone).all()

"""Weights against another solver, out-of-fold predictions against fits by hand, and what a stack says of itself."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import lsq_linear

from spectra_core.contracts import SILENT
from spectra_core.errors import SpectraError
from spectra_core.preprocessing import Standardiser
from spectra_core.regressors import PLS, GaussianProcess, MLPEnsemble, Ridge, Stack
from spectra_core.regressors.candidates import CANDIDATES, out_of_fold, with_copies
from spectra_core.regressors.inner_folds import inner_folds, inner_groups, measured_rows
from spectra_core.regressors.stack import stacking_weights
from spectra_core.spectra import SpectralAxis, SpectraSet
from spectra_core.store.models import read_model, write_model
from tests.conftest import beer_lambert_set, relabelled

NETWORKS = MLPEnsemble(n_members=2, epochs=1)
QUICK = Stack(n_folds=3, n_members=2, epochs=1)


def in_groups(spectra, size=3, axis=None):
    """Every spectrum of a sample is its first one with fresh noise, under the same labels."""
    first = np.arange(len(spectra)) // size * size
    noise = 1e-3 * np.random.default_rng(9).standard_normal(spectra.signal.shape)
    return SpectraSet(
        axis or spectra.axis,
        spectra.signal[first] + noise,
        spectra.targets.iloc[first].reset_index(drop=True),
        target_info=spectra.target_info,
        samples=pd.DataFrame({"group": first.astype(str)}),
        meta=spectra.meta,
    )


@pytest.fixture(scope="module")
def wide():
    """Fewer spectra than channels, as most sets are."""
    return beer_lambert_set(24, 60, seed=2, noise=0.02)


@pytest.fixture(scope="module")
def fitted(wide):
    return replace(QUICK).fit(wide, seed=1)


def test_weights_are_those_of_another_solver():
    rng = np.random.default_rng(0)
    labels = rng.normal(3.0, 2.0, 40)
    predicted = labels[:, None] * [0.9, 0.5, -1.0, 0.0] + rng.normal(1.0, [0.5, 1.0, 0.3, 1.0], (40, 4))
    weights, offset = stacking_weights(predicted, labels)
    centred = predicted - predicted.mean(axis=0)
    other = lsq_linear(centred, labels - labels.mean(), bounds=(0, np.inf), tol=1e-12)
    assert_allclose(weights, other.x, atol=1e-5)
    assert weights[2] == 0.0
    assert offset == pytest.approx(labels.mean() - predicted.mean(axis=0) @ weights)


def test_the_labels_of_a_group_change_nothing_that_is_predicted_for_it(wide):
    replicates = in_groups(wide)
    changed = replicates.targets
    changed.iloc[:3] = changed.iloc[-3:].to_numpy()  # the first sample gets the labels of the last
    found = []
    for labelled in (replicates, relabelled(replicates, changed)):
        whole = with_copies(labelled, 2, np.random.default_rng(0))
        splits = inner_folds(whole, 4, seed=5)
        found.append(out_of_fold(whole, splits, NETWORKS, 3, SILENT))
    with_first = next(split for split in splits if 0 in split.test)
    assert_array_equal(found[0][:, with_first.test], found[1][:, with_first.test])
    others = np.setdiff1d(np.arange(24), with_first.test)
    assert (found[0][:, others] != found[1][:, others]).all()


def test_copies_are_marked_and_leave_with_their_original(wide):
    replicates = in_groups(wide)
    whole = with_copies(replicates, 2, np.random.default_rng(0))
    assert measured_rows(whole).tolist() == [True] * 24 + [False] * 48
    assert_array_equal(inner_groups(whole), np.concatenate([replicates.groups, np.repeat(replicates.groups, 2)]))
    assert_array_equal(whole.target_values[24:], np.repeat(replicates.target_values, 2, axis=0))
    added = whole.signal[24:] - np.repeat(replicates.signal, 2, axis=0)
    assert added.std() == pytest.approx(1e-3, rel=0.1)  # what replicates differ by


def test_rotated_folds_predict_what_fits_by_hand_do(wide):
    scaling = Standardiser.fit(wide.signal)
    splits = inner_folds(wide, 4, seed=0)
    found = out_of_fold(wide, splits, NETWORKS, 7, SILENT)
    scaled = SpectraSet(wide.axis, scaling.transform(wide.signal), wide.targets)
    for number, (spectra, regressor) in {
        0: (wide, GaussianProcess()),
        1: (scaled, Ridge(scale_channels=False)),
        2: (wide, PLS(scale_channels=False)),
        3: (wide, CANDIDATES[3].fresh(NETWORKS)),
        6: (wide, NETWORKS),
    }.items():
        for split in splits:
            model = (replace(regressor) if number != 3 else regressor).fit(spectra.take(split.train), seed=7)
            by_hand = model.predict(spectra.take(split.test)).to_numpy()
            assert_allclose(found[number, split.test], by_hand, rtol=1e-6, atol=1e-8)


def test_a_candidate_worse_than_three_standard_deviations_gets_no_weight(wide):
    labels = wide.target_values
    good, bad = labels + 0.01, labels.mean(axis=0) + 50.0 * (labels - labels.mean(axis=0))
    predicted = np.full((len(CANDIDATES), *labels.shape), np.nan)
    predicted[0], predicted[1] = bad, good
    stack = replace(QUICK)
    stack.frame_ = wide.frame
    stack._weigh(predicted, labels)
    assert_array_equal(stack.weights_[0], 0.0)
    assert_allclose(stack.weights_[1], 1.0)
    assert_allclose(stack.rmsecv_, 0.0, atol=1e-12)
    table = stack.made_of_.set_index(["target", "candidate"])
    assert table.loc[("Cu2+", "Gaussian process"), "left_out"]
    assert table.loc[("Cu2+", "Ridge"), "rmsecv"] == pytest.approx(0.01)
    assert np.isnan(table.loc[("Cu2+", "PLS"), "rmsecv"])


def test_it_says_what_it_is_made_of(fitted, wide):
    table = fitted.made_of_
    assert table.groupby("target", sort=False).size().to_dict() == dict.fromkeys(wide.target_names, 7)
    assert (table["weight"] >= 0).all()
    assert set(fitted.members_) == {n for n in range(7) if (fitted.weights_[n] > 0).any()}


def test_predictions_end_a_fifth_of_the_range_beyond_the_labels(fitted, wide):
    far = SpectraSet(wide.axis, 50.0 * wide.signal, wide.targets)
    predicted = fitted.predict(far).to_numpy()
    margin = 0.2 * np.ptp(wide.target_values, axis=0)
    assert (predicted <= wide.target_values.max(axis=0) + margin).all()
    assert (predicted >= wide.target_values.min(axis=0) - margin).all()
    assert np.isin(predicted, fitted.limits_).any()


def test_the_model_file_gives_the_same_predictions_bit_for_bit(fitted, wide):
    content = write_model(fitted, registry="regressor", member="stack", train=wide, seed=1, extra={})
    assert_array_equal(read_model(content).model.predict(wide), fitted.predict(wide))


def test_one_target_on_an_uneven_axis_goes_without_derivatives():
    spectra = beer_lambert_set(30, 40, seed=4).with_targets(["Cu2+"])
    axis = SpectralAxis(np.geomspace(200.0, 900.0, 40))
    stack = replace(QUICK).fit(in_groups(spectra, axis=axis), seed=0)
    assert stack.made_of_.loc[stack.made_of_["candidate"].str.contains("derivative"), "rmsecv"].isna().all()
    assert stack.rmsecv_[0] < 0.3 * spectra.target_values.std()


def test_a_target_that_no_candidate_tells_is_predicted_as_its_mean_and_named(wide):
    predicted = np.tile(-wide.target_values, (len(CANDIDATES), 1, 1))
    stack = replace(QUICK)
    stack._weigh(predicted, wide.target_values)
    stack.members_ = {}
    stack._take_over(wide.frame)
    assert stack.notes_[0].startswith("No candidate tells Cu2+, mol/L of left-out spectra better than its mean")
    assert_allclose(stack.predict(wide), np.tile(wide.target_values.mean(axis=0), (24, 1)))


def test_two_samples_are_too_few(wide):
    with pytest.raises(SpectraError, match="at least 3 independent samples; the 24 training spectra are of 2"):
        replace(QUICK).fit(in_groups(wide, size=12))

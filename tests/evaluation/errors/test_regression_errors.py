"""Errors per fold, over folds and by concentration, against formulas written out and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.errors.regression_errors import (
    error_summary,
    errors_by_concentration,
    errors_by_value,
    regression_errors,
    with_training_size,
)


def predictions_table(n_samples=60, n_folds=4, n_repeats=2, arms=("baseline", "vae"), seed=0):
    rng = np.random.default_rng(seed)
    reference = {"Cu": rng.uniform(0.0, 1.0, n_samples), "Ni": rng.uniform(0.0, 10.0, n_samples)}
    rows = []
    for arm in arms:
        for target, values in reference.items():
            for repeat in range(n_repeats):
                fold_of = rng.permutation(np.arange(n_samples) % n_folds)
                rows += [
                    {
                        "arm": arm,
                        "regressor": "pls",
                        "target": target,
                        "repeat": repeat,
                        "fold": fold_of[sample],
                        "sample": sample,
                        "n_train": n_samples - np.count_nonzero(fold_of == fold_of[sample]),
                        "ratio": float(arm == "vae"),
                        "reference": values[sample],
                        "predicted": values[sample] + rng.normal(0.02, 0.1),
                    }
                    for sample in range(n_samples)
                ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def predictions():
    return predictions_table()


def one_fold(reference, predicted):
    n = len(reference)
    return pd.DataFrame(
        {
            "arm": ["a"] * n,
            "regressor": "pls",
            "target": "Cu",
            "repeat": 0,
            "fold": 0,
            "sample": range(n),
            "n_train": 10,
            "ratio": 0.0,
            "reference": reference,
            "predicted": predicted,
        }
    )


def test_measures_of_three_predictions_by_hand():
    row = regression_errors(one_fold([1.0, 2.0, 3.0], [1.5, 2.0, 4.0])).iloc[0]
    # Errors 0.5, 0, 1: bias 0.5, deviations from it 0, -0.5, 0.5.
    assert row["rmsep"] == pytest.approx(np.sqrt(1.25 / 3))
    assert row["mae"] == pytest.approx(0.5)
    assert row["bias"] == pytest.approx(0.5)
    assert row["sep"] == pytest.approx(0.5)
    assert row["r2"] == pytest.approx(1 - 1.25 / 2)
    assert row["rpd"] == pytest.approx(1.0 / 0.5)
    assert row["rer"] == pytest.approx(2.0 / 0.5)
    assert row["n_test"] == 3


def test_every_fold_has_a_row_with_the_measures_of_scikit_learn(predictions):
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    errors = regression_errors(predictions)
    assert len(errors) == 2 * 2 * 2 * 4
    for row in errors.itertuples():
        mine = predictions[
            (predictions["arm"] == row.arm)
            & (predictions["target"] == row.target)
            & (predictions["repeat"] == row.repeat)
            & (predictions["fold"] == row.fold)
        ]
        assert row.rmsep == pytest.approx(root_mean_squared_error(mine["reference"], mine["predicted"]))
        assert row.mae == pytest.approx(mean_absolute_error(mine["reference"], mine["predicted"]))
        assert row.r2 == pytest.approx(r2_score(mine["reference"], mine["predicted"]))


def test_rmsep_joins_bias_and_sep(predictions):
    errors = regression_errors(predictions)
    n = errors["n_test"]
    assert_allclose(errors["rmsep"] ** 2, errors["bias"] ** 2 + errors["sep"] ** 2 * (n - 1) / n)


def test_order_of_rows_changes_no_measure(predictions):
    keys = ["arm", "target", "repeat", "fold"]
    one = regression_errors(predictions).sort_values(keys, ignore_index=True)
    shuffled = predictions.sample(frac=1.0, random_state=0)
    other = regression_errors(shuffled).sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("reference", "predicted", "undefined"),
    [
        ([1.0], [1.1], ["sep", "r2", "rpd", "rer"]),
        ([0.3, 0.3, 0.3], [0.1, 0.2, 0.4], ["r2", "rpd", "rer"]),
        ([1.0, 2.0], [1.0, 2.0], ["rpd", "rer"]),
    ],
)
def test_what_is_not_defined_is_nan_and_nothing_is_infinite(reference, predicted, undefined):
    row = regression_errors(one_fold(reference, predicted)).iloc[0]
    measures = row[["rmsep", "mae", "bias", "sep", "r2", "rpd", "rer"]].astype(float)
    assert list(measures.index[measures.isna()]) == undefined
    assert not np.isinf(measures).any()


def test_a_table_without_its_columns_and_a_prediction_that_is_not_finite_are_refused(predictions):
    with pytest.raises(SpectraError, match="arm, fold are missing"):
        regression_errors(predictions.drop(columns=["arm", "fold"]))
    spoilt = predictions.assign(predicted=predictions["predicted"].where(predictions.index != 3))
    with pytest.raises(
        SpectraError, match="1 predictions are not finite numbers, first for Cu by pls in arm 'baseline'"
    ):
        regression_errors(spoilt)


def test_summary_is_mean_and_spread_over_folds_of_differing_size():
    table = predictions_table(n_samples=30)  # 4 folds of 30: training sizes 22 and 23
    errors = regression_errors(table)
    assert set(errors["n_train"]) == {22, 23}
    summary = error_summary(errors)
    assert len(summary) == 4
    row = summary[(summary["arm"] == "vae") & (summary["target"] == "Ni")].iloc[0]
    mine = errors[(errors["arm"] == "vae") & (errors["target"] == "Ni")]["rmsep"]
    assert row["n_folds"] == 8
    assert row["rmsep_mean"] == pytest.approx(sum(mine) / 8)
    assert row["rmsep_sd"] == pytest.approx(np.sqrt(sum((mine - sum(mine) / 8) ** 2) / 7))


def test_summary_counts_runs_that_blew_up():
    errors = regression_errors(predictions_table(n_samples=30))
    errors["rmsep"] = [0.5, 3.0] * (len(errors) // 2)
    assert (error_summary(errors, spreads={"Cu": 1.6, "Ni": 1.4})["n_blown_up"] == [0, 4, 0, 4]).all()
    assert (error_summary(errors)["n_blown_up"] == 0).all()  # by R2, which says otherwise


def test_sizes_of_a_learning_curve_stay_apart_where_folds_differ_by_a_spectrum():
    small = predictions_table(n_samples=30).assign(n_train=10)
    both = pd.concat([predictions_table(n_samples=30), small], ignore_index=True)
    sizes = with_training_size(both)
    assert sorted(sizes["size"].unique()) == [10, 22]
    assert (sizes["size"] == 10).sum() == len(small)
    assert len(error_summary(regression_errors(both))) == 8


def test_bins_hold_equal_numbers_under_the_same_limits_in_all_arms(predictions):
    binned = errors_by_concentration(predictions, n_bins=5)
    assert (binned["n_test"] == 24).all()  # 60 spectra in 5 bins, 2 repetitions
    limits = binned.groupby(["target", "bin"])[["low", "high"]].nunique()
    assert (limits == 1).all().all()
    row = binned[(binned["arm"] == "vae") & (binned["target"] == "Ni") & (binned["bin"] == 4)].iloc[0]
    mine = predictions[
        (predictions["arm"] == "vae") & (predictions["target"] == "Ni") & (predictions["reference"] >= row["low"])
    ]
    error = mine["predicted"] - mine["reference"]
    assert row["rmsep"] == pytest.approx(np.sqrt((error**2).mean()))
    assert row["bias"] == pytest.approx(error.mean())
    assert row["centre"] == pytest.approx(mine["reference"].mean())


def test_a_constant_reference_falls_into_one_bin():
    binned = errors_by_concentration(one_fold([0.5] * 4, [0.4, 0.5, 0.6, 0.7]), n_bins=3)
    assert binned[["bin", "low", "high", "n_test"]].to_numpy().tolist() == [[0, 0.5, 0.5, 4]]


def test_a_concentration_on_a_limit_counts_above_it_and_the_highest_in_the_last_bin():
    binned = errors_by_concentration(one_fold([0.0, 1.0, 2.0], [0.0, 1.5, 2.0]), n_bins=2)
    # The limit is the median, 1.
    assert binned[["bin", "low", "high", "n_test"]].to_numpy().tolist() == [[0, 0.0, 1.0, 1], [1, 1.0, 2.0, 2]]
    assert binned["mae"].tolist() == [0.0, 0.25]


def test_errors_by_any_value_sort_by_it(predictions):
    larger_later = predictions.assign(predicted=predictions["reference"] + predictions["sample"])
    binned = errors_by_value(larger_later, larger_later["sample"].astype(float), n_bins=3)
    first = binned[(binned["arm"] == "vae") & (binned["target"] == "Cu")]
    # Samples 0-19, 20-39, 40-59, and the error is the sample's number.
    assert first["bias"].tolist() == pytest.approx([9.5, 29.5, 49.5])
    with pytest.raises(SpectraError, match="one row per prediction"):
        errors_by_value(larger_later, pd.Series([1.0]), n_bins=3)
    with pytest.raises(ConfigError, match="at least one bin, got 0"):
        errors_by_concentration(predictions, n_bins=0)

"""Efficiency and equivalent samples on learning curves known in closed form."""

import numpy as np
import pandas as pd
import pytest

from spectra_core.errors import SpectraError
from spectra_core.evaluation.errors.gains import augmentation_efficiency, equivalent_samples
from spectra_core.evaluation.errors.regression_errors import regression_errors
from spectra_core.evaluation.errors.verdicts import compare_arms


def errors_of(cells):
    """Return the error table of {(arm, n_train): error per fold}: predictions that are off by just that much."""
    rows = [
        {
            "arm": arm,
            "regressor": "pls",
            "target": "Cu",
            "repeat": 0,
            "fold": fold,
            "n_train": n_train,
            "ratio": 1.0,
            "reference": reference,
            "predicted": reference + sign * error,
        }
        for (arm, n_train), values in cells.items()
        for fold, error in enumerate(values)
        for reference, sign in ((0.0, 1), (1.0, -1))
    ]
    return regression_errors(pd.DataFrame(rows))


WOBBLE = np.array([0.01, -0.01, 0.02, -0.02])


def test_efficiency_is_the_share_of_the_oracle_s_gain():
    cells = {("ref", 80): np.ones(4), ("vae", 80): 0.9 + WOBBLE, ("oracle", 80): 0.6 + WOBBLE[::-1]}
    table = augmentation_efficiency(compare_arms(errors_of(cells), "ref"), "oracle")
    assert table["arm"].tolist() == ["vae"]
    assert table["efficiency"][0] == pytest.approx(0.1 / 0.4)


def test_where_new_spectra_do_not_help_efficiency_is_not_defined():
    cells = {("ref", 80): np.ones(4), ("vae", 80): 0.9 + WOBBLE, ("oracle", 80): 0.999 + WOBBLE}
    table = augmentation_efficiency(compare_arms(errors_of(cells), "ref"), "oracle")
    assert np.isnan(table["efficiency"][0])


def test_equivalent_samples_invert_a_power_law():
    # E = n^-1/2 on the reference: an error of 180^-1/2 at 100 spectra is worth 80 more.
    cells = {("ref", n): np.full(4, n**-0.5) for n in (50, 100, 200, 400)}
    cells["vae", 100] = np.full(4, 180**-0.5)
    cells["excellent", 100] = np.full(4, 1000**-0.5)
    cells["terrible", 100] = np.full(4, 10**-0.5)
    cells["equal", 100] = np.full(4, 100**-0.5)
    cells["as the largest", 100] = cells["ref", 400]
    table = equivalent_samples(errors_of(cells), "ref").set_index("arm")
    assert table.loc["vae", "n_equivalent"] == pytest.approx(180.0)
    assert table.loc["vae", "gain"] == pytest.approx(80.0)
    assert table.loc["equal", "gain"] == pytest.approx(0.0, abs=1e-9)
    assert table["bound"].to_dict() == {
        "vae": "reached",
        "excellent": "at least",
        "terrible": "at most",
        "equal": "reached",
        "as the largest": "reached",
    }
    assert table.loc["excellent", "gain"] == 300.0
    assert table.loc["terrible", "gain"] == -50.0


def test_a_curve_that_rises_by_chance_is_read_by_its_running_least():
    cells = {("ref", n): np.full(4, e) for n, e in ((50, 0.4), (100, 0.2), (200, 0.25), (400, 0.1))}
    cells["vae", 50] = np.full(4, 0.2)
    assert equivalent_samples(errors_of(cells), "ref")["n_equivalent"][0] == pytest.approx(100.0)


def test_a_missing_oracle_and_a_single_training_size_are_refused():
    errors = errors_of({("ref", 80): np.ones(4), ("vae", 80): 0.9 + WOBBLE})
    with pytest.raises(SpectraError, match="no oracle arm 'oracle' among the comparisons"):
        augmentation_efficiency(compare_arms(errors, "ref"), "oracle")
    with pytest.raises(SpectraError, match="at least 2 training sizes, got 1"):
        equivalent_samples(errors, "ref")

"""Labels of generated spectra carry the interval of the teacher that read them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spectra_core.calibration import with_teacher_intervals
from spectra_core.choices import Choice
from spectra_core.cli.shared import wide_table
from spectra_core.datasets import export, read
from spectra_core.datasets.formulas import table_csv
from spectra_core.regressors import Ridge
from spectra_core.spectra.label_intervals import label_intervals
from tests.conftest import beer_lambert_set, relabelled


@pytest.fixture(scope="module")
def carried():
    """Spectra with known truth in the place of generated ones, labelled by ridge."""
    train, fresh = beer_lambert_set(60, noise=2e-2), beer_lambert_set(400, seed=5, noise=2e-2)
    labelled = relabelled(fresh, Ridge().fit(train).predict(fresh))
    return fresh, with_teacher_intervals(labelled, train, Choice("ridge"))


def test_intervals_hold_the_label_and_cover_about_as_many_truths_as_they_say(carried):
    fresh, made = carried
    table = label_intervals(made)
    assert list(table) == ["id", "target", "value", "low", "high"]
    assert_allclose(table["value"], made.target_values.ravel())
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()
    truth = fresh.target_values.ravel()
    assert 0.86 < ((table["low"] <= truth) & (truth <= table["high"])).mean() < 0.97


@pytest.mark.parametrize("form", ["plain table", "csv", "npz"])
def test_they_travel_in_every_file_and_become_no_targets(carried, form, tmp_path):
    made = carried[1].take(range(5))
    path = tmp_path / ("labels.npz" if form == "npz" else "labels.csv")
    path.write_bytes(table_csv(wide_table(made)) if form == "plain table" else export(made, form))
    back = read(path)
    assert back.target_names == made.target_names
    assert_allclose(label_intervals(back)[["low", "high"]], label_intervals(made)[["low", "high"]])
    assert np.isfinite(label_intervals(back.take([0]))["low"]).all()


def test_too_few_spectra_for_the_level_leave_labels_as_they_are():
    few = beer_lambert_set(8)
    assert with_teacher_intervals(few, few, Choice("ridge")) is few
    assert label_intervals(few).empty

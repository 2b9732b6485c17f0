"""Small files that were once understood wrongly without a word; needs SPECTRA_REFERENCE_DATA."""

import os
from pathlib import Path

import numpy as np
import pytest

from spectra_core.datasets import Recipe, understand

FOLDER = Path(os.environ.get("SPECTRA_REFERENCE_DATA") or "absent") / "faults"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="SPECTRA_REFERENCE_DATA is not set to a folder with faults/"
)


def understood(*names: str, recipe: Recipe | None = None):
    return understand({name: (FOLDER / name).read_bytes() for name in names}, recipe)


def asked(found) -> list[str]:
    return [problem.kind for problem in found.open_questions]


def test_a_first_sample_below_detection_is_a_sample_and_is_asked_about():
    found = understood("first_row_below_detection.csv")
    assert asked(found) == ["censored"]
    assert found.table.signal.shape == (12, 20)
    assert "'<LOD' of s0 (line 2" in found.open_questions[0].text


def test_pairs_of_columns_are_two_spectra_on_their_own_axes():
    built = understood("x_y_pairs.csv").build()
    assert built.signal.shape == (2, 40)
    assert built.axis.positions[[0, -1]].tolist() == [400, 790]
    assert built.signal[:, 0].tolist() == [0.1181, 0.3603]


def test_triplicates_are_kept_together():
    found = understood("triplicates.csv")
    built = found.build()
    assert np.array_equal(built.groups, np.repeat(np.arange(24), 3))
    assert "24 samples" in next(problem.text for problem in found.problems if problem.kind == "replicates")


@pytest.mark.parametrize("name", ["names_r_gasoline.csv", "names_r_prospectr.csv", "names_parenthesis.csv"])
def test_names_of_channels_are_read_in_every_spelling(name):
    built = understood(name).build()
    assert built.signal.shape == (6, 20)
    assert built.axis.positions[[0, -1]].tolist() == [900, 938]
    assert built.target_names == ("octane",)


@pytest.mark.parametrize(("name", "target"), [("sorted_target.csv", "octane"), ("column_named_energy.csv", "energy")])
def test_a_sorted_target_is_no_axis(name, target):
    found = understood(name)
    assert asked(found) == []
    assert len(found.build()) == 30
    assert target in found.build().target_names[0]


def test_targets_in_rows_above_the_channels_are_kept():
    built = understood("target_row_above.csv").build()
    assert built.signal.shape == (8, 20)
    assert built.targets["Cu"].tolist() == pytest.approx(np.arange(8) / 10)
    assert built.samples["id"].tolist() == [f"s{k}" for k in range(8)]


def test_spectra_without_a_group_are_independent():
    found = understood("blank_groups.csv")
    assert found.build().groups.max() + 1 == 2 + 16  # A and B, and 16 without a batch
    assert any(problem.kind == "blank groups" for problem in found.problems)


def test_excel_reads_a_row_of_units_as_text_does():
    book, text = understood("units_row.xlsx").build(), understood("units_row.csv").build()
    assert np.array_equal(book.signal, text.signal)
    assert book.target_info == text.target_info
    assert book.target_info[0].unit == "mmol/L"


def test_axes_that_differ_by_rounding_are_one_and_no_channel_is_lost():
    found = understood("slack_0.csv", "slack_1.csv")
    assert asked(found) == []
    assert found.build().signal.shape == (2, 50)
    assert any("taken as one" in note for note in found.table.notes)

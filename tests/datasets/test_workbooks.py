"""The same table as text and as a workbook is understood as the same set."""

import io
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from spectra_core.datasets import understand
from spectra_core.datasets.readers.excel import Excel
from tests.datasets.workbooks import BODY, NAMES, as_workbook, outcome, same

FAULTS = Path(os.environ.get("SPECTRA_REFERENCE_DATA") or "absent") / "faults"

TABLES = {
    "plain": [NAMES, *BODY],
    "units row": [NAMES, ["", "mM", *["nm"] * 8], *BODY],
    "sentence above": [["Spectra of copper solutions"], NAMES, *BODY],
    "comments above": [["# instrument: x"], ["# operator: y"], NAMES, *BODY],
    "prefixes": [["sample", "Cu", *[f"A_{at}" for at in range(350, 358)]], *BODY],
    "units in names": [["sample", "Cu", *[f"{at} nm" for at in range(350, 358)]], *BODY],
    "numbers as names": [["sample", "Cu", *range(350, 358)], *BODY],
    "decimal positions": [["sample", "Cu", *[350 + at / 8 for at in range(8)]], *BODY],
    "footer": [NAMES, *BODY, ["Mean", 0.25, *[0.1] * 8]],
    "quotes and commas": [NAMES, *[[f'{row[0]}, 5" "x"', *row[1:]] for row in BODY]],
    "dates": [["sample", "date", *NAMES[1:]], *[[row[0], date(2024, 1, 2), *row[1:]] for row in BODY]],
    "spectra in columns": [
        ["Wavelength (nm)", "a", "b"],
        *[[350 + at, round(at / 7, 4), round(at / 9, 4)] for at in range(9)],
    ],
    "empty line": [NAMES, [""] * 10, *BODY],
}


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_a_workbook_is_understood_as_its_text(rows):
    assert same(rows)[0] != "refused"


def test_a_workbook_without_names_is_asked_about_as_its_text():
    assert same([row[2:] for row in BODY])[0] == "refused"


@pytest.mark.parametrize("word", ["NaN", "#N/A", "---", "OVRFLW", "n/a", ""])
def test_marks_of_missing_values_are_asked_about_alike(word):
    rows = [NAMES, *[list(row) for row in BODY]]
    rows[3][5] = word
    found = same(rows)
    assert found[0] == "refused"
    assert "s2 (line 4 of a.csv) at 353 nm" in found[1]


def test_decimal_commas_as_text_are_numbers():
    rows = [NAMES, *[[row[0], *(f"{cell:.4f}".replace(".", ",") for cell in row[1:])] for row in BODY]]
    assert same(rows) == same([NAMES, *BODY])


def test_decimal_commas_beside_real_numbers_are_numbers():
    rows = [NAMES, *[[row[0], row[1], f"{row[2]:.4f}".replace(".", ","), *row[3:]] for row in BODY]]
    assert outcome(Excel(), as_workbook(rows), "a.xlsx") == same([NAMES, *BODY])


def test_a_merged_heading_is_no_row_of_data():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 9, "Absorbance of copper solutions")
        for at, row in enumerate([NAMES, *BODY], start=2):
            sheet.write_row(at, 0, row)
    built = understand({"a.xlsx": stream.getvalue()}).build()
    assert built.signal.tolist() == [row[2:] for row in BODY]
    assert built.axis.positions[0] == 350


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_table_is_understood_alike(data):
    n_rows, n_channels = data.draw(st.integers(2, 5)), data.draw(st.integers(3, 6))
    number = st.floats(-9.0, 9.0, allow_nan=False).map(lambda value: round(value, 5))
    body = [
        [f"id {at}", data.draw(number), *data.draw(st.lists(number, min_size=n_channels, max_size=n_channels))]
        for at in range(n_rows)
    ]
    style = data.draw(st.sampled_from(["{:g}", "{:g} nm", "X{:g}", "A ({:g})"]))
    names = ["sample", "Cu2+", *[style.format(400 + at) for at in range(n_channels)]]
    above = data.draw(st.sampled_from([[], [["A sentence, with a comma"]], [["# remark"]], [["One"], ["Two"]]]))
    units = data.draw(st.sampled_from([[], [["", "mM", *["nm"] * n_channels]]]))
    same([*above, names, *units, *body])


@pytest.mark.skipif(not FAULTS.is_dir(), reason="SPECTRA_REFERENCE_DATA is not set to a folder with faults/")
def test_units_row_of_the_reference_data():
    one, two = (
        understand({name: (FAULTS / name).read_bytes()}).build() for name in ("units_row.csv", "units_row.xlsx")
    )
    assert np.array_equal(one.signal, two.signal)
    assert one.target_info == two.target_info

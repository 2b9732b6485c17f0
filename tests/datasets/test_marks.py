"""Marks of thousands, two decimal marks, rows a cell short or long: read, asked about, or refused."""

import io
import random

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from numpy.testing import assert_array_equal

from spectra_core.datasets import Recipe, understand
from spectra_core.datasets.readers.naming_rows import plain_numbers
from spectra_core.errors import ReadError
from tests.datasets.tables import CU, IDS, SIGNAL, lines_of
from tests.datasets.test_strangers import HEAD, ROWS, asked, require_whole, understood

COUNTS = 1000 + (SIGNAL * 2e6).round(2)


def counted(mark: str, decimal: str, separator: str) -> str:
    """Write the counts as some spreadsheet shows them."""
    rows = [
        [one, copper.replace(".", decimal), *(f"{value:,.2f}".translate({44: mark, 46: decimal}) for value in row)]
        for one, copper, row in zip(IDS, CU, COUNTS, strict=True)
    ]
    quoted = [[f'"{cell}"' if separator in cell else cell for cell in row] for row in [HEAD, *rows]]
    return lines_of(quoted, separator)


@pytest.mark.parametrize(
    ("mark", "decimal", "separator"),
    [(",", ".", ","), (",", ".", ";"), (".", ",", ";"), ("'", ".", ";"), ("\u2019", ",", "\t"), ("\u202f", ",", ";")],
)
def test_marks_of_thousands_are_read_and_told_of(mark, decimal, separator):
    found = understood(counted(mark, decimal, separator))
    assert np.array_equal(found.build().signal, COUNTS)
    assert found.build().targets["Cu"].tolist() == [float(value) for value in CU]
    assert any("mark their thousands" in said for said in found.warnings)


def test_points_and_commas_that_can_mean_two_things_are_asked_about():
    shown = [[f"{1 + value:.3f}" for value in row] for row in SIGNAL]
    rows = [
        [one, copper, *(cell.replace(".", ",") for cell in row)]
        for one, copper, row in zip(IDS, CU, shown, strict=True)
    ]
    text = lines_of([HEAD, *rows], ";")
    assert asked(understood(text)) == ["decimal marks"]
    values = np.array(shown, dtype=float)
    commas = understand({"f.csv": text.encode()}, Recipe(decimal=",")).build()
    assert np.array_equal(commas.signal, values)
    assert commas.target_names == ()
    dated = [[HEAD[0], "Datum", *HEAD[1:]], *([row[0], f"{at + 1:02d}.03", *row[1:]] for at, row in enumerate(rows))]
    dated = [[*row[:2], str(row[2]).replace(".", ","), *row[3:]] for row in dated]
    assert asked(understood(lines_of(dated, ";"))) == []


@pytest.mark.parametrize("end", [",", ", "])
def test_separators_at_the_ends_of_rows_alone_move_no_channel(end):
    names, *rows = lines_of([HEAD, *ROWS]).splitlines()
    found = understood("\n".join([names, *(row + end for row in rows)]))
    require_whole(found.build())
    assert list(found.ids) == IDS


@pytest.mark.parametrize("n_cells", [1, 5, len(HEAD) - 3, len(HEAD) - 1, len(HEAD) + 1])
@pytest.mark.parametrize("at", [1, 4, 6, 9])
def test_a_row_with_a_cell_too_few_or_too_many_costs_no_rows_above_it(n_cells, at):
    lines = [list(map(str, row)) for row in [HEAD, *ROWS]]
    lines[at] = (lines[at] + ["0.5"])[:n_cells]
    with pytest.raises(ReadError, match=rf"Line {at + 1} has {n_cells} cell"):
        understood(lines_of(lines)).build()


def test_a_hidden_sheet_is_told_of():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        for name in ("now", "old"):
            sheet = book.add_worksheet(name)
            for at, row in enumerate([HEAD, *([f"{name} {row[0]}", *row[1:]] for row in ROWS)]):
                sheet.write_row(at, 0, row)
        sheet.hide()
    assert [said for said in understood(stream.getvalue(), name="a.xlsx").warnings if "hidden" in said] == [
        "a.xlsx / old: This sheet is hidden in the workbook, and read like the others."
    ]


def test_names_in_an_index_of_parquet_are_ids():
    stream = io.BytesIO()
    pd.DataFrame(SIGNAL, index=IDS, columns=HEAD[2:]).to_parquet(stream)
    assert list(understood(stream.getvalue(), name="a.parquet").ids) == IDS


@pytest.mark.parametrize("word", ["RSD %", "%RSD", "CV (%)", "25%", "75 %", "Std.", "Stabw", "rel. std", "Max"])
def test_rows_of_statistics_are_no_samples(word):
    found = understood(lines_of([HEAD, *ROWS, [word, 0.1, *SIGNAL[3]]]))
    require_whole(found.build())
    assert any("summar" in said for said in found.warnings)


def test_what_may_be_the_spectra_is_named_where_none_are_found():
    stream = io.BytesIO()
    np.savez(stream, X=SIGNAL + 1j, wavelengths=np.array(HEAD[2:], dtype=float))
    with pytest.raises(ReadError, match=r"No spectra were found.*Not tables of numbers, and not read: X\."):
        understood(stream.getvalue(), name="a.npz")


def test_cells_that_are_read_together_are_read_as_each_alone():
    rng = random.Random(0)
    strange = ["nan", "-inf", "1_2", "a", "", "1,5", " 7 ", "1e400", "\uff11", "Infinity", "0x1", "+.5", "5.", "-"]
    for n_cells in (1, 511, 512, 513, 1500):
        for share in (0.0, 0.001, 0.5):
            cells = [rng.choice(strange) if rng.random() < share else str(rng.random()) for _ in range(n_cells)]
            values, odd = plain_numbers(cells)
            alone = [plain_numbers([cell]) for cell in cells]
            assert odd == [at for at, (_, own) in enumerate(alone) if own]
            assert_array_equal(values, [own[0] for own, _ in alone])


DRESSES = {
    "as text": "'{}",
    "as a formula": '="{}"',
    "with a power of ten": "{}x10^0",
    "with a raised power": "{} \u00d7 10\u2070",
    "with a star": "{}*10^0",
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("everywhere", [False, True])
def test_numbers_in_a_dress_are_read_and_told_of(dress, everywhere):
    form = DRESSES[dress].format
    rows = [[row[0], form(row[1]), *(form(cell) if everywhere else cell for cell in row[2:])] for row in ROWS]
    found = understood(lines_of([HEAD, *rows], ";"))
    require_whole(found.build())
    assert any("read as numbers" in said for said in found.warnings)


@pytest.mark.parametrize("zero", [0xFF10, 0x0660, 0x06F0])
@pytest.mark.parametrize("point", [".", None])
def test_digits_of_other_scripts_are_digits(zero, point):
    mark = point or {0xFF10: "\uff0e", 0x0660: "\u066b", 0x06F0: "\u066b"}[zero]
    table = {ord("0") + digit: chr(zero + digit) for digit in range(10)} | {ord("."): mark}
    found = understood(lines_of([HEAD, *ROWS], ";").translate(table))
    require_whole(found.build())
    assert any("digits read as plain" in f"{point.value} {point.reason}" for point in found.points)


@pytest.mark.parametrize("minus", "-\u2212\u2010\u2012\u2013\uff0d")
def test_every_minus_is_one(minus):
    rows = [[row[0], row[1], *(f"{minus}{cell}" for cell in row[2:])] for row in ROWS]
    require_whole(understood(lines_of([HEAD, *rows])).build(), signal=-SIGNAL)


def test_zero_bytes_behind_a_text_are_no_part_of_it():
    found = understood(lines_of([HEAD, *ROWS]).encode() + bytes(512))
    require_whole(found.build())
    assert any("zero bytes" in point.value for point in found.points)


def test_ids_with_zeros_stay_names_beside_numbers_in_a_dress():
    rows = [[f"{k:03d}", *row[1:-1], f"'{row[-1]}"] for k, row in enumerate(ROWS)]
    found = understood(lines_of([HEAD, *rows]))
    assert found.ids[7] == "007"
    require_whole(found.build())

"""No table leaves as CSV with a cell that a spreadsheet runs, and what comes back is what went out."""

import ast
import csv
import io
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from spectra_core.cli.shared import wide_table
from spectra_core.datasets import understand
from spectra_core.datasets.formulas import guarded, table_csv, unguarded
from spectra_core.datasets.writers.tables import table_file
from spectra_core.spectra import SpectralAxis, SpectraSet

ROOT = Path(__file__).parents[2]
NASTY = ["=1+1", "+x", "-x", "@SUM(A1)", "\t=x", "\r=x", " =x", "\uff1d1+1", "\uff0bx", "\uff0dx", "\uff20x", "'=x"]
NASTY += ["''", "\ufe66x", "\0=x", "\u200b=x", '"', '"=x"', "a,=x", "'", "-0.5", "+5", "1e-5", "plain", "-0,5", "\n=x"]


def runs(cell):
    """Whether a spreadsheet may run a cell: its first letter that shows is a mark, wide forms folded."""
    head = unicodedata.normalize("NFKC", cell).lstrip(" \0\u200b\u200e\ufeff\xa0")
    is_number = cell.replace(",", ".", 1).replace("e-", "").lstrip("+-").replace(".", "", 1).isdigit()
    return head[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"} and not is_number


def rows_of(content):
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def test_no_cell_heading_or_row_name_runs_and_numbers_stay():
    table = pd.DataFrame(dict.fromkeys(NASTY[:8], NASTY) | {"value": np.arange(len(NASTY)) - 0.5}, index=NASTY)
    table = table.astype({NASTY[1]: "category"})
    rows = rows_of(table_csv(table, index=True))
    assert not any(runs(cell) for row in rows for cell in row[:-1])
    assert rows[1][-1] == "-0.5"


def test_no_cell_runs_where_semicolons_or_tabs_part_cells():
    inside = [
        f"a{mark}{blank}=1+1" for mark in (";", "\t", "\n", ";;", '";"', ";'") for blank in ("", " ", "\u200e", '"')
    ]
    table = pd.DataFrame({"id": NASTY[0], "name": inside, "last": 1.5})
    content = table_csv(table)
    for separator in ";\t":
        for row in csv.reader(io.StringIO(content.decode(), newline=""), delimiter=separator):
            assert not any(runs(cell.strip('"')) for cell in row), row
    assert [unguarded(row[1]) for row in rows_of(content)[1:]] == inside


def test_control_characters_stop_no_workbook():
    table = pd.DataFrame({"i\0d": ["b\0\x1b\ufffe", "<t>&", "=1"], "x": [1.0, np.nan, np.inf]})
    again = pd.read_excel(io.BytesIO(table_file(table, "a.xlsx")), engine="calamine")
    assert again["i\ufffdd"].tolist() == ["b" + 3 * "\ufffd", "<t>&", "=1"]


@given(st.text())
def test_any_text_is_safe_and_comes_back(cell):
    assert unguarded(guarded(cell)) == cell
    assert not runs(guarded(cell)) or guarded(cell) == cell == cell.strip("\u2212")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=8), min_size=1, max_size=5))
def test_a_table_comes_back_equal(cells):
    back = rows_of(table_csv(pd.DataFrame({"a": cells, "b": range(len(cells))})))
    assert [unguarded(row[0]) for row in back[1:]] == cells


def test_a_set_written_as_a_wide_table_reads_back_with_its_names():
    names = [name for name in NASTY if name.strip() == name and name.isprintable() and not runs(name[:0] + "")]
    names = [name for name in names if name.strip("+-0123456789.,e")] + ["two\nlines"]
    spectra = SpectraSet(
        SpectralAxis(np.array([400.0, 401.0, 402.0])),
        np.arange(3.0 * len(names)).reshape(-1, 3) ** 0.5,
        pd.DataFrame({"=Cu": np.linspace(0.1, 1.0, len(names)) ** 2}),
        samples=pd.DataFrame({"id": names}),
    )
    understanding = understand({"a.csv": table_csv(wide_table(spectra))})
    again = understanding.build()
    assert list(again.samples["id"]) == names
    assert again.target_names == ("=Cu",)
    assert any("behind an apostrophe" in note for note in understanding.warnings)
    assert np.array_equal(again.signal, spectra.signal)


def test_no_other_way_leads_to_csv():
    allowed = {ROOT / "spectra_core/datasets/formulas.py", ROOT / "spectra_core/datasets/writers/csv_text.py"}
    found = []
    for folder in ("spectra_core", "ui", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and path not in allowed:
                    is_writer = node.attr == "writer" and isinstance(node.value, ast.Name) and node.value.id == "csv"
                    if node.attr in {"to_csv", "DictWriter", "write_csv", "savetxt"} or is_writer:
                        found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not found

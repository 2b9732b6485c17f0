"""What cells of workbooks show, hide and leave uncomputed: formats, formulas, rows that nobody sees."""

import io
import re
import zipfile

import numpy as np
import pytest
import xlsxwriter

from spectra_core.datasets import Recipe, understand
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.cell_formats import marks_of
from spectra_core.datasets.readers.delimited import DelimitedText
from spectra_core.datasets.readers.excel import Excel
from spectra_core.datasets.understanding import Understanding
from tests.datasets.old_workbooks import xls
from tests.datasets.workbooks import BODY, NAMES, as_csv, book_of, ods_of, outcome, target_shown_as


@pytest.mark.parametrize(
    ("code", "factor", "written"),
    [
        ("0.0%", 1.0, "{:.15g}%"),
        (9, 1.0, "{:.15g}%"),  # 0% and 0.00%, which no file describes
        (10, 1.0, "{:.15g}%"),
        ("[Red]0.00%;-0%", 1.0, "{:.15g}%"),
        ('0.0"%"', 0.01, "{:.15g}%"),
        ('0.0 "mM"', 0.01, "{:.15g} mM"),
        ("#,##0.0", 0.01, "{:.15g}"),
        ('[$€-407] 0.00 "each"', 0.01, "{:.15g}"),
        ("# ?/?", 0.01, "{:.15g}"),
    ],
)
def test_a_target_is_what_is_shown_of_it(code, factor, written):
    rows = [NAMES, *[[row[0], written.format(row[1] * 100 * factor), *row[2:]] for row in BODY]]
    assert outcome(Excel(), target_shown_as(code), "a.xlsx") == outcome(DelimitedText(), as_csv(rows), "a.csv")


def percent_cell(value):
    return (f'office:value-type="percentage" office:value="{value}"',)


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_percent_among_plain_numbers_is_asked_about(form):
    ods = ods_of(
        [NAMES, *[[row[0], percent_cell(0.003) if at == 3 else row[1], *row[2:]] for at, row in enumerate(BODY)]]
    )
    content = ods if form == "ods" else target_shown_as("0.0%", [3], 0.01)
    (said,) = understand({f"a.{form}": content}).open_questions
    assert said.kind == "target gaps"
    assert f"s3 (line 5 of a.{form}, '0.3%')" in said.text


def test_words_in_cells_of_percent_are_words():
    def fill(sheet, style):
        for row in range(6):
            sheet.write_number(row + 1, 1, BODY[row][1], style("0.0%"))
        sheet.write_string(3, 1, "n.d.", style("0.0%"))

    rows = [NAMES, *[[row[0], f"{100 * row[1]:.15g}%", *row[2:]] for row in BODY]]
    rows[3][1] = "n.d."
    assert outcome(Excel(), book_of(fill), "a.xlsx") == outcome(DelimitedText(), as_csv(rows), "a.csv")


@pytest.mark.parametrize(("heading", "named"), [(str, "'350', '351', '352'"), (float, "C, D, E")])
def test_spectra_in_percent_stay_numbers_and_it_is_told(heading, named):
    def fill(sheet, style):
        for row, column in np.ndindex(6, 8):
            sheet.write_number(row + 1, column + 2, BODY[row][column + 2], style("0.0%"))
        for column in range(8):
            sheet.write(0, column + 2, heading(350 + column))

    found = understand({"a.xlsx": book_of(fill)})
    assert found.build().signal.tolist() == [row[2:] for row in BODY]
    assert (
        f"a.xlsx: Numbers in columns {named} and 5 more are shown as percent: 5 % was read as 0.05." in found.warnings
    )


def test_a_few_cells_in_percent_among_spectra_in_percent_are_asked_about():
    """Half a channel in percent is no spectrum in percent: 30 % beside 0.3 may be a hundred times as much."""

    def fill(sheet, style):
        for row, column in np.ndindex(6, 8):
            if column != 3 or row < 2:
                sheet.write_number(row + 1, column + 2, BODY[row][column + 2], style("0.0%"))

    found = understand({"a.xlsx": book_of(fill)})
    assert any("s0 (line 2 of a.xlsx) at 353 nm" in said.text for said in found.open_questions)


def test_percent_beside_decimal_commas_is_read_as_its_text():
    def fill(sheet, style):
        for row in range(6):
            sheet.write_number(row + 1, 1, BODY[row][1] / 8, style("0.0%"))
            sheet.write_string(row + 1, 2, f"{BODY[row][2]:.4f}".replace(".", ","))

    rows = [[row[0], f"{100 * row[1] / 8:.15g}%", *(f"{cell:.4f}" for cell in row[2:])] for row in BODY]
    commas = [NAMES, *[[cell.replace(".", ",") for cell in row] for row in rows]]
    found = outcome(Excel(), book_of(fill), "a.xlsx")
    assert found == outcome(DelimitedText(), as_csv(commas), "a.csv")
    assert found[4] == [[100 * row[1] / 8] for row in BODY]


def test_marks_do_not_hang_on_where_a_sheet_begins_or_in_what_pieces_it_is_read(monkeypatch):
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([NAMES, *BODY]):
            sheet.write_row(at + 3, 30, row)
        for row in range(6):
            sheet.write_number(row + 4, 31, BODY[row][1], book.add_format({"num_format": "0.0%"}))
        sheet.write_formula(5, 32, "=A1*2", None, 0)
    archive = zipfile.ZipFile(io.BytesIO(stream.getvalue()))
    whole = [(row, 31, 1) for row in range(4, 10)] + [(5, 32, 0)]
    for size in (1 << 20, *range(20, 90)):
        monkeypatch.setattr("spectra_core.datasets.readers.cell_formats._CHUNK", size)
        (marks,) = marks_of(archive, frozenset({"xl/worksheets/sheet1.xml"}), [(9, 40)])
        assert sorted(zip(marks.rows, marks.columns, marks.numbers, strict=True)) == sorted(whole)
    for size in (1 << 20, 37):
        monkeypatch.setattr("spectra_core.datasets.readers.cell_formats._CHUNK", size)
        found = understand({"a.xlsx": stream.getvalue()})
        assert any("in column '350'" in said and "never computed" in said for said in found.warnings)
        (asked,) = [said for said in found.open_questions if "never computed" in said.text or "350" in said.text]
        assert "s1 (line 6 of a.xlsx" in asked.text


def test_numbers_shown_in_thousands_are_told_of():
    found = understand({"a.xlsx": target_shown_as("0.0,")})
    assert any("column 'Cu' are shown divided by 1,000" in said for said in found.warnings)
    assert found.build().target_values.ravel().tolist() == [row[1] for row in BODY]


def formulas(place, value):
    """Formulas in a target, an id, a channel or a name, without their values as programs leave them."""
    cells = {"target": [(at, 1) for at in range(1, 7)], "id": [(at, 0) for at in range(1, 7)]}
    cells |= {"channel": [(at, 4) for at in range(1, 7)], "name": [(0, at) for at in range(3, 10)]}

    def fill(sheet, _style):
        for row, column in cells[place]:
            sheet.write_formula(row, column, "=B2*2", None, value)

    return book_of(fill)


@pytest.mark.parametrize("value", [0, ""])
@pytest.mark.parametrize("place", ["target", "id", "channel", "name"])
def test_formulas_that_were_never_computed_stop_the_import(place, value):
    content = formulas(place, value)
    if value == "":  # as openpyxl writes them
        stream = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
            for name in old.namelist():
                new.writestr(name, re.sub(rb' t="str"|(?<=</f>)<v></v>', b"", old.read(name)))
        content = stream.getvalue()
    found = understand({"a.xlsx": content})
    assert found.open_questions
    assert any("never computed" in said and "open it in a spreadsheet program" in said for said in found.warnings)
    if place != "channel":
        assert "Open the workbook in a spreadsheet program, save it" in found.open_questions[0].text


def test_a_column_of_formulas_without_values_can_be_left_out():
    (asked,) = understand({"a.xlsx": formulas("target", 0)}).open_questions
    assert asked.text.startswith("The formulas in 'Cu' of 6 spectra were never computed")
    built = understand({"a.xlsx": formulas("target", 0)}, Recipe(**asked.choices[0].changes)).build()
    assert built.n_targets == 0


def test_zeros_among_computed_values_are_zeros():
    def fill(sheet, _style):
        for row in range(6):
            sheet.write_formula(row + 1, 1, "=C2*2", None, BODY[row][1])

    assert understand({"a.xlsx": book_of(fill)}).build().target_values.ravel().tolist() == [row[1] for row in BODY]


def test_zeros_are_zeros_in_a_workbook_that_asks_for_no_computing():
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(formulas("target", 0))) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b' fullCalcOnLoad="1"', b""))
    assert understand({"a.xlsx": stream.getvalue()}).build().target_values.ravel().tolist() == [0.0] * 6


def test_a_formula_that_gives_no_text_was_computed():
    def fill(sheet, _style):
        sheet.write_string(0, 10, "remark")
        for row in range(6):
            sheet.write_formula(row + 1, 10, '=""', None, "" if row else "first")

    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book_of(fill))) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():  # as Excel writes them
            new.writestr(name, re.sub(rb'(<c r="K[0-9]+")(?=><f>)', rb'\1 t="str"', old.read(name)))
    found = understand({"a.xlsx": stream.getvalue()})
    assert not any("never computed" in said for said in found.warnings)
    assert found.build().signal.tolist() == [row[2:] for row in BODY]


def test_formulas_without_values_in_an_open_document_stop_the_import():
    never = ('table:formula="of:=[.C2]*2"',)
    (asked,) = understand({"a.ods": ods_of([NAMES, *[[row[0], never, *row[2:]] for row in BODY]])}).open_questions
    assert asked.kind == "formulas"


def test_what_an_open_document_writes_once_for_several_cells_is_marked_in_each():
    names, percent = ["sample", "Cu", "Zn", "Ni", *NAMES[2:]], "office:value-type='percentage' office:value='0.005'"
    rows = [names, *[[row[0], row[1], row[1], row[1], *row[2:]] for row in BODY]]
    rows[2] = [BODY[1][0], (f"table:number-columns-repeated='2' {percent}",), (percent,), *BODY[1][2:]]
    (asked,) = understand({"a.ods": ods_of(rows)}).open_questions
    assert all(f"{name}: s1 (line 3 of a.ods, '0.5%')" in asked.text for name in ("Cu", "Zn", "Ni"))
    rows = [NAMES, *[list(row) for row in BODY]]
    rows[2][1] = rows[4][1] = (percent,)
    (asked,) = understand({"a.ods": ods_of(rows, repeated=2)}).open_questions
    assert all(f"{name} of a.ods, '0.5%'" in asked.text for name in ("s1 (line 3", "s1 (line 4", "s3 (line 6"))


def test_dates_in_place_of_concentrations_are_told_of():
    found = understand({"a.xlsx": target_shown_as("dd.mm.yyyy")})
    assert any("Not used as targets" in said and "Cu" in said for said in found.warnings)


def test_sheets_without_cells_and_charts_are_passed_over():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        book.add_worksheet("empty")
        sheet = book.add_worksheet("data")
        for at, row in enumerate([NAMES, *BODY]):
            sheet.write_row(at, 0, row)
        sheet.write_number(4, 1, 0.003, book.add_format({"num_format": "0.0%"}))
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=data!$C$2:$J$2"})
        book.add_chartsheet("chart").set_chart(chart)
    (asked,) = understand({"a.xlsx": stream.getvalue()}).open_questions
    assert "s3 (line 5 of a.xlsx, '0.3%')" in asked.text


COPPER = [(row, 1) for row in range(1, 7)]


@pytest.mark.parametrize("code", ["0%", "0.00%", '0.0 "mM"'])
def test_a_target_of_an_old_workbook_is_what_is_shown_of_it(code):
    new, old = target_shown_as(code), xls([NAMES, *BODY], code=code, shown=COPPER)
    assert outcome(Excel(), old, "a.xls")[1:] == outcome(Excel(), new, "a.xls")[1:]
    assert understand({"a.xls": old}).target_info[0].unit == ("%" if "%" in code else "mmol/L")


def test_what_an_old_workbook_hides_is_asked_about_or_told():
    found = understand({"a.xls": xls([NAMES, *BODY], hidden_rows=[3, 5], hidden_columns=[4])})
    (said,) = found.open_questions
    assert "s2 (line 4 of a.xls), s4 (line 6 of a.xls)" in said.text
    assert any("hidden are read like the others: 352." in said for said in found.warnings)


@pytest.mark.parametrize(("version", "is_known"), [(0x0600, True), (0x0500, False)])
def test_a_workbook_whose_formats_are_not_read_says_so(version, is_known, monkeypatch):
    monkeypatch.setattr("spectra_core.datasets.readers.old_cell_formats._BIFF8", version)
    (said,) = [one for one in understood_here(xls([NAMES, *BODY])).points if one.key == "format"]
    assert ("5 % is 0.05" in said.reason) != is_known


def understood_here(content):
    return Understanding(Excel().read(content, "a.xls", Dialect()), Recipe(), (("a.xls", ""),))


def hidden(sheet, style):
    sheet.set_row(3, None, None, {"hidden": True})
    sheet.set_row(5, None, None, {"hidden": True})


def filtered(sheet, style):
    sheet.autofilter(0, 0, 6, 9)
    sheet.filter_column(1, "x > 1")
    for row in (3, 5):
        sheet.set_row(row, None, None, {"hidden": True})


def hidden_in_ods():
    content = ods_of([NAMES, *BODY])
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            rows = old.read(name).split(b"<table:table-row>")
            marked = [b' table:visibility="filter">' if at in (3, 5) else b">" for at in range(len(rows) - 1)]
            parts = [b"<table:table-row" + mark + row for mark, row in zip(marked, rows[1:], strict=True)]
            new.writestr(name, rows[0] + b"".join(parts))
    return stream.getvalue()


@pytest.mark.parametrize("make", [lambda: book_of(hidden), lambda: book_of(filtered), hidden_in_ods])
def test_rows_that_nobody_sees_are_asked_about(make):
    files = {"a.xlsx": make()}
    (said,) = understand(files).open_questions
    assert said.kind == "hidden rows"
    assert "s2 (line 4 of a.xlsx), s4 (line 6 of a.xlsx)" in said.text
    kept, without = (understand(files, Recipe(hidden_rows=what)).build() for what in ("keep", "leave out"))
    assert kept.samples["id"].tolist() == [row[0] for row in BODY]
    assert without.samples["id"].tolist() == ["s0", "s1", "s3", "s5"]


def test_columns_that_nobody_sees_are_read_and_told_of():
    found = understand({"a.xlsx": book_of(lambda sheet, _style: sheet.set_column(4, 5, None, None, {"hidden": True}))})
    assert found.build().signal.tolist() == [row[2:] for row in BODY]
    assert any("hidden are read like the others: 352, 353." in said for said in found.warnings)


def test_many_styles_name_few_formats():
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(target_shown_as("0.0%"))) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/styles.xml":
                data = data.replace(b"</cellXfs>", b'<xf numFmtId="0" xfId="0"/>' * 40_000 + b"</cellXfs>")
            new.writestr(name, data)
    assert understand({"a.xlsx": stream.getvalue()}).build().target_info[0].unit == "%"

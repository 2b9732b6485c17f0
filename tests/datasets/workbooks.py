"""Workbooks that tests write, and what is read of them."""

import csv
import io
import zipfile
from datetime import date

import numpy as np
import xlsxwriter

from spectra_core.datasets import Recipe
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.delimited import DelimitedText
from spectra_core.datasets.readers.excel import Excel
from spectra_core.datasets.understanding import Understanding
from spectra_core.errors import ReadError

NAMES = ["sample", "Cu", *[str(350 + at) for at in range(8)]]
BODY = [[f"s{row}", row / 10, *(np.round(np.sin(np.arange(8) + row), 4).tolist())] for row in range(6)]


def as_csv(rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode()


def as_workbook(rows):
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(at, column, cell)
                elif isinstance(cell, date):
                    sheet.write_datetime(at, column, cell, book.add_format({"num_format": "yyyy-mm-dd"}))
                elif cell is not None:
                    sheet.write_number(at, column, cell)
    return stream.getvalue()


def book_of(fill):
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([NAMES, *BODY]):
            sheet.write_row(at, 0, row)
        fill(sheet, lambda code: book.add_format({"num_format": code}))
    return stream.getvalue()


def target_shown_as(code, rows=range(6), factor=1.0):
    def fill(sheet, style):
        for row in rows:
            sheet.write_number(row + 1, 1, BODY[row][1] * factor, style(code))

    return book_of(fill)


def ods_of(rows, repeated=None):
    """Write a sheet as LibreOffice does; cells are text, numbers, or attributes of a cell; a row may stand for two."""
    kinds = {str: "<table:table-cell office:value-type='string'><text:p>{}</text:p></table:table-cell>"}
    kinds[float] = kinds[int] = '<table:table-cell office:value-type="float" office:value="{}"/>'
    kinds[tuple] = "<table:table-cell {0[0]}/>"
    twice = {repeated: ' table:number-rows-repeated="2"'}
    cells = "".join(
        f"<table:table-row{twice.get(at, '')}>"
        f"{''.join(kinds[type(cell)].format(cell) for cell in row)}</table:table-row>"
        for at, row in enumerate(rows)
    )
    space = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    sheet = f'<table:table table:name="S">{cells}</table:table>'
    inside = f"<office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body>"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<x/>")
        archive.writestr("content.xml", f"<office:document-content {space}>{inside}</office:document-content>")
    return stream.getvalue()


def outcome(reader, content, name):
    try:
        understanding = Understanding(reader.read(content, name, Dialect()), Recipe(), ((name, ""),))
        built = understanding.build()
    except ReadError as error:
        return "refused", str(error).replace(".xlsx", ".csv")
    beside = [one.column.cells() for one in understanding.roles]
    return (
        built.signal.tolist(),
        beside,
        built.axis,
        built.target_info,
        built.target_values.tolist(),
        list(built.samples["id"]),
    )


def same(rows):
    text = outcome(DelimitedText(), as_csv(rows), "a.csv")
    book = outcome(Excel(), as_workbook(rows), "a.xlsx")
    assert book == text
    return book

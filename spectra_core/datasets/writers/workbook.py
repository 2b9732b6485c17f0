"""XLSX: a sheet with the table and one with the document, written directly so that numbers keep all 17 digits."""

import io
import math
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar
from xml.sax.saxutils import escape

import pandas as pd

from spectra_core.datasets.writers.base import table_of
from spectra_core.errors import ConfigError
from spectra_core.spectra import SpectraSet

MAX_COLUMNS, MAX_ROWS, MAX_TEXT = 16_384, 1_048_576, 32_000
ABOUT = "latent-spectra"
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""What XML cannot hold, not even escaped: with it, no program opens the workbook."""
_UNKNOWN = "\ufffd"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


@dataclass(frozen=True)
class Xlsx:
    """Excel workbook."""

    title: ClassVar[str] = "Excel"
    explanation: ClassVar[str] = "One spectrum a row; a second sheet says what it is."
    extension: ClassVar[str] = ".xlsx"
    mime: ClassVar[str] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def write(self, spectra: SpectraSet) -> bytes:
        """Write numbers as numbers and everything else as text."""
        table = table_of(spectra)
        n_columns = len(table.header)
        longest = max((len(cell) for cells in table.samples for cell in cells), default=0)
        if n_columns > MAX_COLUMNS or len(spectra) + 1 > MAX_ROWS or longest > MAX_TEXT:
            raise ConfigError(
                f"An Excel sheet holds {MAX_ROWS:,} rows, {MAX_COLUMNS:,} columns and {MAX_TEXT:,} characters a cell; "
                f"this set needs {len(spectra) + 1:,} rows, {n_columns:,} columns and {longest:,} characters. "
                "Export it as Parquet."
            )
        names = [_letters(number) for number in range(n_columns)]
        rows: list[Sequence[str | float]] = [table.header]
        rows += [
            [*(cells[row] for cells in table.samples), *table.targets[row].tolist(), *spectra.signal[row].tolist()]
            for row in range(len(spectra))
        ]
        document = table.document.to_json()
        pieces = [document[start : start + MAX_TEXT] for start in range(0, len(document), MAX_TEXT)]
        about: list[Sequence[str | float]] = [[ABOUT], *([piece] for piece in pieces)]
        return _package({"Spectra": _sheet(rows, names), "About": _sheet(about, names)})


def table_workbook(table: pd.DataFrame) -> bytes:
    """Return a table as a workbook of one sheet; numbers that are none stay empty, and no text is a formula.

    Raises
    ------
    ConfigError
        When a sheet cannot hold it.
    """
    if len(table) + 1 > MAX_ROWS or table.shape[1] > MAX_COLUMNS:
        raise ConfigError(
            f"An Excel sheet holds {MAX_ROWS:,} rows; this table has {len(table):,}. Write it as Parquet."
        )
    columns = [
        [value if isinstance(value, float) and math.isfinite(value) else "" for value in values.astype(float).tolist()]
        if pd.api.types.is_numeric_dtype(values)
        else [str(value)[:MAX_TEXT] for value in values]
        for _, values in table.items()
    ]
    rows: list[Sequence[str | float]] = [[str(name) for name in table.columns], *zip(*columns, strict=True)]
    return _package({"Table": _sheet(rows, [_letters(number) for number in range(table.shape[1])])})


def _letters(number: int) -> str:
    """Return the name of a column.

    >>> _letters(0), _letters(26), _letters(16383)
    ('A', 'AA', 'XFD')
    """
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def _sheet(rows: Iterable[Sequence[str | float]], names: Sequence[str]) -> str:
    lines = [f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>']
    for number, row in enumerate(rows, 1):
        cells = "".join(_cell(f"{names[at]}{number}", value) for at, value in enumerate(row))
        lines.append(f'<row r="{number}">{cells}</row>')
    lines.append("</sheetData></worksheet>")
    return "".join(lines)


def _cell(address: str, value: str | float) -> str:
    if isinstance(value, str):
        text = escape(_UNWRITABLE.sub(_UNKNOWN, value))
        return f'<c r="{address}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    return f'<c r="{address}"><v>{value!r}</v></c>'


def _package(sheets: dict[str, str]) -> bytes:
    numbers = range(1, len(sheets) + 1)
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers
    )
    types = (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{_TYPE}.sheet.main+xml"/>{overrides}</Types>'
    )
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in zip(numbers, sheets, strict=True)
    )
    book = f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><sheets>{listed}</sheets></workbook>'
    root = f'<Relationship Id="rId1" Type="{_RELATION}/officeDocument" Target="xl/workbook.xml"/>'
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_RELATION}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    around = f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", f"{around}{root}</Relationships>")
        archive.writestr("xl/workbook.xml", book)
        archive.writestr("xl/_rels/workbook.xml.rels", f"{around}{links}</Relationships>")
        for number, sheet in zip(numbers, sheets.values(), strict=True):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", sheet)
    return stream.getvalue()

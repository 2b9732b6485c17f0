"""Excel workbooks through calamine, after a look at the sizes their sheets declare."""

import datetime
import re
import zipfile
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from spectra_core.datasets.document import Document
from spectra_core.datasets.limits import require_cells
from spectra_core.datasets.numbers import parse_number
from spectra_core.datasets.own import own_grid
from spectra_core.datasets.parts import Grid, Part
from spectra_core.datasets.questions import listed
from spectra_core.datasets.readers.archives import opened_zip
from spectra_core.datasets.readers.base import Dialect, Reader
from spectra_core.datasets.readers.cary import Cary
from spectra_core.datasets.readers.cell_formats import Amount, Marks, digits, mark_cells, marks_of
from spectra_core.datasets.readers.cells import grid_of_cells
from spectra_core.datasets.readers.delimited import DelimitedText
from spectra_core.datasets.readers.old_cell_formats import marks_of_xls
from spectra_core.errors import ZIP_FAULTS, ReadError

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml\Z", re.IGNORECASE)
_CHUNK = 1 << 20
_HEAD = 20_000
_BLANK_ROWS = 1_000
_UNSEEN = (
    "binary: how numbers are shown and what is hidden is not read, so that 5 % is 0.05; save it as .xlsx to be sure"
)
ABOUT = "latent-spectra"


@dataclass(frozen=True)
class Excel:
    """Sheets of a workbook."""

    title: ClassVar[str] = "Excel"
    explanation: ClassVar[str] = "Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods); every sheet with cells is a table."

    def recognises(self, head: bytes, name: str) -> bool:
        """A zip that starts with office parts, or an OLE file with a name of old Excel."""
        if head.startswith(b"PK\x03\x04"):
            names = (
                b"[Content_Types].xml",
                b"xl/",
                b"_rels/.rels",
                b"docProps/",
                b"application/vnd.oasis.opendocument.spreadsheet",
            )
            return any(one in head[:4096] for one in names) or name.endswith((".xlsx", ".xlsm", ".xlsb", ".ods"))
        return head.startswith(_OLE) and (name.endswith(".xls") or "Workbook".encode("utf-16-le") in head)

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return one table per sheet."""
        formulas = frozenset() if data.startswith(_OLE) else require_modest_sheets(data, name)
        sheets = _sheets(data, name, formulas)
        if len(sheets) == 2 and sheets[1].rows[0][0] == ABOUT:
            return [_own_table(sheets[0].rows, sheets[1].rows, name)]
        parts: list[Part] = []
        for sheet in sheets:
            label = f"{name} / {sheet.title}" if len(sheets) > 1 else name
            found = _as_text(sheet.rows, sheet.first_row, label, dialect, alone=len(sheets) == 1)
            more = {"hidden rows": sheet.hidden_rows} if sheet.hidden_rows else {}
            more |= {} if sheet.is_seen else {"format": f"Excel workbook ({_UNSEEN})"}
            parts += [replace(part, notes=(*part.notes, *sheet.notes), facts={**part.facts, **more}) for part in found]
        return parts


def _as_text(rows: list[list[Any]], first_row: int, name: str, dialect: Dialect, *, alone: bool) -> list[Part]:
    """Return what the sheet holds when it is read as the text that a spreadsheet saves of it.

    One way from cells to a table, whether it came as text or as a workbook.
    """
    written = [[_written(value) for value in row] for row in rows]
    words = [cell for row in written for cell in row if isinstance(cell, str) and "," in cell]
    comma = any(parse_number(cell, ",") is not None for cell in words)
    decimal = dialect.decimal or ("," if comma else ".")
    written = [[cell.text(decimal) if isinstance(cell, Amount) else cell for cell in row] for row in written]
    n_above = _first_wide(written)
    lines = [_line(row, decimal, alone=number < n_above) for number, row in enumerate(written)]
    text = "\n".join([""] * min(first_row, _BLANK_ROWS) + lines)
    reader: Reader = DelimitedText()
    if Cary().recognises(text[:_HEAD].encode(), name):
        reader = Cary()
    try:
        parts = reader.read(text.encode(), name, replace(dialect, separator=",", decimal=decimal, encoding="utf-8"))
    except ReadError:
        if alone and any(isinstance(cell, float) for row in written for cell in row):
            raise
        # Text alone, or a sheet beside others: remarks, or a table of names to be joined.
        grid = grid_of_cells(written, name, "excel", dialect.header_rows)
        return [] if grid is None else [grid]
    # A decimal comma is told of, and amounts with units are read by it; a point, as a workbook has, is not.
    told = ("decimal",) if decimal == "," else ()
    return [
        replace(part, format="excel", facts={"format": "Excel workbook", **{key: part.facts[key] for key in told}})
        for part in parts
    ]


def _line(row: list[float | str], decimal: str, *, alone: bool) -> str:
    cells = [_quoted(digits(cell).replace(".", decimal) if isinstance(cell, float) else cell) for cell in row]
    while alone and len(cells) > 1 and not cells[-1]:
        cells.pop()  # a sentence above the table is a line of its own, not a row with empty cells
    return ",".join(cells)


def _first_wide(rows: list[list[float | str]]) -> int:
    """Return the first row with more than one filled cell."""
    return next((number for number, row in enumerate(rows) if sum(cell != "" for cell in row) > 1), 0)


def _quoted(cell: str) -> str:
    cell = " ".join(cell.split())
    return '"' + cell.replace('"', '""') + '"' if '"' in cell or "," in cell else cell


def require_modest_sheets(data: bytes, name: str) -> frozenset[str]:
    """Refuse a workbook whose cells lie so far apart that the table between them would fill the memory.

    Returns
    -------
    frozenset
        The members that may hold formulas, or what is hidden.

    Raises
    ------
    ReadError
        Before any cell is read.
    """
    archive = opened_zip(data, name)
    formulas = set()
    for member in archive.infolist():
        if not _SHEET.match(member.filename):
            continue
        n_rows, n_columns, has_formulas = _extent(archive, member, name)
        formulas |= {member.filename} if has_formulas else set()
        require_cells(n_rows, n_columns, f"The sheet in {name}")
        if n_rows * n_columns > 50_000 + 4 * member.file_size:
            raise ReadError(
                f"A sheet in {name} spans {n_rows:,} x {n_columns:,} cells but is nearly empty. "
                "Delete what lies far from the table, and save it again."
            )
    return frozenset(formulas)


def _extent(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> tuple[int, int, bool]:
    """Return the last row and column that hold a cell; and whether there may be a formula, or something hidden."""
    last_row = last_column = 0
    has_formulas = False
    rest = b""
    try:
        with archive.open(member) as stream:
            while piece := stream.read(_CHUNK):
                text = rest + piece
                has_formulas |= b"<f" in text or b":f" in text or b"hidden=" in text
                for letters, digits in set(_CELL.findall(text)):
                    column = 0
                    for letter in letters:
                        column = column * 26 + letter - 64
                    last_row, last_column = max(last_row, int(digits)), max(last_column, column)
                rest = text[-80:]
    except ZIP_FAULTS as error:
        raise ReadError(f"{name} is damaged: a sheet cannot be unpacked. Copy or download it again.") from error
    return last_row, last_column, has_formulas


class _Sheet(NamedTuple):
    """Name, number of empty rows above, cells, what to say, rows that nobody sees, and whether those are known."""

    title: str
    first_row: int
    rows: list[list[Any]]
    notes: tuple[str, ...]
    hidden_rows: str
    is_seen: bool


def _sheets(data: bytes, name: str, formulas: frozenset[str]) -> list[_Sheet]:
    """Return every sheet that holds any cells."""
    import io

    import python_calamine

    found: list[tuple[str, tuple[int, int], list[list[Any]], bool]] = []
    ends: list[tuple[int, int]] = []
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        for about in book.sheets_metadata:
            sheet = book.get_sheet_by_name(about.name)
            start = sheet.start or (0, 0)
            ends.append(sheet.end or (0, 0))
            hidden = about.visible != python_calamine.SheetVisibleEnum.Visible
            found.append((about.name, start, sheet.to_python(skip_empty_area=True), hidden))
        if data.startswith(_OLE):
            marks = marks_of_xls(data, len(found))
        else:
            marks = marks_of(opened_zip(data, name), formulas, ends)
    except (python_calamine.CalamineError, *ZIP_FAULTS, ValueError, KeyError, IndexError) as error:
        raise ReadError(
            f"{name} is no readable Excel file: it is damaged, cut off or protected. Save it again."
        ) from error
    sheets = []
    is_seen = bool(marks) or not (data.startswith(_OLE) or b"xl/workbook.bin" in data)
    for at, (title, start, rows, hidden) in enumerate(found):
        unseen = marks[at] if at < len(marks) else Marks()
        told = ["This sheet is hidden in the workbook, and read like the others."] if hidden else []
        told += mark_cells(rows, start, unseen) if unseen.ways or unseen.rows else ()
        columns = [one - start[1] for one in unseen.hidden_columns]
        named = [str(rows[0][one]) or str(one + 1) for one in columns if rows and 0 <= one < len(rows[0])]
        told += [f"Columns that are hidden are read like the others: {listed(named)}."] if named else []
        if any(cell != "" for row in rows for cell in row):
            sheets.append(
                _Sheet(title, start[0], rows, tuple(told), " ".join(str(one + 1) for one in unseen.hidden), is_seen)
            )
    return sheets


def _own_table(rows: list[list[Any]], about: list[list[Any]], name: str) -> Grid:
    """Return a table that this program wrote; the second sheet says what each column is."""
    document = Document.from_json("".join(str(row[0]) for row in about[1:]))
    n_text, n_side = len(document.samples), len(document.samples) + len(document.targets)
    try:
        positions = np.array([float(cell) for cell in rows[0][n_side:]])
        numbers = np.array([[float(cell) for cell in row[n_text:]] for row in rows[1:]])
    except (TypeError, ValueError) as error:
        raise ReadError(f"A cell of {name} that held a number holds something else now: it was changed.") from error
    samples = [[str(row[at]) for row in rows[1:]] for at in range(n_text)]
    n_targets = len(document.targets)
    if numbers.ndim != 2:
        raise ReadError(f"{name} holds names but no rows. It was changed.")
    return own_grid(
        document, samples, numbers[:, :n_targets], positions, numbers[:, n_targets:], name=name, form="excel"
    )


def _written(value: Any) -> float | str:
    """Return a number as such and everything else as the text a person sees."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, Amount):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value).strip()

"""What a workbook says of its cells besides their values: shown as percent or with a unit, never computed, hidden."""

import posixpath
import re
import zipfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.ions import concentration_unit
from spectra_core.datasets.questions import listed

Cell = tuple[int, int]

_CHUNK = 1 << 20
_EXACT = 2**53
_MOST_OF_A_PART, _MOST_OF_A_CODE = 16 << 20, 200
_ATTRIBUTE = re.compile(rb"(?<![\w:.-])([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_TOKEN = re.compile(rb"<(?:\w+:)?(?:(row)\b([^<>]*)>|c\b([^<>]*+)>((?:[^<]++|<(?!/?(?:\w+:)?(?:c|row)\b))*+))")
_TOKEN_OF_ODS = re.compile(rb"<table:(?:(table)|(table-row)|(?:covered-)?table-cell)(?=[\s/>])([^<>]*)>")
_FORMULA, _VALUE = re.compile(rb"<(?:\w+:)?f[\s/>]"), re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]+)<")
_COLUMN = re.compile(rb"<(?:\w+:)?col\s([^<>]*)>")
_YES, _MOST_HIDDEN = ("1", "true"), 16_384
_FORMAT = re.compile(rb"<(?:\w+:)?numFmt\s(?=[^<>]*?\bnumFmtId\s*=\s*[\"'](\d{1,7})[\"'])[^<>]*>")
_STYLE = re.compile(rb"<(?:\w+:)?xf\b(?:[^<>]*?\bnumFmtId\s*=\s*[\"'](\d{1,7})[\"'])?[^<>]*>")
PERCENTS: Final = {9: "0%", 10: "0.00%"}
"""Formats that need no description in the file."""
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|[_*].|\[[^\]]*\]')


NEVER_COMPUTED = "formula never computed"
"""What stands in place of the value that a formula has not got."""


class Amount(float):
    """A number that is shown with a unit.

    Parameters
    ----------
    unit
        As it is shown.
    """

    unit = ""

    def text(self, decimal: str) -> str:
        """Return what a person sees, with all digits."""
        return f"{digits(float(self)).replace('.', decimal)}{'' if self.unit == '%' else ' '}{self.unit}"


def digits(value: float) -> str:
    """Return a number as text that reads back as the same number."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < _EXACT else repr(value)


@dataclass(frozen=True)
class Shown:
    """How a number is shown: multiplied by a factor, before a unit."""

    factor: float = 1.0
    unit: str = ""


@dataclass(frozen=True)
class Marks:
    """Cells of a sheet that are more than their value; rows and columns are counted from 0.

    Parameters
    ----------
    ways
        How cells are shown, from number 1 on.
    rows, columns, numbers
        One entry per marked cell; the number of its way, or 0 for a formula that was never computed.
    hidden, hidden_columns
        What nobody sees, by hand or by a filter.
    """

    ways: tuple[Shown, ...] = ()
    rows: "array[int]" = field(default_factory=lambda: array("I"))
    columns: "array[int]" = field(default_factory=lambda: array("I"))
    numbers: "array[int]" = field(default_factory=lambda: array("I"))
    hidden: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)

    def add(self, row: int, column: int, number: int) -> None:
        """Mark a cell."""
        self.rows.append(row)
        self.columns.append(column)
        self.numbers.append(number)

    def over(self, start: Cell, shape: Cell) -> NDArray[np.int32]:
        """Return the marks of the cells from `start` on: -1 for none."""
        found = np.full(shape, -1, dtype=np.int32)
        rows, columns = np.asarray(self.rows, np.int64) - start[0], np.asarray(self.columns, np.int64) - start[1]
        inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        found[rows[inside], columns[inside]] = np.asarray(self.numbers, np.int32)[inside]
        return found


def shown_as(code: str) -> Shown | None:
    """Return how a number format shows a number, where that is another amount than is stored, or one with a unit.

    >>> shown_as("0.0%"), shown_as('0.0" mM"')
    (Shown(factor=100.0, unit='%'), Shown(factor=1.0, unit='mM'))
    >>> shown_as('0.00"%"'), shown_as("0.0,")
    (Shown(factor=1.0, unit='%'), Shown(factor=0.001, unit=''))
    >>> [shown_as(code) for code in ("General", "#,##0.00", "[$€-407] 0.00", '0 "pieces"', "dd.mm.yyyy")]
    [None, None, None, None, None]
    """
    code = code[:_MOST_OF_A_CODE]
    words = "".join(found[1] or found[2] or "" for found in _LITERAL.finditer(code)).strip()
    bare = _LITERAL.sub("", code)
    if "%" in bare:
        return Shown(100.0, "%")
    unit = words if concentration_unit(words) else ""
    commas = re.search(r"[0#?](,+)(?![0#?,])", bare.split(";")[0])
    factor = 1e-3 ** len(commas[1]) if commas else 1.0
    return Shown(factor, unit) if unit or commas else None


def marks_of(archive: zipfile.ZipFile, with_formulas: frozenset[str], ends: list[Cell]) -> list[Marks]:
    """Return the marks of every sheet of an .xlsx or .ods file, in their order; nothing where there is none to be had.

    Parameters
    ----------
    archive
        The opened file, whose sizes were checked.
    with_formulas
        Members that may hold formulas.
    ends
        The last cell of every sheet: what repeats beyond is not marked.
    """
    members = {one.filename.lower(): one.filename for one in archive.infolist()}
    if "content.xml" in members:
        return _marks_of_ods(_part(archive, members["content.xml"], -1), ends)
    book = _part(archive, members.get("xl/workbook.xml"))
    places = dict(_places(_part(archive, members.get("xl/_rels/workbook.xml.rels"))))
    ways, styles = _styles(_part(archive, members.get("xl/styles.xml")))
    is_stale = re.search(rb"<(?:\w+:)?calcPr\b[^<>]*\bfullCalcOnLoad=[\"'](?:1|true)", book) is not None
    found = []
    for element in re.findall(rb"<(?:\w+:)?sheet\s([^<>]*)>", book):
        said = next((value for name, value in _attributes(element).items() if name.endswith(":id")), "")
        member = members.get(places.get(said, "").lower())
        marks = Marks(ways)
        if member is not None and (styles or member in with_formulas):
            _mark(archive, member, styles, marks, is_stale=is_stale)
        found.append(marks)
    return found


def mark_cells(rows: list[list[Any]], start: Cell, marks: Marks) -> tuple[str, ...]:
    """Put what a person sees in place of numbers that mean something else, and return what is to be said.

    Where most numbers of a sheet are shown as percent, those below positions are its spectra, and stay numbers.
    """
    shape = len(rows), max(map(len, rows), default=0)
    over = marks.over(start, shape)
    number_cells = [isinstance(cell, int | float) and not isinstance(cell, bool) for row in rows for cell in row]
    numbers = np.array(number_cells, dtype=bool).reshape(shape)
    over[(over > 0) & ~numbers] = -1
    lacking = over == 0
    for row, column in zip(*np.nonzero(lacking), strict=True):
        rows[row][column] = NEVER_COMPUTED
    notes = []
    if lacking.any():
        notes.append(
            f"Formulas {_in_columns(rows, lacking, start)} were never computed, so that the file lacks their values: "
            "open it in a spreadsheet program, save it, and give it again."
        )
    for number, way in enumerate(marks.ways, start=1):
        here = over == number
        if way.unit == "%" and 2 * here.sum() > numbers.sum():
            tops = [next((row[column] for row in rows if row[column] != ""), "") for column in range(shape[1])]
            spectra = here & [bool(re.search("[0-9]{3}", str(top))) or isinstance(top, float) for top in tops]
            spectra &= here.sum(axis=0) >= numbers.sum(axis=0) - 1  # all but a heading
            here &= ~spectra
            if spectra.any():
                told = _in_columns(rows, spectra, start)
                notes.append(f"Numbers {told} are shown as percent: 5 % was read as 0.05.")
        if not way.unit and here.any():
            notes.append(
                f"Numbers {_in_columns(rows, here, start)} are shown divided by {1 / way.factor:,.0f}: "
                "what is stored was read, not what is shown."
            )
        for row, column in zip(*np.nonzero(here), strict=True) if way.unit else ():
            amount = Amount(f"{rows[row][column] * way.factor:.15g}")
            amount.unit = way.unit
            rows[row][column] = amount
    return tuple(notes)


def _in_columns(rows: list[list[Any]], cells: NDArray[np.bool_], start: Cell) -> str:
    """Name the columns that some cells are in: by their heading, else by their letters."""
    names = []
    for column in np.flatnonzero(cells.any(axis=0)):
        top = next((row[column] for row in rows if row[column] != ""), "")
        letters, number = "", start[1] + int(column) + 1
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(65 + rest) + letters
        names.append(repr(top[:40]) if isinstance(top, str) and top not in ("", NEVER_COMPUTED) else letters)
    return f"in column {names[0]}" if len(names) == 1 else f"in columns {listed(names, 3)}"


def _mark(archive: zipfile.ZipFile, member: str, styles: dict[bytes, int], marks: Marks, *, is_stale: bool) -> None:
    row, column = -1, -1
    marks.hidden_columns.extend(_hidden_columns(_part(archive, member, _CHUNK)))
    zeros: list[Cell] = []
    given = set()
    for is_row, of_row, of_cell, inside in _tokens(archive, member):
        if is_row:
            said = _attributes(of_row)
            row, column = _number(said.get("r"), row + 2) - 1, -1
            if said.get("hidden") in _YES:
                marks.hidden.append(row)
            continue
        said = _attributes(of_cell)
        column += 1
        if place := re.fullmatch("([A-Z]{1,3})([0-9]{1,7})", said.get("r", "")):
            row, column = int(place[2]) - 1, _column(place[1])
        if _FORMULA.search(inside) and said.get("t") != "str":
            value = _VALUE.search(inside)
            if value is None:
                marks.add(row, column, 0)
                continue
            if is_stale and value[1].strip() in (b"0", b"0.0"):
                zeros.append((row, column))
            else:
                given.add(column)
        if (number := styles.get(said.get("s", "").encode())) is not None:
            marks.add(row, column, number)
    # Programs that write a workbook without computing it leave zeros in all cells of a formula.
    for row, column in zeros:
        if column not in given:
            marks.add(row, column, 0)


def _hidden_columns(head: bytes) -> Iterator[int]:
    for one in _COLUMN.findall(head):
        said = _attributes(one)
        if said.get("hidden") in _YES:
            first, last = _number(said.get("min"), 1), _number(said.get("max"), 1)
            yield from range(first - 1, min(last, first + _MOST_HIDDEN))


def _tokens(archive: zipfile.ZipFile, member: str) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    """Yield the attributes of every row; and those of every cell, with what is inside."""
    rest = b""
    with archive.open(member) as stream:
        while piece := stream.read(_CHUNK):
            text = rest + piece
            cut = max(text.rfind(b"<c "), text.rfind(b":c "))  # the cell before it is whole
            cut = text.rfind(b"<", 0, cut + 1) if cut >= 0 else 0
            yield from _TOKEN.findall(text[:cut])
            rest = text[cut:]
    yield from _TOKEN.findall(rest)


def _marks_of_ods(text: bytes, ends: list[Cell]) -> list[Marks]:
    if not any(one in text for one in (b"percentage", b"table:formula", b"table:visibility")):
        return []
    found: list[Marks] = []
    row = column = height = 0
    for is_table, is_row, written in _TOKEN_OF_ODS.findall(text):
        said = _attributes(written)
        if is_table:
            found.append(Marks((Shown(100.0, "%"),)))
            row = height = 0
        elif is_row:
            row, column = row + height, 0
            height = _number(said.get("table:number-rows-repeated"), 1)
            if said.get("table:visibility") in ("collapse", "filter") and found:
                found[-1].hidden.extend(range(row, min(row + height, row + _MOST_HIDDEN)))
        elif 0 < len(found) <= len(ends):
            width = _number(said.get("table:number-columns-repeated"), 1)
            kind = said.get("office:value-type")
            lacks = kind is None or (kind in ("float", "percentage", "currency") and not said.get("office:value"))
            number = 0 if lacks and "table:formula" in said else 1 if kind == "percentage" else None
            last_row, last_column = ends[len(found) - 1]
            if number is not None:
                for at in range(row, min(row + height, last_row + 1)):
                    for beside in range(column, min(column + width, last_column + 1)):
                        found[-1].add(at, beside, number)
            column += width
    return found


def _styles(text: bytes) -> tuple[tuple[Shown, ...], dict[bytes, int]]:
    """Return the ways in which cells are shown, and their numbers from 1 on by the number of the style."""
    written = {match[1]: match[0] for match in _FORMAT.finditer(text)}
    blocks = re.split(rb"</?(?:\w+:)?cellXfs\b", text)
    ways: dict[Shown, int] = {}
    numbers = {}
    known: dict[bytes, Shown | None] = {}
    for at, number in enumerate(_STYLE.findall(blocks[1] if len(blocks) > 1 else b"")):
        # A workbook may have a hundred thousand styles, but the formats they name are few.
        if number not in known:
            code = PERCENTS.get(int(number or b"0"), "")
            known[number] = shown_as(_attributes(written[number]).get("formatCode", "") if number in written else code)
        shown = known[number]
        if shown is not None:
            numbers[str(at).encode()] = ways.setdefault(shown, len(ways) + 1)
    return tuple(ways), numbers


def _places(text: bytes) -> Iterator[tuple[str, str]]:
    for element in re.findall(rb"<(?:\w+:)?Relationship\s([^<>]*)>", text):
        said = _attributes(element)
        yield said.get("Id", ""), posixpath.normpath(posixpath.join("/xl", said.get("Target", ""))).lstrip("/")


def _part(archive: zipfile.ZipFile, member: str | None, most: int = _MOST_OF_A_PART) -> bytes:
    if member is None:
        return b""
    with archive.open(member) as stream:
        return stream.read(most)


def _attributes(text: bytes) -> dict[str, str]:
    return {
        name.decode("ascii", "replace"): unescape((one or other).decode("utf-8", "replace"))
        for name, one, other in _ATTRIBUTE.findall(text)
    }


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and re.fullmatch("[0-9]{1,7}", text) else otherwise


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1

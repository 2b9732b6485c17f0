"""Guess how a delimited text is written from its first lines: separator, decimal mark, where the data start."""

import csv
import re
from dataclasses import dataclass

from spectra_core.datasets.censored import is_censored
from spectra_core.datasets.numbers import dressed_number, is_missing, parse_number
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.naming_rows import (
    COMMENT_MARKS,
    looks_like_axis,
    monotonic,
    names_columns,
    numbers_in,
    plain_names,
    plain_numbers,
)
from spectra_core.datasets.readers.splitting import cells_between_blanks, commas_may_be_decimal
from spectra_core.errors import ReadError

CANDIDATES = (
    (",", "."),
    (";", "."),
    (";", ","),
    ("\t", "."),
    ("\t", ","),
    ("|", "."),
    ("|", ","),
    (" ", "."),
    (" ", ","),
)
SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blanks"}
DECIMAL_NAMES = {".": "point", ",": "comma"}
HEAD_LINES = 40
HEAD_CELLS = 20_000
HEAD_LETTERS = 60_000
FEW_LINES = 4  # names and data must both be seen, however long the lines
MOST_LINES = 2_000
MOST_IN_LIST = 12
MOST_HEADER_ROWS = 30  # names, units, and a row per target
_HINT = re.compile(r'"?sep=(.)"?\s*\Z')


@dataclass(frozen=True)
class Layout:
    """Where the table lies in the lines, and how its cells are written.

    Parameters
    ----------
    separator, decimal
        As in `Dialect`.
    start
        Index of the first data line.
    header
        Indices of the lines with names and units, from top to bottom.
    n_columns
        Cells per data line.
    reasons
        Why, in a few words, for each guess.
    ambiguous
        Whether the lines read equally well as pairs of whole numbers and as single decimal-comma numbers.
    """

    separator: str
    decimal: str
    start: int
    header: tuple[int, ...]
    n_columns: int
    reasons: dict[str, str]
    ambiguous: bool = False


def cells_of(line: str, separator: str) -> list[str]:
    """Split one line into cells; quotes protect separators.

    Raises
    ------
    ReadError
        When a cell is longer than any name or number.
    """
    if separator == " ":
        return cells_between_blanks(line)
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
    except csv.Error as error:
        raise ReadError(
            "A line of the text is no table row: a quote is open, or a cell is too long. Save the table again as CSV."
        ) from error


def count_numeric(cells: list[str], decimal: str) -> int:
    """Number of cells that hold a number."""
    if decimal == ".":
        values, odd = plain_numbers(cells)
        return len(values) - len(odd) + sum(_is_number(cells[at], decimal) for at in odd)
    return sum(_is_number(cell, decimal) for cell in cells)


def _is_number(cell: str, decimal: str) -> bool:
    if cell[-1:] in ("%", ")"):
        cell = cell[:-1].removeprefix("(").rstrip()
    return parse_number(cell, decimal) is not None or dressed_number(cell, decimal) is not None


def guess_layout(lines: list[str], dialect: Dialect) -> Layout:
    """Return the layout under which most cells of the head read as numbers.

    Raises
    ------
    ReadError
        When no reading gives a table of numbers.
    """
    hint = _HINT.match(lines[0]) if lines else None
    first = 1 if hint else 0
    separator = dialect.separator or (hint.group(1) if hint else None)
    candidates = [
        (one, decimal)
        for one, decimal in CANDIDATES
        if (separator in (None, one)) and (dialect.decimal in (None, decimal))
    ]
    if separator is not None and not candidates:
        candidates = [(separator, dialect.decimal or ".")]
    head = "\n".join(lines[:HEAD_LINES])
    if '"' in head and separator in (None, ",") and dialect.decimal in (None, ","):
        candidates.append((",", ","))  # decimal commas inside quotes
    best = max((_Reading.of(lines, first, *candidate) for candidate in candidates), key=lambda reading: reading.score)
    if best.stop == best.start:
        raise ReadError(
            "The text holds no table of numbers: expected rows of numbers with one separator. "
            "Export the spectra as CSV with one spectrum a row or a column."
        )
    return best.layout(lines, dialect, "hint in the first line" if hint else "")


@dataclass(frozen=True)
class _Reading:
    """The head of the text under one separator and decimal mark."""

    separator: str
    decimal: str
    rows: list[list[str]]
    start: int
    stop: int
    score: float

    @classmethod
    def of(cls, lines: list[str], first: int, separator: str, decimal: str) -> "_Reading":
        rows: list[list[str]] = [[] for _ in range(first)]
        n_cells = n_letters = 0
        for line in lines[first:]:
            # A long preamble must not hide the table: single cells cost nothing.
            enough = len(rows) >= HEAD_LINES and n_cells >= 4 * HEAD_LINES
            long = max(n_cells / HEAD_CELLS, n_letters / HEAD_LETTERS) > 1 and len(rows) > FEW_LINES
            if enough or long or len(rows) > MOST_LINES:
                break
            n_letters += len(line)
            cells = cells_of(line, separator)
            rows.append(cells)
            n_cells += len(cells) if len(cells) > 1 else 0
        values = [_row_value(row, decimal) for row in rows]
        remarks = ["".join(row[:1]).startswith(COMMENT_MARKS) for row in rows]
        start = stop = first
        score = 0.0
        at = first
        while at < len(rows):
            here = end = at
            total = 0.0
            while here < len(rows):
                if values[here] > 0 and len(rows[here]) == len(rows[at]):
                    total += values[here]
                    end = here + 1
                elif (
                    end == at or remarks[at] or not (remarks[here] or _gap_in_data(rows[end - 1], rows[here:], decimal))
                ):
                    break  # neither a comment nor an empty line parts a table, and a comment begins none
                here += 1
            if total > score:
                start, stop, score = at, end, total
            at = max(end, at + 1)
        return cls(separator, decimal, rows, start, stop, score)

    def layout(self, lines: list[str], dialect: Dialect, hint: str) -> Layout:
        n_columns = len(self.rows[self.start])
        header = self._header_rows(n_columns)
        start = self.start
        if dialect.header_rows is not None:
            top = header[0] if header else start
            wanted = [at for at in range(top, len(self.rows)) if len(self.rows[at]) > 1 or n_columns == 1]
            header = tuple(wanted[: dialect.header_rows])
            start = wanted[dialect.header_rows] if dialect.header_rows < len(wanted) else len(lines)
        elif header and header[-1] >= start:
            start = header[-1] + 1
        if start >= len(lines) or not any(line.strip() for line in lines[start:]) or self._is_names_only(lines):
            raise ReadError("The file holds a header but no rows under it. Export it again with the data.")
        sample = [row for row in self.rows[start : self.stop] if len(row) == n_columns]
        reasons = {
            "separator": hint or f"{n_columns} cells in each of {len(sample)} lines",
            "decimal": f"most cells read as numbers with a decimal {DECIMAL_NAMES.get(self.decimal, self.decimal)}",
        }
        ambiguous = self.separator == "," and not hint and commas_may_be_decimal(sample, dialect)
        return Layout(self.separator, self.decimal, start, header, n_columns, reasons, ambiguous)

    def _is_names_only(self, lines: list[str]) -> bool:
        """Whether the one line of the file names columns: words, then positions that rise or fall."""
        if self.stop - self.start != 1 or sum(bool(line.strip()) for line in lines) > 1:
            return False
        row = self.rows[self.start]
        words = sum(parse_number(cell, self.decimal) is None for cell in row)
        return words > 1 and monotonic(numbers_in(row, self.decimal))

    def _lacks_a_cell(self, row: list[str], n_columns: int) -> bool:
        """Whether a line that is one cell short holds values: it names no columns, its end is lost."""
        below = self.rows[self.start : min(self.start + 3, self.stop)]
        is_short = len(row) == n_columns - 1 and 2 * count_numeric(row, self.decimal) > n_columns
        return is_short and not looks_like_axis(row, below, self.decimal)

    def _header_rows(self, n_columns: int) -> tuple[int, ...]:
        """Lines just above the data that have as many cells, and leading data lines that are really names."""
        most = 4 if n_columns == 2 else MOST_HEADER_ROWS
        above: list[int] = []
        at = self.start - 1
        while at >= 0 and len(above) < most:
            row = plain_names(self.rows[at], n_columns)
            if len(row) <= 1 and not any(row) and not above:
                at -= 1
                continue
            fits = (len(row) in (n_columns, n_columns - 1) and len(row) > 1) or (n_columns == 1 and any(row))
            if not fits or row[0].startswith(COMMENT_MARKS) or self._lacks_a_cell(row, n_columns):
                break
            above.append(at)
            if n_columns == 1:
                break
            at -= 1
        names = [plain_names(self.rows[one], n_columns) for one in reversed(above)]
        inside: list[int] = []
        for at in range(self.start, min(self.start + 3, self.stop - 1)):
            below = self.rows[at + 1 : min(at + 4, self.stop)]
            if not names_columns(self.rows[at], below, self.decimal, names):
                break
            inside.append(at)
            names.append(self.rows[at])
        return tuple(reversed(above)) + tuple(inside)


def _row_value(row: list[str], decimal: str) -> float:
    """How much a line speaks for a reading: numbers count for it, other text twice against."""
    if not any(row):
        return 0.0
    numeric = count_numeric(row, decimal)
    if numeric == len(row):
        return float(numeric)
    missing = sum(is_missing(row[at]) or is_censored(row[at]) for at in plain_numbers(row)[1])
    # Up to four leading names cost nothing beside data; elsewhere, text means the separator is wrong.
    names = 0
    while names < min(4, len(row)) and not _reads(row[names], decimal):
        names += 1
    text = len(row) - numeric - missing
    if numeric == 0:
        return 0.0
    # "A1;0" before "5" is no name: the cell holds another separator.
    split = sum(not _reads(cell, decimal) and any(mark in cell for mark in ";\t|") for cell in row[:names])
    # One name between two numbers is that of a list: position, sample, value.
    misplaced = 0.25 if text - names == 1 and numeric >= 2 and len(row) <= MOST_IN_LIST else 2.0
    return numeric - misplaced * max(0, text - names) - 0.25 * (names + split)


def _gap_in_data(above: list[str], rows: list[list[str]], decimal: str) -> bool:
    """Whether the first row is empty, and the next one of data holds numbers and words where the one above it does."""
    below = next((row for row in rows if any(row) and not row[0].startswith(COMMENT_MARKS)), [])
    pairs = zip(above, below, strict=False)
    alike = len(above) == len(below) and all(_reads(one, decimal) == _reads(two, decimal) for one, two in pairs)
    return alike and not any(rows[0])


def _reads(cell: str, decimal: str) -> bool:
    return _is_number(cell, decimal) or is_missing(cell)

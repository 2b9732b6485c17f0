"""Delimited text in any layout: own look at the head; then Arrow for regular tables, the pandas C engine for others."""

import csv
import io
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.document import OWN_MARK, Document
from spectra_core.datasets.formulas import unguarded_grid
from spectra_core.datasets.limits import require_cells
from spectra_core.datasets.numbers import is_missing, parse_number
from spectra_core.datasets.own import own_grid
from spectra_core.datasets.parts import Cells, Grid, Part, with_notes
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.decoding import cut_end, decoded, first_lines, lines_of, require_text, whole_rows
from spectra_core.datasets.readers.dialects import (
    DECIMAL_NAMES,
    HEAD_LETTERS,
    MOST_LINES,
    SEPARATOR_NAMES,
    Layout,
    cells_of,
    count_numeric,
    guess_layout,
)
from spectra_core.datasets.readers.naming_rows import COMMENT_MARKS, plain_names, plain_numbers
from spectra_core.datasets.readers.percents import with_percents
from spectra_core.datasets.readers.regular import MISSING_TOKENS, regular_cells
from spectra_core.datasets.readers.thousands import with_thousands
from spectra_core.errors import ReadError
from spectra_core.spectra.text import counted

MANY_COLUMNS = 3000  # the pandas engine pays per column; beyond, lines are read one by one
SAMPLE_ROWS = 6
HEAD = 2_000
HEAD_LINES = MOST_LINES + 10  # more than the layout is guessed from
_UTF8 = ("utf-8", "utf-8-sig")
_Table = tuple[NDArray[np.float64], dict[int, Cells], list[tuple[int, int, str]]]


@dataclass(frozen=True)
class DelimitedText:
    """Tables as text, whatever separates the cells."""

    title: ClassVar[str] = "Delimited text"
    explanation: ClassVar[str] = "Rows of cells between commas, semicolons, tabs or blanks, with or without names."

    def recognises(self, head: bytes, name: str) -> bool:
        """Take whatever no other reader wants; `read` refuses what is no table."""
        return True

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return the one table of the text."""
        text, encoding, why = decoded(data, dialect.encoding)
        require_text(text)
        if text.startswith(OWN_MARK):
            return [_own_table(text, name)]
        head = whole_rows(first_lines(text, HEAD_LINES, 2 * HEAD_LETTERS))
        layout = guess_layout(head, dialect)
        facts = {
            "encoding": f"{encoding} ({why})",
            "separator": f"{SEPARATOR_NAMES.get(layout.separator, layout.separator)} ({layout.reasons['separator']})",
            "decimal": f"{DECIMAL_NAMES[layout.decimal]} ({layout.reasons['decimal']})",
        }
        if layout.ambiguous:
            facts["ambiguous"] = "pairs of whole numbers, or single numbers with a decimal comma"
        plain = encoding in _UTF8 and ("\r" not in text or text.count("\r") == text.count("\r\n"))
        regular = _regular_table(data, head, layout, name, facts) if plain else None
        if regular is None:
            regular = table_from_lines(whole_rows(lines_of(text)), layout, name, facts)
        grid = unguarded_grid(with_percents(with_thousands(regular, layout.decimal), layout.decimal))
        return with_notes([grid], cut_end(text, layout.separator, layout.decimal))


def _own_table(text: str, name: str) -> Grid:
    """Return a table that this program wrote: the document in the first line says what each column is."""
    first, _, rest = text.partition("\n")
    document = Document.from_json(first.removeprefix(OWN_MARK))
    rows = list(csv.reader(rest.splitlines()))
    n_text, n_side = len(document.samples), len(document.samples) + len(document.targets)
    width = len(rows[0]) if rows else 0
    wrong = next((number for number, row in enumerate(rows, 2) if len(row) != width), None)
    if wrong is not None or width <= n_side or len(rows) < 2:
        raise ReadError(
            f"Line {wrong or 2} of {name} has another number of cells than the names above: it was changed."
        )
    try:
        numbers = np.array([[float(cell) for cell in row[n_text:]] for row in rows[1:]])
        positions = np.array([float(cell) for cell in rows[0][n_side:]])
    except ValueError as error:
        raise ReadError(f"A cell of {name} that held a number holds text now: it was changed.") from error
    samples = [[row[at] for row in rows[1:]] for at in range(n_text)]
    n_targets = len(document.targets)
    return own_grid(
        document, samples, numbers[:, :n_targets], positions, numbers[:, n_targets:], name=name, form="text"
    )


def table_from_lines(lines: list[str], layout: Layout, name: str, facts: dict[str, str]) -> Grid:
    """Return the table that `layout` finds in the lines.

    Raises
    ------
    ReadError
        Naming the line that does not fit.
    """
    body, skipped, cut, notes = _body_lines(lines, layout)
    require_cells(len(body), layout.n_columns, f"The text of {name}")
    header, is_short = _header_cells(lines, layout)
    notes += _skipped_above(lines, layout)
    numbers, text, odd = _read_cells(body, layout)
    above = layout.start + 1
    grid = Grid(name, "text", numbers, text, header, above, tuple(odd), tuple(cut), tuple(notes), facts, tuple(skipped))
    return _without_empty_tail(grid, is_short)


def _regular_table(data: bytes, head: list[str], layout: Layout, name: str, facts: dict[str, str]) -> Grid | None:
    """Return the table where every line of the data is a full row of plain cells, else None."""
    start, n_columns = layout.start, layout.n_columns
    sample = [line for line in head[start:] if line.strip()][:SAMPLE_ROWS]
    if n_columns > MANY_COLUMNS or any(count != n_columns for count in _cell_counts(sample, layout.separator)):
        return None
    cells = regular_cells(data, layout, _textual_columns(sample, layout))
    if cells is None:
        return None
    require_cells(len(cells[0]), n_columns, f"The text of {name}")
    numbers, text, odd = _with_text(*cells, layout.decimal)
    above = tuple(_skipped_above(head, layout))
    header, is_short = _header_cells(head, layout)
    return _without_empty_tail(
        Grid(name, "text", numbers, text, header, start + 1, tuple(odd), (), above, facts), is_short
    )


def _body_lines(lines: list[str], layout: Layout) -> tuple[list[str], list[int], list[int], list[str]]:
    """Data lines with the full number of cells; what else there is becomes a note, a cut row or a refusal.

    The second of the lists holds the numbers of lines between them that are empty, or comments.
    """
    separator, wanted = layout.separator, layout.n_columns
    counts = _cell_counts(lines[layout.start :], separator)
    body: list[str] = []
    skipped: list[int] = []
    cut: list[int] = []
    notes: list[str] = []
    for offset, (line, count) in enumerate(zip(lines[layout.start :], counts, strict=True)):
        number = layout.start + offset + 1
        if not line.strip(separator + ' "\t\r'):
            skipped.append(number)
        elif count == wanted:
            body.append(line)
        elif line.lstrip().startswith(COMMENT_MARKS):
            skipped.append(number)
            notes.append(f"Line {number} is a comment: {_shown(line)}.")
        else:
            rest = lines[layout.start + offset :]
            cells = cells_of(line, separator)
            if _is_last(rest) and count < wanted and _starts_like_data(cells, body, layout):
                body.append(separator.join([line, *[""] * (wanted - count)]))
                cut.append(len(body) - 1)
                notes.append(
                    f"Line {number} is cut off: it has {count} of {wanted} cells. Its last value may be incomplete too."
                )
            elif count > wanted and not any(cells[wanted:]):
                body.append(separator.join(_quoted(cells[:wanted], separator)))
            elif _no_data(rest, separator, layout):
                kept = [one for one in rest if one.strip()]
                notes.append(f"{counted(len(kept), 'line')} from line {number} on {_no_data_words(kept)}.")
                break
            else:
                raise ReadError(
                    f"Line {number} has {count} cells where the table has {wanted} columns. "
                    "Correct that line, or export the table again."
                )
    return body, skipped, cut, notes


def _cell_counts(lines: list[str], separator: str) -> list[int]:
    if separator == " ":
        return [len(line.split()) for line in lines]
    return [
        (line.count(separator) + 1 if '"' not in line else len(cells_of(line, separator))) if line else 0
        for line in lines
    ]


def _is_last(rest: list[str]) -> bool:
    return not any(line.strip() for line in rest[1:])


def _starts_like_data(cells: list[str], body: list[str], layout: Layout) -> bool:
    if not body:
        return False
    above = cells_of(body[-1], layout.separator)[: len(cells)]
    like = sum(
        (parse_number(one, layout.decimal) is None) == (parse_number(two, layout.decimal) is None)
        for one, two in zip(cells, above, strict=True)
    )
    return like >= 0.8 * len(cells)


def _no_data(rest: list[str], separator: str, layout: Layout) -> bool:
    """Whether what follows the table is remarks: hardly a line of it looks like a row of numbers."""
    rows = [cells_of(line, separator) for line in rest[:200] if line.strip()]
    alike = sum(
        len(row) >= min(3, layout.n_columns) and count_numeric(row, layout.decimal) > 0.5 * len(row) for row in rows
    )
    return alike == 0 or alike < 0.1 * len(rows)


def _header_cells(lines: list[str], layout: Layout) -> tuple[tuple[Cells, ...], bool]:
    """Return the names of all columns, and whether every line of them was short of one."""
    wanted = layout.n_columns
    rows = [plain_names(cells_of(lines[at], layout.separator), wanted) for at in layout.header]
    # R and some instruments name no column for the row names.
    cells = tuple(tuple([""] * (wanted - len(row)) + row)[:wanted] for row in rows)
    return cells, bool(rows) and all(len(row) == wanted - 1 for row in rows)


def _skipped_above(lines: list[str], layout: Layout) -> list[str]:
    top = layout.header[0] if layout.header else layout.start
    skipped = [line for line in lines[:top] if line.strip()]
    if not skipped:
        return []
    last = max(number for number, line in enumerate(lines[:top]) if line.strip())
    rows, wanted = [cells_of(line, layout.separator) for line in skipped], layout.n_columns
    for row, most in zip(rows, [0] * (len(rows) - 1) + [2], strict=True):
        # The last line is a row with cells too few or too many; or it parts rows above it from those under it.
        is_near = wanted > 2 and abs(len(row) - wanted) <= most and not row[0].startswith(COMMENT_MARKS)
        if is_near and 2 * count_numeric(row, layout.decimal) > wanted:
            raise ReadError(
                f"Line {last + 1} has {len(rows[-1])} cells where the lines under it have {wanted} columns. "
                "Correct that line, or export the table again."
            )
    return [f"{counted(len(skipped), 'line')} above the table {_no_data_words(skipped)}."]


def _read_cells(body: list[str], layout: Layout) -> _Table:
    if layout.n_columns > MANY_COLUMNS:
        return _one_by_one(body, layout)
    textual = _textual_columns(body[:SAMPLE_ROWS], layout)
    raw = _raw(body, layout)
    try:
        return _through_pandas(raw, layout, textual)
    except (ValueError, OverflowError):
        return _one_by_one(body, layout)


def _raw(body: list[str], layout: Layout) -> bytes:
    if layout.separator == " ":
        body = ["\t".join(line.split()) for line in body]
    return "\n".join(body).encode()


def _textual_columns(sample: list[str], layout: Layout) -> list[int]:
    columns: set[int] = set()
    for line in sample:
        cells = cells_of(line, layout.separator)
        looked_at = plain_numbers(cells)[1] if layout.decimal == "." else list(range(len(cells)))
        looked_at += [column for column, cell in enumerate(cells) if cell[:1] == "0" and cell.isdigit()]
        for column in looked_at:
            if column in columns:
                continue
            cell = cells[column]
            number = parse_number(cell, layout.decimal)
            # "007" is a name: as a number it would lose its zeros.
            if (number is None and not is_missing(cell)) or (len(cell) > 1 and cell[0] == "0" and cell.isdigit()):
                columns.add(column)
    return sorted(columns)


def _through_pandas(raw: bytes, layout: Layout, textual: list[int]) -> _Table:
    import pandas as pd

    older = {"float_precision": "round_trip"} if int(pd.__version__.split(".")[0]) < 3 else {}
    options: dict[str, Any] = {
        "sep": "\t" if layout.separator == " " else layout.separator,
        "header": None,
        "names": list(range(layout.n_columns)),
        "index_col": False,
        "decimal": layout.decimal,
        "keep_default_na": False,
        "skip_blank_lines": True,
        "skipinitialspace": f"{layout.separator} ".encode() in raw[:HEAD],
        "engine": "c",
        "low_memory": False,
        **older,
    }
    words = dict.fromkeys(textual, str)
    table = pd.read_csv(io.BytesIO(raw), dtype=words, na_filter=False, **options)
    numeric = [column for column in range(layout.n_columns) if column not in words]
    values = (table[numeric] if textual else table).to_numpy()
    if values.dtype.kind not in "iuf":
        # Only now look for marks of missing values, which costs as much as the parsing itself.
        kinds: Any = dict.fromkeys(range(layout.n_columns), np.float64) | words
        marked = pd.read_csv(io.BytesIO(raw), dtype=kinds, na_values=MISSING_TOKENS, **options)
        marked[textual] = table[textual]  # "NA" or "-" may be a name
        table, values = marked, marked[numeric].to_numpy()
    values = values.astype(np.float64, copy=False)
    if not textual:
        return values, {}, []
    numbers = np.full((len(table), layout.n_columns), np.nan)
    numbers[:, numeric] = values
    text = {column: tuple(str(cell).strip() for cell in table[column]) for column in textual}
    return _with_text(numbers, text, layout.decimal)


def _with_text(numbers: NDArray[np.float64], text: dict[int, Cells], decimal: str) -> _Table:
    """Write numbers that stand in columns of text where they belong."""
    odd = [cell for column, cells in text.items() for cell in fill_column(numbers, column, cells, decimal)]
    return numbers, text, odd


def _one_by_one(body: list[str], layout: Layout) -> _Table:
    """Read line by line: for tables with very many columns, and for text where the head promised numbers."""
    numbers = np.full((len(body), layout.n_columns), np.nan)
    strange: dict[int, dict[int, str]] = {}
    for row, line in enumerate(body):
        cells = cells_of(line, layout.separator)
        odd_columns = list(range(len(cells)))
        if layout.decimal == ".":
            numbers[row], odd_columns = plain_numbers(cells)
        for column in odd_columns:
            cell = cells[column]
            value = parse_number(cell, layout.decimal)
            if value is not None:
                numbers[row, column] = value
            elif not is_missing(cell):
                strange.setdefault(column, {})[row] = cell
    text: dict[int, Cells] = {}
    odd: list[tuple[int, int, str]] = []
    for column, found in strange.items():
        if len(found) > 0.5 * len(body):
            rows = [cells_of(line, layout.separator)[column] for line in body]
            text[column] = tuple(rows)
            odd += fill_column(numbers, column, text[column], layout.decimal)
        else:
            odd += [(row, column, cell) for row, cell in found.items()]
    return numbers, text, odd


def fill_column(
    numbers: NDArray[np.floating[Any]], column: int, cells: Cells, decimal: str
) -> list[tuple[int, int, str]]:
    """Write the numbers of a column of text into `numbers`; return the odd cells, none where text prevails."""
    values = [parse_number(cell, decimal) for cell in cells]
    named = [cell for cell in cells if not is_missing(cell)]
    n_numbers = sum(value is not None for value in values)
    if n_numbers * 2 <= len(named) or any(len(cell) > 1 and cell[0] == "0" and cell.isdigit() for cell in named):
        numbers[:, column] = np.nan
        return []
    numbers[:, column] = [np.nan if value is None else value for value in values]
    return [
        (row, column, cell)
        for row, (cell, value) in enumerate(zip(cells, values, strict=True))
        if value is None and not is_missing(cell)
    ]


def _without_empty_tail(grid: Grid, is_short: bool) -> Grid:
    """Drop last columns without a name and without a value: they come from separators at the ends of lines."""
    last = grid.n_columns - 1
    if is_short and last not in grid.text and np.isnan(grid.numbers[:, last]).all():
        # Separators at the ends of the rows alone: it is not the first column that has no name, but the last one.
        grid = replace(grid, header=tuple((*row[1:], "") for row in grid.header))
    kept = grid.n_columns
    while kept > 1 and kept - 1 not in grid.text and np.isnan(grid.numbers[:, kept - 1]).all():
        if any(row[kept - 1] for row in grid.header):
            break
        kept -= 1
    if kept == grid.n_columns:
        return grid
    return replace(
        grid,
        numbers=grid.numbers[:, :kept],
        header=tuple(row[:kept] for row in grid.header),
        odd_cells=tuple(cell for cell in grid.odd_cells if cell[1] < kept),
        notes=(*grid.notes, _tail_words(grid.n_columns - kept)),
    )


def _no_data_words(lines: list[str]) -> str:
    return f"{'is' if len(lines) == 1 else 'are'} no data: {_shown(lines[0])}"


def _tail_words(n_empty: int) -> str:
    said = counted(n_empty, "empty column at the end comes", "empty columns at the end come")
    return f"{said} from separators at the line ends."


def _quoted(cells: list[str], separator: str) -> list[str]:
    return [f'"{cell}"' if separator in cell else cell for cell in cells]


def _shown(line: str) -> str:
    plain = " ".join(line.split())
    return repr(plain if len(plain) <= 60 else plain[:57] + "...")

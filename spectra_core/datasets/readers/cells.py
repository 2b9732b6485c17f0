"""A table from cells that already are numbers or text: sheets, columns of a data frame, object arrays."""

from collections.abc import Sequence

import numpy as np

from spectra_core.datasets.numbers import is_missing, parse_number
from spectra_core.datasets.parts import Cells, Grid
from spectra_core.datasets.readers.delimited import fill_column
from spectra_core.datasets.readers.dialects import MOST_HEADER_ROWS
from spectra_core.datasets.readers.naming_rows import names_columns

Cell = float | str
MOST_LOOKED_AT = 40


def grid_of_cells(rows: Sequence[Sequence[Cell]], name: str, form: str, header_rows: int | None = None) -> Grid | None:
    """Find names, units and numbers in rows of cells; None where nothing but names is there.

    Parameters
    ----------
    rows
        Rows of equal length; empty text for an empty cell.
    name, form
        Name of the part and of its reader.
    header_rows
        How many of the first rows that are not empty hold names; None guesses.
    """
    filled = [number for number, row in enumerate(rows) if any(cell != "" for cell in row)]
    if not filled:
        return None
    start = _data_start(rows, filled) if header_rows is None else header_rows
    top = filled[: max(start, 0)]
    below = filled[max(start, 0) :]
    if not below:
        return None
    width = max(len(row) for row in rows)
    header = tuple(tuple(_shown(cell) for cell in _padded(rows[number], width)) for number in top[-MOST_HEADER_ROWS:])
    n_more = len(top) - MOST_HEADER_ROWS
    notes = [f"{n_more} rows above the names are no data."] if n_more > 0 else []
    numbers = np.full((len(below), width), np.nan)
    text: dict[int, Cells] = {}
    odd: list[tuple[int, int, str]] = []
    for column in range(width):
        cells = [_padded(rows[number], width)[column] for number in below]
        if all(isinstance(cell, float) for cell in cells):
            numbers[:, column] = cells
            continue
        if all(isinstance(cell, float) or is_missing(cell) for cell in cells) and any(
            isinstance(c, float) for c in cells
        ):
            numbers[:, column] = [cell if isinstance(cell, float) else np.nan for cell in cells]
            continue
        words = tuple(_shown(cell) for cell in cells)
        if any(words):
            text[column] = words
            odd += fill_column(numbers, column, words, ".")
    return Grid(name, form, numbers, text, header, below[0] + 1, tuple(odd), notes=tuple(notes))


def _data_start(rows: Sequence[Sequence[Cell]], filled: list[int]) -> int:
    """Return how many filled rows stand above the data."""
    words = [[_shown(cell) for cell in rows[number]] for number in filled[:MOST_LOOKED_AT]]
    numeric = [sum(_is_number(cell) for cell in rows[number]) for number in filled[:MOST_LOOKED_AT]]
    at = next(
        (at for at, row in enumerate(words) if numeric[at] and numeric[at] >= 0.3 * sum(map(bool, row))),
        None,
    )
    if at is None:
        return 1  # text only: the first row names the columns
    if at == 0 and len(filled) > 1 and len(words[0][0]) > 3 and ":" in words[0][0]:
        return 1
    names = words[:at]
    while at < len(words) - 1:
        below = [
            row for row, n_numbers in zip(words[at + 1 : at + 6], numeric[at + 1 : at + 6], strict=True) if n_numbers
        ]
        if numeric[at] and not names_columns(words[at], below[:3], ".", names):
            break
        names.append(words[at])
        at += 1
    return at


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, float) or parse_number(cell) is not None


def _padded(row: Sequence[Cell], width: int) -> list[Cell]:
    return [*row, *[""] * (width - len(row))]


def _shown(cell: Cell) -> str:
    return f"{cell:.15g}" if isinstance(cell, float) else cell

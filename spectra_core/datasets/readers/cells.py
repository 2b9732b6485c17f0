"""A table from cells that already are numbers or text: sheets, columns of a data frame, object arrays."""

from collections.abc import Sequence

import numpy as np

from spectra_core.datasets.numbers import is_missing, parse_number
from spectra_core.datasets.parts import Cells, Grid
from spectra_core.datasets.readers.delimited import fill_column
from spectra_core.datasets.readers.dialects import looks_like_axis

Cell = float | str


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
    header = tuple(tuple(_shown(cell) for cell in _padded(rows[number], width)) for number in top[-4:])
    notes = [f"{len(top) - 4} rows above the names are no data."] if len(top) > 4 else []
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
    for at, number in enumerate(filled[:30]):
        row = rows[number]
        below = [rows[other] for other in filled[at + 1 : at + 4]]
        n_numbers = sum(_is_number(cell) for cell in row)
        if n_numbers == 0 or n_numbers < 0.3 * sum(cell != "" for cell in row):
            continue
        names = any(
            isinstance(cell, str)
            and cell
            and not _is_number(cell)
            and not is_missing(cell)
            and below
            and all(column < len(other) and _is_number(other[column]) for other in below)
            for column, cell in enumerate(row)
        )
        words = [_shown(cell) for cell in row]
        if names or (at == 0 and looks_like_axis(words, [[_shown(cell) for cell in other] for other in below], ".")):
            return at + 1
        if at == 0 and len(filled) > 1 and isinstance(row[0], str) and len(row[0]) > 3 and ":" in row[0]:
            return 1
        return at
    return 1  # text only: the first row names the columns


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, float) or parse_number(cell) is not None


def _padded(row: Sequence[Cell], width: int) -> list[Cell]:
    return [*row, *[""] * (width - len(row))]


def _shown(cell: Cell) -> str:
    return f"{cell:.15g}" if isinstance(cell, float) else cell

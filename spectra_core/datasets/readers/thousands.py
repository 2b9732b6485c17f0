"""Numbers that are more than digits, such as "12,345.6" or "'0.5": read where they mean nothing else, and told."""

import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spectra_core.datasets.names import NAMES_IDS
from spectra_core.datasets.numbers import dressed_number, is_missing, marks_thousands, parse_number
from spectra_core.datasets.parts import Grid
from spectra_core.spectra.text import counted

_IN_NAME = re.compile(r"(?<![\d.,])([1-9]\d{0,2}),(\d{3})(?![\d.,])")
_FEWEST_NAMES = 3
_KINDS: dict[str, Callable[[str], bool]] = {
    "that are marked as text": lambda cell: cell.startswith(("'", "=")),
    "with a power of ten": lambda cell: re.search(r"[x\xd7*·]\s*10", cell, re.IGNORECASE) is not None,
    "that mark their thousands": lambda _: True,
}


def with_thousands(grid: Grid, decimal: str) -> Grid:
    """Return the table with cells that mark their thousands read as numbers, and a note on them."""
    if decimal == ".":
        grid = _with_thousands_in_names(grid)
    header = tuple(tuple(_bare(cell, decimal) for cell in row) for row in grid.header)
    grid = grid if header == grid.header else replace(grid, header=header)
    if not grid.text and not grid.odd_cells:
        return grid
    # "12,345" is plain only beside "1,234,567".
    marked = (cell for cells in (*grid.text.values(), [cell for _, _, cell in grid.odd_cells]) for cell in cells)
    sure = any(marks_thousands(cell, decimal) for cell in marked)
    numbers, text = np.array(grid.numbers), dict(grid.text)
    odd: list[tuple[int, int, str]] = []
    read: list[str] = []
    converted = set()
    for column, cells in grid.text.items():
        values = [_number(cell, decimal, sure=sure) for cell in cells]
        words = {row for row, value in enumerate(values) if value is None}
        dressed = [
            cell
            for row, cell in enumerate(cells)
            if row not in words and parse_number(cell, decimal) is None and not is_missing(cell)
        ]
        n_held = sum(value is not None and not math.isnan(value) for value in values)
        if not dressed or n_held <= len(words) or (_may_be_names(grid, column) and any(" " in one for one in dressed)):
            continue
        numbers[:, column] = [math.nan if value is None else value for value in values]
        odd += [(row, column, cells[row]) for row in sorted(words)]
        converted.add(column)
        read += dressed
    text = {column: cells for column, cells in text.items() if column not in converted}
    for row, column, cell in grid.odd_cells:
        value = dressed_number(cell, decimal, sure=sure)
        if column in converted:
            continue
        if value is None:
            odd.append((row, column, cell))
        else:
            numbers[row, column] = value
            read.append(cell)
    if not read:
        return grid
    notes = []
    for kind, is_of_kind in _KINDS.items():
        of_kind = [cell for cell in read if is_of_kind(cell)]
        read = [cell for cell in read if not is_of_kind(cell)]
        if of_kind:
            notes.append(f"{counted(len(of_kind), 'cell')} such as {of_kind[0]!r}: read as numbers {kind}.")
    return replace(grid, numbers=numbers, text=text, odd_cells=tuple(odd), notes=(*grid.notes, *notes))


def _may_be_names(grid: Grid, column: int) -> bool:
    """Whether a column may hold names of samples, such as "12 001"."""
    titles = [row[column] for row in grid.header if row[column]]
    return any(map(NAMES_IDS.match, titles)) if titles else column == 0


def _with_thousands_in_names(grid: Grid) -> Grid:
    """Return the table with positions such as "1,350" above decimal points read as thousands, and a note."""
    marked = [cell for row in grid.header for cell in row if _IN_NAME.search(cell)]
    if len(marked) < _FEWEST_NAMES:
        return grid
    header = tuple(tuple(_IN_NAME.sub(r"\1\2", cell) for cell in row) for row in grid.header)
    note = f"{counted(len(marked), 'name')} such as {marked[0]!r}: read as numbers that mark their thousands."
    return replace(grid, header=header, notes=(*grid.notes, note))


def _bare(cell: str, decimal: str) -> str:
    """Return a cell above the data, such as that of a target, as a plain number where it is one in a dress."""
    if cell[:1] not in ("'", "=") and not (" 10" in cell or "10^" in cell):
        return cell
    value = dressed_number(cell, decimal)
    return cell if value is None else f"{value!r}".replace(".", decimal)


def _number(cell: str, decimal: str, *, sure: bool) -> float | None:
    if is_missing(cell):
        return float("nan")
    plain = parse_number(cell, decimal)
    return dressed_number(cell, decimal, sure=sure) if plain is None else plain

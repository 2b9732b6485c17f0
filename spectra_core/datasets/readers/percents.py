"""Spectra whose every cell carries a per cent sign: the fractions that a workbook holds where it shows the same."""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from spectra_core.datasets.names import only_axis, positions_in
from spectra_core.datasets.numbers import is_missing, parse_number
from spectra_core.datasets.parts import Grid

_FEWEST_POSITIONS = 3


def with_percents(grid: Grid, decimal: str) -> Grid:
    """Return the table with spectra of per cents as numbers, and a note; percents of a target stay as they are written.

    They are fractions, as a spreadsheet keeps them, unless the name above them says per cent already.
    """
    found = {
        column: [_percent(cell, decimal) for cell in cells]
        for column, cells in grid.text.items()
        if any(cell.endswith("%") for cell in cells)
    }
    found = {column: values for column, values in found.items() if None not in values}
    n_numbers = grid.n_columns - len(grid.words)
    if not found or len(found) < n_numbers or not _are_spectra(grid, list(found)):
        return grid
    is_said = any("%" in row[column] for row in grid.header for column in found)
    numbers = np.array(grid.numbers, dtype=np.float64)
    for column, values in found.items():
        numbers[:, column] = [float(value if is_said else value.scaleb(-2)) for value in values if value is not None]
    example = next(cell for cell in grid.text[next(iter(found))] if cell.endswith("%"))
    value = _percent(example, decimal)
    assert value is not None
    read = float(value if is_said else value.scaleb(-2))
    note = f"Cells of spectra carry a per cent sign: {example!r} was read as {read:g}."
    text = {column: cells for column, cells in grid.text.items() if column not in found}
    return replace(grid, numbers=numbers, text=text, notes=(*grid.notes, note))


def _percent(cell: str, decimal: str) -> Decimal | None:
    """Return the number before a per cent sign as it is written; NaN where there is none, None for anything else."""
    if is_missing(cell):
        return Decimal("NaN")
    number = parse_number(cell[:-1], decimal) if cell.endswith("%") else None
    return None if number is None else Decimal(repr(number))


def _are_spectra(grid: Grid, columns: list[int]) -> bool:
    """Whether columns stand under positions, or beside a column that is named as an axis."""
    rows = [positions_in([row[at] for at in columns]) for row in grid.header]
    if any(row is not None and row.values.size >= max(_FEWEST_POSITIONS, len(columns) // 2) for row in rows):
        return True
    return any(only_axis(row[at]) for row in grid.header for at in range(grid.n_columns) if at not in grid.words)

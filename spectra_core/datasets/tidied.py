"""Tables made plain before they are understood: positions that a list writes as words, and names that come again."""

from dataclasses import replace

import numpy as np

from spectra_core.datasets.names import Positions, only_axis, positions_in
from spectra_core.datasets.numbers import parse_number
from spectra_core.datasets.parts import Grid
from spectra_core.errors import ReadError

_MOST_COLUMNS = 40
_FEWEST = 3


def tidied(grid: Grid) -> Grid:
    """Return the table with its positions as numbers where a column holds them as names, such as "X900" or "900 nm".

    Raises
    ------
    ReadError
        Where the names of the columns stand once more among the data, or a line under them counts the columns.
    """
    _require_names_once(grid)
    _require_no_count(grid)
    if not _FEWEST <= grid.n_columns <= _MOST_COLUMNS or grid.n_rows < 2 * _FEWEST:
        return grid
    if any(only_axis(row[at]) for row in grid.header for at in range(grid.n_columns) if at not in grid.words):
        return grid
    found = {at: named for at in grid.words if (named := _positions_down(grid, at)) is not None}
    if len(found) != 1:
        return grid
    ((column, named),) = found.items()
    numbers = np.array(grid.numbers, dtype=np.float64)
    numbers[:, column] = named.values
    text = {at: cells for at, cells in grid.text.items() if at != column}
    word = f"{named.quantity or 'wavelength'} ({named.unit})" if named.unit else "wl"
    header = tuple((*row[:column], word, *row[column + 1 :]) for row in grid.header)
    odd = tuple(one for one in grid.odd_cells if one[1] != column)
    return replace(grid, numbers=numbers, text=text, header=header, odd_cells=odd)


def _positions_down(grid: Grid, column: int) -> Positions | None:
    """Return the positions of a column of words, where all are positions that come again for each spectrum."""
    cells = grid.text[column]
    each = list(dict.fromkeys(cells))
    if not _FEWEST <= len(each) <= len(cells) // 2:
        return None
    found = [positions_in([cell]) for cell in each]
    if any(one is None for one in found) or len({(one.prefix, one.unit) for one in found if one}) > 1:
        return None
    place = {cell: float(one.values[0]) for cell, one in zip(each, found, strict=True) if one is not None}
    first = found[0]
    assert first is not None
    alike = Positions(0, np.unique(list(place.values())), first.quantity, first.unit, first.prefix)
    return replace(alike, values=np.array([place[cell] for cell in cells])) if alike.like_axis else None


def _require_names_once(grid: Grid) -> None:
    for row in grid.header:
        named = [at for at, cell in enumerate(row) if cell]
        words = [at for at in named if parse_number(row[at]) is None]
        if len(named) < _FEWEST:
            continue
        texts = [at for at in words if at in grid.text]
        odd = {(at_row, at): cell for at_row, at, cell in grid.odd_cells}
        if texts:
            rows = [number for number, cell in enumerate(grid.text[texts[0]]) if cell == row[texts[0]]]
        else:
            rows = sorted({at_row for (at_row, at), cell in odd.items() if cell == row[at]})
        for number in rows:
            if all((grid.text[at][number] if at in grid.text else odd.get((number, at))) == row[at] for at in words):
                raise ReadError(
                    f"Line {grid.line(number)} of {grid.name} repeats the names of the columns: more than one "
                    "table stands in it. Save each in a file of its own, or remove that line."
                )


def _require_no_count(grid: Grid) -> None:
    """Refuse a first line under names in which every cell, that of the sample too, is one more than the one before."""
    if not grid.header or not grid.n_rows or grid.n_columns < 2 * _FEWEST:
        return
    cells = [grid.text[at][0] if at in grid.text else grid.numbers[0, at] for at in range(grid.n_columns)]
    values = [parse_number(cell) if isinstance(cell, str) else float(cell) for cell in cells]
    numbers = np.array([np.nan if value is None else value for value in values])
    if numbers[0] in (0, 1) and bool((np.diff(numbers) == 1).all()):
        raise ReadError(f"Line {grid.line(0)} of {grid.name} counts the columns under their names. Remove that line.")

"""How does a table hold spectra: in rows, in columns, as pairs of columns, one value a row? Told, or asked."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.names import Positions, axis_named, only_axis, positions_in
from spectra_core.datasets.numbers import is_missing, parse_number
from spectra_core.datasets.own_axes import pairs_in, stacked_in
from spectra_core.datasets.parts import Cells, Grid

NOTHING, WEAK, STRONG, CERTAIN = range(4)
FEW = 3
FAR_OUT = 100.0  # one or two numbers as names are positions only where nm or cm-1 lie
MANY = 20
WORDS = {
    "rows": "One spectrum a row",
    "columns": "One spectrum a column",
    "pairs": "Pairs of columns: axis and signal",
    "long": "One value a row",
}


@dataclass(frozen=True)
class PartGuess:
    """What a part most likely is: role, orientation, why, and whether it could as well be something else.

    Parameters
    ----------
    doubts
        Orientations between which only a person can choose; empty where one is plain.
    """

    role: str
    orientation: str
    reason: str
    sure: bool = True
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class AxisSide:
    """A column that rises or falls steadily as an axis down the table does.

    Parameters
    ----------
    column, name
        Which, and its names in the rows above the data.
    rows : (n_positions,)
        Rows that hold a position; the other rows hold a word in its place, such as the name of a target.
    values : (n_positions,)
        Their positions.
    """

    column: int
    name: str
    rows: NDArray[np.intp]
    values: NDArray[np.float64]


def monotonic(values: NDArray[np.floating]) -> bool:
    """Whether the values rise or fall at every step."""
    steps = np.diff(values)
    return bool(len(values) > 1 and ((steps > 0).all() or (steps < 0).all()))


def channel_names(grid: Grid) -> Positions | None:
    """Return the positions that stand as column names, from the header row that holds most of them."""
    return _named_row(grid)[1]


def _named_row(grid: Grid) -> tuple[int, Positions | None]:
    """Return the header row that holds most positions, and them."""
    found = [(at, positions) for at, row in enumerate(grid.header) if (positions := positions_in(row)) is not None]
    if not found:
        return -1, None
    at, best = max(found, key=lambda one: one[1].values.size)
    textual = sum(best.first <= column < best.first + best.values.size for column in grid.words)
    return (-1, None) if textual > 0.5 * best.values.size else (at, best)


def is_channel_run(named: Positions, grid: Grid) -> bool:
    """Whether names that hold numbers are positions of channels, not of samples or components."""
    low = float(np.abs(named.values).min())
    if named.values.size < FEW:
        alone = not named.prefix and grid.n_columns > 1 and (named.values.size == 1 or low >= FAR_OUT)
        return alone or bool(named.unit)
    if not named.prefix or named.unit:
        return True
    many = named.values.size >= MANY
    if named.of_samples:
        return many and named.counted
    return many or (monotonic(named.values) and (named.counted or low >= FAR_OUT))


def axis_side(grid: Grid) -> AxisSide | None:
    """Return the column that may be the axis of spectra in columns: the first of numbers, or the one after a count."""
    for column in range(min(grid.n_columns, 3)):
        found = _steady_column(grid, column)
        if found is not None and counts_rows(found.values) and not only_axis(found.name):
            continue
        if found is not None or column not in grid.words:
            return found
    return None


def guess_part(grid: Grid) -> PartGuess:
    """Guess what one table is from its names and values alone."""
    if (pairs := pairs_in(grid)) is not None:
        return PartGuess("spectra", "pairs", pairs.reason, doubts=() if pairs.sure else ("pairs", "columns"))
    if (stacked := stacked_in(grid)) is not None:
        return PartGuess("spectra", "long", stacked.reason)
    side = axis_side(grid)
    if grid.n_columns == 1 and not grid.words:
        return _guess_vector(grid, side)
    at, named = _named_row(grid)
    by_rows, by_columns = _speaks_for_rows(grid, at, named), _speaks_for_columns(grid, side)
    in_rows = named is not None and by_rows > 0
    why_rows = "" if named is None else (
        f"{named.values.size} column names are positions from {named.values[0]:g} to {named.values[-1]:g}"
    )  # fmt: skip
    if side is not None and by_columns > 0 and not (by_columns == WEAK and by_rows == STRONG):
        steadily = f"rises or falls steadily from {side.values[0]:g} to {side.values[-1]:g}"
        reason = f"column {side.column + 1} {f'is named {side.name!r} and ' if by_columns == CERTAIN else ''}{steadily}"
        apart = by_columns == CERTAIN and at >= 0 and not only_axis(grid.header[at][side.column])
        asked = by_columns == WEAK or (by_rows == STRONG and not apart)
        first = "rows" if asked and any(column < side.column for column in grid.words) else "columns"
        other = "rows" if first == "columns" else "columns"
        return PartGuess("spectra", first, reason, doubts=(first, other) if asked else ())
    if in_rows:
        return PartGuess("spectra", "rows", why_rows)
    if grid.n_rows == 1 and grid.n_columns > FEW and not grid.header and monotonic(grid.numbers[0]):
        return PartGuess("axis", "rows", "a single row of steadily rising or falling numbers")
    if "ambiguous" in grid.facts:
        return PartGuess("spectra", "columns", "two columns of numbers", sure=False)
    if not grid.header and grid.n_columns - len(grid.words) >= MANY:
        return PartGuess("spectra", "rows", f"{grid.n_columns} columns of numbers without names", sure=False)
    return PartGuess("targets", "rows", "no column names are positions, and no column rises or falls as an axis does")


def counts_rows(values: NDArray[np.floating]) -> bool:
    """Whether a column only numbers the rows: 1, 2, 3, ... or 0, 1, 2, ..."""
    return len(values) > 0 and float(values[0]) in {0.0, 1.0} and bool((np.diff(values) == 1).all())


def axis_like(values: NDArray[np.floating]) -> bool:
    """Whether steady values lie as positions do: at even steps, or far from zero."""
    steps = np.diff(values)
    even = bool(np.ptp(steps) <= 0.05 * np.abs(steps).max())
    return even or float(np.abs(values).max()) > FAR_OUT


def _guess_vector(grid: Grid, side: AxisSide | None) -> PartGuess:
    steady = side is not None and grid.n_rows > FEW and not counts_rows(side.values)
    if side is not None and steady and (axis_named(side.name) or (not grid.header and axis_like(side.values))):
        return PartGuess("axis", "columns", "a single column of steadily rising or falling numbers")
    return PartGuess("targets", "rows", "a single column that does not rise or fall as positions do")


def _speaks_for_rows(grid: Grid, at: int, named: Positions | None) -> int:
    """How far the names speak for channels as columns."""
    if named is None or not is_channel_run(named, grid):
        return NOTHING
    if named.unit:
        return STRONG
    # Words above or below the numbers may be the names of spectra, and the numbers those of a target.
    contested = any(_tells_apart(row) for other, row in enumerate(grid.header) if other != at)
    near = float(np.abs(named.values).min()) < FAR_OUT
    return WEAK if named.counted or contested or (near and named.values.size < MANY) else STRONG


def _speaks_for_columns(grid: Grid, side: AxisSide | None) -> int:
    """How far a column speaks for positions down the table."""
    if side is None or grid.n_columns - len(grid.words) < 2:
        return NOTHING
    if only_axis(side.name) or _is_x_of_y(grid, side):
        return CERTAIN
    if counts_rows(side.values) or len(side.values) <= FEW:
        return NOTHING
    if axis_named(side.name):
        return WEAK
    if not axis_like(side.values):
        return NOTHING
    far = float(np.abs(side.values).min()) >= FAR_OUT
    beside = any(column < side.column for column in grid.words)
    if not side.name:
        return STRONG if (far and not beside) or grid.n_columns == 2 else WEAK
    # A target that was sorted rises as an axis does: only a person can tell them apart.
    if len(side.values) <= MANY:
        # In a table of samples no word stands above all numbers of a target.
        return WEAK if far and int(side.rows[0]) > 0 else NOTHING
    return STRONG if grid.n_columns == 2 and far else WEAK


def _is_x_of_y(grid: Grid, side: AxisSide) -> bool:
    """Whether the columns are called X and Y, and what is derived from Y."""
    names = [[row[at].lower() for at in range(side.column + 1, grid.n_columns)] for row in grid.header]
    return side.name.strip().lower() == "x" and any(all(name.startswith(("y", "dy")) for name in row) for row in names)


def _steady_column(grid: Grid, column: int) -> AxisSide | None:
    """Return a column of steady numbers; words above, between or below them are allowed."""
    values = np.asarray(grid.numbers[:, column], dtype=np.float64)
    held = np.isfinite(values)
    if column in grid.words:
        found = [parse_number(cell, grid.decimal) for cell in grid.text[column]]
        values = np.array([np.nan if value is None else value for value in found])
        held = np.isfinite(values)
    if held.sum() < 2 or (2 * held.sum() < len(values) and held.sum() < FEW):
        return None
    worded = {row for row, at, cell in grid.odd_cells if at == column}
    worded |= {row for row, cell in enumerate(grid.text.get(column, ())) if not is_missing(cell)}
    if any(row not in worded for row in np.flatnonzero(~held)) or not monotonic(values[held]):
        return None
    named = [row for row in grid.header if not _of_numbers(row, grid)]
    # A row of a few repeated words, such as groups, is no name of the columns where another row tells them apart.
    words = [row[column] for row in named if not row[column] or _tells_apart(row) or not any(map(_tells_apart, named))]
    # A unit that stands above most columns is that of all of them, and names none as the axis.
    words = [word for word in words if not word or not any(2 * row.count(word) > len(row) for row in named)]
    labels = [cell for row, at, cell in grid.odd_cells if at == column]
    labels += [cell for row, cell in enumerate(grid.text.get(column, ())) if row in worded]
    name = next((word for word in [*words, *labels] if axis_named(word)), words[-1] if words else "")
    return AxisSide(column, name, np.flatnonzero(held), values[held])


def _of_numbers(row: Cells, grid: Grid) -> bool:
    """Whether a row above the data holds values, as those of a target do, and not the names of the columns."""
    named = positions_in(row)
    if named is None or named.prefix or 2 * named.values.size <= len(row) or not row[0]:
        return False
    near = float(np.abs(named.values).min()) < FAR_OUT
    return near or any(_tells_apart(other) for other in grid.header if other is not row)


def _tells_apart(row: Cells) -> bool:
    """Whether the words of a row name most columns, each by another one."""
    words = {cell for cell in row if cell and ((named := positions_in([cell])) is None or named.of_samples)}
    return len(words) > max(2, 3 * len(row) // 4)

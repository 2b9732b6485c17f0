"""Spectra, axes and side columns inside the parts that readers found; says which, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.names import Positions, axis_named, positions_in, signal_named
from spectra_core.datasets.parts import Cells, Curve, Grid

FEW = 3
FAR_OUT = 100.0  # one or two numbers as names are positions only where nm or cm-1 lie


@dataclass(frozen=True, eq=False)
class Column:
    """One value per spectrum that is no channel: a target, an id, a remark.

    Parameters
    ----------
    name
        As in the file; "#3" for the third column of a table without names.
    numbers : (n_spectra,)
        NaN where there is none; None for a column of text.
    text
        Verbatim cells; None for a column of numbers.
    unit
        From a units row; empty where there is none.
    """

    name: str
    numbers: NDArray[np.floating[Any]] | None = None
    text: Cells | None = None
    unit: str = ""

    def cells(self) -> Cells:
        """Return the values as text, whole numbers without a decimal point."""
        if self.text is not None:
            return self.text
        assert self.numbers is not None
        return tuple("" if np.isnan(value) else f"{value:.15g}" for value in self.numbers)


@dataclass(frozen=True, eq=False)
class Block:
    """Spectra on one axis, as rows, with whatever stands beside them.

    Parameters
    ----------
    source
        Name of the part.
    signal : (n_spectra, n_channels)
        May hold NaN.
    positions : (n_channels,) or None
        In file order; None where the part holds none.
    places
        Where each spectrum is in the file, as a person would look it up: "line 4", "column 2".
    columns
        What stands beside the spectra.
    names
        Names of spectra that are column titles or measurement titles; empty where a column holds the ids.
    cut, odd
        Rows the file ends within; (spectrum, channel, cell) of cells that hold text instead of a number.
    reason
        Why the part was read in this orientation.
    """

    source: str
    signal: NDArray[np.floating[Any]]
    positions: NDArray[np.float64] | None
    places: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    names: tuple[str, ...] = ()
    axis_quantity: str = ""
    axis_unit: str = ""
    signal_quantity: str = ""
    signal_unit: str = ""
    cut: tuple[int, ...] = ()
    odd: tuple[tuple[int, int, str], ...] = ()
    orientation: str = "rows"
    reason: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class PartGuess:
    """What a part most likely is: role, orientation, why, and whether it could as well be something else."""

    role: str
    orientation: str
    reason: str
    sure: bool = True


def monotonic(values: NDArray[np.floating[Any]]) -> bool:
    """Whether the values rise or fall at every step."""
    steps = np.diff(values)
    return bool(len(values) > 1 and ((steps > 0).all() or (steps < 0).all()))


def channel_names(grid: Grid) -> Positions | None:
    """Return the positions that stand as column names, from the header row that holds most of them."""
    found = [positions for row in grid.header if (positions := positions_in(row)) is not None]
    if not found:
        return None
    best = max(found, key=lambda positions: positions.values.size)
    textual = sum(best.first <= column < best.first + best.values.size for column in grid.text)
    if textual > 0.5 * best.values.size:
        return None
    return best


def guess_part(grid: Grid) -> PartGuess:
    """Guess what one table is from its names and values alone."""
    first = _first_numeric(grid)
    named = channel_names(grid)
    axis_word = first is not None and any(axis_named(row[first]) for row in grid.header)
    rising = first is not None and grid.n_rows > 1 and monotonic(_present(grid.numbers[:, first]))
    if axis_word and rising and grid.n_columns - len(grid.text) > 1:
        assert first is not None
        return PartGuess(
            "spectra", "columns", f"column {first + 1} is named as an axis, and its values rise or fall steadily"
        )
    if named is not None and _is_channel_run(named, grid):
        return PartGuess(
            "spectra",
            "rows",
            f"{named.values.size} column names are positions from {named.values[0]:g} to {named.values[-1]:g}",
        )
    if grid.n_columns == 1 and not grid.text:
        values = grid.numbers[:, 0]
        steady = rising and grid.n_rows > FEW and not _counts_rows(values)
        if steady and (axis_word or (not grid.header and _axis_like(values))):
            return PartGuess("axis", "columns", "a single column of steadily rising or falling numbers")
        return PartGuess("targets", "rows", "a single column that does not rise or fall as positions do")
    if grid.n_rows == 1 and grid.n_columns > FEW and not grid.header and monotonic(_present(grid.numbers[0])):
        return PartGuess("axis", "rows", "a single row of steadily rising or falling numbers")
    if first is not None and rising and grid.n_rows > FEW and not _counts_rows(grid.numbers[:, first]):
        values = grid.numbers[:, first]
        nameless = not grid.header
        spaced = _axis_like(values)
        if (nameless and spaced) or (not nameless and spaced and grid.n_rows > 20):
            return PartGuess(
                "spectra", "columns", f"column {first + 1} rises or falls steadily from {values[0]:g} to {values[-1]:g}"
            )
    if "ambiguous" in grid.facts:
        return PartGuess("spectra", "columns", "two columns of numbers", sure=False)
    if not grid.header and grid.n_columns - len(grid.text) >= 20:
        return PartGuess("spectra", "rows", f"{grid.n_columns} columns of numbers without names", sure=False)
    return PartGuess("targets", "rows", "no column names are positions, and no column rises or falls as an axis does")


def block_in_rows(grid: Grid, side_columns: Sequence[str] = ()) -> Block:
    """Read a table with one spectrum a row; `side_columns` are names of columns that are no channels."""
    named = channel_names(grid)
    titles = column_titles(grid, named)
    positions: NDArray[np.float64] | None
    if named is not None and (_is_channel_run(named, grid) or grid.header):
        channels = [at for at in range(named.first, named.first + named.values.size) if titles[at] not in side_columns]
        offset = [at - named.first for at in channels]
        positions = None if _counts_channels(named) else named.values[offset]
        quantity, unit = named.quantity, named.unit
    else:
        channels = [at for at in range(grid.n_columns) if at not in grid.text and titles[at] not in side_columns]
        positions, quantity, unit = None, "", ""
    inside = set(channels)
    units = _unit_row(grid)
    if not unit and units and channels and (meaning := axis_named(units[channels[0]])):
        quantity, unit = meaning
    corner = next((meaning for row in grid.header for cell in row[:1] if (meaning := _sentence_axis(cell))), None)
    if corner and not unit:
        quantity, unit = corner
    signal_words = next(
        (m for row in grid.header for cell in row[:1] if len(cell) > 8 and (m := signal_named(cell))), None
    )
    columns = tuple(
        _column(grid, at, titles[at], units[at] if units else "") for at in range(grid.n_columns) if at not in inside
    )
    place = {at: number for number, at in enumerate(channels)}
    low = channels[0] if channels else 0
    whole = channels == list(range(low, low + len(channels)))
    return Block(
        grid.name,
        grid.numbers[:, low : low + len(channels)] if whole else grid.numbers[:, channels],
        positions,
        tuple(f"line {grid.first_row + row}" for row in range(grid.n_rows)),
        columns,
        (),
        quantity,
        unit,
        *(signal_words or ("", "")),
        grid.cut_rows,
        tuple((row, place[column], cell) for row, column, cell in grid.odd_cells if column in place),
        "rows",
        notes=grid.notes,
    )


def block_in_columns(grid: Grid, side_rows: Sequence[str] = ()) -> Block:
    """Read a table with one spectrum a column; `side_rows` are numbers such as "#152" of rows that are no channels."""
    first = _first_numeric(grid)
    has_axis = first is not None and grid.n_rows > 1 and monotonic(_present(grid.numbers[:, first]))
    numeric = [at for at in range(grid.n_columns) if at not in grid.text and not (has_axis and at == first)]
    sides = [row for row in range(grid.n_rows) if f"#{row + 1}" in side_rows]
    channels = [row for row in range(grid.n_rows) if row not in set(sides)]
    positions = quantity = unit = None
    if has_axis:
        positions = np.asarray(grid.numbers[channels, first], dtype=np.float64)
        meaning = next((found for row in grid.header if first is not None and (found := axis_named(row[first]))), None)
        quantity, unit = meaning or ("", "")
    names, signal_words = _spectrum_names(grid, numeric)
    columns = tuple(Column(f"#{row + 1}", grid.numbers[row, numeric]) for row in sides)
    spot = {at: number for number, at in enumerate(numeric)}
    where = {row: number for number, row in enumerate(channels)}
    return Block(
        grid.name,
        grid.numbers[np.ix_(channels, numeric)].T,
        positions,
        tuple(f"column {at + 1}" for at in numeric),
        columns,
        names,
        quantity or "",
        unit or "",
        *signal_words,
        odd=tuple((spot[c], where[r], cell) for r, c, cell in grid.odd_cells if c in spot and r in where),
        orientation="columns",
        notes=grid.notes,
    )


def blocks_of_curves(curves: Sequence[Curve]) -> list[Block]:
    """Gather curves that share positions and quantity into blocks, in order of first appearance."""
    groups: dict[Any, list[Curve]] = {}
    for curve in curves:
        key = (curve.x.tobytes(), curve.x_unit, curve.y_quantity, curve.y_unit)
        groups.setdefault(key, []).append(curve)
    return [
        Block(
            group[0].name,
            np.stack([curve.y for curve in group]),
            np.asarray(group[0].x, dtype=np.float64),
            tuple(f"spectrum {number}" for number in range(1, len(group) + 1)),
            (),
            tuple(curve.name for curve in group),
            group[0].x_quantity,
            group[0].x_unit,
            group[0].y_quantity,
            group[0].y_unit,
            orientation="curves",
            reason="each measurement carries its own axis",
            notes=tuple(dict.fromkeys(note for curve in group for note in curve.notes)),
        )
        for group in groups.values()
    ]


def column_titles(grid: Grid, named: Positions | None = None) -> list[str]:
    """Name every column by the header row that holds the positions, else by the first; "#3" where it is empty."""
    rows = grid.header
    if not rows:
        return [f"#{at + 1}" for at in range(grid.n_columns)]
    row = rows[0]
    if named is not None:
        row = next(
            (one for one in rows if (found := positions_in(one)) and found.values.size == named.values.size), row
        )
    return [cell or f"#{at + 1}" for at, cell in enumerate(row)]


def side_table(grid: Grid) -> tuple[Column, ...]:
    """Return every column of a table without spectra."""
    titles = column_titles(grid)
    units = _unit_row(grid)
    return tuple(_column(grid, at, titles[at], units[at] if units else "") for at in range(grid.n_columns))


def _column(grid: Grid, at: int, title: str, unit: str) -> Column:
    if at in grid.text and np.isnan(grid.numbers[:, at]).all():
        return Column(title, None, grid.text[at])
    return Column(title, grid.numbers[:, at], None, unit)


def _first_numeric(grid: Grid) -> int | None:
    return next((at for at in range(grid.n_columns) if at not in grid.text), None)


def _present(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    return values if not np.isnan(values).any() else np.array([])


def _counts_rows(values: NDArray[np.floating[Any]]) -> bool:
    """Whether a column only numbers the rows: 1, 2, 3, ... or 0, 1, 2, ..."""
    return len(values) > 0 and float(values[0]) in {0.0, 1.0} and bool((np.diff(values) == 1).all())


def _counts_channels(named: Positions) -> bool:
    return bool(named.prefix) and not named.unit and _counts_rows(named.values)


def _is_channel_run(named: Positions, grid: Grid) -> bool:
    if named.values.size < FEW:
        alone = not named.prefix and grid.n_columns > 1 and (named.values.size == 1 or named.values.min() >= FAR_OUT)
        return alone or bool(named.unit)
    return not (named.prefix and not named.unit and not monotonic(named.values) and named.values.size < 20)


def _evenly_spaced(values: NDArray[np.floating[Any]]) -> bool:
    steps = np.diff(values)
    return bool(np.ptp(steps) <= 0.05 * np.abs(steps).max())


def _axis_like(values: NDArray[np.floating[Any]]) -> bool:
    return _evenly_spaced(values) or float(np.nanmax(np.abs(values))) > 100


def _unit_row(grid: Grid) -> Cells | None:
    """Return the header row that holds units: short words under the names."""
    for row in grid.header[1:]:
        filled = [cell for cell in row if cell]
        if filled and len(set(filled)) <= max(3, len(filled) // 4) and positions_in(row) is None:
            return row
    return None


def _sentence_axis(cell: str) -> tuple[str, str] | None:
    return axis_named(cell) if len(cell) > 1 else None


def _spectrum_names(grid: Grid, numeric: list[int]) -> tuple[tuple[str, ...], tuple[str, str]]:
    """Return names from the header row that tells most spectra apart, and the quantity the others name."""
    rows = [[row[at] for at in numeric] for row in grid.header]
    signal: tuple[str, str] = ("", "")
    for row in rows:
        if row and len(set(row)) == 1 and (found := signal_named(row[0])):
            signal = found
    distinct = max(rows, key=lambda row: len(set(row)), default=[])
    if len(numeric) == 1 and distinct and signal_named(distinct[0]):
        distinct = next((row for row in rows if row[0] and not signal_named(row[0])), [])
    names = tuple(cell or f"column {at + 1}" for at, cell in zip(numeric, distinct, strict=True)) if distinct else ()
    return names, signal

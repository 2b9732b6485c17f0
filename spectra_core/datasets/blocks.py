"""Spectra, axes and side columns inside the parts that readers found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.amounts import amounts_in_names
from spectra_core.datasets.censored import is_censored, quantities
from spectra_core.datasets.channels import channels_in_rows
from spectra_core.datasets.column import Column
from spectra_core.datasets.names import (
    NAMES_IDS,
    Positions,
    axis_named,
    positions_in,
    signal_in_channel,
    signal_named,
)
from spectra_core.datasets.numbers import is_missing, parse_number
from spectra_core.datasets.orientation import AxisSide, axis_side, channel_names
from spectra_core.datasets.other_axes import other_axis
from spectra_core.datasets.own_axes import curves_of_pairs, spectrum_keys, stacked_in
from spectra_core.datasets.parts import Cells, Curve, Grid
from spectra_core.datasets.questions import Problem
from spectra_core.errors import ReadError


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
    cut, hidden, odd
        Spectra the file ends within, and those it hides; (spectrum, channel, cell) of cells that hold text instead of a
        number.
    reason
        Why the part was read in this orientation.
    titles : n_channels names
        What the file calls the channels, where those are no positions.
    problems
        What must be decided about it.
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
    titles: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    hidden: tuple[int, ...] = ()


def block_in_rows(grid: Grid, roles: Mapping[str, str] | None = None) -> Block:
    """Read a table with one spectrum a row; `roles` says by title which columns are no channels, or are."""
    titles = column_titles(grid, channel_names(grid))
    found = channels_in_rows(grid, titles, roles or {})
    channels, positions, quantity, unit = found.columns, found.positions, found.quantity, found.unit
    inside = set(channels)
    units = _unit_row(grid)
    if not unit and units and channels and (meaning := axis_named(units[channels[0]])):
        quantity, unit = meaning
    corner = next(
        (meaning for row in grid.header for cell in row[:1] if len(cell) > 1 and (meaning := axis_named(cell))), None
    )
    if corner and not unit:
        quantity, unit = corner
    signal = next((m for row in grid.header for cell in row[:1] if len(cell) > 8 and (m := signal_named(cell))), None)
    if signal is None and positions is not None and channels:
        signal = signal_in_channel(titles[channels[0]])
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
        tuple(f"line {grid.line(row)}" for row in range(grid.n_rows)),
        columns,
        (),
        quantity,
        unit,
        *(signal or ("", "")),
        grid.cut_rows,
        tuple((row, place[column], cell) for row, column, cell in grid.odd_cells if column in place),
        "rows",
        notes=grid.notes + found.notes,
        titles=tuple(titles[at] for at in channels) if positions is None else (),
        problems=found.problems,
        hidden=grid.hidden,
    )


def block_in_columns(grid: Grid, roles: Mapping[str, str] | None = None) -> Block:
    """Read a table with one spectrum a column; `roles` says by number ("#152") which rows are no channels.

    A row whose place on the axis is taken by a word, above the channels or among them, is a column beside the spectra.
    """
    side = axis_side(grid)
    numeric = [at for at in range(grid.n_columns) if at not in grid.words and (side is None or at > side.column)]
    sides = [row for row in range(grid.n_rows) if f"#{row + 1}" in (roles or {})]
    held = range(grid.n_rows) if side is None else [int(row) for row in side.rows]
    channels = [row for row in held if row not in set(sides)]
    positions = quantity = unit = None
    if side is not None:
        positions = np.asarray(
            [value for row, value in zip(side.rows, side.values, strict=True) if row not in set(sides)]
        )
        quantity, unit = axis_named(side.name) or other_axis(side.name) or ("", "")
    names, signal_words, above = _spectrum_names(grid, numeric, side)
    columns = [Column(f"#{row + 1}", grid.numbers[row, numeric]) for row in sides]
    columns += [_column_of_cells(label, cells, grid.decimal) for label, cells in above]
    labelled = _labelled_rows(grid, numeric, side)
    below = [column for column in labelled if axis_named(column.name)]
    columns += [column for column in labelled if not axis_named(column.name)]
    if not names and len(numeric) == 1:
        names = (grid.name,)
    names = below[0].cells() if below and len(set(names)) < len(names) + (not names) else names
    amounts, problems = amounts_in_names(names, grid.decimal, roles or {}) if not columns else (None, ())
    columns += [] if amounts is None else [Column(*amounts)]
    spot = {at: number for number, at in enumerate(numeric)}
    where = {row: number for number, row in enumerate(channels)}
    return Block(
        grid.name,
        grid.numbers[channels][:, numeric].T,
        positions,
        tuple(f"column {at + 1}" for at in numeric),
        tuple(columns),
        names,
        quantity or "",
        unit or "",
        *signal_words,
        odd=tuple((spot[c], where[r], cell) for r, c, cell in grid.odd_cells if c in spot and r in where),
        orientation="columns",
        notes=grid.notes,
        problems=problems,
    )


def blocks_with_own_axes(grid: Grid) -> list[Block]:
    """Read a table of pairs of columns, each an axis and a signal."""
    return [replace(block, source=grid.name, orientation="pairs") for block in blocks_of_curves(curves_of_pairs(grid))]


def blocks_in_list(grid: Grid, value: str | None) -> list[Block]:
    """Read a table of one value a row; spectra of other positions are a block of their own.

    Raises
    ------
    ReadError
        When the table is no such list.
    """
    found = stacked_in(grid)
    if found is None:
        raise ReadError(
            f"{grid.name} is no list of one value a row: expected columns with the name of the spectrum, its position "
            "and its value. Choose another orientation."
        )
    titles = column_titles(grid)
    if value is not None and value in titles:
        found = replace(found, value=titles.index(value))
    codes, names = spectrum_keys(grid, found)
    places = np.asarray(grid.numbers[:, found.axis], dtype=np.float64)
    axis = places[codes == 0]
    union = np.unique(places)
    firsts = np.unique(codes, return_index=True)[1]
    columns = (
        Column(titles[found.sample], None, tuple(names)),
        *(_column(grid, at, titles[at], "").taken(firsts.tolist()) for at in found.constant),
    )
    quantity = next((named for row in grid.header if (named := axis_named(row[found.axis]))), ("", ""))
    signal = next((named for row in grid.header if (named := signal_named(row[found.value]))), ("", ""))
    # The order of the rows of a list means nothing, unless it is that of the axis.
    falling = len(axis) == len(union) and bool((np.diff(axis) < 0).all())
    goal = union[::-1] if falling else union
    spot = np.searchsorted(union, places)
    spot = len(union) - 1 - spot if falling else spot
    values = np.full((len(names), len(goal)), np.nan)
    values[codes, spot] = grid.numbers[:, found.value]
    odd = tuple(
        (int(codes[row]), int(spot[row]), cell) for row, column, cell in grid.odd_cells if column == found.value
    )
    lines = tuple(f"from line {grid.line(row)} on" for row in firsts)
    whole = Block(
        grid.name, values, goal, lines, columns, (), *quantity, *signal, odd=odd, orientation="long", notes=grid.notes
    )
    return [whole] if len(union) <= 1.5 * np.bincount(codes).max() else _apart(whole)


def _apart(block: Block) -> list[Block]:
    """Part a block whose spectra lie on grids of their own into one block a grid."""
    held = np.isfinite(block.signal)
    blocks = []
    for mask in dict.fromkeys(row.tobytes() for row in held):
        rows = [row for row in range(len(held)) if held[row].tobytes() == mask]
        at = np.flatnonzero(held[rows[0]])
        blocks.append(
            replace(
                block,
                signal=block.signal[rows][:, at],
                positions=None if block.positions is None else block.positions[at],
                places=tuple(block.places[row] for row in rows),
                columns=tuple(column.taken(rows) for column in block.columns),
                odd=(),
            )
        )
    return blocks


def blocks_of_curves(curves: Sequence[Curve]) -> list[Block]:
    """Gather curves that share positions and quantity into blocks, in order of first appearance."""
    groups: dict[Any, list[Curve]] = {}
    for curve in curves:
        groups.setdefault((curve.x.tobytes(), curve.x_unit, curve.y_quantity, curve.y_unit), []).append(curve)
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
    # Merged cells name a column beside the channels in another row than the positions stand in.
    units = _unit_row(grid)
    others = [other for other in rows if other is not row and other is not units] if named is not None else []
    return [
        cell or next((other[at] for other in others if other[at] and _names_alone(other, at)), f"#{at + 1}")
        for at, cell in enumerate(row)
    ]


def _names_alone(row: Cells, at: int) -> bool:
    """Whether a cell is the name of its own column, not the heading of those behind it too."""
    return row.count(row[at]) == 1 and (at + 1 == len(row) or bool(row[at + 1]))


def side_table(grid: Grid) -> tuple[Column, ...]:
    """Return every column of a table without spectra."""
    titles = column_titles(grid)
    units = _unit_row(grid)
    return tuple(_column(grid, at, titles[at], units[at] if units else "") for at in range(grid.n_columns))


def _column(grid: Grid, at: int, title: str, unit: str) -> Column:
    if at in grid.words:
        return _column_of_cells(title, grid.text[at], grid.decimal, unit)
    odd = {row: cell for row, column, cell in grid.odd_cells if column == at}
    if odd and np.isnan(grid.numbers[:, at]).all():  # words that begin far below, as remarks and groups may
        return _column_of_cells(title, [odd.get(row, "") for row in range(grid.n_rows)], grid.decimal, unit)
    return Column(title, grid.numbers[:, at], None, unit, odd)


def _column_of_cells(title: str, cells: Sequence[str], decimal: str, unit: str = "") -> Column:
    """Return numbers where all cells are numbers, with one unit or censored ("<0.05"), else text."""
    values = [parse_number(cell, decimal) for cell in cells]
    if all(value is None for value in values):
        found = quantities(cells, decimal)
        if found is not None:
            return Column(title, np.array(found[0]), None, unit or found[1])
    words = {row: cell for row, (cell, value) in enumerate(zip(cells, values, strict=True)) if value is None}
    words = {row: cell for row, cell in words.items() if not is_missing(cell)}
    named = any(len(cell) > 1 and cell[0] == "0" and cell.isdigit() for cell in cells)
    if named or any(not is_censored(cell) for cell in words.values()) or len(words) == len(cells):
        return Column(title, None, tuple(cells), unit)
    return Column(title, np.array([np.nan if value is None else value for value in values]), None, unit, words)


def _labelled_rows(grid: Grid, numeric: list[int], side: AxisSide | None) -> list[Column]:
    """Return the rows of the data that hold a word where the others hold a position."""
    if side is None:
        return []
    odd = {(row, column): cell for row, column, cell in grid.odd_cells}
    found = []
    for row in sorted(set(range(grid.n_rows)) - {int(one) for one in side.rows}):
        label = grid.text[side.column][row] if side.column in grid.text else odd[row, side.column]
        cells = [
            odd.get((row, at), f"{grid.numbers[row, at]:.15g}" if np.isfinite(grid.numbers[row, at]) else "")
            for at in numeric
        ]
        found.append(_column_of_cells(label, cells, "."))
    return found


def _unit_row(grid: Grid) -> Cells | None:
    """Return the header row that holds units: short words under the names."""
    for row in grid.header[1:]:
        filled = [cell for cell in row if cell]
        if filled and len(set(filled)) <= max(3, len(filled) // 4) and positions_in(row) is None:
            return row
    return None


def _spectrum_names(
    grid: Grid, numeric: list[int], side: AxisSide | None
) -> tuple[tuple[str, ...], tuple[str, str], list[tuple[str, list[str]]]]:
    """Return names from the header row that tells most spectra apart, the quantity another names, and the others."""
    rows = [(row[side.column] if side is not None else "", [row[at] for at in numeric]) for row in grid.header]
    signal: tuple[str, str] = ("", "")
    for _, row in rows:
        if row and len(set(row)) == 1 and (found := signal_named(row[0])):
            signal = found
    beside = [(label, row) for label, row in rows if _is_beside(label, row, grid.decimal)]
    left = [row for label, row in rows if (label, row) not in beside]
    worded = [(label, row) for label, row in beside if not _of_values(row, grid.decimal)]
    if worded and not any(len(set(row)) > len(row) // 2 for row in left):
        # Names stand under a word of the person's own, as in "vial, A1, A2".
        label, row = max(worded, key=lambda one: len(set(one[1])))
        if len(set(row)) == len(row):
            beside.remove((label, row))
            left.append(row)
    distinct = max(left, key=lambda row: len(set(row)), default=[])
    if len(numeric) == 1 and distinct and signal_named(distinct[0]):
        distinct = next((row for row in left if row[0] and not signal_named(row[0])), [])
    distinct = next((joined for row in left if (joined := _told_apart_by(distinct, row))), distinct)
    names = tuple(cell or f"column {at + 1}" for at, cell in zip(numeric, distinct, strict=True)) if distinct else ()
    return names, signal, beside


def _told_apart_by(names: Sequence[str], other: Sequence[str]) -> list[str]:
    """Return the names with the words of another row behind, where those tell repeated and merged ones apart."""
    if len(set(names)) == len(names) or len(set(other)) < 2 or names == other:
        return []
    filled: list[str] = []
    for cell in names:
        filled.append(cell or (filled[-1] if filled else ""))
    both = [f"{one} {two}".strip() for one, two in zip(filled, other, strict=True)]
    return both if len(set(both)) == len(both) else []


def _is_beside(label: str, row: Sequence[str], decimal: str) -> bool:
    """Whether a row above the channels holds a target or a group of every spectrum under a name of its own."""
    if not label or axis_named(label) or NAMES_IDS.match(label) or len(row) < 2:
        return False
    filled = [cell for cell in row if cell]
    if 2 * len(filled) <= len(row) or (len(set(row)) == 1 and (signal_named(row[0]) or axis_named(row[0]))):
        return False
    return _of_values(row, decimal) or len(set(filled)) > 1


def _of_values(row: Sequence[str], decimal: str) -> bool:
    return all(parse_number(cell, decimal) is not None or is_missing(cell) or is_censored(cell) for cell in row)

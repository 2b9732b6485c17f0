"""Several columns that are named as axes of the same spectra: one is the axis, the others are no spectra."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from spectra_core.datasets.names import only_axis
from spectra_core.datasets.orientation import channel_names, is_channel_run, monotonic
from spectra_core.datasets.parts import Grid
from spectra_core.datasets.questions import Problem, choice, listed

_FEWEST = 3


def with_one_axis(grid: Grid, roles: Mapping[str, str]) -> tuple[Grid, list[Problem]]:
    """Return a table of spectra in columns without the axes that repeat another one; ask which is to be used.

    Columns of values between two axes belong to the first of them: such axes are left to other rules.

    Parameters
    ----------
    roles
        What a person decided, by the name of a column: "ignored" drops an axis.
    """
    named = channel_names(grid)
    if grid.n_rows < _FEWEST or (named is not None and is_channel_run(named, grid)):
        return grid, []
    axes = {at: title for at in range(grid.n_columns) if (title := _axis_title(grid, at))}
    values = [at for at in range(grid.n_columns) if at not in axes and at not in grid.words]
    beside = _beside_each_other(list(axes), values)
    if len(beside) < 2:
        return grid, []
    first = _held(grid, beside[0])
    same = [at for at in beside[1:] if np.array_equal(first, _held(grid, at), equal_nan=True)]
    others = [at for at in beside if at not in same]
    left = [at for at in others if roles.get(axes[at]) != "ignored"] or others
    dropped = same + [at for at in others if at != left[0]]
    problems = []
    if len(left) > 1:
        names = [axes[at] for at in left]
        ways = (choice(name, columns=dict.fromkeys([one for one in names if one != name], "ignored")) for name in names)
        text = f"{grid.name} has several axes for the same spectra: {listed(names)}. Say which is to be used."
        problems.append(Problem("axis column", text, tuple(ways), readings=True))
    note = f"Columns that are axes, too, are left out: {listed([axes[at] for at in sorted(dropped)])}."
    return without_columns(replace(grid, notes=(*grid.notes, note)), dropped), problems


def without_columns(grid: Grid, dropped: Sequence[int]) -> Grid:
    """Return the table without some of its columns."""
    kept = [at for at in range(grid.n_columns) if at not in set(dropped)]
    place = {at: number for number, at in enumerate(kept)}
    return replace(
        grid,
        numbers=grid.numbers[:, kept],
        text={place[at]: cells for at, cells in grid.text.items() if at in place},
        header=tuple(tuple(row[at] for at in kept) for row in grid.header),
        odd_cells=tuple((row, place[at], cell) for row, at, cell in grid.odd_cells if at in place),
    )


def _beside_each_other(axes: Sequence[int], values: Sequence[int]) -> list[int]:
    """Return axes without a column of values between them, and those after which none comes."""
    if not axes or not values:
        return []
    found = {at for one, two in pairwise(axes) if not any(one < at < two for at in values) for at in (one, two)}
    if axes[0] < values[0] and axes[-1] > values[-1]:
        found |= {axes[0], axes[-1]}
    return sorted(found)


def _axis_title(grid: Grid, at: int) -> str:
    """Return the name of a column that is an axis by its name and its values."""
    title = next((row[at] for row in grid.header if only_axis(row[at])), "")
    if not title or at in grid.words or any(2 * row.count(title) > len(row) for row in grid.header):
        return ""
    held = _held(grid, at)
    return title if len(held) >= _FEWEST and monotonic(held) else ""


def _held(grid: Grid, at: int) -> np.ndarray:
    values = np.asarray(grid.numbers[:, at], dtype=np.float64)
    return values[np.isfinite(values)]

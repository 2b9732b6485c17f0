"""Which columns of a table with one spectrum a row are its channels? Told by their names, or asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.names import Positions, positions_in, runs_of_positions
from spectra_core.datasets.orientation import channel_names
from spectra_core.datasets.parts import Grid
from spectra_core.datasets.questions import Problem, choice, listed
from spectra_core.errors import ReadError


@dataclass(frozen=True, eq=False)
class Channels:
    """The columns that are channels.

    Parameters
    ----------
    columns, positions
        Where they stand and lie, in file order; positions are None where no name tells them.
    quantity, unit
        Empty where the names do not say.
    problems, notes
        What must be decided about other columns, and what was seen of them.
    """

    columns: list[int]
    positions: NDArray[np.float64] | None
    quantity: str = ""
    unit: str = ""
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def channels_in_rows(grid: Grid, titles: Sequence[str], roles: Mapping[str, str]) -> Channels:
    """Return the columns that are channels.

    A column without a position may part them: a remark, an empty column, a slip of the pen.

    Parameters
    ----------
    titles
        Name of every column; "#3" in place of an empty one.
    roles
        What a person decided, by title; "channel" takes a column of another run for one.

    Raises
    ------
    ReadError
        Where a column is to be a channel and its name holds no position.
    """
    main = channel_names(grid)
    if main is None:
        return Channels([at for at in range(grid.n_columns) if at not in grid.words and titles[at] not in roles], None)
    names = ["" if title == f"#{at + 1}" else title for at, title in enumerate(titles)]
    runs = runs_of_positions(names)
    parted = [run for run in runs if _style(run) == _style(main)]
    joined = parted if _goes_on(parted) else [run for run in runs if run.first == main.first]
    others = [run for run in runs if run.first not in {one.first for one in joined} and _rivals(run, main)]
    places = {at: place for run in joined for at, place in _places(run)}
    for at, title in enumerate(titles):
        if roles.get(title) == "channel" and at not in places:
            found = positions_in([title])
            if found is None:
                raise ReadError(f"Column {title!r} cannot be a channel: its name holds no position. Correct the name.")
            places[at] = float(found.values[0])
    kept = [at for at in sorted(places) if roles.get(titles[at], "channel") == "channel"]
    said = next((run for run in runs if kept and kept[0] in dict(_places(run))), main)
    open_runs = [run for run in others if not any(titles[at] in roles for at, _ in _places(run))]
    problems = [_apart(joined, open_runs[0], titles)] if open_runs else []
    rivals = {at for run in others for at, _ in _places(run)}
    strange = [at for at in _without_a_place(grid, kept, names) if titles[at] not in roles and at not in rivals]
    if strange:
        problems.append(_strange(grid, strange, titles))
    dull = [titles[at] for at in _between(kept) if at in grid.words or not _is_filled(grid, at)]
    notes = (f"Between the channels stand columns that are none: {listed(dull)}.",) if dull else ()
    positions = None if main.prefix and main.counted else np.array([places[at] for at in kept])
    return Channels(kept, positions, said.quantity, said.unit, tuple(problems), notes)


def _places(run: Positions) -> list[tuple[int, float]]:
    return [(run.first + number, float(value)) for number, value in enumerate(run.values)]


def _style(run: Positions) -> tuple[str, str]:
    return run.prefix, run.unit


def _rivals(run: Positions, main: Positions) -> bool:
    """Whether a run may be channels as well as the longest one."""
    again = np.array_equal(run.values, main.values)
    return run.like_axis or ((again or _style(run) == _style(main)) and run.values.size >= 3)


def _goes_on(runs: Sequence[Positions]) -> bool:
    """Whether runs follow each other on one axis: steadily, and without a leap to other numbers."""
    steps = np.diff(np.concatenate([run.values for run in runs]))
    if len(runs) < 2 or not ((steps > 0).all() or (steps < 0).all()):
        return len(runs) < 2
    longest = max(np.ptp(run.values) for run in runs)
    return float(np.abs(steps).max()) <= max(20 * float(np.median(np.abs(steps))), longest)


def _between(kept: Sequence[int]) -> list[int]:
    return sorted(set(range(kept[0], kept[-1])) - set(kept)) if kept else []


def _is_filled(grid: Grid, at: int) -> bool:
    return bool(np.isfinite(grid.numbers[:, at]).any())


def _without_a_place(grid: Grid, kept: Sequence[int], names: Sequence[str]) -> list[int]:
    """Return columns of numbers that stand between channels, or have no name: slips of the pen may have made them."""
    nameless = [at for at, name in enumerate(names) if not name and at > 0]
    found = sorted({*_between(kept), *nameless} - set(kept))
    return [at for at in found if at not in grid.words and _is_filled(grid, at)]


def _words(runs: Sequence[Positions], titles: Sequence[str]) -> str:
    return f"{titles[runs[0].first]} to {titles[runs[-1].first + runs[-1].values.size - 1]}"


def _apart(joined: Sequence[Positions], other: Positions, titles: Sequence[str]) -> Problem:
    these, those = _words(joined, titles), _words([other], titles)
    left = {titles[at]: "ignored" for run in joined for at, _ in _places(run)}
    right = [titles[at] for at, _ in _places(other)]
    ways = [
        choice(f"Only {these}", columns=dict.fromkeys(right, "ignored")),
        choice(f"Only {those}", columns={**left, **dict.fromkeys(right, "channel")}),
    ]
    units = {run.unit for run in [*joined, other]}
    if len(units) == 1 and _goes_on(sorted([*joined, other], key=lambda run: run.first)):
        ways.append(choice("Both, as one axis", columns=dict.fromkeys(right, "channel")))
    text = f"Two sets of columns are named by positions: {these}, and {those}. Say which are the channels."
    return Problem("channels apart", text, tuple(ways), readings=True)


def _strange(grid: Grid, columns: Sequence[int], titles: Sequence[str]) -> Problem:
    named = [titles[at] for at in columns]
    text = (
        f"Columns of numbers stand among the channels of {grid.name} and have no position as a name: {listed(named)}. "
        "If they are channels, correct their names in the file."
    )
    ways = (
        choice("Do not use them", columns=dict.fromkeys(named, "ignored")),
        choice("Use them as targets", columns=dict.fromkeys(named, "target")),
    )
    return Problem("columns without a position", text, ways)

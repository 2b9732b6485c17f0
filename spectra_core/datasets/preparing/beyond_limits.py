"""What stands for a cell whose value lies beyond a limit, such as "<0.05", ">3" or "LOD"? Asked, never guessed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from spectra_core.datasets.censored import Censored, censored
from spectra_core.datasets.columns import Role
from spectra_core.datasets.questions import Point, Problem, choice, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.table import ImportTable

SIGNAL = "signal"
_WORDS = {"missing": "As missing", "half": "Half the limit", "limit": "The limit"}


def within_limits(
    table: ImportTable, roles: list[Role], ids: tuple[str, ...], recipe: Recipe
) -> tuple[ImportTable, list[Role], list[Point], list[Problem]]:
    """Put the chosen value for every censored cell of signal and targets; ask where none is chosen.

    Returns
    -------
    table, roles, points, problems
        With numbers in place of the words, and what was decided or is open.
    """
    cells = {
        (one.column.name, row): found
        for one in roles
        if one.role == "target"
        for row, cell in one.column.odd.items()
        if (found := censored(cell)) is not None
    }
    in_signal = {(row, channel): found for row, channel, cell in table.odd if (found := censored(cell)) is not None}
    if not cells and not in_signal:
        return table, roles, [], []
    if recipe.censored is None:
        return table, roles, [], [_question(table, roles, ids, cells, in_signal=in_signal, recipe=recipe)]
    point = Point(
        "censored",
        "Values beyond a limit",
        _WORDS[recipe.censored],
        "",
        tuple(choice(words, censored=key) for key, words in _WORDS.items()),
        True,
    )
    if recipe.censored == "missing":
        return table, roles, [point], []
    signal = table.signal
    if in_signal:
        signal = np.array(signal, dtype=np.float64)
        for (row, channel), found in in_signal.items():
            signal[row, channel] = _value(found, SIGNAL, recipe)
    filled = [_filled(one, recipe) if any(name == one.column.name for name, _ in cells) else one for one in roles]
    return replace(table, signal=signal), filled, [point], []


def _filled(one: Role, recipe: Recipe) -> Role:
    column = one.column
    assert column.numbers is not None
    numbers = np.array(column.numbers, dtype=np.float64)
    for row, cell in column.odd.items():
        if (found := censored(cell)) is not None:
            numbers[row] = _value(found, column.name, recipe)
    return replace(one, column=replace(column, numbers=numbers))


def _value(found: Censored, name: str, recipe: Recipe) -> float:
    """Return what stands for a cell; NaN where its limit is not known. Above a limit there is no half."""
    limit = found.limit if found.limit is not None else recipe.limits.get(name, np.nan)
    return float(limit) * (0.5 if recipe.censored == "half" and not found.above else 1.0)


def _question(
    table: ImportTable,
    roles: list[Role],
    ids: tuple[str, ...],
    cells: Mapping[tuple[str, int], Censored],
    *,
    in_signal: Mapping[tuple[int, int], Censored],
    recipe: Recipe,
) -> Problem:
    columns = {one.column.name: one.column for one in roles}
    names = list(dict.fromkeys(name for name, _ in cells))
    said = []
    for name in names:
        rows = [row for one, row in cells if one == name]
        said.append(
            f"{name}: {listed([f'{columns[name].odd[row]!r} of {_place(table, ids, row)}' for row in rows], 3)}"
        )
    if in_signal:
        odd = {(row, channel): cell for row, channel, cell in table.odd}
        where = [f"{odd[key]!r} in {_place(table, ids, key[0])}" for key in in_signal]
        said.append(f"the signal: {listed(where, 3)}")
    lacking = [name for name in names if _limitless(cells[key] for key in cells if key[0] == name)]
    lacking += [SIGNAL] if _limitless(in_signal.values()) else []
    lacking = [name for name in lacking if name not in recipe.limits]
    n_cells = len(cells) + len(in_signal)
    number = "One value lies" if n_cells == 1 else f"{n_cells} values lie"
    text = f"{number} beyond a limit ({'; '.join(said)}). Say what stands for {'it' if n_cells == 1 else 'them'}"
    above = any(found.above for found in [*cells.values(), *in_signal.values()])
    text += "; above a limit, half of it means the limit" if above else ""
    text += (
        f"; some cells name no limit, so give that of {' and '.join(lacking)}, or take them as missing"
        if lacking
        else ""
    )
    keys = ["missing"] if lacking else list(_WORDS)
    return Problem(
        "censored",
        f"{text}.",
        tuple(choice(_WORDS[key], censored=key) for key in keys),
        rows=tuple(sorted({row for _, row in cells} | {row for row, _ in in_signal})),
        asks=tuple(f"limit of {name}" for name in lacking),
    )


def _limitless(found: Iterable[Censored]) -> bool:
    return any(one.limit is None for one in found)


def _place(table: ImportTable, ids: tuple[str, ...], row: int) -> str:
    return f"{ids[row]} ({table.places[row]})"

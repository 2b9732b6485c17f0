"""Tables of targets joined to spectra: by id however it is spelled, by order only when asked."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spectra_core.datasets.blocks import side_table
from spectra_core.datasets.column import Column
from spectra_core.datasets.names import NAMES_IDS
from spectra_core.datasets.parts import Grid
from spectra_core.datasets.questions import Choice, Point, Problem, choice, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.replicates import stems
from spectra_core.datasets.table import ImportTable
from spectra_core.shares import percent

_CHOICES = (choice("by id", join="id"), choice("by order", join="order"))
_EXTENSION = re.compile(r"\.(?=\w*[a-z])\w{1,4}$", re.IGNORECASE)
_NUMBERED = re.compile(r"(?P<word>[^\d]*?)[\s_\-#.:]*0*(?P<number>\d+)")
_ENOUGH = 0.5
_Made = Callable[[Sequence[str]], Sequence[str] | None]
"""Makes keys of names; None where these names are not of its kind."""


@dataclass(frozen=True)
class _Match:
    """How a table finds the spectra: column of ids, row per spectrum (-1 for none), in which words, what is over."""

    key: Column
    rows: list[int]
    words: str
    n_extra: int
    spelled: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of the spectra that have a row."""
        return sum(row >= 0 for row in self.rows) / len(self.rows)


def joined(
    table: ImportTable, grids: Sequence[Grid], recipe: Recipe
) -> tuple[list[Column], list[Point], list[Problem]]:
    """Return the columns of the table with those of the tables of targets, joined by id or by order."""
    columns = list(table.columns)
    points: list[Point] = []
    problems: list[Problem] = []
    for grid in grids:
        theirs = side_table(grid)
        leave = choice(f"Leave out {grid.name}", parts={grid.name: "ignored"})
        match = _match(columns, table.names, theirs, recipe.join == "number") if recipe.join != "order" else None
        if match is not None:
            for column in theirs:
                if column is not match.key:
                    problems += _added(columns, column.taken(match.rows), grid, leave)
            how = f"by {'the numbers in the id' if recipe.join == 'number' else 'id'} ({match.key.name})"
            points.append(Point("join", f"Join {grid.name}", how, match.words, _CHOICES, bool(recipe.join)))
            problems += _told(table, columns, grid, match, leave)
        elif recipe.join is None and (numbered := _match(columns, table.names, theirs, True)) is not None:
            by_order = [choice("Join by order", join="order")] if grid.n_rows == len(table.signal) else []
            text = (
                f"{grid.name} shares no ids with the spectra, but the numbers in them agree: "
                f"{listed(list(numbered.spelled), 3)}. Say whether they name the same samples."
            )
            ways = (choice("Join by these numbers", join="number"), *by_order, leave)
            problems.append(Problem("join", text, ways, readings=True))
        elif grid.n_rows != len(table.signal):
            said = (
                "shares no ids with them, so it cannot be joined"
                if recipe.join != "order"
                else "cannot be joined by order"
            )
            text = f"{grid.name} has {grid.n_rows} rows for {len(table.signal)} spectra and {said}. "
            problems.append(Problem("join", f"{text}Leave it out, or add a column of ids.", (leave,)))
        elif recipe.join == "order":
            taken = {column.name for column in columns}
            columns += [
                column if column.name not in taken else replace(column, name=f"{column.name} ({grid.name})")
                for column in theirs
            ]
            points.append(Point("join", f"Join {grid.name}", "by order", "chosen", _CHOICES, True))
        else:
            text = (
                f"{grid.name} has {grid.n_rows} rows and shares no ids with the {len(table.signal)} spectra. "
                "Join it row by row only if both are in the same order."
            )
            problems.append(Problem("join", text, (choice("Join by order", join="order"), leave), readings=True))
    return columns, points, problems


def _added(columns: list[Column], column: Column, grid: Grid, leave: Choice) -> list[Problem]:
    """Put a column beside the others; one of the same name gets what it lacks, and asks where the two differ."""
    at = next((number for number, one in enumerate(columns) if one.name == column.name), None)
    if at is None:
        columns.append(column)
        return []
    have, come = columns[at].cells(), column.cells()
    pairs = list(zip(have, come, strict=True))
    differ = [row for row, (one, two) in enumerate(pairs) if one.strip() and two.strip() and one.strip() != two.strip()]
    if differ:
        first = differ[0]
        text = (
            f"{grid.name} gives {column.name} another value than the table before it in {len(differ)} of {len(have)} "
            f"spectra, first {come[first]!r} for {have[first]!r}. Leave it out, or correct one of the two."
        )
        return [Problem("join", text, (leave,), True, tuple(differ))]
    numbers = columns[at].numbers
    if numbers is not None and column.numbers is not None:
        filled = np.where(np.isnan(numbers), column.numbers, numbers)
        odd = {row: cell for row, cell in {**column.odd, **columns[at].odd}.items() if np.isnan(filled[row])}
        columns[at] = replace(columns[at], numbers=filled, odd=odd)
    else:
        columns[at] = replace(columns[at], numbers=None, text=tuple(one or two for one, two in pairs))
    return []


def _told(table: ImportTable, columns: Sequence[Column], grid: Grid, match: _Match, leave: Choice) -> list[Problem]:
    """Say which spectra and rows found no other, which ids are spelled in two ways, and ask about those given twice."""
    n_found = sum(row >= 0 for row in match.rows)
    missing = [number for number, row in enumerate(match.rows) if row < 0]
    extra = match.n_extra
    found = []
    if match.twice:
        text = f"{grid.name} gives several values for one id: {listed(list(match.twice))}. Leave one row for each."
        found.append(Problem("join", text, (leave,)))
    if missing or extra:
        names = listed([table.names[n] or _id_of(columns, n) or table.places[n] for n in missing])
        text = f"{grid.name} is joined by id: {n_found} of {len(match.rows)} spectra have a row there"
        text += f"; without one: {names}" if missing else ""
        text += f"; {extra} of its rows belong to no spectrum" if extra else ""
        found.append(Problem("join", text + ".", (), False, tuple(missing)))
    if match.spelled:
        text = f"Ids that {grid.name} spells differently are taken as the same: {listed(list(match.spelled), 3)}."
        found.append(Problem("spelled ids", text, (), False))
    return found


def _match(
    columns: Sequence[Column], names: Sequence[str], theirs: Sequence[Column], by_numbers: bool
) -> _Match | None:
    """Find the pair of columns of ids with most values in common; as they stand rather than in another spelling."""
    ways: list[tuple[_Made, _Made]] = [(_exactly, _exactly), (_spelled, _spelled), (_repeats, _exactly)]
    ways += [(_numbers, _numbers), (_numbers_of_repeats, _numbers)] if by_numbers else []
    ours = [
        (column.name, column.cells()) for column in columns if column.text is not None or NAMES_IDS.match(column.name)
    ]
    if any(names):
        ours.append(("title", tuple(_EXTENSION.sub("", name) for name in names)))
    best: _Match | None = None
    for column in theirs:
        if column.text is None and not NAMES_IDS.match(column.name):
            continue
        cells = [_EXTENSION.sub("", cell) for cell in column.cells()]
        twice = _given_twice(cells, column, theirs)
        if len(set(cells)) < 2 or (len(twice) > len(set(cells)) // 2 and not NAMES_IDS.match(column.name)):
            continue  # no column of ids
        for label, values in ours:
            for ours_made, theirs_made in ways:
                keys, known = ours_made(values), theirs_made(cells)
                if keys is None or known is None:
                    continue
                found = _matched(column, (label, values), keys, known, twice)
                if found is not None and (best is None or found.share > best.share):
                    best = found
    return best


def _matched(
    column: Column, ours: tuple[str, Sequence[str]], keys: Sequence[str], known: Sequence[str], twice: tuple[str, ...]
) -> _Match | None:
    label, values = ours
    cells = column.cells()
    where: dict[str, int] = {}
    for row, key in enumerate(known):
        if key:
            where.setdefault(key, row)
    rows = [where.get(key, -1) for key in keys]
    share = sum(row >= 0 for row in rows) / len(rows)
    if share < _ENOUGH:
        return None
    pairs = {(value, cells[row]) for value, row in zip(values, rows, strict=True) if row >= 0}
    spelled = tuple(f"{two!r} = {one!r}" for one, two in sorted(pairs) if one.strip() != two.strip())
    words = f"{percent(share)} of the values of {label!r} are found in {column.name!r}"
    found = {known[row] for row in rows if row >= 0}
    return _Match(column, rows, words, sum(key not in found for key in known), spelled, twice)


def _exactly(names: Sequence[str]) -> Sequence[str] | None:
    return [name.strip() for name in names]


def _spelled(names: Sequence[str]) -> Sequence[str] | None:
    """Return names without case, blanks, dashes and zeros before numbers; None where two would become one.

    >>> _spelled(["S-01", "s 2"]), _spelled(["a1", "A1"])
    (['s1', 's2'], None)
    """
    plain = [_EXTENSION.sub("", name.strip()).casefold() for name in names]
    plain = [re.sub(r"(?<![\d.,])0+(?=\d)", "", re.sub(r"[\s_\-/#]+", "", name)) for name in plain]
    return plain if len(set(plain)) == len(set(names)) else None


def _repeats(names: Sequence[str]) -> Sequence[str] | None:
    """Return names without the mark of the repeat, where they are those of planned repeats."""
    found = stems(names)
    return None if found is None else found[0]


def _numbers(names: Sequence[str]) -> Sequence[str] | None:
    """Return the numbers of names that are one word and a number, or a number alone.

    >>> _numbers(["Sample 01", "Sample 12"]), _numbers(["3", "4"]), _numbers(["a1", "b1"])
    (['1', '12'], ['3', '4'], None)
    """
    found = [_NUMBERED.fullmatch(_EXTENSION.sub("", name.strip())) for name in names]
    words = {None if one is None else one["word"].casefold() for one in found}
    return [one["number"] for one in found if one is not None] if len(words) == 1 and None not in words else None


def _numbers_of_repeats(names: Sequence[str]) -> Sequence[str] | None:
    found = _repeats(names)
    return None if found is None else _numbers(found)


def _given_twice(cells: Sequence[str], key: Column, columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the ids that several rows have, with different values beside them."""
    if len(set(cells)) == len(cells):
        return ()
    beside = list(zip(*(column.cells() for column in columns if column is not key), strict=True)) or [()] * len(cells)
    values: dict[str, set[tuple[str, ...]]] = {}
    for cell, row in zip(cells, beside, strict=True):
        values.setdefault(cell, set()).add(row)
    return tuple(cell for cell, rows in values.items() if cell and len(rows) > 1)


def _id_of(columns: Sequence[Column], number: int) -> str:
    for column in columns:
        if column.text is not None:
            return column.text[number]
    return ""

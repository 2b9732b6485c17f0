"""The import table: all spectra of all files on one axis, with gaps and masks still in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.agreement import agreeing
from spectra_core.datasets.axis_columns import with_one_axis
from spectra_core.datasets.blocks import (
    Block,
    block_in_columns,
    block_in_rows,
    blocks_in_list,
    blocks_of_curves,
    blocks_with_own_axes,
    column_titles,
)
from spectra_core.datasets.brackets import with_brackets
from spectra_core.datasets.column import Column
from spectra_core.datasets.marks import other_mark
from spectra_core.datasets.numbers import is_missing, parse_number
from spectra_core.datasets.orientation import WORDS, PartGuess
from spectra_core.datasets.own_axes import repeated_in_list, stacked_in
from spectra_core.datasets.part_roles import part_points, part_roles, role_key
from spectra_core.datasets.parts import Curve, Grid, Part
from spectra_core.datasets.questions import Point, Problem, choice
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.tidied import tidied
from spectra_core.errors import ReadError


@dataclass(eq=False)
class ImportTable:
    """Spectra, axis and side columns as read; nothing left out, filled, sorted or converted yet.

    Parameters
    ----------
    signal : (n_spectra, n_channels)
        NaN where a cell is missing or holds text.
    positions : (n_channels,) or None
        In file order.
    columns
        Values beside the spectra, one per spectrum.
    names
        Titles of the spectra, where the files have them outside of columns.
    places
        "line 4 of a.csv" per spectrum.
    cut, hidden, odd
        Spectra that a file ends within, and those it hides; (spectrum, channel, cell) of cells with text instead of a
        number.
    trusted
        Whether this program wrote the values, so that none of them stands for something else.
    titles : n_channels names
        What the file calls the channels, where those are no positions.
    """

    signal: NDArray[np.floating[Any]]
    positions: NDArray[np.float64] | None
    columns: list[Column]
    names: tuple[str, ...]
    places: tuple[str, ...]
    axis_quantity: str = ""
    axis_unit: str = ""
    signal_quantity: str = ""
    signal_unit: str = ""
    cut: tuple[int, ...] = ()
    odd: tuple[tuple[int, int, str], ...] = ()
    notes: list[str] = field(default_factory=list)
    trusted: bool = False
    titles: tuple[str, ...] = ()
    hidden: tuple[int, ...] = ()


def assemble(parts: Sequence[Part], recipe: Recipe) -> tuple[ImportTable, list[Grid], list[Point], list[Problem]]:
    """Put all parts together; returns the table, the tables of targets to join, what was guessed, and what is open.

    Raises
    ------
    ReadError
        When no part holds spectra.
    """
    plain = [(number, with_brackets(part, recipe)) for number, part in enumerate(parts) if isinstance(part, Grid)]
    bracketed = [problem for _, (_, asked) in plain for problem in asked]
    told = [(number, with_one_axis(tidied(grid), recipe.columns)) for number, (grid, _) in plain]
    grids = [(number, grid) for number, (grid, _) in told]
    curves = [
        part
        for number, part in enumerate(parts)
        if isinstance(part, Curve) and role_key(part, number, recipe) != "ignored"
    ]
    guesses = part_roles(grids, recipe)
    points, problems = part_points(grids, guesses, recipe, many=len(parts) > 1)
    problems += [problem for number, (_, asked) in told if guesses[number].role == "spectra" for problem in asked]
    axis = _axis_part([grid for number, grid in grids if guesses[number].role == "axis"])
    blocks = blocks_of_curves(curves)
    for number, grid in grids:
        if guesses[number].role == "spectra":
            found = _blocks(grid, guesses[number].orientation, recipe)
            blocks += [_with_axis(block, axis) for block in found]
            if not any(problem.kind == "orientation" for problem in problems):
                problems += [problem for block in found for problem in block.problems]
            problems += _value_question(grid, guesses[number].orientation, recipe)
    targets = [grid for number, grid in grids if guesses[number].role == "targets"]
    blocks = [block for block in blocks if block.signal.size]
    if not blocks:
        doubled = [said for _, grid in grids if (said := repeated_in_list(grid))]
        if doubled:
            raise ReadError(doubled[0])
        raise ReadError(
            "No spectra were found: the files hold targets or an axis only. Add the file with the spectra, "
            f"or say which table holds them.{_in_words(grids)}"
        )
    agreed, notes, more = agreeing(blocks, recipe)
    table = _stacked(agreed, notes)
    problems = [
        *_encoding_question(parts, recipe),
        *_dialect_question(parts, recipe),
        *_doubts(parts, recipe),
        *bracketed[:1],
        *problems,
    ]
    problems += more
    points += _facts(parts)
    points += _orientation_point(grids, guesses, recipe)
    return table, targets, points, problems


def _in_words(grids: Sequence[tuple[int, Grid]]) -> str:
    """Return what may be the spectra of tables that hold none: columns of words, and arrays that are no tables."""
    for _, grid in grids:
        if len(grid.text) > grid.n_columns // 2 and grid.n_columns > 2:
            cells = [cell for cell in grid.text[max(grid.text)] if parse_number(cell) is None and not is_missing(cell)]
            return f" Most columns of {grid.name} hold no numbers, but words such as {''.join(cells[:1])[:40]!r}."
    said = [note for _, grid in grids for note in grid.notes if "not read" in note]
    return f" {said[0]}" if said else ""


def ways_out(parts: Sequence[Part], recipe: Recipe) -> list[Point]:
    """Return what a person can say of files that were read but not understood."""
    grids = [(number, part) for number, part in enumerate(parts) if isinstance(part, Grid)]
    guesses = part_roles(grids, recipe)
    points, _ = part_points(grids, guesses, recipe, many=True)
    return [*points, *_orientation_point(grids, guesses, recipe), *_facts(parts)]


def _blocks(grid: Grid, orientation: str, recipe: Recipe) -> list[Block]:
    if orientation == "rows":
        return [block_in_rows(grid, recipe.columns)]
    if orientation == "pairs":
        return blocks_with_own_axes(grid)
    if orientation == "long":
        return blocks_in_list(grid, recipe.signal_column)
    return [block_in_columns(grid, recipe.columns)]


def _orientation_point(grids: list[tuple[int, Grid]], guesses: Mapping[int, PartGuess], recipe: Recipe) -> list[Point]:
    """Say how the one table is read, and how else it could be."""
    if len(grids) != 1 or (guesses[grids[0][0]].role != "spectra" and recipe.orientation is None):
        return []
    grid, guess = grids[0][1], guesses[grids[0][0]]
    n_numeric = grid.n_columns - len(grid.words)
    ways = ["rows", "columns"]
    ways += ["pairs"] if n_numeric >= 4 and n_numeric % 2 == 0 else []
    ways += ["long"] if 3 <= grid.n_columns <= 40 else []
    choices = tuple(choice(WORDS[one], orientation=one) for one in ways)
    return [
        Point(
            "orientation",
            "Orientation",
            WORDS[guess.orientation],
            guess.reason,
            choices,
            recipe.orientation is not None,
        )
    ]


def _value_question(grid: Grid, orientation: str, recipe: Recipe) -> list[Problem]:
    """Ask which column is the signal where several vary along a spectrum."""
    found = stacked_in(grid) if orientation == "long" else None
    if found is None or not found.others or recipe.signal_column is not None:
        return []
    titles = column_titles(grid)
    names = [titles[at] for at in (found.value, *found.others)]
    return [
        Problem(
            "signal column",
            f"Several columns of {grid.name} vary along a spectrum: {', '.join(names)}. Say which is the signal; "
            "the others are not used.",
            tuple(choice(name, signal_column=name) for name in names),
            readings=True,
        )
    ]


def _axis_part(grids: list[Grid]) -> NDArray[np.float64] | None:
    return np.asarray(grids[0].numbers, dtype=np.float64).ravel() if grids else None


def _with_axis(block: Block, axis: NDArray[np.float64] | None) -> Block:
    if axis is None or block.positions is not None:
        return block
    if len(axis) != block.signal.shape[1]:
        raise ReadError(
            f"The axis has {len(axis)} positions but {block.source} has {block.signal.shape[1]} channels. "
            "Choose the orientation, or the axis that belongs to them."
        )
    return replace(block, positions=axis)


def _stacked(blocks: list[Block], notes: list[str]) -> ImportTable:
    first = blocks[0]
    offsets = np.cumsum([0, *(len(block.signal) for block in blocks)])
    several = len(blocks) > 1
    if several and all(len(block.names) == 1 for block in blocks) and len({block.names for block in blocks}) == 1:
        # A heading that all files share names no spectrum.
        blocks = [replace(block, names=(block.source,)) for block in blocks]
    pairs = list(zip(blocks, offsets[:-1], strict=True))
    return ImportTable(
        np.concatenate([block.signal for block in blocks]) if several else first.signal,
        first.positions,
        _stacked_columns(blocks),
        tuple(name for block in blocks for name in (block.names or [""] * len(block.signal))),
        tuple(f"{place} of {block.source}" for block in blocks for place in block.places),
        first.axis_quantity,
        first.axis_unit,
        first.signal_quantity,
        first.signal_unit,
        tuple(int(start) + row for block, start in pairs for row in block.cut),
        tuple((int(start) + row, channel, cell) for block, start in pairs for row, channel, cell in block.odd),
        notes + [f"{block.source}: {note}" for block in blocks for note in block.notes],
        titles=first.titles,
        hidden=tuple(int(start) + row for block, start in pairs for row in block.hidden),
    )


def _stacked_columns(blocks: list[Block]) -> list[Column]:
    if len(blocks) == 1:
        return list(blocks[0].columns)
    stacked = []
    for name in dict.fromkeys(column.name for block in blocks for column in block.columns):
        found = [next((column for column in block.columns if column.name == name), None) for block in blocks]
        if any(column is not None and column.text is not None for column in found):
            cells = [
                cell
                for column, block in zip(found, blocks, strict=True)
                for cell in (column.cells() if column else [""] * len(block.signal))
            ]
            stacked.append(Column(name, None, tuple(cells)))
        else:
            pieces = [
                np.full(len(block.signal), np.nan) if column is None or column.numbers is None else column.numbers
                for column, block in zip(found, blocks, strict=True)
            ]
            unit = next((column.unit for column in found if column), "")
            starts = np.cumsum([0, *map(len, pieces)])
            odd = {
                int(start) + row: cell
                for column, start in zip(found, starts, strict=False)
                if column is not None
                for row, cell in column.odd.items()
            }
            stacked.append(Column(name, np.concatenate(pieces), None, unit, odd))
    return stacked


_TEXT_CHOICES = {
    "separator": tuple(
        choice(name, separator=mark)
        for name, mark in (("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("blanks", " "))
    ),
    "decimal": (choice("point", decimal="."), choice("comma", decimal=",")),
    "encoding": tuple(
        choice(name, encoding=name) for name in ("utf-8", "latin-1", "cp1252", "utf-16", "cp932", "gb18030", "cp1251")
    ),
    "header": tuple(choice(str(number), header_rows=number) for number in range(5)),
}


def text_points(recipe: Recipe) -> list[Point]:
    """Return what a person can say of text that could not be read at all."""
    said = {
        "separator": ("Separator", recipe.separator),
        "decimal": ("Decimal mark", recipe.decimal),
        "encoding": ("Encoding", recipe.encoding),
        "header": ("Header rows", recipe.header_rows),
    }
    return [
        Point(key, title, "as guessed" if value is None else str(value), "", _TEXT_CHOICES[key], value is not None)
        for key, (title, value) in said.items()
    ]


def _facts(parts: Sequence[Part]) -> list[Point]:
    """Say once how the files were read, taking the first part as their example."""
    if not parts:
        return []
    part = parts[0]
    titles = {"format": "Format", "encoding": "Encoding", "separator": "Separator", "decimal": "Decimal mark"}
    points = []
    for key, title in titles.items():
        if key in part.facts:
            value, _, reason = part.facts[key].partition(" (")
            points.append(Point(key, title, value, reason.rstrip(")"), _TEXT_CHOICES.get(key, ())))
    if isinstance(part, Grid) and part.format in {"text", "excel"}:
        n_header = len(part.header)
        points.append(
            Point(
                "header",
                "Header rows",
                str(n_header),
                f"the data start in line {part.first_row}",
                _TEXT_CHOICES["header"],
            )
        )
    return points


def _doubts(parts: Sequence[Part], recipe: Recipe) -> list[Problem]:
    """Ask about files that say one thing in their header and another in their data."""
    said = dict.fromkeys(part.facts["doubt"] for part in parts if "doubt" in part.facts)
    return [
        Problem(
            "contradictions",
            f"{sentence} Read the data as they stand only if you know why.",
            (choice("Read the data as they stand", contradictions="accept"),),
            recipe.contradictions is None,
        )
        for sentence in said
    ]


def _encoding_question(parts: Sequence[Part], recipe: Recipe) -> list[Problem]:
    """Ask in which encoding the letters beyond ASCII are meant, where they make no words in the usual one."""
    said = next((part.facts["readings"] for part in parts if "readings" in part.facts), "")
    if recipe.encoding is not None or not said:
        return []
    ways = [line.partition("=") for line in said.splitlines()]
    text = "The text does not say in which encoding its letters are. Say which reading is right; numbers stay the same."
    return [Problem("encoding", text, tuple(choice(label, encoding=name) for name, _, label in ways))]


def _dialect_question(parts: Sequence[Part], recipe: Recipe) -> list[Problem]:
    """Ask where the separator may as well be the decimal mark, or where both marks stand in numbers."""
    if recipe.separator is None and any("ambiguous" in part.facts for part in parts):
        return [
            Problem(
                "dialect",
                "Every line reads as two whole numbers, or as one number with a decimal comma. Say which.",
                (
                    choice("Two numbers", separator=",", decimal="."),
                    choice("One number with a decimal comma", separator=";", decimal=","),
                ),
                readings=True,
            )
        ]
    mixed = [said for part in parts if isinstance(part, Grid) and (said := other_mark(part))]
    if recipe.decimal is not None or not mixed:
        return []
    text = f"{mixed[0]} Say which mark is the decimal one: columns with the other one are then words."
    ways = choice("Decimal points", decimal="."), choice("Decimal commas", decimal=",")
    return [Problem("decimal marks", text, ways, readings=True)]

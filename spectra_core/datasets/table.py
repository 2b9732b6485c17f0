"""The import table: all spectra of all files on one axis, with gaps and masks still in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.blocks import (
    Block,
    Column,
    PartGuess,
    block_in_columns,
    block_in_rows,
    blocks_of_curves,
    channel_names,
    guess_part,
    monotonic,
    side_table,
)
from spectra_core.datasets.parts import Curve, Grid, Part
from spectra_core.datasets.questions import Point, Problem, choice
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.resampling import onto_first_grid
from spectra_core.errors import ReadError

_AXIS_NAMES = ("wav", "wl", "wn", "lambda", "axis", "nm", "freq", "shift", "positions", "ppm")
_TARGET_NAMES = ("conc", "target", "y", "label", "reference", "propert")
_SECONDARY = ("std", "sd", "noise", "var", "pure", "blank", "dark", "mean")


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
    cut, odd
        Spectra that a file ends within; (spectrum, channel, cell) of cells with text instead of a number.
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


def role_key(part: Part, number: int, recipe: Recipe) -> str | None:
    """Return the role the recipe gives a part: by its name, the name of its sheet or variable, or its number."""
    for key in (part.name, part.name.rsplit(" / ", 1)[-1], f"#{number + 1}"):
        if key in recipe.parts:
            return recipe.parts[key]
    return None


def assemble(parts: Sequence[Part], recipe: Recipe) -> tuple[ImportTable, list[Grid], list[Point], list[Problem]]:
    """Put all parts together; returns the table, the tables of targets to join, what was guessed, and what is open.

    Raises
    ------
    ReadError
        When no part holds spectra.
    """
    grids = [(number, part) for number, part in enumerate(parts) if isinstance(part, Grid)]
    curves = [
        part
        for number, part in enumerate(parts)
        if isinstance(part, Curve) and role_key(part, number, recipe) != "ignored"
    ]
    guesses = _guesses(grids, recipe)
    points, problems = _role_points(grids, guesses, recipe, many=len(parts) > 1)
    axis = _axis_part([grid for number, grid in grids if guesses[number].role == "axis"])
    side_rows = [name for name in recipe.columns if name.startswith("#")]
    blocks = blocks_of_curves(curves)
    for number, grid in grids:
        if guesses[number].role == "spectra":
            in_rows = guesses[number].orientation == "rows"
            block = block_in_rows(grid, list(recipe.columns)) if in_rows else block_in_columns(grid, side_rows)
            blocks.append(_with_axis(block, axis))
    targets = [grid for number, grid in grids if guesses[number].role == "targets"]
    blocks = [block for block in blocks if block.signal.size]
    if not blocks:
        raise ReadError(
            "No spectra were found: the files hold targets or an axis only. Add the file with the spectra, "
            "or say which table holds them."
        )
    table, more = _joined(blocks, recipe)
    problems += more
    points += _facts(parts)
    if len(blocks) == 1 and blocks[0].orientation in {"rows", "columns"}:
        reason = next(guesses[number].reason for number, _ in grids if guesses[number].role == "spectra")
        words = {"rows": "One spectrum a row", "columns": "One spectrum a column"}
        points.append(
            Point(
                "orientation",
                "Orientation",
                words[blocks[0].orientation],
                reason,
                tuple(choice(words[key], orientation=key) for key in words),
                recipe.orientation is not None,
            )
        )
    return table, targets, points, problems


def _guesses(grids: list[tuple[int, Grid]], recipe: Recipe) -> dict[int, PartGuess]:
    guesses = {number: _named_guess(grid, guess_part(grid)) for number, grid in grids}
    _set_pairs_aside(grids, guesses)
    lengths = {grid.numbers.size for number, grid in grids if guesses[number].role == "axis"}
    for number, grid in grids:
        guess = guesses[number]
        if (guess.role == "spectra" and not guess.sure) or (guess.role == "targets" and not grid.header and lengths):
            # A matrix next to an axis: the side that has the axis's length holds the channels.
            if grid.n_columns in lengths:
                guesses[number] = PartGuess("spectra", "rows", "as many columns as the axis has positions")
            elif grid.n_rows in lengths and grid.n_columns > 1:
                guesses[number] = PartGuess("spectra", "columns", "as many rows as the axis has positions")
    matching = [n for n, grid in grids if guesses[n].role == "spectra"]
    if matching and all(_has_positions(grid, guesses[n]) for n, grid in grids if n in matching):
        for number, _ in grids:
            if guesses[number].role == "axis":
                guesses[number] = PartGuess(
                    "targets", "rows", "a single column, and the spectra have their axis already"
                )
    if not matching and len(grids) == 1 and recipe.orientation is not None:
        matching = [grids[0][0]]
        guesses[matching[0]] = PartGuess("spectra", recipe.orientation, "chosen")
    for number, part in grids:
        chosen = role_key(part, number, recipe)
        guess = guesses[number]
        if chosen is not None and chosen != guess.role:
            guess = PartGuess(chosen, guess.orientation, "chosen")
        if recipe.orientation is not None and guess.role == "spectra":
            guess = PartGuess("spectra", recipe.orientation, "chosen")
        guesses[number] = guess
    return _one_matrix(grids, guesses, recipe)


def _set_pairs_aside(grids: list[tuple[int, Grid]], guesses: dict[int, PartGuess]) -> None:
    """Take two columns of whole numbers for targets where another table holds the spectra."""
    if any(guesses[number].role == "spectra" and "ambiguous" not in grid.facts for number, grid in grids):
        for number, grid in grids:
            if "ambiguous" in grid.facts:
                guesses[number] = PartGuess("targets", "rows", "two columns beside a table of spectra")


def _has_positions(grid: Grid, guess: PartGuess) -> bool:
    if guess.orientation == "columns":
        return guess_part(grid).orientation == "columns" and guess_part(grid).role == "spectra"
    return channel_names(grid) is not None


def _one_matrix(grids: list[tuple[int, Grid]], guesses: dict[int, PartGuess], recipe: Recipe) -> dict[int, PartGuess]:
    """Of several nameless matrices in one file take the one that is called data; the others stand aside."""
    matrices = [
        (n, grid)
        for n, grid in grids
        if guesses[n].role == "spectra" and not grid.header and " / " in grid.name and role_key(grid, n, recipe) is None
    ]
    chosen = any(guesses[n].role == "spectra" and role_key(grid, n, recipe) == "spectra" for n, grid in grids)
    if len(matrices) + chosen < 2:
        return guesses

    def rank(one: tuple[int, Grid]) -> tuple[bool, int]:
        label = one[1].name.rsplit(" / ", 1)[-1].lower()
        return any(word in label for word in _SECONDARY), -one[1].numbers.size

    kept = None if chosen else min(matrices, key=rank)[0]
    for number, _ in matrices:
        if number != kept:
            guesses[number] = PartGuess(
                "ignored", "rows", "another matrix of the same file is taken for the spectra", sure=False
            )
    return guesses


def _named_guess(grid: Grid, guess: PartGuess) -> PartGuess:
    """Let the name of a variable or sheet decide where the values leave it open."""
    if " / " not in grid.name or grid.header:
        return guess
    label = grid.name.rsplit(" / ", 1)[-1].lower()
    vector = 1 in grid.numbers.shape
    if vector and label.startswith(_AXIS_NAMES) and monotonic(grid.numbers.ravel()):
        return PartGuess("axis", guess.orientation, f"the variable is called {label!r} and rises or falls steadily")
    if (label.startswith(_TARGET_NAMES) and not vector) or (vector and label.startswith(_TARGET_NAMES)):
        return PartGuess("targets", "rows", f"the variable is called {label!r}")
    if grid.numbers.size == 1:
        return PartGuess("ignored", "rows", "a single number")
    return guess


def _role_points(
    grids: list[tuple[int, Grid]], guesses: Mapping[int, PartGuess], recipe: Recipe, *, many: bool
) -> tuple[list[Point], list[Problem]]:
    if not many:
        return [], []
    words = {"spectra": "Spectra", "axis": "Axis", "targets": "Targets and other columns", "ignored": "Not used"}
    points = []
    for number, grid in grids:
        guess = guesses[number]
        choices = tuple(choice(words[role], parts={grid.name: role}) for role in words)
        size = f"{grid.n_rows} x {grid.n_columns}"
        points.append(
            Point(
                f"part {grid.name}",
                f"{grid.name} ({size})",
                words[guess.role],
                guess.reason,
                choices,
                role_key(grid, number, recipe) is not None,
            )
        )
    aside = [grid.name for number, grid in grids if guesses[number].role == "ignored" and not guesses[number].sure]
    taken = [(number, grid) for number, grid in grids if guesses[number].role == "spectra"]
    problems = []
    if aside and taken and role_key(taken[0][1], taken[0][0], recipe) is None:
        same = [n for n, g in grids if g.name in aside and g.numbers.shape == taken[0][1].numbers.shape]
        names = [taken[0][1].name, *(g.name for n, g in grids if n in same)]
        if same:
            problems.append(
                Problem(
                    "several matrices",
                    f"{len(names)} matrices of one size could be the spectra: "
                    f"{', '.join(name.rsplit(' / ', 1)[-1] for name in names)}. Say which.",
                    tuple(choice(f"Use {name.rsplit(' / ', 1)[-1]}", parts={name: "spectra"}) for name in names),
                )
            )
    return points, problems


def _axis_part(grids: list[Grid]) -> NDArray[np.float64] | None:
    return np.asarray(grids[0].numbers, dtype=np.float64).ravel() if grids else None


def _with_axis(block: Block, axis: NDArray[np.float64] | None) -> Block:
    from dataclasses import replace

    if axis is None or block.positions is not None:
        return block
    if len(axis) != block.signal.shape[1]:
        raise ReadError(
            f"The axis has {len(axis)} positions but {block.source} has {block.signal.shape[1]} channels. "
            "Choose the orientation, or the axis that belongs to them."
        )
    return replace(block, positions=axis)


def _joined(blocks: list[Block], recipe: Recipe) -> tuple[ImportTable, list[Problem]]:
    """Stack blocks that share positions; spectra on other grids need a decision."""
    problems: list[Problem] = []
    first = blocks[0]
    kinds = {(block.signal_quantity, block.signal_unit) for block in blocks}
    if len(kinds) > 1:
        kept = [
            block
            for block in blocks
            if (block.signal_quantity, block.signal_unit) == (first.signal_quantity, first.signal_unit)
        ]
        dropped = sorted(
            {f"{q}{', ' + u if u else ''}" for q, u in kinds - {(first.signal_quantity, first.signal_unit)}}
        )
        wanted = recipe.signal_quantity or recipe.convert_signal
        if wanted is None:
            problems.append(_mixed_units(first, dropped))
        blocks, more = _one_quantity(blocks, kept, recipe)
        problems += more
        first = blocks[0]
    same = all(_same_positions(first, block) for block in blocks)
    if not same:
        if recipe.resample is None:
            problems.append(_different_grids(blocks))
            blocks = [block for block in blocks if _same_positions(first, block)]
        else:
            blocks, note = onto_first_grid(blocks, recipe.resample)
            first = blocks[0]
            return _stacked(blocks, [note]), problems
    return _stacked(blocks, []), problems


def _one_quantity(blocks: list[Block], kept: list[Block], recipe: Recipe) -> tuple[list[Block], list[Problem]]:
    from dataclasses import replace

    from spectra_core.datasets.conversions import converted_signal

    goal = recipe.convert_signal
    if goal is None:
        wanted = [block for block in blocks if block.signal_quantity == recipe.signal_quantity]
        return (wanted or kept), []
    return [
        replace(
            block,
            signal=converted_signal(block.signal, block.signal_quantity, block.signal_unit, goal),
            signal_quantity=goal,
            signal_unit="",
        )
        for block in blocks
    ], []


def _mixed_units(first: Block, dropped: list[str]) -> Problem:
    name = first.signal_quantity or "unnamed"
    return Problem(
        "mixed quantities",
        f"The files mix {name} with {', '.join(dropped)}; one set holds one quantity. Choose one, or convert.",
        (
            choice(f"Use only {name}", signal_quantity=first.signal_quantity),
            choice("Convert all to absorbance", convert_signal="Absorbance"),
            choice("Convert all to transmittance", convert_signal="Transmittance"),
        ),
    )


def _different_grids(blocks: list[Block]) -> Problem:
    grids = sorted({_grid_words(block) for block in blocks})
    return Problem(
        "different grids",
        f"The spectra lie on {len({_key(block) for block in blocks})} different grids ({'; '.join(grids[:3])}"
        f"{'; ...' if len(grids) > 3 else ''}). Put them on the grid of the first one, within the common range.",
        (choice("Resample linearly", resample="linear"), choice("Resample with cubic splines", resample="cubic")),
    )


def _grid_words(block: Block) -> str:
    if block.positions is None:
        return f"{block.signal.shape[1]} channels without positions"
    first, last = block.positions[0], block.positions[-1]
    return f"{len(block.positions)} channels from {first:g} to {last:g} {block.axis_unit}".rstrip()


def _key(block: Block) -> bytes:
    return b"" if block.positions is None else block.positions.tobytes()


def _same_positions(one: Block, other: Block) -> bool:
    if one.positions is None or other.positions is None:
        return one.positions is other.positions and one.signal.shape[1] == other.signal.shape[1]
    return np.array_equal(one.positions, other.positions, equal_nan=True)


def _stacked(blocks: list[Block], notes: list[str]) -> ImportTable:
    first = blocks[0]
    offsets = np.cumsum([0, *(len(block.signal) for block in blocks)])
    several = len(blocks) > 1
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
            stacked.append(Column(name, np.concatenate(pieces), None, unit))
    return stacked


def _facts(parts: Sequence[Part]) -> list[Point]:
    """Say once how the files were read, taking the first part as their example."""
    part = parts[0]
    titles = {"format": "Format", "encoding": "Encoding", "separator": "Separator", "decimal": "Decimal mark"}
    choices = {
        "separator": tuple(
            choice(name, separator=mark)
            for name, mark in (("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("blanks", " "))
        ),
        "decimal": (choice("point", decimal="."), choice("comma", decimal=",")),
        "encoding": tuple(choice(name, encoding=name) for name in ("utf-8", "latin-1", "cp1252", "utf-16")),
    }
    points = []
    for key, title in titles.items():
        if key in part.facts:
            value, _, reason = part.facts[key].partition(" (")
            points.append(Point(key, title, value, reason.rstrip(")"), choices.get(key, ())))
    if isinstance(part, Grid) and part.format == "text":
        n_header = len(part.header)
        points.append(
            Point(
                "header",
                "Header rows",
                str(n_header),
                f"the data start in line {part.first_row}",
                tuple(choice(str(number), header_rows=number) for number in range(4)),
            )
        )
    return points


def joined_columns(grid: Grid) -> tuple[Column, ...]:
    """Return the columns of a table of targets."""
    return side_table(grid)

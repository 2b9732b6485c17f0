"""Which part holds the spectra, which the axis, which the targets? Guessed from values and names, or chosen."""

from collections.abc import Mapping

from spectra_core.datasets.orientation import WORDS, PartGuess, channel_names, guess_part, monotonic
from spectra_core.datasets.parts import Grid, Part
from spectra_core.datasets.questions import Point, Problem, choice
from spectra_core.datasets.recipe import Recipe

_AXIS_NAMES = ("wav", "wl", "wn", "lambda", "axis", "nm", "freq", "shift", "positions", "ppm")
_TARGET_NAMES = ("conc", "target", "y", "label", "reference", "propert")
_SECONDARY = ("std", "sd", "noise", "var", "pure", "blank", "dark", "mean")


def role_key(part: Part, number: int, recipe: Recipe) -> str | None:
    """Return the role the recipe gives a part: by its name, the name of its sheet or variable, or its number."""
    for key in (part.name, part.name.rsplit(" / ", 1)[-1], f"#{number + 1}"):
        if key in recipe.parts:
            return recipe.parts[key]
    return None


def part_roles(grids: list[tuple[int, Grid]], recipe: Recipe) -> dict[int, PartGuess]:
    """Return the role of every table, by its number among the parts."""
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


def part_points(
    grids: list[tuple[int, Grid]], guesses: Mapping[int, PartGuess], recipe: Recipe, *, many: bool
) -> tuple[list[Point], list[Problem]]:
    """Say what each of many parts was taken for, and ask where several could be the spectra."""
    asked = _orientation_questions(grids, guesses)
    if not many:
        return [], asked
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
    problems = asked
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
                    readings=True,
                )
            )
    return points, problems


def _orientation_questions(grids: list[tuple[int, Grid]], guesses: Mapping[int, PartGuess]) -> list[Problem]:
    """Ask how a table is to be read where it reads as well in another way."""
    doubtful = [(grid, guesses[number]) for number, grid in grids if guesses[number].doubts]
    if not doubtful:
        return []
    grid, guess = doubtful[0]
    ways = " or ".join(f"“{WORDS[one]}”" for one in guess.doubts)
    return [
        Problem(
            "orientation",
            f"{grid.name} can be read in two ways, {ways}: {guess.reason}. Say which.",
            tuple(choice(WORDS[one], orientation=one) for one in guess.doubts),
            readings=True,
        )
    ]

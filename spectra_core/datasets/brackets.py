"""Numbers in brackets, "(0.2)": negative as bookkeepers write them, or a remark on a plain number? A person says."""

import re
from dataclasses import replace

import numpy as np

from spectra_core.datasets.names import positions_in
from spectra_core.datasets.numbers import is_missing, parse_number
from spectra_core.datasets.parts import Grid
from spectra_core.datasets.questions import Problem, choice
from spectra_core.datasets.recipe import Recipe

_BRACKETED = re.compile(r"\(\s*([\d.,]+(?:[eE][+-]?\d+)?)\s*\)")


def with_brackets(grid: Grid, recipe: Recipe) -> tuple[Grid, list[Problem]]:
    """Return the table with numbers in brackets as numbers, and the question what the brackets mean.

    A column of names such as "(1)" has no number without brackets and stays as it is.
    """
    decimal = grid.decimal
    sign = 1.0 if recipe.brackets == "plain" else -1.0
    numbers = np.array(grid.numbers, dtype=np.float64) if grid.text or grid.odd_cells else grid.numbers
    text, odd, found = dict(grid.text), list[tuple[int, int, str]](), list[str]()
    for column, cells in grid.text.items():
        values = [_number(cell, decimal) for cell in cells]
        inside = [cell for cell in cells if _BRACKETED.fullmatch(cell)]
        if inside and None not in values and _has_others(grid, column, cells, decimal):
            signs = [sign if _BRACKETED.fullmatch(cell) else 1.0 for cell in cells]
            numbers[:, column] = [one * value for one, value in zip(signs, values, strict=True) if value is not None]
            del text[column]
            found += inside
    for row, column, cell in grid.odd_cells:
        value = _number(cell, decimal) if _BRACKETED.fullmatch(cell) else None
        if column in grid.text and column not in text:
            continue
        if value is None:
            odd.append((row, column, cell))
        else:
            numbers[row, column] = sign * value
            found.append(cell)
    if not found:
        return grid, []
    grid = replace(grid, numbers=numbers, text=text, odd_cells=tuple(odd))
    text_asked = (
        f"{grid.name} holds numbers in brackets, such as {found[0]!r} ({len(found)} in all). In bookkeeping they are "
        "negative; elsewhere brackets are a remark, such as “uncertain”. Say which."
    )
    ways = choice("They are negative", brackets="negative"), choice("They are positive", brackets="plain")
    return grid, [] if recipe.brackets else [Problem("brackets", text_asked, ways, readings=True)]


def _number(cell: str, decimal: str) -> float | None:
    if is_missing(cell):
        return float("nan")
    match = _BRACKETED.fullmatch(cell)
    return parse_number(cell if match is None else match[1], decimal)


def _has_others(grid: Grid, column: int, cells: tuple[str, ...], decimal: str) -> bool:
    """Whether a column holds plain numbers, too, or is a channel by its name."""
    plain = any(parse_number(cell, decimal) is not None for cell in cells)
    return plain or any(positions_in([row[column]]) is not None for row in grid.header)

"""Rows of text that name columns, or hold data: told by how their numbers lie."""

import math
from itertools import pairwise

from spectra_core.datasets.censored import is_censored
from spectra_core.datasets.names import only_axis, positions_in
from spectra_core.datasets.numbers import is_missing, parse_number

COMMENT_MARKS = ("#", "%", "//")
SMALLEST_POSITION = 100.0
_TOGETHER = 512
"""Cells that are read at once; only where one of them is no number are they looked at one by one."""


def plain_names(row: list[str], n_columns: int) -> list[str]:
    """Return the cells of a line of names as they stand above their columns.

    Some programs double the separators in it, and some begin it with the mark of a comment: that is a line of names
    where it names an axis.

    >>> plain_names(["#Wave", "", "#Intensity"], 2), plain_names(["#", "wavelength", "A1"], 2)
    (['Wave', 'Intensity'], ['wavelength', 'A1'])
    >>> plain_names(["# by me", "25 °C"], 2)
    ['# by me', '25 °C']
    """
    filled = [cell for cell in row if cell]
    if len(filled) == n_columns > 1 and len(row) == 2 * n_columns - 1 and not any(row[1::2]):
        row = filled
    if row and row[0].startswith(COMMENT_MARKS):
        bare = [cell.lstrip("#%/ ") for cell in row]
        bare = bare[1:] if not bare[0] and len(bare) == n_columns + 1 else bare
        names_axis = any(map(only_axis, bare)) or [cell.lower() for cell in bare[:2]] == ["x", "y"]
        if len(bare) == n_columns > 1 and not bare[0].endswith(("=", ":")) and names_axis:
            return bare
    return row


def plain_numbers(cells: list[str]) -> tuple[list[float], list[int]]:
    """Return the numbers with a decimal point, NaN for cells that hold something else, and the indices of those.

    A row may have 200,000 cells and one name, so this costs hardly more than `float`.
    """
    values: list[float] = []
    odd: list[int] = []
    for begin in range(0, len(cells), _TOGETHER):
        some = cells[begin : begin + _TOGETHER]
        try:
            found = list(map(float, some))
        except ValueError:
            found = [math.nan]
        if math.isnan(sum(found)) or "_" in "".join(some):  # "1_2" is a name, though Python reads it as 12
            found = [math.nan if "_" in cell else _float(cell) for cell in some]
            odd += [begin + at for at, value in enumerate(found) if math.isnan(value)]
        values += found
    return values, odd


def _float(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def names_columns(row: list[str], below: list[list[str]], decimal: str, above: list[list[str]]) -> bool:
    """Whether a line with numbers names the columns of the lines under it, or is data itself.

    A word alone says nothing: the first sample may hold "<LOD", "trace" or "0.5 mM", or be called "blank". Names are
    told by numbers that lie as positions do, or by a line that holds hardly any number.

    Parameters
    ----------
    row, below
        Cells of the line, and of some lines under it.
    above
        Lines that are known to be names.
    """
    if any(_holds_positions(one) for one in above):
        return False
    numbers = numbers_in(row, decimal)
    if any(_names_most(one) for one in above):
        # Only positions far above all values are a second line of names; other numbers are the first data.
        return len(numbers) >= 3 and min(numbers) >= SMALLEST_POSITION and looks_like_axis(row, below, decimal)
    if looks_like_axis(row, below, decimal):
        return True
    words = [
        column
        for column, cell in enumerate(row)
        if cell
        and parse_number(cell, decimal) is None
        and not is_missing(cell)
        and not is_censored(cell)
        and below
        and all(column < len(other) and parse_number(other[column], decimal) is not None for other in below)
    ]
    if decimal == "," and 2 * sum(parse_number(row[column]) is not None for column in words) > len(row):
        return True  # positions with a decimal point above decimal commas
    if not words or any(_quantity(row[column], decimal) for column in words):
        return False
    beside = [parse_number(other[column], decimal) for other in below for column in range(min(len(other), len(row)))]
    # Names that are whole numbers stand above values that are not, or far above all of them.
    values = [number for number in beside if number is not None]
    whole = len(set(numbers)) == len(numbers) and all(number % 1 == 0 for number in numbers)
    far = min(numbers, default=0.0) >= SMALLEST_POSITION and max(values, default=0.0) < min(numbers, default=0.0)
    return len(numbers) <= len(words) or far or (whole and any(value % 1 for value in values))


def _holds_positions(row: list[str]) -> bool:
    """Whether a line of names holds the positions of the channels."""
    named = positions_in(row)
    return named is not None and 2 * named.values.size >= len(row)


def _names_most(row: list[str]) -> bool:
    return sum(bool(cell) for cell in row) > max(1, len(row) // 3)


def _quantity(cell: str, decimal: str) -> bool:
    """Whether a cell is a number with something after it, such as "0.5 mM"."""
    head = cell.split(maxsplit=1)[0]
    return head != cell and parse_number(head, decimal) is not None


def looks_like_axis(row: list[str], below: list[list[str]], decimal: str) -> bool:
    """Whether the numbers of a line rise or fall steadily as positions do, while those under it do not."""
    positions = numbers_in(row, decimal)
    if len(positions) < 3 or not below:
        return False
    others = [numbers_in(other, decimal) for other in below]
    steady = monotonic(positions)
    named = bool(row[0]) and parse_number(row[0], decimal) is None
    # Positions in nm or cm-1 stand far above any absorbance; with a name before them they may be out of order.
    far_above = min(positions) >= SMALLEST_POSITION and all(
        max(other, default=0.0) < min(positions) for other in others
    )
    if (steady or named) and far_above:
        return True
    if not steady:
        return False
    if not any(monotonic(other) for other in others):
        return True
    return _evenly_spaced(positions) and not any(_evenly_spaced(other) for other in others)


def numbers_in(row: list[str], decimal: str) -> list[float]:
    """Return the finite numbers of a line."""
    values = plain_numbers(row)[0] if decimal == "." else [math.nan] * len(row)
    read = (
        value if math.isfinite(value) else parse_number(cell, decimal) for cell, value in zip(row, values, strict=True)
    )
    return [value for value in read if value is not None]


def monotonic(values: list[float]) -> bool:
    """Whether values rise or fall at every step."""
    return all(a < b for a, b in pairwise(values)) or all(a > b for a, b in pairwise(values))


def _evenly_spaced(values: list[float]) -> bool:
    steps = [b - a for a, b in pairwise(values)]
    return bool(steps) and max(steps) - min(steps) <= 0.02 * abs(max(steps, key=abs))

"""Lines that blanks part into cells, and lines in which commas may do two things."""

import re
from collections.abc import Sequence

from spectra_core.datasets.dialect import Dialect
from spectra_core.errors import ReadError

_WORDS = re.compile(r'"([^"]*)"|(\S+)')
_WHOLE = re.compile(r"-?\d+")
_DECIMALS = re.compile(r"0\d\d+")
"""Digits that follow a decimal mark rather than being a number, such as those of 0,0345."""


def cells_between_blanks(line: str) -> list[str]:
    """Split a line at blanks; quotes protect those of a name.

    >>> cells_between_blanks('"Cu total" 350  "X 1"')
    ['Cu total', '350', 'X 1']
    """
    return [name or cell for name, cell in _WORDS.findall(line)] if '"' in line else line.split()


def commas_may_be_decimal(rows: Sequence[Sequence[str]], dialect: Dialect) -> bool:
    """Tell whether rows read equally well as pairs of whole numbers and as single numbers with a decimal comma.

    Raises
    ------
    ReadError
        Quoting a row such as ``350,0,0,0345``, two numbers or four, unless a person has said how the text is written.
    """
    if dialect.separator is not None or not rows:
        return False
    if len(rows[0]) == 2:
        return all(cell.isdigit() for row in rows for cell in row)
    odd = next((row for row in rows if any(map(_DECIMALS.fullmatch, row[1::2]))), None)
    even = len(rows[0]) % 2 == 0 and dialect.decimal is None
    if even and odd is not None and all(_WHOLE.fullmatch(cell) for row in rows for cell in row):
        raise ReadError(
            f"Commas may part the cells here or stand before decimals: {','.join(odd)[:60]!r}. Save the table with "
            "semicolons between cells or points before decimals, or say which decimal mark it has."
        )
    return False

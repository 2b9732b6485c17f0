"""Columns beside the spectra that are no targets, by their names, and by marks that can mean two things."""

import re

from spectra_core.datasets.numbers import is_missing, parse_number
from spectra_core.datasets.parts import Grid

_NAMES = {".": "point", ",": "comma"}
_REMARK = re.compile(
    r"^(?:dimensions?|date|time|datum|zeit|timestamp|operator|user|comment|remark|note|temp.*|test|train|split|fold|set"
    r"|subset|usage|(?:instrument|spectrometer|device|detector).*|(?:.*\W)?serial.*|type|area|integration.*|scans?"
    r"|weight.*|order|position|well|plate|weekday|year|month|day)$",
    re.IGNORECASE,
)


def is_remark(name: str) -> bool:
    """Whether a column's name says that it describes the measurement: a date, an operator, a temperature."""
    return _REMARK.match(name) is not None


def other_mark(grid: Grid) -> str:
    """Return a sentence on a column of numbers with another decimal mark than the table has; empty where none is."""
    one = grid.decimal
    other = "." if one == "," else ","
    for column, cells in grid.text.items() if "decimal" in grid.facts else ():
        named = [cell for cell in cells if not is_missing(cell)]
        name = " ".join(row[column] for row in grid.header if row[column]) or f"#{column + 1}"
        numbers = all(other in cell and parse_number(cell, other) is not None for cell in named)
        if named and numbers and not is_remark(name):
            return (
                f"{grid.name} writes numbers with a decimal {_NAMES[one]} and others, such as {named[0]!r} of {name}, "
                f"with a {_NAMES[other]}."
            )
    return ""

"""Numbers as people and instruments write them, and the marks they use for a missing one."""

import math
import re
from decimal import Decimal

MISSING = frozenset((
    "", "nan", "na", "n/a", "#n/a", "#na", "null", "none", "nil", "-", "--", "---", "----", "-----", "*", "**", "***",
    "****", "?", ".", "#num!", "#div/0!", "#value!", "#ref!", "n.a.", "ovrflw", "over", "ovld", "overflow",
    "overload", "missing", "\u2013", "\u2014", "<na>", "-nan", "1.#qnan", "1.#ind", "-1.#ind", "nat",
))  # fmt: skip
"""Marks for a value that is not there, in lower case; the empty cell is one of them."""

_BEGINS = frozenset("0123456789+-.,")
_INFINITIES = (math.inf, -math.inf)
_MINUS = "\u2212\u2010\u2012\u2013\uff0d"
"""What stands for a minus, in papers and in what was pasted from them."""
_POINT = re.compile(rf"[+\-{_MINUS}]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+\-{_MINUS}]?\d{{1,3}})?\Z")
_COMMA = re.compile(rf"[+\-{_MINUS}]?(?:\d+,?\d*|,\d+)(?:[eEdD][+\-{_MINUS}]?\d{{1,3}})?\Z")
_GROUPED = {
    decimal: re.compile(
        rf"(?P<sign>[+\-{_MINUS}]?)(?P<whole>[1-9]\d{{0,2}}(?P<mark>[{other}'\u2019\s])\d{{3}}(?:(?P=mark)\d{{3}})*"
        rf"|[1-9]\d?{other}(?:\d\d{other})+\d{{3}})"  # 12,34,567 as in India
        rf"(?P<rest>\{decimal}\d+)?\Z"
    )
    for decimal, other in (".,", ",.")
}
_PLAIN = str.maketrans({**dict.fromkeys(_MINUS, "-"), ",": ".", "d": "e", "D": "e"})
_AS_TEXT = re.compile(r"'(?=[\d.,+\-])([^']*)|=\s*\"([^\"]*)\"|=(?=[\d.,+\-])([\d.,eE+\-]+)")
_POWER = re.compile(
    rf"(?P<number>[^\sx\xd7*·]+)\s*[x\xd7*·]\s*10\s*(?:\^|\*\*)?\s*\(?(?P<power>[+\-{_MINUS}]?\d{{1,3}})\)?",
    re.IGNORECASE,
)
_MARKED, _TIMES = ("'", "="), "xX\xd7*·"
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_INFINITE = re.compile(r"[+-]?inf(inity)?\Z", re.IGNORECASE)


def parse_number(cell: str, decimal: str = ".") -> float | None:
    """Return the number a cell holds, or None; never guesses a thousands separator.

    >>> parse_number(" 1,5 ", ","), parse_number("1,5"), parse_number("2.1D-3"), parse_number("<0.05")
    (1.5, None, 0.0021, None)
    """
    cell = cell.strip()
    plain = cell.replace(",", ".", 1) if decimal == "," and "." not in cell else cell
    if plain[:1] in _BEGINS and "_" not in plain and (decimal == "." or "." not in cell):
        # Nearly all cells are plain numbers: the patterns below are for the others, and eight times slower.
        try:
            value = float(plain)
        except ValueError:
            value = math.inf
        if value not in _INFINITIES:
            return value
    if (_COMMA if decimal == "," else _POINT).match(cell):
        return float(cell.translate(_PLAIN))
    if _INFINITE.match(cell):
        return float(cell)
    return None


def grouped_number(cell: str, decimal: str = ".", *, sure: bool = False) -> float | None:
    """Return the number of a cell that marks its thousands, or None; "1,234" alone may as well be 1.234, unless `sure`.

    >>> grouped_number("-12,345.6"), grouped_number("1.234.567", ","), grouped_number("1'234"), grouped_number("1,234")
    (-12345.6, 1234567.0, 1234.0, None)
    >>> grouped_number("12,34,567"), grouped_number("16 080", ",")
    (1234567.0, 16080.0)
    """
    match = _GROUPED[decimal].match(cell.strip())
    if match is None:
        return None
    mark = match["mark"]
    if not (
        sure or mark is None or match["rest"] or mark in "'\u2019" or mark.isspace() or match["whole"].count(mark) > 1
    ):
        return None
    digits = re.sub(r"\D", "", match["whole"]) + (match["rest"] or "").replace(",", ".")
    return -float(digits) if match["sign"] not in {"", "+"} else float(digits)


def marks_thousands(cell: str, decimal: str = ".") -> bool:
    """Whether a cell has marks between its digits that can be nothing else, at two places.

    >>> marks_thousands("1,234,567"), marks_thousands("1,234"), marks_thousands("1,234.5")
    (True, False, False)
    """
    other = "," if decimal == "." else "."
    return cell.count(other) > 1 and grouped_number(cell, decimal) is not None


def dressed_number(cell: str, decimal: str = ".", *, sure: bool = False) -> float | None:
    """Return the number of a cell that marks its thousands, is marked as text, or is written with a power of ten.

    >>> dressed_number("'0.5"), dressed_number('="0.5"'), dressed_number("1.5 × 10⁻³"), dressed_number("1'234")
    (0.5, 0.5, 0.0015, 1234.0)
    """
    cell = cell.strip()
    # Hundreds of thousands of cells may be tried under each reading, so patterns are kept for those that may fit.
    if cell[:1] in _MARKED and (marked := _AS_TEXT.fullmatch(cell)) is not None:
        cell = next(found for found in marked.groups() if found is not None)
        plain = parse_number(cell, decimal)
        return grouped_number(cell, decimal, sure=sure) if plain is None else plain
    if any(mark in cell for mark in _TIMES) and (raised := _POWER.fullmatch(cell.translate(_RAISED))) is not None:
        number = parse_number(raised["number"], decimal)
        power = int(raised["power"].translate(_PLAIN))
        return float(Decimal(repr(number)).scaleb(power)) if number is not None and math.isfinite(number) else None
    return grouped_number(cell, decimal, sure=sure)


def is_missing(cell: str) -> bool:
    """Whether a cell says that its value is not there."""
    return cell.strip().lower() in MISSING

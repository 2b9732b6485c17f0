"""Shares, and changes in per cent, as a person says them: never as none or all, or as no change, unless they are."""

import math

_UNIT = "\N{NO-BREAK SPACE}%"
_SAME = 1e-12
"""Relative difference from all that is left to arithmetic."""
_NO_CHANGE = 1e-9
"""Per cent below which a change is arithmetic, too."""
_MOST_DIGITS = 6
"""Of a number just below 1."""


def percent(share: float, n_decimals: int = 0) -> str:
    r"""Say a share in per cent, on one line; as 0 or 100 % only what is none or all.

    >>> percent(0.934), percent(1.0), percent(float("nan"))
    ('93\xa0%', '100\xa0%', 'not defined')
    >>> percent(0.996), percent(0.0004), percent(0.0004, 1), percent(0.99999)
    ('99.6\xa0%', 'under 0.1\xa0%', '0.04\xa0%', 'over 99.9\xa0%')
    """
    if math.isnan(share):
        return "not defined"
    for digits in (n_decimals, n_decimals + 1):
        text = f"{100 * share:.{digits}f}"
        reached = float(text) / 100
        if reached not in (0.0, 1.0) or math.isclose(share, reached, rel_tol=_SAME):
            return f"{text}{_UNIT}"
    if reached == 0:
        return f"under {0.1**digits:.{digits}f}{_UNIT}" if share > 0 else f"0{_UNIT}"
    return f"over {100 - 0.1**digits:.{digits}f}{_UNIT}" if share < 1 else f"over 100{_UNIT}"


def percents(number: float, *, sign: bool = False) -> str:
    r"""Say a number of per cent, with its sign where that is asked for; as 0 or 100 only what is.

    >>> percents(-33.1, sign=True), percents(8.86), percents(-0.03, sign=True), percents(0.0), percents(-99.97)
    ('−33\xa0%', '8.9\xa0%', '−0.03\xa0%', '0\xa0%', '−99.97\xa0%')
    """
    size = abs(number)
    if math.isnan(number):
        return "not defined"
    if size < _NO_CHANGE:
        return f"0{_UNIT}"
    n_decimals = 0 if size >= 10 else 1 if size >= 0.05 else math.ceil(-math.log10(size))
    if 99 < size < 100:
        n_decimals = next((digits for digits in range(4) if float(f"{size:.{digits}f}") < 100), 4)
    return f"{number:{'+' if sign else ''}.{n_decimals}f}{_UNIT}".replace("-", "\N{MINUS SIGN}")


def digits_below_one(number: float, n_digits: int) -> int:
    """Return how many significant digits a number needs so that it does not read as 1, which it is not.

    So many as asked for suffice elsewhere, and for what differs from 1 by arithmetic alone; six are the most.

    >>> digits_below_one(0.9997, 3), digits_below_one(0.95, 3), digits_below_one(1.0, 3), digits_below_one(-0.9999, 2)
    (4, 3, 3, 4)
    """
    size = abs(number)
    if not 0.5 < size < 1 or math.isclose(size, 1.0, rel_tol=_SAME):
        return n_digits
    return next((digits for digits in range(n_digits, _MOST_DIGITS) if float(f"{size:.{digits}g}") < 1), _MOST_DIGITS)


def rounded(number: float, n_digits: int = 3) -> str:
    """Say a number with so many significant digits, and with more where these would read as 1, which it is not.

    >>> rounded(0.99963), rounded(-0.99963), rounded(0.12345), rounded(1.0), rounded(-0.25)
    ('0.9996', '−0.9996', '0.123', '1', '−0.25')
    """
    return f"{number:.{digits_below_one(number, n_digits)}g}".replace("-", "\N{MINUS SIGN}")

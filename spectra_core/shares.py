"""Shares as a person says them."""

import math

_UNIT = "\N{NO-BREAK SPACE}%"
_SAME = 1e-12
"""Relative difference from all that is left to arithmetic."""


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

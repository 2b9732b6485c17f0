"""Targets that are nothing but the spectrum: its sum, its mean, or one of its channels under another name."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.columns import Role
from spectra_core.datasets.questions import Problem, choice

_FEWEST = 3
_ROUNDED = 1e-3
"""Share of its spread by which a sum that was written with fewer digits may differ."""


def on_computed(roles: Sequence[Role], signal: NDArray[np.floating[Any]]) -> list[Problem]:
    """Ask about columns of numbers that hold what is in the spectra already: a calibration of them would be perfect.

    Parameters
    ----------
    signal : (n_spectra, n_channels)
    """
    found = []
    for one in roles:
        numbers = one.column.numbers
        if one.role != "target" or one.decided or numbers is None or len(numbers) < _FEWEST:
            continue
        what = _computed(np.asarray(numbers, dtype=np.float64), signal)
        if what:
            name = one.column.name
            text = f"{name!r} is {what}, so a calibration of it would be perfect and mean nothing. Say what it is."
            ways = (
                choice(f"Do not use {name}", columns={name: "ignored"}),
                choice("Use it as a target", columns={name: "target"}),
            )
            found.append(Problem("computed column", text, ways))
    return found


def _computed(values: NDArray[np.float64], signal: NDArray[np.floating[Any]]) -> str:
    held = np.isfinite(values)
    if held.sum() < _FEWEST or signal.shape[1] < _FEWEST or np.ptp(values[held]) == 0:
        return ""
    values, rows = values[held], signal[held]
    tolerance = _ROUNDED * float(np.ptp(values))
    for words, made in (("sum", np.sum), ("mean", np.mean), ("largest value", np.max), ("smallest value", np.min)):
        if (np.abs(made(rows, axis=1) - values) <= tolerance).all():
            return f"the {words} of each spectrum"
    same = np.flatnonzero(rows[0] == values[0])
    same = same[(rows[:, same] == values[:, None]).all(axis=0)] if same.size else same
    return "equal to one of the channels" if same.size else ""

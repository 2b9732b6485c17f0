"""What fits into the stated time, from how long one fit of every way takes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from spectra_core.errors import ConfigError

DESIGNS = ((8, 4), (5, 3), (4, 2))
"""Outer folds, and inner folds within each training part: as many as time and spectra allow."""
MORE = "Allow more minutes to try it."
UNMEASURED = f"The time was too short to find out how long it takes. {MORE}"
MOST_REPEATS = 3
"""Of the outer folds, where time is left: they narrow intervals."""
USED = 0.75
"""Share of the stated time that is planned: other work on the computer takes the rest."""


@dataclass(frozen=True)
class Plan:
    """What is tried.

    Parameters
    ----------
    n_folds, n_inner
        Outer folds, and inner ones within each training part of the first repeat.
    n_repeats
        Of the outer folds.
    ways
        Names, in the order in which they are tried.
    left_out
        By name: why not.
    seconds
        That all of it takes, as planned.
    """

    n_folds: int
    n_inner: int
    n_repeats: int
    ways: tuple[str, ...]
    left_out: Mapping[str, str]
    seconds: float


def plan(
    seconds: Mapping[str, float],
    budget: float,
    n_workers: int,
    *,
    judging_themselves: Collection[str] = (),
    n_groups: int,
    needed: int = 5,
) -> Plan:
    """Choose folds and ways.

    A way is fitted in every outer training part and in the inner folds of each, that the choice among ways is judged,
    too; one that judges itself needs no inner folds. Inner fits see 1 - 1/K of the spectra and are taken to cost as
    much less: K folds then cost K - 1 outer fits.

    Parameters
    ----------
    seconds
        One fit of every way on an outer training part, the reference first, then by how much is hoped for; infinite
        where it is not known.
    budget
        Seconds.
    n_workers
        Fits at a time.
    judging_themselves
        Ways that need no inner folds.
    n_groups
        Independent spectra.
    needed
        So many ways decide how many folds there are: the most at which they fit.

    Raises
    ------
    ConfigError
        When the reference and one other way do not fit.

    Examples
    --------
    >>> plan({"As now": 1.0, "Ridge": 0.1, "Stack": 9.0}, 100.0, 2, judging_themselves=["Stack"], n_groups=80).ways
    ('As now', 'Ridge', 'Stack')
    """
    first, *others = seconds
    quickest = sorted(others, key=seconds.__getitem__)[:1]
    for wanted in (others[: needed - 1], others[: needed - 2], quickest):
        for n_folds, n_inner in DESIGNS:
            if n_groups < 2 * n_folds:
                continue
            cost = {
                name: each * n_folds * (1 if name in judging_themselves else n_inner) / n_workers
                for name, each in seconds.items()
            }
            if sum(cost[name] for name in [first, *wanted]) <= USED * budget:
                once = {name: each * n_folds / n_workers for name, each in seconds.items()}
                return _filled(cost, once, budget, n_folds, n_inner)
    raise ConfigError(
        f"In the {budget:.2g} seconds that are left after measuring what a fit takes, not even the calibration in use "
        f"can be compared with another one: one fit takes about {seconds[first]:.2g} seconds here. Allow more minutes, "
        "or use fewer spectra."
    )


def _filled(cost: Mapping[str, float], once: Mapping[str, float], budget: float, n_folds: int, n_inner: int) -> Plan:
    """Take ways one after the other while there is room, `once` being the cost of the outer folds alone."""
    ways: list[str] = []
    left_out: dict[str, str] = {}
    spent = 0.0
    for name, each in cost.items():
        if spent + each <= USED * budget:
            ways.append(name)
            spent += each
        else:
            room = max(USED * budget - spent, 0.0)
            left_out[name] = (
                UNMEASURED if np.isinf(each) else f"It takes {each:.0f} seconds, {room:.0f} were left. {MORE}"
            )
    repeat = sum(once[name] for name in ways)
    more = int(max(USED * budget - spent, 0.0) // repeat) if repeat > 0 else MOST_REPEATS
    n_repeats = min(MOST_REPEATS, 1 + more)
    return Plan(n_folds, n_inner, n_repeats, tuple(ways), left_out, spent + (n_repeats - 1) * repeat)

"""How fast this computer does what `cost` counts: small real fits, timed once."""

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any, NoReturn

import numpy as np
import psutil

from spectra_core.contracts import Arrays, Memo
from spectra_core.spectra import SpectraSet

_ROWS, _ROWS_EXACT = 128, 384
"""Spectra of a timed fit: of a network, and of what is exact, which is done in less than a second."""
_EPOCHS = (2, 8)
"""Of two timed fits of a network; their difference leaves out what does not grow with the steps."""
USUAL: Mapping[str, float] = {
    "numba": 0.03,
    "torch": 0.1,
    "GaussianProcess": 0.05,
    "PLS": 0.13,
    "PhysicsResidual": 0.26,
    "Ridge": 0.07,
    "others": 0.02,
}
"""Processor seconds per Gflop on a usual computer, by who computes a network and by the name of other members."""
_YARDSTICK = 0.026
"""Processor seconds of `_yardstick` on a usual computer: where it took 0.0104, members took 0.25 to 0.57 of `USUAL`."""


Cost = Callable[[Any, SpectraSet], float]
"""Counts what one fit of a member on a set takes, in Gflop."""
Pace = Callable[[Any, Cost, SpectraSet], float]
"""Tells processor seconds per Gflop of a member that is not fitted, on spectra of as many channels as a set has."""


class NotMeasuredError(LookupError):
    """It is not known yet how fast this computer fits a member."""


def measured(memo: Memo) -> Pace:
    """Return the pace of this computer, measured once for every kind, mode of training, computer and version."""
    return lambda member, cost, on: _kept(member, on, memo, lambda: {"seconds": np.array(_measured(member, cost, on))})


def known(memo: Memo) -> Pace:
    """Return the pace of this computer as far as it was measured; it raises `NotMeasuredError` elsewhere."""

    def refuse() -> NoReturn:
        raise NotMeasuredError

    return lambda member, _, on: _kept(member, on, memo, refuse)


def usual(member: Any, _cost: Cost, _on: SpectraSet) -> float:
    """Return the pace of a usual computer; the same everywhere."""
    return USUAL.get(getattr(member, "kernels", type(member).__name__), USUAL["others"])


def presumed(member: Any, cost: Cost, on: SpectraSet) -> float:
    """Return the pace of a usual computer that is as quick as this one, for a coarse estimate."""
    return usual(member, cost, on) * against_usual()


@cache
def against_usual() -> float:
    """Return how many times as long as a usual computer this one takes for what most work is made of, timed once."""
    return min(_yardstick() for _ in range(3)) / _YARDSTICK


def _yardstick() -> float:
    """Return the processor time of a hundredth of a second of numpy, and of Python; all in this thread."""
    table = np.random.default_rng(0).random((100, 911))
    begin = time.thread_time()
    np.einsum("ij,kj->ik", table, table)
    np.fft.irfft(np.fft.rfft(table))
    np.sort(table / table.std(axis=0), axis=1)
    sum(number & 7 for number in range(50_000))
    return time.thread_time() - begin


def _kept(member: Any, on: SpectraSet, memo: Memo, compute: Callable[[], Arrays]) -> float:
    kinds = {f.name: getattr(member, f.name) for f in fields(member) if f.name in ("coordinates", "kernels", "device")}
    place = platform.node(), platform.machine(), psutil.cpu_count()
    which = f"{type(member).__name__} {kinds} {on.n_channels} {on.n_targets} {place}"
    key = f"processor seconds per Gflop, as members count: {which}"
    return float(memo.arrays(key, compute)["seconds"])


def _measured(member: Any, cost: Cost, spectra: SpectraSet) -> float:
    most = _ROWS if hasattr(member, "epochs") else _ROWS_EXACT
    few = spectra.take(np.linspace(0, len(spectra) - 1, min(most, len(spectra))).astype(int))
    if not hasattr(member, "epochs"):
        return _seconds_of(member, few) / cost(member, few)
    short, long = (replace(member, epochs=epochs) for epochs in _EPOCHS)
    of_short, of_long = _seconds_of(short, few), _seconds_of(long, few)
    return max(of_long - of_short, 0.1 * of_long) / (cost(long, few) - cost(short, few))


def _seconds_of(member: Any, few: SpectraSet) -> float:
    """Return the processor time of the quicker of two fits, in whatever threads: the clock would count others.

    The first one may compile and load.
    """
    seconds = []
    for _ in range(2):
        begin = time.process_time()
        member.fit(few, seed=0)
        seconds.append(time.process_time() - begin)
    return min(seconds)

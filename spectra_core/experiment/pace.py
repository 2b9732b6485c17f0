"""How fast this computer does what `cost` counts: small real fits, timed once, and what else it is doing now."""

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, NoReturn

import numpy as np
import psutil

from spectra_core.contracts import Arrays, Memo
from spectra_core.spectra import SpectraSet

_ROWS = 128
"""Spectra of a timed fit."""
_EPOCHS = (2, 8)
"""Of two timed fits of a network; their difference leaves out what does not grow with the steps."""
_WEIGHT_OF_NICE = {0: 1.0, 10: 110 / 1024}
"""Share of a processor that Linux gives to a process that steps back, beside one that does not: sched(7)."""
USUAL: Mapping[str, float] = {"numba": 0.03, "torch": 0.1, "others": 0.02}
"""Processor seconds per Gflop on a usual computer, by who computes a network and by the name of other members."""


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
    """Return the pace of a usual computer, for a coarse estimate; the same everywhere."""
    return USUAL.get(getattr(member, "kernels", type(member).__name__), USUAL["others"])


def _kept(member: Any, on: SpectraSet, memo: Memo, compute: Callable[[], Arrays]) -> float:
    kinds = {f.name: getattr(member, f.name) for f in fields(member) if f.name in ("coordinates", "kernels", "device")}
    place = platform.node(), platform.machine(), psutil.cpu_count()
    key = f"seconds per Gflop: {type(member).__name__} {kinds} {on.n_channels} {on.n_targets} {place}"
    return float(memo.arrays(key, compute)["seconds"])


def _measured(member: Any, cost: Cost, spectra: SpectraSet) -> float:
    few = spectra.take(np.linspace(0, len(spectra) - 1, min(_ROWS, len(spectra))).astype(int))
    if not hasattr(member, "epochs"):
        return _seconds_of(member, few, 2) / cost(member, few)
    short, long = (replace(member, epochs=epochs) for epochs in _EPOCHS)
    _seconds_of(short, few, 1)  # compiled and loaded
    more = _seconds_of(long, few, 1) - _seconds_of(short, few, 1)
    counted = cost(long, few) - cost(short, few)
    return max(more, 0.1 * _seconds_of(long, few, 1)) / counted


def _seconds_of(member: Any, few: SpectraSet, n_times: int) -> float:
    """Return the processor time of the last of several fits: the clock would count what others do."""
    for _ in range(n_times):
        begin = time.thread_time()
        member.fit(few, seed=0)
        seconds = time.thread_time() - begin
    return seconds


def slowdown(n_workers: int, niceness: int = 0) -> float:
    """Return how many times longer `n_workers` threads take beside what this computer does now.

    Parameters
    ----------
    niceness
        How far they step back: 0 or 10.
    """
    n_cores = psutil.cpu_count() or 1
    times = psutil.cpu_times_percent(interval=0.05)
    busy, nice = times.user + times.system, getattr(times, "nice", 0.0)
    load = psutil.getloadavg()[0]
    others = load * (busy + nice * _WEIGHT_OF_NICE[10]) / max(busy + nice, 1.0)
    weight = _WEIGHT_OF_NICE[niceness]
    share = max(n_cores - load, n_cores * n_workers * weight / (n_workers * weight + others))
    return float(n_workers / min(n_workers, share))

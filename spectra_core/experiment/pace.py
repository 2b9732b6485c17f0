"""How fast this computer does what `cost` counts: small real fits, timed once, and what else it is doing now."""

import platform
import time
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import psutil

from spectra_core.contracts import Memo
from spectra_core.spectra import SpectraSet

_ROWS = 128
"""Spectra of a timed fit."""
_EPOCHS = (2, 8)
"""Of two timed fits of a network; their difference leaves out what does not grow with the steps."""
_WEIGHT_OF_NICE = {0: 1.0, 10: 110 / 1024}
"""Share of a processor that Linux gives to a process that steps back, beside one that does not: sched(7)."""


def seconds_per_gflop(member: Any, cost: Callable[[Any, SpectraSet], float], spectra: SpectraSet, memo: Memo) -> float:
    """Return processor seconds that fits of a member take per Gflop counted, on spectra of this many channels.

    Parameters
    ----------
    member
        A generator or regressor that is not fitted.
    cost
        Counts what one fit of it on a set takes, in Gflop.
    memo
        Keeps the answer: it is measured once for every kind, mode of training, computer and version.
    """
    kinds = {f.name: getattr(member, f.name) for f in fields(member) if f.name in ("coordinates", "kernels", "device")}
    place = platform.node(), platform.machine(), psutil.cpu_count()
    key = f"seconds per Gflop: {type(member).__name__} {kinds} {spectra.n_channels} {spectra.n_targets} {place}"
    return float(memo.arrays(key, lambda: {"seconds": np.array(_measured(member, cost, spectra))})["seconds"])


def _measured(member: Any, cost: Callable[[Any, SpectraSet], float], spectra: SpectraSet) -> float:
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

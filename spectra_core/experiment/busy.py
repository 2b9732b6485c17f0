"""How much longer work takes beside what this computer does now: by what its processors did just before.

The load average of the last minute tells of work that is over, and what processors do at the moment tells of a browser
that draws the page. What lasts is in both: the lesser counts. Where a processor is free nobody waits for one.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import psutil

from spectra_core.training.numerical_threads import n_processors

_AT_ONCE, _JUST_BEFORE, _LONG_AGO = 0.05, 0.5, 5.0
"""Seconds that are watched where nothing is known; after which another look is worth it; which are now no more."""
_FULL = 0.9
"""Share of the processors in use from which on threads wait for one another."""
_STEP = 1.25
"""Times by which Linux lessens the weight of a thread or a session for every step of niceness: sched-nice-design."""
_PROCESSES, _NOW, _BY_SESSION = map(Path, ("/proc", "/proc/loadavg", "/proc/sys/kernel/sched_autogroup_enabled"))
Processes = Mapping[int, tuple[int, float]]
"""Session and processor seconds of every process, by its number."""


@dataclass(frozen=True)
class Sample:
    """Counters of this computer at a moment.

    Parameters
    ----------
    at
        Seconds, of a clock that never jumps.
    plain, nice, idle
        Processor seconds so far: of threads that do not step back (and whoever else takes processors away), of those
        that do, and of nobody.
    own
        Of this process, which ends its part before the work begins.
    n_running
        Threads that run or wait for a processor, this one left out; None where the system tells no such thing.
    started
        Of the processes that this one started: jobs and measurements, which end before the next job begins.
    """

    at: float
    plain: float
    nice: float
    idle: float
    own: float
    n_running: float | None
    started: float = 0.0


class Others(NamedTuple):
    """How many threads compete for processors: those that do not step back, and those that do.

    Where sessions wait for one another, what they weigh, one that does not step back being 1; else None.
    """

    plain: float
    nice: float
    sessions: float | None = None


def sample() -> Sample:
    """Read the counters."""
    times = psutil.cpu_times()
    taken = sum(getattr(times, name, 0.0) for name in ("user", "system", "irq", "softirq", "steal"))
    idle = times.idle + getattr(times, "iowait", 0.0)
    running = None
    with suppress(OSError, IndexError, ValueError):
        running = max(0.0, float(_NOW.read_text(encoding="ascii").split()[3].partition("/")[0]) - 1.0)
    nice, started = getattr(times, "nice", 0.0), sum(seconds_of_started().values())
    return Sample(time.monotonic(), taken, nice, idle, time.process_time(), running, started)


def seconds_of_started() -> dict[int, float]:
    """Return the processor seconds so far of each process that this one started, or one of those, by its number."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            times = process.cpu_times()
            found[process.pid] = times.user + times.system
    return found


def others_between(before: Sample, after: Sample, n_cores: int) -> Others:
    """Return who competed between two looks.

    While a processor is free, everybody gets what they want: as many compete as processors were in use. Else those who
    wait count, too. What this process does itself, and what it started, is over when the next job begins.
    """
    plain, nice, idle = (getattr(after, name) - getattr(before, name) for name in ("plain", "nice", "idle"))
    per_second = n_cores / max(plain + nice + idle, 1e-9)
    plain, nice = plain * per_second, nice * per_second
    own, started = (
        max(0.0, getattr(after, name) - getattr(before, name)) / max(after.at - before.at, 1e-9)
        for name in ("own", "started")
    )
    is_full = plain + nice >= _FULL * n_cores + started
    plain = max(0.0, plain - own - max(0.0, started - nice))  # where systems tell no niceness, jobs are plain
    nice = max(0.0, nice - started)
    if not is_full:
        return Others(plain, nice)
    n_running = max(_n_running(before, after, plain + nice) - started, plain + nice)
    # Threads of a kind are as many as get what it uses by their weight, and no fewer than the processors it uses.
    n_nice = n_running * nice / max(nice + plain * weight_of(10), 1e-9)
    n_nice = min(max(n_nice, nice), n_running - plain)
    return Others(n_running - n_nice, n_nice)


def lasting(others: Others) -> Others:
    """Return who competes for longer than a moment: no more than the load average of the last minute tells."""
    total = others.plain + others.nice
    if sys.platform == "win32" or total == 0:  # there psutil counts only those that wait
        return others
    share = min(1.0, psutil.getloadavg()[0] / total)
    return Others(others.plain * share, others.nice * share)


def _n_running(before: Sample, after: Sample, in_use: float) -> float:
    """Return how many threads run or wait."""
    if before.n_running is not None and after.n_running is not None:
        return (before.n_running + after.n_running) / 2
    load: float = psutil.getloadavg()[0]
    return in_use + load if sys.platform == "win32" else load  # there psutil counts only those that wait


class _Watch:
    """The last look at what this computer does, so that no page waits for one where a page asked just before."""

    def __init__(self) -> None:
        self._lock, self._last = Lock(), Sample(-_LONG_AGO, 0.0, 0.0, 0.0, 0.0, None)
        self._processes: Processes | None = None
        self._others = Others(0.0, 0.0)

    def others(self, n_cores: int) -> Others:
        """Return who competes now."""
        with self._lock:
            now = sample()
            if now.at - self._last.at < _JUST_BEFORE:
                return self._others
            if now.at - self._last.at > _LONG_AGO:
                self._last, self._processes = now, None
                time.sleep(_AT_ONCE)
                now = sample()
            others, processes = lasting(others_between(self._last, now, n_cores)), None
            if others.plain + others.nice >= _FULL * n_cores and is_by_session():
                before = self._processes
                if before is None:
                    before = processor_seconds()
                    time.sleep(2 * _AT_ONCE)
                processes = processor_seconds()
                others = others._replace(sessions=weight_at_work(before, processes, weight_of_session))
            self._others, self._last, self._processes = others, now, processes
            return others


_watch = _Watch()


def slowdown(n_workers: int, niceness: int = 0) -> float:
    """Return how many times longer `n_workers` threads take beside what this computer does now.

    Parameters
    ----------
    niceness
        How far they step back: 0 or 10.
    """
    n_cores = psutil.cpu_count() or 1
    others = _watch.others(n_cores)
    ours, theirs = n_workers * weight_of(niceness), others.plain + others.nice * weight_of(10)
    if others.sessions is not None:
        ours, theirs = weight_of(niceness), others.sessions
    share = max(n_cores - others.plain - others.nice, n_cores * ours / (ours + theirs))
    return float(n_workers / min(n_workers, share, n_processors()))


def weight_of(niceness: int) -> float:
    """Return the weight of a thread, or of a session, beside one that does not step back."""
    return float(_STEP**-niceness)


def is_by_session() -> bool:
    """Tell whether sessions share processors, and each its part among its threads, as on Linux unless told otherwise.

    Sched(7), "The autogroup feature": then whole sessions step back beside others, as that of a job does.
    """
    with suppress(OSError):
        return _BY_SESSION.read_text(encoding="ascii").strip() == "1"
    return False


def processor_seconds() -> Processes:
    """Return session and processor seconds so far of the processes that this one is not and did not start; on Linux."""
    found, tick = {}, 1.0 / os.sysconf("SC_CLK_TCK")
    ours = {os.getpid(), *seconds_of_started()}
    for name in os.listdir(_PROCESSES):
        if name.isdecimal() and int(name) not in ours:
            with suppress(OSError, IndexError, ValueError):
                said = (_PROCESSES / name / "stat").read_bytes().rpartition(b")")[2].split()
                found[int(name)] = int(said[3]), tick * (int(said[11]) + int(said[12]))
    return found


def weight_of_session(process: int) -> float:
    """Return the weight of the session of a process beside one that does not step back."""
    with suppress(OSError, IndexError, ValueError):
        return weight_of(int((_PROCESSES / str(process) / "autogroup").read_bytes().split()[-1]))
    return 1.0


def weight_at_work(before: Processes, after: Processes, weight: Callable[[int], float]) -> float:
    """Return what sessions weigh that had the processors; those that had less than their part count less.

    Of weights w, those that want more than they get use u in proportion to them, so that all weigh
    (sum of u)^2 / (sum of u^2 / w).

    Parameters
    ----------
    weight
        Of the session of a process.

    >>> before = {2: (1, 0.0), 3: (1, 5.0), 4: (4, 0.0), 5: (5, 9.0)}
    >>> after = {2: (1, 0.1), 3: (1, 5.1), 4: (4, 0.1), 5: (5, 9.0)}
    >>> round(weight_at_work(before, after, lambda process: 0.5 if process == 4 else 1.0), 6)
    1.5
    """
    used: dict[int, float] = {}
    member: dict[int, int] = {}
    for process, (session, seconds) in after.items():
        used[session] = used.get(session, 0.0) + seconds - before.get(process, (session, seconds))[1]
        member[session] = process
    squares = sum(seconds**2 / weight(member[session]) for session, seconds in used.items() if seconds > 0)
    return float(sum(used.values()) ** 2 / squares) if squares else 1.0

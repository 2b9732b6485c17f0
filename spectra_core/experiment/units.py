"""Units of work with their estimated cost, worked through by threads with one progress figure."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from spectra_core.contracts import Memo, PartsReporter, Reporter
from spectra_core.spectra import SpectraSet
from spectra_core.training.parallel import run_in_threads

RESOLUTION = 1000
"""Progress of a whole experiment is told in thousandths."""
LOOKED_UP = 0.05
"""Seconds within which a unit is done that was looked up; a pace made of such would promise too much."""
_TELL_PARTS = 1.0
"""Seconds between two tellings of how far each part is."""


@dataclass(frozen=True, eq=False)
class Unit:
    """One piece of work.

    Parameters
    ----------
    stage
        What a person is told while it runs.
    part
        Of the experiment, which has a progress of its own: an arm, or the generators.
    cost
        Estimated, in any unit common to all units of an experiment.
    work
        Does it; told whom to report to.
    key
        Under which the memo keeps what came of it.
    shared
        Keys of fitted models that it uses and other units may use too: the first to need one makes it.
    task
        The same work as JSON values, for `experiment.parts.do_task` in a process that knows nothing but the data.
    repeat
        Of the cross-validation; -1 for work on several.
    """

    stage: str
    cost: float
    work: Callable[[Reporter], Any]
    key: str = ""
    shared: tuple[str, ...] = ()
    task: Mapping[str, Any] = field(default_factory=dict)
    part: str = ""
    repeat: int = -1


class Workforce(Protocol):
    """Who works through the units of an experiment, in place of the threads of this process."""

    def work_through(self, units: Sequence[Unit], spectra: SpectraSet, memo: Memo, reporter: Reporter) -> None:
        """Do all units on `spectra`; afterwards `memo` holds what came of each under its key.

        Raises
        ------
        Cancelled
            When the reporter says that the person asked to stop.
        """


class Progress:
    """Adds up the shares of all units; safe to use from several threads."""

    def __init__(self, units: Sequence[Unit], reporter: Reporter) -> None:
        self._total = sum(unit.cost for unit in units)
        self._shares = [0.0] * len(units)
        self._costs = [unit.cost for unit in units]
        self._parts = [unit.part for unit in units]
        self._begin = self._told = time.monotonic()
        self._found = 0.0
        self._lock = threading.Lock()
        self._reporter = reporter

    def set_share(self, number: int, share: float, stage: str) -> None:
        """Note how far a unit is, as a share between 0 and 1; raise `Cancelled` when the person asked to stop."""
        with self._lock:
            self._shares[number] = max(self._shares[number], min(1.0, share))
            done = sum(s * c for s, c in zip(self._shares, self._costs, strict=True)) / self._total
            parts = self._parts_due()
        if parts and isinstance(self._reporter, PartsReporter):
            self._reporter.parts(parts)
        self._reporter.progress(stage, round(RESOLUTION * done), RESOLUTION)

    def set_found(self, number: int, stage: str) -> None:
        """Note that a unit was done before: it counts as done, and not for the pace."""
        with self._lock:
            self._found += self._costs[number] * (1.0 - self._shares[number])
        self.set_share(number, 1.0, stage)

    def parts(self, seconds: float) -> dict[str, tuple[float, float | None]]:
        """Return per part the share done, and the seconds that its rest takes at the pace of the `seconds` so far.

        All workers are taken to do one part after the other, so that the times of all parts add up to the whole's.
        """
        done: dict[str, float] = {}
        whole: dict[str, float] = {}
        for part, share, cost in zip(self._parts, self._shares, self._costs, strict=True):
            done[part] = done.get(part, 0.0) + share * cost
            whole[part] = whole.get(part, 0.0) + cost
        worked = sum(done.values()) - self._found
        pace = seconds / worked if worked > 0 else None
        return {
            part: (done[part] / whole[part], None if pace is None else pace * (whole[part] - done[part]))
            for part in whole
        }

    def _parts_due(self) -> dict[str, tuple[float, float | None]]:
        now = time.monotonic()
        if now - self._told < _TELL_PARTS:
            return {}
        self._told = now
        return self.parts(now - self._begin)

    def message(self, text: str) -> None:
        """Add one sentence to the log."""
        self._reporter.message(text)


class _UnitReporter:
    """Turns the progress of one unit into progress of the whole."""

    def __init__(self, progress: Progress, number: int, stage: str) -> None:
        self._progress = progress
        self._number = number
        self._stage = stage

    def progress(self, stage: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        # A unit may have several stages (a generator, then a regressor): its share never falls, and ends at 1
        # only when the unit does.
        self._progress.set_share(self._number, 0.99 * done / max(total, 1), self._stage)

    def message(self, text: str) -> None:
        self._progress.message(text)


def work_through(units: Sequence[Unit], n_workers: int, reporter: Reporter, *, n_first: int = 0) -> None:
    """Do all units, `n_workers` at a time, reporting the progress of the whole.

    Parameters
    ----------
    n_first
        So many units are done before all others, one after the other.

    Raises
    ------
    Cancelled
        When the reporter says that the person asked to stop; finished units stay in their memo.
    """
    progress = Progress(units, reporter)

    def job(number: int, unit: Unit) -> Callable[[Reporter], None]:
        def do(_: Reporter) -> None:
            begin = time.monotonic()
            unit.work(_UnitReporter(progress, number, unit.stage))
            if time.monotonic() - begin < LOOKED_UP:
                progress.set_found(number, unit.stage)
            else:
                progress.set_share(number, 1.0, unit.stage)

        return do

    jobs = [job(number, unit) for number, unit in enumerate(units)]
    run_in_threads(jobs[:n_first], 1, reporter)
    run_in_threads(jobs[n_first:], n_workers, reporter)

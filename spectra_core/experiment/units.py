"""Units of work with their estimated cost, worked through by threads with one progress figure."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spectra_core.contracts import Reporter
from spectra_core.training.parallel import run_in_threads

RESOLUTION = 1000
"""Progress of a whole experiment is told in thousandths."""


@dataclass(frozen=True, eq=False)
class Unit:
    """One piece of work.

    Parameters
    ----------
    stage
        What a person is told while it runs.
    cost
        Estimated, in any unit common to all units of an experiment.
    work
        Does it; told whom to report to.
    """

    stage: str
    cost: float
    work: Callable[[Reporter], Any]


class _Progress:
    """Adds up the shares of all units; safe to use from several threads."""

    def __init__(self, units: Sequence[Unit], reporter: Reporter) -> None:
        self._total = sum(unit.cost for unit in units)
        self._shares = [0.0] * len(units)
        self._costs = [unit.cost for unit in units]
        self._lock = threading.Lock()
        self._reporter = reporter

    def set_share(self, number: int, share: float, stage: str) -> None:
        with self._lock:
            self._shares[number] = max(self._shares[number], min(1.0, share))
            done = sum(s * c for s, c in zip(self._shares, self._costs, strict=True)) / self._total
        self._reporter.progress(stage, round(RESOLUTION * done), RESOLUTION)

    def message(self, text: str) -> None:
        self._reporter.message(text)


class _UnitReporter:
    """Turns the progress of one unit into progress of the whole."""

    def __init__(self, progress: _Progress, number: int, stage: str) -> None:
        self._progress = progress
        self._number = number
        self._stage = stage

    def progress(self, stage: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        # A unit may have several stages (a generator, then a regressor): its share never falls, and ends at 1
        # only when the unit does.
        self._progress.set_share(self._number, 0.99 * done / max(total, 1), self._stage)

    def message(self, text: str) -> None:
        self._progress.message(text)


def work_through(units: Sequence[Unit], n_workers: int, reporter: Reporter) -> None:
    """Do all units, `n_workers` at a time, reporting the progress of the whole.

    Raises
    ------
    Cancelled
        When the reporter says that the person asked to stop; finished units stay in their memo.
    """
    progress = _Progress(units, reporter)

    def job(number: int, unit: Unit) -> Callable[[Reporter], None]:
        def do(_: Reporter) -> None:
            unit.work(_UnitReporter(progress, number, unit.stage))
            progress.set_share(number, 1.0, unit.stage)

        return do

    run_in_threads([job(number, unit) for number, unit in enumerate(units)], n_workers, reporter)

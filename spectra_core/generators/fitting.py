"""Fitting one generator to many training sets, side by side."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from spectra_core.contracts import SILENT, Reporter
from spectra_core.generators.base import Generator
from spectra_core.spectra import SpectraSet

Member = TypeVar("Member", bound=Generator)


class Task(Protocol):
    """What to train on, and the seed."""

    @property
    def train(self) -> SpectraSet:
        """Training spectra."""

    @property
    def seed(self) -> int:
        """Decides the result of this task alone."""


def fit_many(generator: Member, tasks: Sequence[Task], n_workers: int = 1, reporter: Reporter = SILENT) -> list[Member]:
    """Fit a fresh copy of `generator` for every task, in threads with one numerical thread each.

    Results are bit by bit those of fitting one by one, whatever `n_workers`.

    Parameters
    ----------
    generator
        Its configuration is copied, its fitted state is not.
    tasks
        One fit each.
    n_workers
        Fits at the same time; the number of cores is best.
    reporter
        Told of the epochs of all fits together.

    Raises
    ------
    Cancelled
        When the person asked to stop.
    SpectraCoreError
        That of the first fit that failed.
    """
    from spectra_core.training.parallel import run_in_threads

    def job(task: Task) -> Any:
        fresh: Member = replace(generator)  # type: ignore[type-var]  # every member is a dataclass
        return lambda job_reporter: fresh.fit(task.train, seed=task.seed, reporter=job_reporter)

    return run_in_threads([job(task) for task in tasks], n_workers, reporter)

"""Whose job starts next, where a class shares one computer: workspaces take turns, however many jobs each has."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spectra_core.jobs.records import JobRecord
from spectra_core.store.classroom import WORKSPACES, workspaces
from spectra_core.store.files import exclusive, json_bytes, read_document, replace_file
from spectra_core.store.shapes import fits

if TYPE_CHECKING:
    from spectra_core.jobs.queue import Jobs

_LOOK = 1.0
"""Seconds for which a look at all workspaces is good enough for a list: whoever submits or finishes looks anew."""


@dataclass(frozen=True)
class Member:
    """What a workspace has running and waiting.

    Parameters
    ----------
    home
        Its data folder.
    last_turn
        Number of its last turn; 0 before the first.
    n_running
        How many of its jobs run.
    waiting
        Its waiting jobs, the oldest first.
    """

    home: Path
    last_turn: int
    n_running: int
    waiting: Sequence[JobRecord]


def in_turn(members: Sequence[Member]) -> list[tuple[Member, JobRecord]]:
    """Return all waiting jobs in the order in which they start.

    The job goes first whose workspace has the fewest jobs running or before it, among these the one whose last turn is
    longest ago: a workspace with ten jobs waits no less between two of them than one with two.
    """
    waiting = [(one, place, record) for one in members for place, record in enumerate(one.waiting)]
    waiting.sort(key=lambda job: (job[0].n_running + job[1], job[0].last_turn, job[2].created, job[0].home))
    return [(member, record) for member, _, record in waiting]


class Turns:
    """The jobs of all workspaces of a class, and of its own shelf.

    Parameters
    ----------
    folder
        The class's.
    open_jobs
        Opens the jobs of one data folder.
    """

    def __init__(self, folder: Path, open_jobs: Callable[[Path], "Jobs"]) -> None:
        self._folder, self._open = folder, open_jobs
        self._jobs: dict[Path, Jobs] = {}
        self._numbers_path = folder / WORKSPACES / "turns.json"
        self._places: dict[str, int] = {}
        self._looked: float | None = None

    def start(self, limit: int) -> None:
        """Start what waits, in turn, while fewer than `limit` jobs run in the whole class."""
        with exclusive(self._folder / WORKSPACES / ".lock"):
            while True:
                members = self._members()
                order = in_turn(members)
                self._note(order)
                if not order or sum(one.n_running for one in members) >= limit:
                    return
                member, record = order[0]
                started = self._jobs[member.home].start_one(record.id)
                numbers = {one.home.name: one.last_turn for one in members if one.last_turn}
                numbers[member.home.name] = 1 + max(numbers.values(), default=0)
                replace_file(self._numbers_path, json_bytes(numbers), durable=False)
                if not started:
                    return  # cancelled or started in between; whoever did that looks again

    def places(self, limit: int) -> dict[str, int]:
        """Return the places of all waiting jobs in the queue, from 1; now and then, start what was left waiting."""
        if self._looked is None or time.monotonic() - self._looked > _LOOK:
            self.start(limit)
        return self._places

    def _note(self, order: Sequence[tuple[Member, JobRecord]]) -> None:
        self._places = {record.id: place for place, (_, record) in enumerate(order, start=1)}
        self._looked = time.monotonic()

    def _members(self) -> list[Member]:
        homes = [self._folder, *workspaces(self._folder)]
        self._jobs = {home: self._jobs.get(home) or self._open(home) for home in homes}
        numbers: dict[str, int] = {}
        with suppress(OSError, ValueError):
            found = read_document(self._numbers_path)
            numbers = found if fits(found, dict[str, int]) else {}
        found_members = []
        for home, jobs in self._jobs.items():
            records = jobs.listed()
            n_running = sum(record.state == "running" for record in records)
            waiting = sorted((one for one in records if one.state == "queued"), key=lambda one: one.queued)
            found_members.append(Member(home, numbers.get(home.name, 0), n_running, waiting))
        return found_members

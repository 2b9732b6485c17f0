"""A process that waits for the next job with everything loaded, so that nobody waits for libraries.

It has a note in a folder beside the jobs. Whoever starts a job writes it there, under the lock of the queue; the
process then works as one that was started for it. It ends when it has waited for long, or the server it was started by
is gone. ``python -m spectra_core.jobs.ready HOME TOKEN PID START`` waits for work of HOME, for the server PID that
began at START.
"""

import os
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path

from spectra_core.jobs import processes
from spectra_core.store.files import exclusive, json_bytes, replace_file, strict_json, sweep_drafts
from spectra_core.store.shapes import shaped

LOOK = 0.03
"""Seconds between looks at the note."""
LOOK_FOR_SERVER = 1.0
"""Seconds between looks whether the server lives."""
MOST_IDLE = 600.0
"""Seconds after which a process that nobody needed ends; it holds some 400 MB."""


@dataclass(frozen=True)
class Waiting:
    """The note of a process that waits.

    Parameters
    ----------
    token
        Name of the note; known to the process.
    pid, started
        The process.
    kind
        What it was started with, from `processes.kind_of_process`; empty for one that did not wait.
    job
        What it is to do, once someone wants it to.
    """

    token: str
    pid: int
    started: str
    kind: str = ""
    job: str = ""


class Ready:
    """The notes of the processes that wait for the jobs of one data folder. Changed under the lock of the queue.

    Parameters
    ----------
    folder
        Where the notes lie; made with the first one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def renew(self, home: Path) -> None:
        """Start a process that waits, unless one does."""
        if self._free():
            return
        token = uuid.uuid4().hex
        server = str(os.getpid()), processes.start_of(os.getpid())
        process_id = processes.start("spectra_core.jobs.ready", str(home), token, *server)
        self.write(Waiting(token, process_id, processes.start_of(process_id), processes.kind_of_process()))

    def take(self, job_id: str) -> Waiting | None:
        """Give a job to a process that waits, where there is one that this one would have started alike."""
        for one in self._free():
            if one.kind == processes.kind_of_process():
                self.write(replace(one, job=job_id))
                return one
        return None

    def read(self, token: str) -> Waiting | None:
        """Return a note; None where it is gone."""
        with suppress(OSError, ValueError):
            return shaped(Waiting, strict_json(self._path(token).read_bytes()))
        return None

    def write(self, note: Waiting) -> None:
        """Put a note in place of the one of the same process."""
        replace_file(self._path(note.token), json_bytes(asdict(note)), durable=False)

    def remove(self, token: str) -> None:
        """Remove a note: its process waits no more."""
        with suppress(OSError):
            self._path(token).unlink(missing_ok=True)

    def _free(self) -> list[Waiting]:
        """Return the processes that wait, after the notes of those that are gone were removed."""
        free = []
        for path in sorted(self._folder.glob("*.json")):
            note = self.read(path.stem)
            if note is None or processes.start_of(note.pid) != note.started:
                self.remove(path.stem)
            elif not note.job:
                free.append(note)
        sweep_drafts(self._folder)
        return free

    def _path(self, token: str) -> Path:
        return self._folder / f"{token}.json"


def wait(notes: Ready, lock: Path, token: str, server: tuple[int, str]) -> str | None:
    """Load what jobs need, then wait for one and return its id; None when it is time to end.

    Parameters
    ----------
    lock
        The queue's.
    server
        The process that wants one to wait.
    """
    preparing = iter(_PREPARATIONS)
    begin = looked = time.monotonic()
    while True:
        if job := _given(notes, token):
            notes.remove(token)
            return job
        if (prepare := next(preparing, None)) is not None:
            prepare()
            continue
        now = time.monotonic()
        if now - looked > LOOK_FOR_SERVER:
            looked = now
            if now - begin > MOST_IDLE or processes.start_of(server[0]) != server[1]:
                with exclusive(lock):
                    job = _given(notes, token)
                    notes.remove(token)
                return job
        time.sleep(LOOK)


def _given(notes: Ready, token: str) -> str | None:
    note = notes.read(token)
    return note.job if note is not None and note.job else None


def _load() -> None:
    for module in ("jobs.tasks", "generators", "regressors", "samplers", "sampling.generation", "experiment"):
        import_module(f"spectra_core.{module}")


def _use() -> None:
    import_module("spectra_core.jobs.compiling_ahead").use_networks()


def _compile() -> None:
    import_module("spectra_core.jobs.compiling_ahead").compile_ahead()


_PREPARATIONS: tuple[Callable[[], None], ...] = (_load, _use, _compile)


def main(home: Path, token: str, server: tuple[int, str]) -> None:
    """Wait for a job and do it."""
    from spectra_core.jobs.folder import JobFolder
    from spectra_core.jobs.queue import Jobs
    from spectra_core.jobs.work import NICENESS, do

    processes.step_back(NICENESS)
    jobs, folder = Jobs(home), home / "jobs"
    notes = Ready(folder / ".ready")
    job_id = wait(notes, folder / ".lock", token, server)
    if job_id is None:
        return
    os.chdir(folder / job_id)
    with JobFolder(folder / job_id).output_path.open("ab") as printed:
        for descriptor in (1, 2):
            os.dup2(printed.fileno(), descriptor)
    do(jobs, job_id, token)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], (int(sys.argv[3]), sys.argv[4]))

"""The notes of processes that wait for the next job with everything loaded, so that nobody waits for libraries."""

import os
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from spectra_core.jobs import processes
from spectra_core.store.files import json_bytes, read_document, replace_file, sweep_drafts
from spectra_core.store.shapes import shaped


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
        """Start a process that waits, unless one does that would be started alike."""
        kind = processes.kind_of_process()
        if any(one.kind == kind for one in self._free()):
            return
        token = uuid.uuid4().hex
        server = str(os.getpid()), processes.start_of(os.getpid())
        process_id = processes.start("spectra_core.jobs.waiting", str(home), token, *server)
        self.write(Waiting(token, process_id, processes.start_of(process_id), kind))

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
            return shaped(Waiting, read_document(self._path(token)))
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

"""The queue of jobs: submitting, listing, cancelling and resuming work done by processes of their own.

No process keeps the queue. Whoever submits, lists or finishes a job starts the next one that waits, under a lock.
"""

import json
import os
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import Timeout

from spectra_core.errors import ConfigError, StoreError
from spectra_core.jobs import processes
from spectra_core.jobs.finding import find_task
from spectra_core.jobs.folder import JobFolder, Launch, Request, Status
from spectra_core.jobs.ready import Ready, Waiting
from spectra_core.jobs.records import FINAL, JobRecord, Watch, is_ours, read_record
from spectra_core.jobs.reporting import JobReporter
from spectra_core.jobs.turns import Turns
from spectra_core.store import home_folder
from spectra_core.store.classroom import class_folder, is_workspace, require_room, rules_of
from spectra_core.store.files import Stamp, disk_errors, exclusive, json_bytes, stamp_of, sweep_drafts

GRACE = 0.8
"""Seconds after which a job that was asked to stop is ended from outside, by the clock of whoever ends it."""
STUCK = 30.0
"""Seconds for which a job that was asked to stop is looked at."""
_EVENT_COLUMNS = ("attempt", "seconds", "stage", "done", "total")


class Jobs:
    """All jobs of one data folder; safe among processes.

    Parameters
    ----------
    home
        The data folder, as for `Store`.

    Notes
    -----
    At most as many jobs run at a time as the variable SPECTRA_JOBS says (1 by default); in a class, of all workspaces
    together, which take turns.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.home = (Path(home) if home is not None else home_folder()).absolute()
        self._folder = self.home / "jobs"
        self._watch = Watch()
        self._ended: dict[str, tuple[tuple[Stamp | None, ...], JobRecord]] = {}
        self._ready = Ready(self._folder / ".ready")
        shared = class_folder(self.home)
        self._turns = _turns_of(shared) if shared is not None else None

    @property
    def limit(self) -> int:
        """How many jobs run at a time.

        Raises
        ------
        ConfigError
            When SPECTRA_JOBS is no number of jobs.
        """
        text = os.environ.get("SPECTRA_JOBS", "").strip() or "1"
        if not text.isdecimal() or int(text) < 1:
            raise ConfigError(f"The variable SPECTRA_JOBS is a number of jobs from 1 upwards, got {text!r}.")
        return int(text)

    def submit(self, task: str, arguments: Mapping[str, Any], title: str) -> str:
        """Put work into the queue and return the id of the job.

        Parameters
        ----------
        task
            Name in `spectra_core.jobs.tasks.TASKS`.
        arguments
            JSON values; what the task takes.
        title
            What the person reads in the list.

        Raises
        ------
        ConfigError
            When the task is unknown, or SPECTRA_JOBS is no number.
        StoreError
            When the job cannot be written, or the workspace may have no more.
        """
        find_task(task)
        _ = self.limit  # a wrong one is refused before anything is written
        request = {"task": task, "title": title, "arguments": json.loads(json_bytes(arguments)), "attempt": 1}
        job_id = uuid.uuid4().hex
        self._require_room()
        with disk_errors("Starting the job"), exclusive(self._folder / ".lock"):
            number = self._next_number()
            created = datetime.now(UTC).isoformat(timespec="seconds")
            request |= {"sequence": number, "queued": number, "created": created}
            # Under a name that is not listed until the description is complete.
            draft = self._folder / f".{job_id}"
            draft.mkdir(parents=True)
            JobFolder(draft).write("job", request)
            os.rename(draft, self._folder / job_id)
        self.start_waiting()
        return job_id

    def records(self) -> list[JobRecord]:
        """List all jobs in the order of submission, and start what waits where there is room."""
        processes.reap()
        records = self._read_all()
        if self._turns is not None and _waiting(records):
            with suppress(StoreError, OSError):
                places = self._turns.places(self.limit)
                records = [replace(one, position=one.position and places.get(one.id)) for one in self._read_all()]
        if self._overdue(records) or (self._turns is None and _waiting(records) and _n_running(records) < self.limit):
            with suppress(StoreError):
                self.start_waiting()
            records = self._read_all()
        return records

    def listed(self) -> list[JobRecord]:
        """List all jobs in the order of submission, and leave everything as it is."""
        return self._read_all()

    def record(self, job_id: str) -> JobRecord:
        """Return one job.

        Raises
        ------
        StoreError
            When there is none of this id.
        """
        found = [record for record in self.records() if record.id == job_id]
        if not found:
            raise StoreError("This job is not in the list any more. Start the work again.")
        return found[0]

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop: one that waits is taken off the queue, one that runs is gone within 2 seconds."""
        self._stop(job_id, "Cancelling", JobFolder.cancel_path)

    def pause(self, job_id: str) -> None:
        """Stop a job for a while, as `cancel` does: it makes room for others, and `resume` lets it go on."""
        self._stop(job_id, "Pausing", JobFolder.pause_path, JobFolder.cancel_path)

    def _stop(self, job_id: str, doing: str, *asking: Callable[[JobFolder, int], Path]) -> None:
        record = self.record(job_id)
        if not record.is_active:
            return
        with disk_errors(doing), exclusive(self._folder / ".lock"):
            for path_of in asking:
                path_of(self._of(job_id), record.attempt).touch()
        # The work steps back behind everything else, its own heartbeat too: on a busy computer this process is sooner.
        threading.Thread(target=self._see_stopped, args=(job_id,), name="job ending", daemon=True).start()

    def _see_stopped(self, job_id: str) -> None:
        """Look at a job that was asked to stop until it has, which ends it when it is overdue."""
        with suppress(StoreError):
            self.wait(job_id, GRACE + STUCK)

    def resume(self, job_id: str) -> None:
        """Put a job that failed, was cancelled, paused or interrupted into the queue again, with the same arguments.

        Finished parts are looked up, not done again, so that the result is the same to the last bit.

        Raises
        ------
        ConfigError
            When the job waits, runs or is finished.
        """
        record = self.record(job_id)
        if not record.can_resume:
            raise ConfigError(f"The job {record.title!r} is {record.state}, so there is nothing to resume.")
        self._require_room()
        with disk_errors("Resuming"), exclusive(self._folder / ".lock"):
            folder = self._of(job_id)
            request = folder.read("job")
            if record.attempt != request.get("attempt"):
                return  # someone else resumed it meanwhile; a damaged one cannot be
            folder.write("job", {**request, "attempt": record.attempt + 1, "queued": self._next_number()})
        self.start_waiting()

    def delete(self, job_id: str) -> None:
        """Remove an ended job from the list; what it made stays in the store.

        Raises
        ------
        ConfigError
            When it waits or runs.
        """
        record = self.record(job_id)
        if record.is_active:
            raise ConfigError(f"The job {record.title!r} is {record.state}. Cancel it first.")
        with disk_errors("Deleting"), exclusive(self._folder / ".lock"):
            grave = self._folder / f".{uuid.uuid4().hex}"
            os.rename(self._folder / job_id, grave)
        shutil.rmtree(grave, ignore_errors=True)

    def events(self, job_id: str) -> pd.DataFrame:
        """Return the progress reports of a job.

        Returns
        -------
        DataFrame, one row per report
            Columns ``attempt``, ``seconds`` since the attempt began, ``stage``, ``done``, ``total``, and one column
            per reported value, such as ``reconstruction``. Of a step reported twice the later report counts.
        """
        rows = [
            {name: getattr(event, name) for name in _EVENT_COLUMNS} | event.values
            for event in self._of(job_id).events()
        ]
        table = pd.DataFrame(rows, columns=None if rows else list(_EVENT_COLUMNS))
        return table.drop_duplicates(["stage", "done", "total"], keep="last").reset_index(drop=True)

    def log_tail(self, job_id: str, n_lines: int = 20) -> list[str]:
        """Return the last sentences of the job's log, oldest first."""
        return self._of(job_id).log_tail(n_lines)

    def process_of(self, job_id: str) -> int:
        """Return the id of the process that a job was given to last; 0 where it has not begun."""
        status, launch = self._of(job_id).known(Status) or Status(), self._of(job_id).known(Launch) or Launch()
        return status.pid if status.attempt == launch.attempt else launch.pid

    def wait(self, job_id: str, timeout: float | None = None) -> JobRecord:
        """Return the job once it has ended, or as it is after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (record := self.record(job_id)).is_active and (deadline is None or time.monotonic() < deadline):
            time.sleep(0.05)
        return record

    def start_waiting(self) -> None:
        """End what was asked to stop and did not; start what waits, oldest first, while there is room."""
        with disk_errors("Starting the job"), exclusive(self._folder / ".lock"):
            for record in self._overdue(self._read_all()):
                self._end(record)
            records = self._read_all()
            self._sweep(records)
            if self._turns is None:
                for record in _waiting(records)[: max(0, self.limit - _n_running(records))]:
                    self._launch(record)
        if self._turns is not None:
            with disk_errors("Starting the job"):
                self._turns.start(self.limit)

    def start_one(self, job_id: str) -> bool:
        """Start a job if it still waits, and tell whether; its turn has come."""
        with disk_errors("Starting the job"), exclusive(self._folder / ".lock"):
            record = self._read(job_id)
            if record.state == "queued":
                self._launch(record)
            return record.state == "queued"

    def keep_ready(self) -> None:
        """See that a process waits for the next job, with everything loaded; it ends when this process does."""
        with suppress(OSError, Timeout), exclusive(self._folder / ".lock").acquire(blocking=False):
            self._ready.renew(self.home)

    def begin(self, job_id: str, token: str, before_end: Callable[[], None]) -> JobReporter | None:
        """Return the reporter of a job, called by the process that does its work; None where it is not to do it.

        Whoever starts a process names it in the job's folder before it lets go of the lock. Where it was killed before
        that, nobody knows the process, and another one is started.
        """
        folder = self._of(job_id)
        with exclusive(self._folder / ".lock"):
            launch, request = folder.known(Launch), folder.known(Request)
            if launch is None or request is None or (launch.token, launch.attempt) != (token, request.attempt):
                return None
            return JobReporter(folder, launch.attempt, before_end)

    def _require_room(self) -> None:
        require_room(self.home, "jobs", 0)
        if is_workspace(self.home) and self._turns is not None:
            most = rules_of(self.home.parent.parent).jobs
            if sum(record.is_active for record in self._read_all()) >= most:
                raise StoreError(f"A workspace has at most {most} jobs at once: wait for one, or cancel one.")

    def _launch(self, record: JobRecord) -> None:
        folder = self._of(record.id)
        found = self._ready.take(record.id)
        if found is None:
            token = uuid.uuid4().hex
            arguments = str(folder.path), token
            try:
                process_id = processes.start(
                    "spectra_core.jobs", *arguments, output=folder.output_path, folder=folder.path
                )
            except OSError as error:
                sentence = (
                    f"The process could not be started: {error.strerror}. Try again when the computer is less busy."
                )
                folder.write("status", {"attempt": record.attempt, "state": "failed", "error": sentence})
                return
            found = Waiting(token, process_id, processes.start_of(process_id))
        launch = {**asdict(found), "attempt": record.attempt, "host": socket.gethostname(), "warm": bool(found.kind)}
        folder.write("launch", launch)

    def _end(self, record: JobRecord) -> None:
        folder = self._of(record.id)
        for one in (folder.known(Launch), folder.known(Status)):
            if one is not None and one.attempt == record.attempt:
                processes.end(one.pid, one.started)

    def _sweep(self, records: list[JobRecord]) -> None:
        """Remove what killed processes left: drafts of files and jobs, and jobs half deleted. Under the lock."""
        for record in records:
            if not record.is_active:
                sweep_drafts(self._of(record.id).path, all_of_them=True)
        for path in self._folder.glob(".*"):
            if _is_id(path.name[1:]):
                shutil.rmtree(path, ignore_errors=True)

    def _overdue(self, records: list[JobRecord]) -> list[JobRecord]:
        """Return running jobs that were asked to stop, as far as this process has seen, longer ago than the grace."""
        return [
            record
            for record in records
            if record.state == "running"
            and self._of(record.id).cancel_path(record.attempt).exists()
            and self._watch.seconds(record.id, "asked to stop", record.attempt) > GRACE
        ]

    def _read_all(self) -> list[JobRecord]:
        try:
            names = [path.name for path in self._folder.iterdir() if _is_id(path.name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError("The list of jobs cannot be read. Check the permissions of the data folder.") from error
        records = sorted(map(self._read, names), key=lambda record: record.sequence)
        queued = sorted((record for record in records if record.state == "queued"), key=lambda record: record.queued)
        places = {record.id: number for number, record in enumerate(queued, start=1)}
        return [replace(record, position=places.get(record.id)) for record in records]

    def _read(self, name: str) -> JobRecord:
        """Read a job; one that has ended once, until its files are replaced."""
        folder = JobFolder(self._folder / name)
        stamps = tuple(stamp_of(folder.path / f"{part}.json") for part in ("job", "status"))
        if name in self._ended and self._ended[name][0] == stamps:
            return self._ended[name][1]
        record = read_record(folder, self._watch)
        if record.state in FINAL and None not in stamps:
            self._ended[name] = stamps, record
        return record

    def _of(self, job_id: str) -> JobFolder:
        if not _is_id(job_id):
            raise StoreError("This is not the id of a job.")
        return JobFolder(self._folder / job_id)

    def _next_number(self) -> int:
        requests = [JobFolder(path).known(Request) for path in self._folder.iterdir()]
        return 1 + max((max(one.sequence, one.queued) for one in requests if one and is_ours(one)), default=0)


@lru_cache(maxsize=4)
def _turns_of(folder: Path) -> Turns:
    """Return the turns of a class, one for all its workspaces in this process: whoever looks, looks for all."""
    return Turns(folder, Jobs)


def _waiting(records: list[JobRecord]) -> list[JobRecord]:
    return sorted((r for r in records if r.position is not None), key=lambda r: r.position or 0)


def _n_running(records: list[JobRecord]) -> int:
    return sum(record.state == "running" for record in records)


def _is_id(name: str) -> bool:
    return len(name) == 32 and set(name) <= set("0123456789abcdef")

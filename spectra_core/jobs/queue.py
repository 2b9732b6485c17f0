"""The queue of jobs: submitting, listing, cancelling and resuming work done by processes of their own.

No process keeps the queue. Whoever submits, lists or finishes a job starts the next one that waits, under a lock.
"""

import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from spectra_core.errors import ConfigError, StoreError
from spectra_core.jobs import processes
from spectra_core.jobs.folder import JobFolder
from spectra_core.jobs.records import JobRecord, read_record
from spectra_core.jobs.work import find_task
from spectra_core.store import home_folder
from spectra_core.store.files import disk_errors, exclusive, json_bytes

GRACE = 2.0
"""Seconds after which a job that was asked to stop is ended from outside."""
_EVENT_COLUMNS = ("attempt", "seconds", "stage", "done", "total")


class Jobs:
    """All jobs of one data folder; safe among processes.

    Parameters
    ----------
    home
        The data folder, as for `Store`.

    Notes
    -----
    At most as many jobs run at a time as the variable SPECTRA_JOBS says (1 by default).
    """

    def __init__(self, home: Path | None = None) -> None:
        self.home = (Path(home) if home is not None else home_folder()).absolute()
        self._folder = self.home / "jobs"

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
            When the job cannot be written.
        """
        find_task(task)
        _ = self.limit  # a wrong one is refused before anything is written
        request = {"task": task, "title": title, "arguments": json.loads(json_bytes(arguments)), "attempt": 1}
        job_id = uuid.uuid4().hex
        with disk_errors("Starting the job"), self._locked():
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
        if self._overdue(records) or (_waiting(records) and _n_running(records) < self.limit):
            with suppress(StoreError):
                self.start_waiting()
            records = self._read_all()
        return records

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
        record = self.record(job_id)
        if record.is_active:
            with disk_errors("Cancelling"), self._locked():
                self._of(job_id).cancel_path(record.attempt).touch()

    def pause(self, job_id: str) -> None:
        """Stop a job for a while, as `cancel` does: it makes room for others, and `resume` lets it go on."""
        record = self.record(job_id)
        if record.is_active:
            with disk_errors("Pausing"), self._locked():
                folder = self._of(job_id)
                folder.pause_path(record.attempt).touch()
                folder.cancel_path(record.attempt).touch()

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
        with disk_errors("Resuming"), self._locked():
            folder = self._of(job_id)
            request = folder.read("job")
            if request.get("attempt") != record.attempt:
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
        with disk_errors("Deleting"), self._locked():
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
        rows = []
        with suppress(OSError):
            for line in self._of(job_id).events_path.read_text("utf-8", "replace").splitlines():
                with suppress(ValueError, KeyError, TypeError):  # a line broken off by a power cut
                    event = json.loads(line)
                    rows.append({name: event[name] for name in _EVENT_COLUMNS} | event["values"])
        table = pd.DataFrame(rows, columns=None if rows else list(_EVENT_COLUMNS))
        return table.drop_duplicates(["stage", "done", "total"], keep="last").reset_index(drop=True)

    def log_tail(self, job_id: str, n_lines: int = 20) -> list[str]:
        """Return the last sentences of the job's log, oldest first."""
        return self._of(job_id).log_tail(n_lines)

    def wait(self, job_id: str, timeout: float | None = None) -> JobRecord:
        """Return the job once it has ended, or as it is after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (record := self.record(job_id)).is_active and (deadline is None or time.monotonic() < deadline):
            time.sleep(0.05)
        return record

    def start_waiting(self) -> None:
        """End what was asked to stop and did not; start what waits, oldest first, while there is room."""
        with disk_errors("Starting the job"), self._locked():
            records = self._read_all()
            for record in self._overdue(records):
                self._end(record)
            running = _n_running(self._read_all())
            for record in _waiting(records)[: max(0, self.limit - running)]:
                self._launch(record)

    def _launch(self, record: JobRecord) -> None:
        folder = self._of(record.id)
        launch = {"attempt": record.attempt, "host": socket.gethostname(), "asked": time.time(), "pid": None}
        folder.write("launch", launch)
        try:
            process_id = processes.start(folder.path, folder.output_path)
        except OSError as error:
            sentence = f"The process could not be started: {error.strerror}. Try again when the computer is less busy."
            folder.write("status", {"attempt": record.attempt, "state": "failed", "error": sentence})
            return
        folder.write("launch", {**launch, "pid": process_id, "started": processes.start_of(process_id)})

    def _end(self, record: JobRecord) -> None:
        launch = self._of(record.id).read("launch")
        if launch.get("pid") and launch.get("host") == socket.gethostname():
            processes.end(launch["pid"], launch["started"])
            deadline = time.monotonic() + 1.0
            while processes.start_of(launch["pid"]) == launch["started"] and time.monotonic() < deadline:
                time.sleep(0.01)
                processes.reap()

    def _overdue(self, records: list[JobRecord]) -> list[JobRecord]:
        """Return running jobs that were asked to stop more than two seconds ago."""
        overdue = []
        for record in records:
            if record.state == "running":
                with suppress(OSError):
                    asked = self._of(record.id).cancel_path(record.attempt).stat().st_mtime
                    if abs(time.time() - asked) > GRACE:
                        overdue.append(record)
        return overdue

    def _read_all(self) -> list[JobRecord]:
        try:
            names = [path.name for path in self._folder.iterdir() if _is_id(path.name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError("The list of jobs cannot be read. Check the permissions of the data folder.") from error
        records = sorted((read_record(JobFolder(self._folder / name)) for name in names), key=lambda r: r.sequence)
        queued = [record for record in records if record.state == "queued"]
        queued.sort(key=lambda record: self._of(record.id).read("job").get("queued", 0))
        places = {record.id: number for number, record in enumerate(queued, start=1)}
        return [replace(record, position=places.get(record.id)) for record in records]

    def _of(self, job_id: str) -> JobFolder:
        if not _is_id(job_id):
            raise StoreError("This is not the id of a job.")
        return JobFolder(self._folder / job_id)

    def _next_number(self) -> int:
        numbers = [0]
        for path in self._folder.iterdir():
            request = JobFolder(path).read("job")
            numbers += [request.get("sequence", 0), request.get("queued", 0)]
        return max(numbers) + 1

    def _locked(self) -> Any:
        return exclusive(self._folder / ".lock")


def _waiting(records: list[JobRecord]) -> list[JobRecord]:
    return sorted((r for r in records if r.position is not None), key=lambda r: r.position or 0)


def _n_running(records: list[JobRecord]) -> int:
    return sum(record.state == "running" for record in records)


def _is_id(name: str) -> bool:
    return len(name) == 32 and set(name) <= set("0123456789abcdef")

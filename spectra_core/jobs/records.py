"""What is known of a job, worked out from its files."""

import os
import shutil
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from spectra_core.jobs import processes
from spectra_core.jobs.folder import JobFolder, Launch, Request, Status
from spectra_core.store.shapes import MOST_COUNTED, fits

JobState = Literal["queued", "running", "finished", "failed", "cancelled", "paused", "interrupted"]

FINAL: tuple[JobState, ...] = ("finished", "failed", "cancelled")
_LEAST_ROOM = 64 * 2**10
"""Bytes that a disk has free where it is not full: some blocks of the largest size."""
SILENCE = 30.0
"""Seconds without a sign after which a process on another host counts as gone."""


@dataclass(frozen=True)
class JobRecord:
    """A job as a list shows it.

    Parameters
    ----------
    state
        "queued"; "running"; "finished" with a `result`; "failed" with an `error`; "cancelled"; "paused", which is the
        same but meant to go on; or "interrupted", when the process is gone without having said why (power cut,
        restart). The last four can be resumed.
    sequence
        Order of submission, growing.
    created
        Coordinated universal time of submission, ISO 8601.
    attempt
        1, and one more with every resumption.
    stage, done, total
        What is being done, and its finished and all steps; 0 of 0 before the first report.
    seconds_running
        Duration of this attempt, by the clock that never jumps.
    seconds_left
        Estimate for the present stage, from its own pace; None while it is unknown.
    error
        One sentence for people; empty where nothing went wrong.
    result
        What the task returned: fingerprints and ids.
    position
        Place in the queue from 1; None for a job that does not wait.
    queued
        Order in the queue, growing.
    parts
        Share done and seconds left of every part of the work, where it has parts.
    """

    id: str
    task: str
    title: str
    arguments: dict[str, Any]
    state: JobState
    sequence: int
    created: str
    attempt: int = 1
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_running: float = 0.0
    seconds_left: float | None = None
    error: str = ""
    result: dict[str, Any] | None = None
    position: int | None = None
    queued: int = 0
    parts: Mapping[str, tuple[float, float | None]] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("queued", "running")

    @property
    def can_resume(self) -> bool:
        """Whether `Jobs.resume` would start it again."""
        return self.state in ("failed", "cancelled", "paused", "interrupted")

    @property
    def share(self) -> float:
        """Finished share of the present stage, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


class Watch:
    """Knows for how long something has been seen unchanged, by the clock of this process that never jumps.

    What other processes and computers write is never compared with a clock of ours.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[Any, float]] = {}

    def seconds(self, job_id: str, what: str, value: Any) -> float:
        """Return for how long `what` of a job has had this value, as far as this process has seen."""
        now = time.monotonic()
        before, since = self._seen.get((job_id, what), (None, now))
        if before != value:
            since = now
        self._seen[job_id, what] = value, since
        return now - since


def state_of(attempt: int, launch: Launch, status: Status, *, alive: bool, cancel_asked: bool) -> JobState:
    """Decide the state of a job from what its files say; the first that applies decides.

    Parameters
    ----------
    attempt
        The attempt that was asked for last.
    launch, status
        Contents of ``launch.json`` and ``status.json``; those of earlier attempts count for nothing.
    alive
        Whether the process of this attempt lives.
    cancel_asked
        Whether this attempt was asked to stop.
    """
    begun = status.attempt == attempt
    if begun and status.state in FINAL:
        state: JobState = status.state
        return state
    launched = begun or launch.attempt == attempt
    if launched and alive:
        return "running"
    if cancel_asked:
        return "cancelled"
    # A process that waited for work and died before it began costs nothing: the job waits as before.
    return "interrupted" if begun or (launched and not launch.warm) else "queued"


def is_alive(job_id: str, launch: Launch, status: Status, watch: Watch) -> bool:
    """Tell whether the process of an attempt lives: by its id and start here, by its signs of life on another host."""
    if launch.host not in ("", socket.gethostname()):
        return watch.seconds(job_id, "signs of life", (launch, status)) < SILENCE
    one = status if status.attempt == launch.attempt and status.pid else launch
    return bool(one.started) and processes.start_of(one.pid) == one.started


def read_record(folder: JobFolder, watch: Watch | None = None) -> JobRecord:
    """Read what is known of one job; a damaged one is told as failed, so that all others are still listed."""
    job_id, watch = folder.path.name, watch or Watch()
    request = folder.known(Request)
    if request is None or not is_ours(request):
        message = "The description of this job is damaged. Delete it and start the work again."
        return JobRecord(job_id, "", "Damaged job", {}, "failed", 0, "", error=message)
    attempt = request.attempt
    status, launch, alive, cancel_asked = folder.known(Status), Launch(), False, False
    if status is None or status.attempt != attempt or status.state not in FINAL:
        launch = folder.known(Launch) or launch
        begun = status if status is not None and status.attempt == attempt else Status()
        if attempt in (launch.attempt, begun.attempt):
            alive = is_alive(job_id, launch if launch.attempt == attempt else Launch(attempt), begun, watch)
        cancel_asked = folder.cancel_path(attempt).exists()
        # Read after looking at the process: one that ended in between has left its last words by then.
        status = folder.known(Status)
    damaged = status is None and bool(folder.read("status"))
    status = status if status is not None and status.attempt == attempt else Status()
    state = state_of(attempt, launch, status, alive=alive, cancel_asked=cancel_asked)
    if state == "cancelled" and folder.pause_path(attempt).exists():
        state = "paused"
    error = status.error or _explanation(state, folder)
    if (damaged or (state == "finished" and status.result is None)) and state != "running":
        state, error = "failed", "What was known of this job is damaged. Resume it, or delete it and start it again."
    return JobRecord(
        id=job_id,
        task=request.task,
        title=request.title,
        arguments=request.arguments,
        state=state,
        sequence=request.sequence,
        created=request.created,
        attempt=attempt,
        stage=status.stage or ("Starting" if state == "running" else ""),
        done=max(0, status.done),
        total=max(0, status.total),
        seconds_running=max(0.0, status.seconds_running),
        seconds_left=status.seconds_left if state == "running" else None,
        error=error,
        result=status.result if state == "finished" else None,
        queued=request.queued,
        parts=_parts(status.parts),
    )


def is_ours(request: Request) -> bool:
    """Tell whether numbers and moment are such as we write."""
    try:
        datetime.fromisoformat(request.created)
    except ValueError:
        if request.created:
            return False
    counted = (request.attempt, request.sequence, request.queued + 1)
    return all(1 <= number < MOST_COUNTED for number in counted)


def _parts(kept: Any) -> dict[str, tuple[float, float | None]]:
    """Return share done and seconds left by part; of parts written otherwise nothing, since they only tell the pace.

    >>> _parts([["Baseline", 0.5, 3.0]]), _parts({"Baseline": [0.5, 3.0]}), _parts([["Baseline"]])
    ({'Baseline': (0.5, 3.0)}, {'Baseline': (0.5, 3.0)}, {})
    """
    # Earlier versions kept them by name.
    rows = [[name, *told] for name, told in kept.items() if isinstance(told, list)] if isinstance(kept, dict) else kept
    if not fits(rows, list[list[str | float | None]]):
        return {}
    return {
        row[0]: (min(1.0, max(0.0, row[1])), row[2])
        for row in rows
        if len(row) == 3 and isinstance(row[0], str) and fits(row[1], float) and fits(row[2], float | None)
    }


def _explanation(state: JobState, folder: JobFolder) -> str:
    if state != "interrupted":
        return ""
    with suppress(OSError):
        if shutil.disk_usage(folder.path).free < _LEAST_ROOM:
            return "The process ended, and the disk is too full for it to say why. Free some space, then resume it."
        if not os.access(folder.path, os.W_OK):
            return "The process ended, and may not write why. Make the data folder writable, then resume it."
    return "The process ended without a word: the computer was restarted, or it was ended from outside. Resume it."

"""What is known of a job, worked out from its files."""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from spectra_core.jobs import processes
from spectra_core.jobs.folder import JobFolder

JobState = Literal["queued", "running", "finished", "failed", "cancelled", "paused", "interrupted"]

FINAL: tuple[JobState, ...] = ("finished", "failed", "cancelled")
STARTING = 30.0
"""Seconds a new process has to give its first sign of life."""
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


def state_of(
    attempt: int, launch: Mapping[str, Any], status: Mapping[str, Any], *, alive: bool, cancel_asked: bool
) -> JobState:
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
    if status.get("attempt") == attempt and status.get("state") in FINAL:
        state: JobState = status["state"]
        return state
    launched = launch.get("attempt") == attempt
    if launched and alive:
        return "running"
    if cancel_asked:
        return "cancelled"
    return "interrupted" if launched else "queued"


def is_alive(folder: JobFolder, launch: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
    """Tell whether the launched process lives: by its id and start on this host, by its signs of life on another."""
    if launch.get("host") != socket.gethostname():
        return time.time() - max(folder.heartbeat(), float(launch.get("asked", 0.0))) < SILENCE
    source = launch if launch.get("pid") else status if status.get("attempt") == launch.get("attempt") else {}
    if not source.get("pid"):
        # Whoever started it died in the act, or is in the act.
        return abs(time.time() - float(launch.get("asked", 0.0))) < STARTING
    return bool(source["started"]) and processes.start_of(source["pid"]) == source["started"]


def read_record(folder: JobFolder) -> JobRecord:
    """Read what is known of one job; a damaged one is told as failed, so that all others are still listed."""
    request = folder.read("job")
    try:
        attempt = int(request["attempt"])
        known = {name: request[name] for name in ("task", "title", "arguments", "sequence", "created")}
    except (KeyError, TypeError, ValueError):
        message = "The description of this job is damaged. Delete it and start the work again."
        return JobRecord(folder.path.name, "", "Damaged job", {}, "failed", 0, "", error=message)
    status = folder.read("status")
    launch, alive, cancel_asked = {}, False, False
    if not (status.get("attempt") == attempt and status.get("state") in FINAL):
        launch = folder.read("launch")
        alive = launch.get("attempt") == attempt and is_alive(folder, launch, status)
        cancel_asked = folder.cancel_path(attempt).exists()
        # Read after looking at the process: one that ended in between has left its last words by then.
        status = folder.read("status")
    state = state_of(attempt, launch, status, alive=alive, cancel_asked=cancel_asked)
    if state == "cancelled" and folder.pause_path(attempt).exists():
        state = "paused"
    if status.get("attempt") != attempt:
        status = {"stage": "Starting"} if state == "running" else {}
    return JobRecord(
        id=folder.path.name,
        state=state,
        attempt=attempt,
        stage=status.get("stage", ""),
        done=status.get("done", 0),
        total=status.get("total", 0),
        seconds_running=status.get("seconds_running", 0.0),
        seconds_left=status.get("seconds_left") if state == "running" else None,
        error=status.get("error", "") or _explanation(state),
        result=status.get("result") if state == "finished" else None,
        parts=_parts(status.get("parts", [])),
        **known,
    )


def _parts(kept: Any) -> dict[str, tuple[float, float | None]]:
    """Return share done and seconds left by part; of parts written otherwise nothing, since they only tell the pace.

    >>> _parts([["Baseline", 0.5, 3.0]]), _parts({"Baseline": [0.5, 3.0]}), _parts([["Baseline"]])
    ({'Baseline': (0.5, 3.0)}, {'Baseline': (0.5, 3.0)}, {})
    """
    try:
        # Earlier versions kept them by name.
        rows = [(name, *told) for name, told in kept.items()] if isinstance(kept, dict) else kept
        return {str(name): (share, left) for name, share, left in rows}
    except (TypeError, ValueError):
        return {}


def _explanation(state: JobState) -> str:
    if state == "interrupted":
        return "The process ended without a word: the computer was restarted, or it was ended from outside. Resume it."
    return ""

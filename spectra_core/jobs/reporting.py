"""Telling, from inside a job's process, how far it is; and noticing that it should stop."""

import json
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spectra_core.contracts import Cancelled
from spectra_core.jobs import processes
from spectra_core.jobs.folder import JobFolder

POLL = 0.1
"""Seconds between looks for a request to stop."""
BEAT = 0.5
"""Seconds between writings of the status, at least."""
MOST_MISSED = 3
"""Beats at which the job's folder may be missing, as on a network's disk; then nobody can be told any more."""
PATIENCE = 0.5
"""Seconds the work has to stop once it was asked; then the process ends itself."""
GIVE_UP = 10.0
"""Seconds the work may take to start the next job, once it has given its last words."""
EVENT_INTERVAL = 0.2
"""Least seconds between two events of one stage; the last event of a stage is always written."""


class JobReporter:
    """Writes progress to the job's folder; safe to use from several threads.

    Parameters
    ----------
    folder
        Of the job.
    attempt
        Which attempt this process is.
    before_end
        Called when the process has to end itself, before it does: the next job is started there.
    """

    def __init__(self, folder: JobFolder, attempt: int, before_end: Callable[[], None]) -> None:
        self._folder = folder
        self._attempt = attempt
        self._before_end = before_end
        self._lock = threading.RLock()
        self._begin = time.monotonic()
        self._pace = Pace()
        self._last_event: dict[str, float] = {}
        self._cancelled = threading.Event()
        self._ended = False
        self._status: dict[str, Any] = {
            "attempt": attempt,
            "state": "running",
            "pid": os.getpid(),
            "started": processes.start_of(os.getpid()),
            "stage": "Starting",
            "done": 0,
            "total": 0,
        }
        self._write_status()
        threading.Thread(target=self._keep_alive, name="job heartbeat", daemon=True).start()

    def progress(self, stage: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Note the progress; raise `Cancelled` when the person asked to stop."""
        if self._cancelled.is_set():
            raise Cancelled
        with self._lock:
            now = time.monotonic() - self._begin
            self._pace.step(now, done, total)
            self._status |= {"stage": stage, "done": int(done), "total": int(total)}
            if done >= total or now - self._last_event.get(stage, -math.inf) >= max(EVENT_INTERVAL, now / 1000):
                self._last_event[stage] = now
                self._append_event(now, stage, done, total, values or {})

    def parts(self, progress: Mapping[str, tuple[float, float | None]]) -> None:
        """Note how far each part of the work is."""
        with self._lock:
            # A list, since the names of a JSON object are sorted, and parts have an order.
            self._status["parts"] = [[name, *of_part] for name, of_part in progress.items()]

    def message(self, text: str) -> None:
        """Add one sentence to the log."""
        moment = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        with self._lock:
            _append(self._folder.log_path, f"{moment}  {' '.join(text.split())}\n")

    def finish(self, state: str, *, error: str = "", result: dict[str, Any] | None = None) -> bool:
        """Write the last words of this process; only the first call counts. Return whether it was this one."""
        with self._lock:
            if self._ended:
                return False
            self._ended = True
            self._status |= {"state": state, "error": error, "result": result}
            self._write_status(durable=True)
        return True

    def _keep_alive(self) -> None:
        last_beat, asked, patience, n_missed = 0.0, 0.0, PATIENCE, 0
        while True:
            time.sleep(POLL)
            now = time.monotonic()
            if not asked and self._folder.cancel_path(self._attempt).exists():
                asked = now
                self._cancelled.set()
            if asked and now - asked > patience:
                if self.finish("cancelled"):
                    self._before_end()
                elif patience == PATIENCE:
                    patience = PATIENCE + GIVE_UP  # the work heard it after all, and is about to start the next job
                    continue
                processes.end_this()
            if now - last_beat > BEAT:
                last_beat = now
                n_missed = 0 if self._folder.path.exists() else n_missed + 1
                with self._lock:
                    if n_missed > MOST_MISSED and not self._ended:
                        processes.end_this()
                    if not (self._ended or n_missed):  # a folder that is gone does not come back by being written
                        self._write_status()

    def _write_status(self, *, durable: bool = False) -> None:
        now = time.monotonic() - self._begin
        self._status |= {"seconds_running": now, "seconds_left": self._pace.seconds_left(now)}
        # A full disk must not end the work: progress is worth less than the work itself.
        try:
            self._folder.write("status", self._status, durable=durable)
        except OSError:
            if durable:  # the last words say that the disk is full
                with suppress(OSError):
                    self._folder.write_over("status", self._status)

    def _append_event(self, now: float, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        numbers = {name: float(value) for name, value in values.items()}
        event = {
            "attempt": self._attempt,
            "seconds": round(now, 3),
            "stage": stage,
            "done": int(done),
            "total": int(total),
            "values": {name: value if math.isfinite(value) else None for name, value in numbers.items()},
        }
        _append(self._folder.events_path, json.dumps(event) + "\n")


class Pace:
    """Estimates the time left from the steps since counting began, leaving out what was there at the start.

    Counting begins anew when the number of all steps changes or the finished ones fall back: a new stage.

    Examples
    --------
    >>> pace = Pace()
    >>> pace.step(10.0, 50, 100)  # resumed at half
    >>> pace.step(20.0, 75, 100)
    >>> pace.seconds_left(20.0)
    10.0
    """

    def __init__(self) -> None:
        self._first = (0.0, 0)
        self._last = (0.0, 0)
        self._total = 0

    def step(self, now: float, done: int, total: int) -> None:
        """Note that `done` of `total` steps are finished `now`, in seconds."""
        if total != self._total or done < self._last[1]:
            self._first, self._total = (now, done), total
        self._last = (now, done)

    def seconds_left(self, now: float) -> float | None:
        """Return the estimate; None before the second step, and after the last.

        A step that takes longer than those before it raises the estimate while it lasts: they may have been the easy
        ones, and counting down to nothing would promise an end that is far off. The last one takes at least as much
        longer as it is late already.
        """
        steps, remaining = self._last[1] - self._first[1], self._total - self._last[1]
        if steps <= 0 or remaining <= 0:
            return None
        each, waited = (self._last[0] - self._first[0]) / steps, now - self._last[0]
        if waited <= each:
            return each * remaining - waited
        return max((now - self._first[0]) / (steps + 1) * (remaining - 1), waited - each)


def _append(path: Path, line: str) -> None:
    """Append a line; after a broken-off one, on a line of its own."""
    with suppress(OSError), path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(line.encode("utf-8", "replace"))

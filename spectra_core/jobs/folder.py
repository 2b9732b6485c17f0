"""The folder of one job. Every file has one writer, so that nothing needs to be agreed on between processes.

==================  =======================  =================================================================
file                written by               holds
==================  =======================  =================================================================
``job.json``        who submits or resumes   task, arguments, title, place in the queue, number of the attempt
``launch.json``     who starts the process   attempt, process id and start of the process, host
``status.json``     the process              attempt, stage, progress, and at the end state, error, result
``cancel-N``        who cancels or pauses    nothing: that it is there asks attempt N to stop
``pause-N``         who pauses               nothing: attempt N is stopped to be resumed later
``events.jsonl``    the process              one line per progress report, for curves
``log.txt``         the process              sentences for people
``output.txt``      the process              everything printed, and tracebacks; never shown on a page
==================  =======================  =================================================================
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spectra_core.store.files import json_bytes, replace_file, strict_json

_TAIL_BYTES = 64 * 2**10


class JobFolder:
    """Reads and writes the files of one job.

    Parameters
    ----------
    path
        The folder; its name is the id of the job.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def events_path(self) -> Path:
        """Where progress reports are appended."""
        return self.path / "events.jsonl"

    @property
    def log_path(self) -> Path:
        """Where sentences for people are appended."""
        return self.path / "log.txt"

    @property
    def output_path(self) -> Path:
        """Where the process prints."""
        return self.path / "output.txt"

    def cancel_path(self, attempt: int) -> Path:
        """Return the file whose presence asks an attempt to stop."""
        return self.path / f"cancel-{attempt}"

    def pause_path(self, attempt: int) -> Path:
        """Return the file whose presence says that an attempt was asked to stop for a while only."""
        return self.path / f"pause-{attempt}"

    def read(self, name: str) -> dict[str, Any]:
        """Return "job", "launch" or "status"; empty where it is not there or cannot be read."""
        try:
            return strict_json((self.path / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return {}

    def write(self, name: str, document: Mapping[str, Any], *, durable: bool = True) -> None:
        """Replace "job", "launch" or "status" at once."""
        replace_file(self.path / f"{name}.json", json_bytes(document), durable=durable)

    def heartbeat(self) -> float:
        """Return when the process last wrote its status, in seconds since 1970; 0 where it never did."""
        try:
            return (self.path / "status.json").stat().st_mtime
        except OSError:
            return 0.0

    def log_tail(self, n_lines: int) -> list[str]:
        """Return the last sentences of the log, oldest first."""
        try:
            with self.log_path.open("rb") as file:
                start = max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES)
                file.seek(start)
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        lines = text.splitlines()
        return (lines[1:] if start else lines)[-n_lines:]

"""The folder of one job. Every file has one writer, so that nothing needs to be agreed on between processes.

==================  =======================  =================================================================
file                written by               holds
==================  =======================  =================================================================
``job.json``        who submits or resumes   task, arguments, title, place in the queue, number of the attempt
``launch.json``     who starts the process   attempt, the process and its token, host
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
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from spectra_core.json_text import strict_json
from spectra_core.store.files import (
    MOST_OF_A_DOCUMENT,
    json_bytes,
    read_document,
    read_plain,
    replace_file,
    size_of_plain,
)
from spectra_core.store.shapes import shaped

_TAIL_BYTES = 64 * 2**10

Document = TypeVar("Document", bound="Request | Launch | Status")


@dataclass(frozen=True)
class Request:
    """``job.json``: what is to be done, when it came, and when it was put into the queue last."""

    task: str
    title: str
    arguments: dict[str, Any]
    sequence: int
    created: str
    attempt: int
    queued: int = 0


@dataclass(frozen=True)
class Launch:
    """``launch.json``: which process an attempt was given to.

    Parameters
    ----------
    token
        Known to that process alone: whoever has another one does not begin.
    warm
        Whether the process waited for work before.
    """

    attempt: int = 0
    host: str = ""
    pid: int = 0
    started: str = ""
    token: str = ""
    warm: bool = False


@dataclass(frozen=True)
class Status:
    """``status.json``: what the process says of itself; parts as they are told, see `records`."""

    attempt: int = 0
    state: str = ""
    pid: int = 0
    started: str = ""
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_running: float = 0.0
    seconds_left: float | None = None
    error: str = ""
    result: dict[str, str | float | bool | None] | None = None
    parts: Any = field(default_factory=list)


@dataclass(frozen=True)
class Event:
    """A line of ``events.jsonl``."""

    attempt: int
    seconds: float
    stage: str
    done: int
    total: int
    values: dict[str, float | None]


_NAMES: dict[type, str] = {Request: "job", Launch: "launch", Status: "status"}


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
            return read_document(self.path / f"{name}.json")
        except (OSError, ValueError):
            return {}

    def known(self, kind: type[Document]) -> Document | None:
        """Return what a file says; None where there is none, or where it says what no version of ours wrote."""
        try:
            return shaped(kind, self.read(_NAMES[kind]))
        except ValueError:
            return None

    def write(self, name: str, document: Mapping[str, Any], *, durable: bool = True) -> None:
        """Replace "job", "launch" or "status" at once."""
        replace_file(self.path / f"{name}.json", json_bytes(document), durable=durable)

    def write_over(self, name: str, document: Mapping[str, Any]) -> None:
        """Write over "job", "launch" or "status" where it lies, which needs no room on a disk that is full."""
        with (self.path / f"{name}.json").open("r+b") as file:
            # At once, so that nobody reads a part: what was longer before ends in blanks.
            file.write(json_bytes(document).ljust(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())

    def events(self) -> list[Event]:
        """Return the progress reports; lines broken off by a power cut are left out."""
        found = []
        with suppress(OSError):
            for line in read_plain(self.events_path, MOST_OF_A_DOCUMENT).decode("utf-8", "replace").splitlines():
                with suppress(ValueError):
                    found.append(shaped(Event, strict_json(line)))
        return found

    def log_tail(self, n_lines: int) -> list[str]:
        """Return the last sentences of the log, oldest first."""
        try:
            start = max(0, size_of_plain(self.log_path) - _TAIL_BYTES)
            with self.log_path.open("rb") as file:
                file.seek(start)
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        lines = text.splitlines()
        return (lines[1:] if start else lines)[-n_lines:]

"""Parse files in a child process with limits on memory, time and cells, kept alive between files.

A parser of foreign files can crash, hang, or eat all memory; here that costs the child, never the program. How the two
speak is in `handover`: nothing is pickled. The child is started with `subprocess`, since `multiprocessing` would run
the page again inside it.
"""

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from spectra_core.datasets import handover
from spectra_core.datasets.files import is_about_data, not_used
from spectra_core.datasets.limits import MEGABYTE, require_size
from spectra_core.datasets.parts import Part, restored, with_notes
from spectra_core.datasets.readers.base import Dialect
from spectra_core.errors import ReadError
from spectra_core.spectra.text import whole

EXTRA_MEMORY = 500 * MEGABYTE
MEMORY_PER_BYTE = 12  # text of short cells becomes 8 bytes a number, held twice while columns are gathered
SECONDS = 2.0  # of processor time, for a file of no size
SECONDS_PER_MEGABYTE = 0.4
_OUT_OF_TIME = -27  # SIGPROF: the processor time of the file is used up
PATIENCE = 6.0  # on a busy machine, waiting takes this many times longer than computing
PIPE_BYTES = 1 << 20
START_SECONDS = 60.0
CHANNEL = "SPECTRA_PARSER_CHANNEL"
"""Variable that tells the parser process its end of the socket for descriptors."""

Sources = tuple[tuple[str, str], ...]
"""Name and sha256 per file."""


def processor_seconds(n_bytes: int) -> float:
    """Return the processor time a file may take."""
    return SECONDS + SECONDS_PER_MEGABYTE * n_bytes / MEGABYTE


def memory_bytes(n_bytes: int) -> int:
    """Return the memory a file may take on top of what the child holds at rest."""
    return EXTRA_MEMORY + MEMORY_PER_BYTE * n_bytes


def parse_files(files: Mapping[str, bytes | Path], dialect: Dialect) -> tuple[list[Part], Sources]:
    """Return the parts of all files, each parsed within its limits, and what identifies the files.

    Parameters
    ----------
    files
        By name, the content, or where it lies: then only the parser process holds it.

    Raises
    ------
    ReadError
        For the first file that cannot be read, with its name where there are several. What by its name only lies
        beside data is left out, and named in a note.
    """
    parts: list[Part] = []
    sources: list[tuple[str, str]] = []
    beside: dict[str, ReadError] = {}
    for name, content in ((whole(name), content) for name, content in files.items()):
        try:
            found = _CHILD.parse(content, name, dialect)
        except ReadError as error:
            if not is_about_data(name):
                raise _of_file(name, error, len(files)) from error
            beside[name] = error
            continue
        parts += found.parts
        sources.append((name, found.sha256))
    if not parts and beside:
        raise _of_file(*next(iter(beside.items())), len(files))
    return with_notes(parts, [not_used(name, refusal) for name, refusal in beside.items()]), tuple(sources)


def _of_file(name: str, error: ReadError, n_files: int) -> ReadError:
    return ReadError(f"{name!r}: {error}" if n_files > 1 else str(error))


@dataclass(frozen=True)
class Parsed:
    """What one file holds, and the sha256 of the bytes that were parsed."""

    parts: list[Part]
    sha256: str


@dataclass
class _Running:
    """A parser process, and the socket that hands descriptors over where the system can."""

    process: "subprocess.Popen[bytes]"
    channel: socket.socket | None

    @property
    def pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """The pipe of requests and the pipe of answers."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        return self.process.stdin, self.process.stdout


class Child:
    """The parser process; started at the first file, started again after a death. Serves one file at a time.

    Attributes
    ----------
    deaths
        How each process that died over a file ended: "overdue", or its exit status (negative for a signal).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self.deaths: list[str] = []

    @property
    def process_id(self) -> int | None:
        """Number of the running process, or None."""
        return None if self._running is None else self._running.process.pid

    def parse(self, content: bytes | Path, name: str, dialect: Dialect) -> Parsed:
        """Return what one file holds.

        Raises
        ------
        ReadError
            When the file is refused, or parsing it went over a limit.
        """
        with self._lock, contextlib.ExitStack() as opened:
            source = opened.enter_context(_opened(content)) if isinstance(content, Path) else content
            size = len(source) if isinstance(source, bytes) else os.fstat(source.fileno()).st_size
            require_size(size)
            try:
                return self._asked(source, size, name, dialect)
            except _DiedError as death:
                if death.overdue:
                    raise ReadError(_TOO_LONG) from death
            # A crash may be the after-effect of the file before: this one gets a fresh process, once.
            try:
                return self._asked(source, size, name, dialect)
            except _DiedError as death:
                raise ReadError(_TOO_LONG if death.overdue else _CRASHED) from death

    def _asked(self, source: bytes | IO[bytes], size: int, name: str, dialect: Dialect) -> Parsed:
        """Send one file and return what it holds; `_DiedError` when the process died over it."""
        running = self._started()
        requests, answers = running.pipes
        overdue = threading.Event()
        timer = threading.Timer(PATIENCE * processor_seconds(size), _end, (running.process, overdue))
        timer.start()
        memory = None
        try:
            request = {"name": name, "size": size, "dialect": vars(dialect)}
            if running.channel is None:
                handover.send(requests, request, [memoryview(_content(source))])
            else:
                memory = handover.nameless_memory()
                by_name = [] if isinstance(source, bytes) else [source.fileno()]
                handover.hand_over(running.channel, [memory, *by_name])
                request["descriptors"] = 1 + len(by_name)
                handover.send(requests, request, [memoryview(source)] if isinstance(source, bytes) else [])
            header = handover.received(answers)
            described = header.get("arrays", [])
            if memory is None:
                arrays = handover.arrays_from_pipe(answers, described)
            else:
                arrays = handover.arrays_in_memory(memory, described)
        except (OSError, EOFError, ValueError) as error:
            self._stop()
            self.deaths.append("overdue" if overdue.is_set() else str(running.process.returncode))
            raise _DiedError(overdue.is_set() or running.process.returncode == _OUT_OF_TIME) from error
        finally:
            timer.cancel()
            if memory is not None:
                os.close(memory)
        if "refused" in header:
            raise ReadError(whole(str(header["refused"])))
        each = iter(arrays)
        return Parsed([restored(words, each) for words in header["parts"]], str(header["sha256"]))

    def close(self) -> None:
        """End the process, for example at the end of the program."""
        with self._lock:
            self._stop()

    def _started(self) -> _Running:
        if self._running is not None and self._running.process.poll() is None:
            return self._running
        self._stop()
        self._running = running = _start()
        late = threading.Event()
        timer = threading.Timer(START_SECONDS, _end, (running.process, late))
        timer.start()
        try:
            handover.received(running.pipes[1])
        except (OSError, EOFError, ValueError) as error:
            self._stop()
            raise ReadError("The process that reads files could not be started. Try again in a moment.") from error
        finally:
            timer.cancel()
        return running

    def _stop(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        process = running.process
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)  # a process that died by itself tells why
        with contextlib.suppress(OSError):
            process.kill()
        for one in (*running.pipes, running.channel):
            if one is not None:
                with contextlib.suppress(OSError):
                    one.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)


def _start() -> _Running:
    """Start a parser process; it imports its libraries before it says that it is ready."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT")}
    root = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH", ""))))
    environment.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONWARNINGS="ignore")
    environment["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # gives memory back after a file
    ours, theirs = socket.socketpair() if handover.BY_DESCRIPTOR else (None, None)
    inherited = [] if theirs is None else [theirs.fileno()]
    environment[CHANNEL] = str(inherited[0]) if inherited else ""
    process = subprocess.Popen(
        # -P: a file in the working directory can never stand in for a module.
        [sys.executable, "-P", "-m", "spectra_core.datasets.confined"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        close_fds=True,
        pass_fds=inherited,
        pipesize=PIPE_BYTES,
    )
    if theirs is not None:
        theirs.close()
    return _Running(process, ours)


def _opened(path: Path) -> IO[bytes]:
    """Open a file that a person named.

    Raises
    ------
    ReadError
        When it cannot be opened.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise ReadError(f"{path} cannot be opened: {error.strerror}. Check the name and the permissions.") from error
    except ValueError as error:
        raise ReadError(f"{str(path)!r} cannot be opened: no file has such a name. Check it.") from error


def _content(source: bytes | IO[bytes]) -> bytes:
    if isinstance(source, bytes):
        return source
    source.seek(0)
    return source.read()


def _end(process: "subprocess.Popen[bytes]", overdue: threading.Event) -> None:
    overdue.set()
    with contextlib.suppress(OSError):
        process.kill()


class _DiedError(Exception):
    """The parser process died; `overdue` when a limit on time ended it."""

    def __init__(self, overdue: bool) -> None:
        super().__init__(overdue)
        self.overdue = overdue


_TOO_LONG = "Reading the file took too long, so it was stopped: it is damaged, or far larger inside than it looks."
_CRASHED = "The file made its reader fail, so it is refused: it is damaged, or built to do harm. Export it again."


_CHILD = Child()


def close() -> None:
    """End the parser process; the next file starts a new one."""
    _CHILD.close()


atexit.register(close)

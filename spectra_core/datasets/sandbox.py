"""Parse files in a child process with limits on memory, time and cells, kept alive between files.

A parser of foreign files can crash, hang, or eat all memory; here that costs the child, never the program. The two
speak over pipes: a frame is a length, JSON of that length, then raw array bytes. Nothing is pickled, and the child is
started with `subprocess`, since `multiprocessing` would run the page again inside it.
"""

import atexit
import contextlib
import json
import math
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.limits import MAX_CELLS, MAX_FILE_BYTES, MEGABYTE
from spectra_core.datasets.parts import Part, restored
from spectra_core.datasets.readers.base import Dialect
from spectra_core.errors import ReadError

EXTRA_MEMORY = 500 * MEGABYTE
MEMORY_PER_BYTE = 12  # text of short cells becomes 8 bytes a number, held twice while columns are gathered
SECONDS = 2.0  # of processor time, for a file of no size
SECONDS_PER_MEGABYTE = 0.4
PATIENCE = 6.0  # on a busy machine, waiting takes this many times longer than computing
START_SECONDS = 60.0
MAX_HEADER = 256 * MEGABYTE
_LENGTH = struct.Struct("<Q")
_DTYPES = ("float64", "float32")
_CHUNK = 1 << 20


def processor_seconds(n_bytes: int) -> float:
    """Return the processor time a file may take."""
    return SECONDS + SECONDS_PER_MEGABYTE * n_bytes / MEGABYTE


def memory_bytes(n_bytes: int) -> int:
    """Return the memory a file may take on top of what the child holds at rest."""
    return EXTRA_MEMORY + MEMORY_PER_BYTE * n_bytes


def parse_files(files: Mapping[str, bytes], dialect: Dialect) -> list[Part]:
    """Return the parts of all files, each parsed within its limits.

    Raises
    ------
    ReadError
        For the first file that cannot be read, with its name where there are several.
    """
    parts: list[Part] = []
    for name, data in files.items():
        try:
            parts += _CHILD.parse(data, name, dialect)
        except ReadError as error:
            raise ReadError(f"{name!r}: {error}" if len(files) > 1 else str(error)) from error
    return parts


class Child:
    """The parser process; started at the first file, started again after a death. Serves one file at a time.

    Attributes
    ----------
    deaths
        How each process that died over a file ended: "overdue", or its exit status (negative for a signal).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.deaths: list[str] = []

    @property
    def process_id(self) -> int | None:
        """Number of the running process, or None."""
        return None if self._process is None else self._process.pid

    def parse(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return the parts of one file.

        Raises
        ------
        ReadError
            When the file is refused, or parsing it went over a limit.
        """
        if len(data) > MAX_FILE_BYTES:
            raise ReadError(
                f"The file has {len(data) / MEGABYTE:.0f} MB; at most {MAX_FILE_BYTES // MEGABYTE} MB are read."
            )
        with self._lock:
            try:
                return self._asked(data, name, dialect)
            except _DiedError as death:
                if death.overdue:
                    raise ReadError(_TOO_LONG) from death
            # A crash may be the after-effect of the file before: this one gets a fresh process, once.
            try:
                return self._asked(data, name, dialect)
            except _DiedError as death:
                raise ReadError(_TOO_LONG if death.overdue else _CRASHED) from death

    def _asked(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Send one file and return its parts; `_DiedError` when the process died over it."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        request = {"name": name, "size": len(data), "dialect": vars(dialect)}
        overdue = threading.Event()
        timer = threading.Timer(PATIENCE * processor_seconds(len(data)), _end, (process, overdue))
        timer.start()
        try:
            send(process.stdin, request, [memoryview(data)])
            header = received(process.stdout)
            arrays = _arrays(process.stdout, header.get("arrays", []))
        except (OSError, EOFError, ValueError) as error:
            self._stop()
            self.deaths.append("overdue" if overdue.is_set() else str(process.returncode))
            # SIGXCPU: the limit on processor time.
            raise _DiedError(overdue.is_set() or process.returncode == -24) from error
        finally:
            timer.cancel()
        if "refused" in header:
            raise ReadError(str(header["refused"]))
        return [restored(words, arrays) for words in header["parts"]]

    def close(self) -> None:
        """End the process, for example at the end of the program."""
        with self._lock:
            self._stop()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        environment = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT")}
        root = str(Path(__file__).parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH", ""))))
        environment.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONWARNINGS="ignore")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "spectra_core.datasets.confined"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            close_fds=True,
        )
        late = threading.Event()
        timer = threading.Timer(START_SECONDS, _end, (self._process, late))
        timer.start()
        try:
            assert self._process.stdout is not None
            received(self._process.stdout)
        except (OSError, EOFError, ValueError) as error:
            self._stop()
            raise ReadError("The process that reads files could not be started. Try again in a moment.") from error
        finally:
            timer.cancel()
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)  # a process that died by itself tells why
        with contextlib.suppress(OSError):
            process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)


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


def send(pipe: IO[bytes], words: Mapping[str, Any], buffers: "list[memoryview]") -> None:
    """Write one frame: JSON, then the bytes of arrays or of a file."""
    text = json.dumps(words).encode()
    pipe.write(_LENGTH.pack(len(text)) + text)
    for buffer in buffers:
        for start in range(0, len(buffer), _CHUNK):
            pipe.write(buffer[start : start + _CHUNK])
    pipe.flush()


def exactly(pipe: IO[bytes], size: int) -> bytes:
    """Read `size` bytes, or raise EOFError when the other side is gone."""
    data = pipe.read(size)
    if len(data) != size:
        raise EOFError
    return data


def received(pipe: IO[bytes]) -> dict[str, Any]:
    """Read the JSON of one frame; ValueError when it is none."""
    (length,) = _LENGTH.unpack(exactly(pipe, _LENGTH.size))
    if length > MAX_HEADER:
        raise ValueError(length)
    words = json.loads(exactly(pipe, length))
    if not isinstance(words, dict):
        raise ValueError(words)
    return words


def _arrays(pipe: IO[bytes], described: list[Mapping[str, Any]]) -> Iterator[NDArray[Any]]:
    """Read arrays straight into their memory, so that none is held twice."""
    arrays = []
    for words in described:
        shape = tuple(int(size) for size in words["shape"])
        if words["dtype"] not in _DTYPES or any(size < 0 for size in shape) or math.prod(shape) > MAX_CELLS:
            raise ValueError(words)
        array = np.empty(shape, dtype=words["dtype"])
        view = array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
        done = 0
        while done < len(view):
            count = pipe.readinto(view[done : done + _CHUNK])  # type: ignore[attr-defined]  # a BufferedReader
            if not count:
                raise EOFError
            done += count
        arrays.append(array)
    return iter(arrays)


_CHILD = Child()


def close() -> None:
    """End the parser process; the next file starts a new one."""
    _CHILD.close()


atexit.register(close)

"""What runs inside the parser process: read a request, set the limits, parse, answer; see `sandbox`."""

import contextlib
import gc
import hashlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import numpy as np
import psutil

from spectra_core.datasets import handover, sandbox
from spectra_core.datasets.parts import described
from spectra_core.datasets.readers import parse
from spectra_core.datasets.readers.base import Dialect
from spectra_core.errors import ReadError

THREADS = 4


def serve(requests: IO[bytes], answers: IO[bytes], channel: socket.socket | None) -> None:
    """Answer requests until the parent closes the pipe."""
    _preload()
    beside = ThreadPoolExecutor(1)
    beside.submit(_sha256, b"").result()  # the thread is there before memory is limited
    handover.send(answers, {"ready": True})
    while True:
        try:
            request = handover.received(requests)
            descriptors = [] if channel is None else handover.taken_over(channel, int(request["descriptors"]))
            data = _content(requests, descriptors[1:], int(request["size"]))
        except (EOFError, OSError, ValueError):
            return
        digest = beside.submit(_sha256, data)
        with _limited(len(data)):
            words, arrays = _answer(data, str(request["name"]), Dialect(**request["dialect"]))
        words["sha256"] = digest.result()
        del data, digest  # before the answer is written, so that the file is not held beside two copies of it
        if descriptors:
            handover.write_arrays(descriptors[0], arrays)
            handover.send(answers, words)
        else:
            handover.send(answers, words, [handover.bytes_of(array) for array in arrays])
        del words, arrays
        for descriptor in descriptors:
            os.close(descriptor)
        gc.collect()


def _content(requests: IO[bytes], opened: list[int], size: int) -> bytes:
    """Return the content of one file: of the one that was handed over, or of what follows the request."""
    if not opened:
        return handover.exactly(requests, size)
    with open(opened[0], "rb", buffering=0, closefd=False) as file:
        file.seek(0)
        return file.read(size)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _answer(data: bytes, name: str, dialect: Dialect) -> tuple[dict[str, Any], list[Any]]:
    try:
        parts = parse(data, name, dialect)
    except ReadError as error:
        return {"refused": str(error)}, []
    except (MemoryError, np.exceptions.AxisError):
        return {"refused": "Reading the file needs more memory than its size explains, so it is refused."}, []
    except RecursionError:
        return {"refused": "The file is nested too deeply to be read. Export it again."}, []
    except Exception as error:
        # Foreign parsers raise anything; each such file is refused, and the kind of error helps to report it.
        return {"refused": f"The file is damaged and cannot be read ({type(error).__name__}). Export it again."}, []
    pairs = [described(part) for part in parts]
    arrays = [_plain(array) for _, found in pairs for array in found]
    shapes = [{"shape": list(array.shape), "dtype": str(array.dtype)} for array in arrays]
    return {"parts": [words for words, _ in pairs], "arrays": shapes}, arrays


def _plain(array: Any) -> Any:
    kind = np.float32 if array.dtype == np.float32 else np.float64
    return np.ascontiguousarray(array, dtype=kind)


def _preload() -> None:
    """Import before the clock runs, so that limits count parsing only."""
    import io

    import pandas.io.parsers  # noqa: F401
    import pyarrow as pa
    import pyarrow.csv
    import python_calamine  # noqa: F401

    pa.set_cpu_count(max(1, min(THREADS, os.cpu_count() or 1)))
    pyarrow.csv.read_csv(io.BytesIO(b"a,b\n" + b"1,2\n" * 1000), pyarrow.csv.ReadOptions(block_size=100))
    gc.collect()
    gc.freeze()  # what the libraries hold needs no look after every file


@contextlib.contextmanager
def _limited(n_bytes: int) -> Iterator[None]:
    """Set the limits of one file, where the system knows limits."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        room = _address_space() + sandbox.memory_bytes(n_bytes)
        resource.setrlimit(resource.RLIMIT_AS, (room, resource.getrlimit(resource.RLIMIT_AS)[1]))
    # A timer that starts from zero, not RLIMIT_CPU set from the time used so far: see decision 071.
    set_timer = getattr(signal, "setitimer", None)
    if set_timer is not None:
        set_timer(signal.ITIMER_PROF, sandbox.processor_seconds(n_bytes))
    yield
    if set_timer is not None:
        set_timer(signal.ITIMER_PROF, 0.0)


def _address_space() -> int:
    """Return the address space in use, which the limit counts, libraries included."""
    return int(psutil.Process().memory_info().vms)


def main() -> None:
    """Serve on the pipes of the process; whatever a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    channel = os.environ.get(sandbox.CHANNEL)
    serve(sys.stdin.buffer, answers, socket.socket(fileno=int(channel)) if channel else None)


if __name__ == "__main__":
    main()

"""What runs inside the parser process: read a request, set the limits, parse, answer; see `sandbox`."""

import contextlib
import gc
import os
import sys
from typing import IO, Any

import numpy as np

from spectra_core.datasets import sandbox
from spectra_core.datasets.parts import described
from spectra_core.datasets.readers import parse
from spectra_core.datasets.readers.base import Dialect
from spectra_core.errors import ReadError

_AT_REST = 2_000_000_000  # address space that libraries reserve without using


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until the parent closes the pipe."""
    _preload()
    sandbox.send(answers, {"ready": True}, [])
    while True:
        try:
            request = sandbox.received(requests)
        except (EOFError, OSError, ValueError):
            return
        data = sandbox.exactly(requests, int(request["size"]))
        _limit(len(data))
        words, arrays = _answer(data, str(request["name"]), Dialect(**request["dialect"]))
        del data
        sandbox.send(answers, words, [memoryview(array.reshape(-1).view(np.uint8)) for array in arrays if array.size])
        del words, arrays
        gc.collect()


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
    import pandas.io.parsers  # noqa: F401
    import python_calamine  # noqa: F401


def _limit(n_bytes: int) -> None:
    """Set the limits of one file, where the system knows limits."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        seconds = int(used + sandbox.processor_seconds(n_bytes)) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        room = _address_space() + sandbox.memory_bytes(n_bytes)
        resource.setrlimit(resource.RLIMIT_AS, (room, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _address_space() -> int:
    """Return the address space in use, which the limit counts, libraries included."""
    try:
        with open("/proc/self/statm", encoding="ascii") as status:
            return int(status.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _AT_REST


def main() -> None:
    """Serve on the pipes of the process; whatever a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()

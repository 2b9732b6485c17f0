"""How files reach the parser process and arrays come back: frames through pipes, large things by descriptor.

A frame is a length, JSON of that length, then raw bytes. Where the system has memory without a name (Linux), a file on
disk is handed over open, so that only the parser holds its content, and arrays come back in such memory, which is
sealed before it is mapped: neither side holds them twice, and nobody can write them any more. Elsewhere everything goes
through the pipes.
"""

import json
import math
import mmap
import os
import socket
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.limits import MAX_CELLS, MEGABYTE
from spectra_core.spectra.locking import SealedMemory

BY_DESCRIPTOR = hasattr(os, "memfd_create") and hasattr(socket, "send_fds")
"""Whether this system can hand over files and memory."""
MAX_HEADER = 256 * MEGABYTE
SMALL = 16 * MEGABYTE  # smaller answers are copied: a mapping keeps a descriptor open
_ALIGNMENT = 64
_LENGTH = struct.Struct("<Q")
_DTYPES = ("float64", "float32")
_CHUNK = 1 << 20


def send(pipe: IO[bytes], words: Mapping[str, Any], buffers: Sequence[memoryview] = ()) -> None:
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


def bytes_of(array: NDArray[Any]) -> memoryview:
    """Return the memory of a contiguous array."""
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")


def arrays_from_pipe(pipe: IO[bytes], described: Sequence[Mapping[str, Any]]) -> list[NDArray[Any]]:
    """Read arrays straight into their memory, so that none is held twice; ValueError for what cannot be one."""
    arrays = []
    for shape, dtype in _checked(described):
        array = np.empty(shape, dtype=dtype)
        view = bytes_of(array)
        done = 0
        while done < len(view):
            count = pipe.readinto(view[done : done + _CHUNK])  # type: ignore[attr-defined]  # a BufferedReader
            if not count:
                raise EOFError
            done += count
        arrays.append(array)
    return arrays


def nameless_memory() -> int:
    """Return a descriptor of new memory that another process may fill."""
    return os.memfd_create("arrays", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def write_arrays(descriptor: int, arrays: Sequence[NDArray[Any]]) -> None:
    """Write contiguous arrays one after the other, each at the next aligned place."""
    end = 0
    for array, start in zip(arrays, _places(array.nbytes for array in arrays), strict=True):
        view, end = bytes_of(array), start
        while view:
            count = os.pwrite(descriptor, view[: 64 * _CHUNK], end)
            view, end = view[count:], end + count
    os.ftruncate(descriptor, end)


def arrays_in_memory(descriptor: int, described: Sequence[Mapping[str, Any]]) -> list[NDArray[Any]]:
    """Seal the memory that `write_arrays` filled and return its arrays, read-only; ValueError where they do not fit.

    Sealed memory can neither shrink under its reader nor change after its content was checked.
    """
    import fcntl

    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    kinds = _checked(described)
    sizes = [math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in kinds]
    places = _places(sizes)
    size = os.fstat(descriptor).st_size
    if size != (places[-1] + sizes[-1] if sizes else 0):
        raise ValueError(size)
    if size == 0:
        return [np.empty(shape, dtype=dtype) for shape, dtype in kinds]
    mapped = SealedMemory(descriptor, size, access=mmap.ACCESS_READ)
    arrays: list[NDArray[Any]] = [
        np.frombuffer(mapped, dtype=dtype, count=math.prod(shape), offset=place).reshape(shape)
        for (shape, dtype), place in zip(kinds, places, strict=True)
    ]
    return [array.copy() for array in arrays] if size < SMALL else arrays


def hand_over(channel: socket.socket, descriptors: Sequence[int]) -> None:
    """Send open descriptors to the process at the other end, which has them as its own."""
    socket.send_fds(channel, [b"."], list(descriptors))


def taken_over(channel: socket.socket, count: int) -> list[int]:
    """Receive what `hand_over` sent; EOFError when the other side is gone."""
    _, descriptors, _, _ = socket.recv_fds(channel, 1, count)
    if len(descriptors) != count:
        raise EOFError
    return descriptors


def _places(sizes: Iterable[int]) -> list[int]:
    """Return where arrays of these sizes start, each after the one before it."""
    places, end = [], 0
    for size in sizes:
        places.append(-(-end // _ALIGNMENT) * _ALIGNMENT)
        end = places[-1] + size
    return places


def _checked(described: Sequence[Mapping[str, Any]]) -> list[tuple[tuple[int, ...], str]]:
    kinds = [(tuple(int(size) for size in words["shape"]), str(words["dtype"])) for words in described]
    for shape, dtype in kinds:
        if dtype not in _DTYPES or any(size < 0 for size in shape) or math.prod(shape) > MAX_CELLS:
            raise ValueError(shape)
    return kinds

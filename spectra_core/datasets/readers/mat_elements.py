"""The elements of a MATLAB file of version 5 to 7, checked before they are interpreted.

scipy looks up the type of an element in a table without asking whether it is in it: one flipped byte ends the process.
So every tag is checked here first, after "MAT-File Format" (MathWorks, R2024b), tables 1-1 and 1-3.
"""

import struct
import zlib
from collections.abc import Iterator

from spectra_core.datasets.limits import require_unpacked
from spectra_core.errors import ReadError

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_VALUES = frozenset([1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 16, 17, 18])  # numbers of any width, and text
_PLAIN = range(4, 16)  # classes of arrays that hold values, not other arrays: text, sparse, numbers
_SPARSE = 5
_COMPLEX = 0x800
_DEEPEST = 64
_CHUNK = 1 << 20


def plain_elements(data: bytes, name: str) -> bytes:
    """Return the file with its packed variables unpacked and every element checked.

    Raises
    ------
    ReadError
        When an element is of no known type, larger than what holds it, or missing.
    """
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is None:
        raise _damaged(name)
    pieces: list[bytes | memoryview] = [data[:_HEADER]]
    unpacked = 0
    for kind, body in _elements(memoryview(data)[_HEADER:], order, name):
        if kind == _COMPRESSED:
            variable = _unpacked(body, len(data), unpacked, name)
            unpacked += len(variable)
            inside = list(_elements(memoryview(variable), order, name))
            if [one for one, _ in inside] != [_MATRIX]:
                raise _damaged(name)
            _require_array(inside[0][1], order, name)
            pieces.append(variable)
        elif kind == _MATRIX:
            _require_array(body, order, name)
            pieces += [struct.pack(f"{order}II", _MATRIX, len(body)), body, bytes(-len(body) % 8)]
        else:
            raise _damaged(name)
    return b"".join(pieces) if unpacked else data


def _elements(data: memoryview, order: str, name: str) -> Iterator[tuple[int, memoryview]]:
    """Give type and content of one element after the other."""
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise _damaged(name)
        kind, size = struct.unpack_from(f"{order}II", data, at)
        start, small = at + 8, kind >> 16
        if small:  # up to four bytes stand in the tag itself
            kind, size, start = kind & 0xFFFF, small, at + 4
        if size > len(data) - start or (small and size > 4):
            raise _damaged(name)
        yield kind, data[start : start + size]
        # Packed variables are not padded.
        at = at + 8 if small else start + size + (0 if kind == _COMPRESSED else -size % 8)


def _require_array(body: memoryview, order: str, name: str, depth: int = 0) -> None:
    """Check flags, sizes, name and content of one array, and of the arrays in it."""
    if len(body) == 0:
        return
    if depth > _DEEPEST:
        raise _damaged(name)
    found = list(_elements(body, order, name))
    if found[0][0] != 6 or len(found[0][1]) != 8:
        raise _damaged(name)
    (flags,) = struct.unpack_from(f"{order}I", found[0][1])
    holds_values = flags & 0xFF in _PLAIN
    for kind, inside in found[1:]:
        if kind == _MATRIX and not holds_values:
            _require_array(inside, order, name, depth + 1)
        elif kind not in _VALUES:
            raise _damaged(name)
    needed = (6 if flags & 0xFF == _SPARSE else 4) + bool(flags & _COMPLEX)
    if holds_values and len(found) < needed:
        raise _damaged(name)


def _unpacked(body: memoryview, n_bytes: int, before: int, name: str) -> bytes:
    unpacker = zlib.decompressobj()
    pieces: list[bytes] = []
    rest: bytes | memoryview = body
    size = 0
    try:
        while not unpacker.eof:
            piece = unpacker.decompress(rest, _CHUNK)
            size += len(piece)
            require_unpacked(n_bytes, before + size, name)
            pieces.append(piece)
            rest = unpacker.unconsumed_tail
            if not piece and not rest:
                raise _damaged(name)
    except zlib.error as error:
        raise _damaged(name) from error
    return b"".join(pieces)


def _damaged(name: str) -> ReadError:
    return ReadError(f"{name} is no readable MATLAB file: it is damaged or cut off. Save it again.")

"""NumPy .npy and .npz, never with pickled objects."""

import io
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.document import Document
from spectra_core.datasets.limits import require_cells
from spectra_core.datasets.own import own_grid
from spectra_core.datasets.parts import Grid, Part
from spectra_core.datasets.readers.archives import zip_members
from spectra_core.datasets.readers.arrays import parts_of_arrays
from spectra_core.datasets.readers.base import Dialect
from spectra_core.errors import ReadError

_MAGIC = b"\x93NUMPY"


@dataclass(frozen=True)
class NumpyArray:
    """One array."""

    title: ClassVar[str] = "NumPy array"
    explanation: ClassVar[str] = "A matrix (.npy); nothing in it says which side holds the channels."

    def recognises(self, head: bytes, name: str) -> bool:
        """NumPy's magic bytes."""
        return head.startswith(_MAGIC)

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return the array as a table."""
        parts = parts_of_arrays({name: array_of(data, name)}, name, "numpy")
        if not parts:
            raise ReadError(f"{name} holds no matrix of numbers.")
        return parts


@dataclass(frozen=True)
class NumpyArchive:
    """Several named arrays."""

    title: ClassVar[str] = "NumPy archive"
    explanation: ClassVar[str] = "Named arrays (.npz), as this program and many scripts write them."

    def recognises(self, head: bytes, name: str) -> bool:
        """A zip whose first member is an array."""
        return head.startswith(b"PK\x03\x04") and b".npy" in head[30:300] and _MAGIC in head[:1000]

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return one table per array, or the set this program wrote."""
        arrays = {
            label.removesuffix(".npy"): array_of(content, label)
            for label, content in zip_members(data, name)
            if label.endswith(".npy")
        }
        document = arrays.pop("document", None)
        if document is not None and document.dtype.kind == "U" and {"axis", "signal"} <= set(arrays):
            return [_own_grid(arrays, str(document), name)]
        parts = parts_of_arrays(arrays, name, "numpy")
        if not parts:
            raise ReadError(f"{name} holds no matrix of numbers.")
        return parts


def array_of(data: bytes, name: str) -> NDArray[Any]:
    """Return the array of an .npy file as a view of its bytes.

    Raises
    ------
    ReadError
        When it holds objects, or not as many bytes as its shape needs.
    """
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = reader(stream, max_header_size=100_000)
    except (ValueError, OSError, SyntaxError, TypeError, EOFError, MemoryError, RecursionError) as error:
        raise ReadError(f"{name} is no readable NumPy file: its header is damaged.") from error
    if dtype.hasobject:
        raise ReadError(f"{name} holds Python objects, which could run code when opened. Save it as numbers.")
    n_bytes = int(np.prod(shape, dtype=object)) * dtype.itemsize if shape else dtype.itemsize
    if n_bytes != len(data) - stream.tell():
        raise ReadError(
            f"{name} declares {n_bytes:,} bytes of numbers and has {len(data) - stream.tell():,}: it is cut off."
        )
    if dtype.kind == "V":
        raise ReadError(f"{name} holds records, not a matrix of numbers. Save the spectra as a matrix.")
    flat = np.frombuffer(data, dtype=dtype, offset=stream.tell()) if n_bytes else np.empty(0, dtype=dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def _own_grid(arrays: dict[str, NDArray[Any]], document: str, name: str) -> Grid:
    """Return a set of this program as one table."""
    about = Document.from_json(document)
    samples = [arrays.get(f"sample_{number}", np.empty(0, dtype=np.str_)) for number in range(len(about.samples))]
    if any(cells.ndim != 1 or cells.dtype.kind != "U" for cells in samples) or arrays["signal"].dtype.kind != "f":
        raise ReadError(f"{name} does not fit together: its arrays have the wrong types. It was changed.")
    targets = arrays.get("targets", np.empty((len(arrays["signal"]), 0)))
    require_cells(arrays["signal"].shape[0], arrays["signal"].size // max(len(arrays["signal"]), 1), name)
    return own_grid(
        about, [cells.tolist() for cells in samples], targets, arrays["axis"], arrays["signal"], name=name, form="numpy"
    )

"""HDF5 and MATLAB 7.3 files; whatever points outside of the file is refused before anything is read."""

import io
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from spectra_core.datasets.limits import MAX_UNPACKED_BYTES, require_cells
from spectra_core.datasets.parts import Part
from spectra_core.datasets.readers.arrays import parts_of_arrays
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.mat73 import dataset_in_hdf5
from spectra_core.datasets.readers.packing import unpacked
from spectra_core.errors import ReadError

_MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_ITEMS = 500
MAX_DEPTH = 8


@dataclass(frozen=True)
class Hdf5:
    """Named arrays in a hierarchy."""

    title: ClassVar[str] = "HDF5 and MATLAB 7.3"
    explanation: ClassVar[str] = "Arrays in .h5, .hdf5 and new .mat files; links and external storage are refused."

    def recognises(self, head: bytes, name: str) -> bool:
        """HDF5's magic bytes, at the start or behind MATLAB's 512 bytes of text."""
        return any(head[at : at + 8] == _MAGIC for at in (0, 512, 1024, 2048))

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return one table per numeric array."""
        import h5py

        matlab = data.startswith(b"MATLAB 7.3")
        arrays: dict[str, NDArray[Any]] = {}
        notes: list[str] = []
        try:
            with h5py.File(io.BytesIO(data), "r", driver="fileobj") as file:
                objects = _dataset_objects(file, name) if matlab else {}
                _collect(file, "", arrays, notes, matlab=matlab, depth=0, read=frozenset(objects))
        except ReadError:
            raise
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise ReadError(
                f"{name} is no readable HDF5 file: it is damaged or cut off. Copy or download it again."
            ) from error
        parts = [*(part for found in objects.values() for part in found), *parts_of_arrays(arrays, name, "hdf5", notes)]
        if not parts:
            raise ReadError(f"{name} holds no matrix of numbers.")
        return parts


def _dataset_objects(file: Any, name: str) -> dict[str, list[Part]]:
    """Return the DataSet objects among the variables of a MATLAB file."""
    import h5py

    found: dict[str, list[Part]] = {}
    for key in file:
        is_own = isinstance(file.get(key, getlink=True), h5py.HardLink) and not str(key).startswith("#")
        if is_own and isinstance(file[key], h5py.Group):
            parts = dataset_in_hdf5(file[key], f"{name} / {key}")
            found |= {str(key): parts} if parts else {}
    return found


def _collect(
    group: Any,
    path: str,
    arrays: dict[str, NDArray[Any]],
    notes: list[str],
    *,
    matlab: bool,
    depth: int,
    read: frozenset[str] = frozenset(),
) -> None:
    import h5py

    if depth > MAX_DEPTH:
        raise ReadError(f"The file is nested more than {MAX_DEPTH} groups deep. Save the matrices at its top.")
    for key in group:
        if len(arrays) > MAX_ITEMS:
            raise ReadError(f"The file holds more than {MAX_ITEMS} arrays. Save only those with spectra.")
        label = f"{path}/{key}" if path else str(key)
        link = group.get(key, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ReadError(
                f"{label!r} is a link to another place or file, which is not followed. Save the data themselves."
            )
        if label.startswith("#") or label in read:
            continue  # MATLAB keeps references and names of its own types there
        item = group[key]
        if isinstance(item, h5py.Group):
            _collect(item, label, arrays, notes, matlab=matlab, depth=depth + 1)
        elif isinstance(item, h5py.Dataset):
            array = _array(item, label, notes)
            if array is not None:
                # MATLAB stores columns one after another, which HDF5 shows as rows.
                arrays[label] = array.T if matlab else array


def _array(item: Any, label: str, notes: list[str]) -> NDArray[Any] | None:
    if item.external is not None or item.is_virtual:
        raise ReadError(f"{label!r} keeps its values in another file, which is not opened. Save the data themselves.")
    if item.shape is None or "MATLAB_empty" in item.attrs or item.size == 0 or _is_dimension_only(item):
        return None
    if item.dtype.kind not in "fiu" or item.ndim > 3 or item.attrs.get("MATLAB_class") in (b"char", b"cell"):
        if item.ndim and item.size > 1:
            notes.append(f"{label!r} is no table of numbers and is not read.")
        return None
    require_cells(
        int(item.shape[0]) if item.ndim else 1, int(item.size) // max(int(item.shape[0]) if item.ndim else 1, 1), label
    )
    if item.size * item.dtype.itemsize > MAX_UNPACKED_BYTES:
        raise ReadError(f"{label!r} declares {item.size * item.dtype.itemsize / 1e6:,.0f} MB. Save fewer spectra.")
    return unpacked(item, label, notes)


def _is_dimension_only(item: Any) -> bool:
    """Whether netCDF keeps the length of a dimension here, and no values."""
    return bytes(item.attrs.get("NAME", b"")).startswith(b"This is a netCDF dimension but not a netCDF variable")

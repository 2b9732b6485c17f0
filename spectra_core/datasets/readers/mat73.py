"""DataSet objects of PLS_Toolbox in MATLAB 7.3 files, where the cells of axis scales and labels are references."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.limits import require_cells
from spectra_core.datasets.parts import Part
from spectra_core.datasets.readers.matlab import dataset_object

_FIELDS = ("axisscale", "label", "include")
_MOST_CELLS = 1_000


def dataset_in_hdf5(group: Any, name: str) -> list[Part] | None:
    """Return a group that holds a DataSet object as a table with its axis and labels; None for any other group."""
    import h5py

    if not {"data", "axisscale"} <= set(group):
        return None
    data = group.get("data")
    if not isinstance(data, h5py.Dataset) or data.ndim != 2 or data.dtype.kind not in "fiu" or _is_outside(data):
        return None
    require_cells(int(data.shape[1]), int(data.shape[0]), name)
    # MATLAB stores columns one after another, which HDF5 shows as rows.
    found: dict[str, Any] = {"data": np.asarray(data).T}
    for key in _FIELDS:
        cells = group.get(key)
        if isinstance(cells, h5py.Dataset) and cells.dtype == h5py.ref_dtype and cells.size <= _MOST_CELLS:
            found[key] = _cells(group.file, np.asarray(cells).T)
    if "axisscale" not in found:
        return None
    record = np.empty((1, 1), dtype=[(key, object) for key in found])
    for key, value in found.items():
        record[key][0, 0] = value
    return dataset_object(record, name)


def _cells(file: Any, references: NDArray[Any]) -> NDArray[Any]:
    """Return what an array of references points to, as MATLAB's cells: numbers, or texts of which each is a row."""
    cells = np.empty(references.shape, dtype=object)
    for at, reference in np.ndenumerate(references):
        item = file[reference]
        empty = np.empty((0, 0))
        if "MATLAB_empty" in item.attrs or item.dtype.kind not in "fiu" or _is_outside(item):
            cells[at] = empty
            continue
        values = np.asarray(item).T
        is_text = bytes(item.attrs.get("MATLAB_class", b"")) == b"char"
        cells[at] = np.array(["".join(map(chr, row)) for row in np.atleast_2d(values)]) if is_text else values
    return cells


def _is_outside(item: Any) -> bool:
    return item.external is not None or bool(item.is_virtual)

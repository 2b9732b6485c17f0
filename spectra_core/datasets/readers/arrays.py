"""Named arrays, as MATLAB, HDF5 and NumPy files hold them, turned into parts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.limits import require_cells
from spectra_core.datasets.parts import Cells, Grid, Part
from spectra_core.errors import ReadError


def grid_of_array(array: NDArray[Any], name: str, form: str) -> Grid | None:
    """Return a numeric array of one or two dimensions as a table without names; None for anything else.

    A vector becomes a column. Whole numbers become float64, exactly as long as they are below 2**53.
    """
    if array.dtype.kind not in "fiub" or array.size == 0:
        return None
    if array.ndim > 2:
        array = np.squeeze(array)
    if array.ndim == 0:
        array = array.reshape(1, 1)
    if array.ndim == 1 or (array.ndim == 2 and array.shape[0] == 1):
        array = array.reshape(-1, 1)
    if array.ndim != 2:
        return None
    require_cells(array.shape[0], array.shape[1], name)
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and np.abs(array.astype(np.float64)).max() > 2**53:
        raise ReadError(f"{name} holds whole numbers above 2**53, which cannot be kept exactly.")
    kind = np.float32 if array.dtype.kind == "f" and array.dtype.itemsize == 4 else np.float64
    return Grid(name, form, array.astype(kind, copy=False), facts={"format": _TITLES.get(form, form)})


def parts_of_arrays(arrays: Mapping[str, NDArray[Any]], name: str, form: str, notes: Sequence[str] = ()) -> list[Part]:
    """Return one table per numeric array; what is no table becomes a note."""
    parts: list[Part] = []
    aside: list[str] = []
    for label, array in arrays.items():
        grid = grid_of_array(np.asarray(array), f"{name} / {label}" if len(arrays) > 1 else name, form)
        if grid is None:
            aside.append(label)
        else:
            parts.append(grid)
    told = [*notes, *([f"Not tables of numbers, and not read: {', '.join(aside[:5])}."] if aside else [])]
    if parts and told:
        from dataclasses import replace

        first = parts[0]
        assert isinstance(first, Grid)
        parts[0] = replace(first, notes=tuple(told))
    return parts


def labelled_grid(
    array: NDArray[Any], name: str, form: str, columns: Sequence[str] | None, rows: Sequence[str] | None
) -> Grid | None:
    """Return a matrix with names of its columns and of its rows, where they fit."""
    grid = grid_of_array(array, name, form)
    if grid is None or grid.numbers.shape != array.shape:
        return grid
    fits_columns = columns is not None and len(columns) == grid.n_columns
    fits_rows = rows is not None and len(rows) == grid.n_rows
    header: tuple[Cells, ...] = (tuple(columns),) if fits_columns and columns is not None else ()
    if not fits_rows or rows is None:
        return Grid(name, form, grid.numbers, {}, header, facts=grid.facts)
    numbers = np.column_stack([np.full(grid.n_rows, np.nan), grid.numbers])
    shifted = (("id", *header[0]),) if header else ()
    return Grid(name, form, numbers, {0: tuple(rows)}, shifted, facts=grid.facts)


_TITLES = {"matlab": "MATLAB", "hdf5": "HDF5", "numpy": "NumPy", "parquet": "Parquet"}

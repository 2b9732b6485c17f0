"""MATLAB files of versions 4 to 7: matrices, and DataSet objects of PLS_Toolbox."""

import io
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.parts import Part
from spectra_core.datasets.readers.arrays import labelled_grid, parts_of_arrays
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.mat_elements import plain_elements
from spectra_core.errors import ReadError


@dataclass(frozen=True)
class Matlab:
    """Variables of a workspace."""

    title: ClassVar[str] = "MATLAB"
    explanation: ClassVar[str] = "Matrices in .mat files up to version 7, and DataSet objects of PLS_Toolbox."

    def recognises(self, head: bytes, name: str) -> bool:
        """The text at the start; files of version 4 have none and are known by their ending."""
        return head.startswith((b"MATLAB 5.0", b"MATLAB 7.0")) or (name.endswith(".mat") and len(head) > 20)

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return one table per numeric variable."""
        import scipy.io
        import scipy.io.matlab

        try:
            # The version stands at the end of the text, which itself may say anything.
            if scipy.io.matlab.matfile_version(io.BytesIO(data))[0] == 1:
                data = plain_elements(data, name)
            variables = scipy.io.loadmat(
                io.BytesIO(data), struct_as_record=True, squeeze_me=False, verify_compressed_data_integrity=True
            )
        except ReadError:
            raise
        except Exception as error:
            # scipy raises nearly any kind of error on damaged files; each of them means the same to a person.
            raise ReadError(f"{name} is no readable MATLAB file: it is damaged or cut off. Save it again.") from error
        plain: dict[str, NDArray[Any]] = {}
        parts: list[Part] = []
        for label, value in variables.items():
            if label.startswith("__"):
                continue
            found = dataset_object(value, f"{name} / {label}")
            if found is not None:
                parts += found
            else:
                plain[label] = np.asarray(value)
        parts += parts_of_arrays(plain, name, "matlab")
        if not parts:
            structs = [label for label, value in plain.items() if value.dtype.names]
            within = (
                f" In {structs[0]!r} there may be some: save -struct makes variables of its fields." if structs else ""
            )
            raise ReadError(f"{name} holds no matrix of numbers.{within}")
        return parts


def dataset_object(value: Any, name: str) -> list[Part] | None:
    """Return a DataSet object with its axis and labels as a table; None for anything else.

    PLS_Toolbox keeps, per mode (rows, then columns), labels in ``label`` and positions in ``axisscale``.
    """
    fields = getattr(getattr(value, "dtype", None), "names", None)
    if not fields or "data" not in fields or "axisscale" not in fields or value.size != 1:
        return None
    record = value.ravel()[0]
    data = np.asarray(record["data"])
    if data.ndim != 2 or data.dtype.kind not in "fiu":
        return None
    axis = _cell(record["axisscale"], 1)
    names = _texts(_cell(record["label"], 1)) if "label" in fields else None
    if axis is not None and axis.dtype.kind in "fiu" and axis.size == data.shape[1]:
        names = [repr(float(position)) for position in axis.ravel()]
    rows = _texts(_cell(record["label"], 0)) if "label" in fields else None
    grid = labelled_grid(data, name, "matlab", names, rows)
    if grid is None:
        return None
    included = [_cell(record["include"], mode) if "include" in fields else None for mode in (0, 1)]
    out = [
        []
        if kept is None or not kept.size or kept.dtype.kind not in "fiu"
        else sorted({*range(1, n + 1)} - {*map(int, kept.ravel())})
        for kept, n in zip(included, data.shape, strict=True)
    ]
    note = f"{len(out[1])} of {data.shape[1]} variables are excluded in the DataSet object, and read like the others."
    rows_out = {"hidden rows": " ".join(map(str, out[0]))} if out[0] else {}
    return [replace(grid, facts={**grid.facts, **rows_out}, notes=(*grid.notes, *([note] if out[1] else [])))]


def _cell(cells: Any, mode: int) -> NDArray[Any] | None:
    cells = np.asarray(cells)
    if cells.dtype != object or cells.ndim != 2 or cells.shape[0] <= mode:
        return None
    return np.asarray(cells[mode, 0])


def _texts(array: NDArray[Any] | None) -> list[str] | None:
    if array is None or array.dtype.kind != "U" or array.size == 0:
        return None
    return [str(text).strip() for text in array.ravel()]

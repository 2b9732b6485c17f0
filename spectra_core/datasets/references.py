"""Reference values that come after the spectra: a table of ids and values, without spectra."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from spectra_core.datasets.blocks import side_table
from spectra_core.datasets.column import Column
from spectra_core.datasets.columns import target_of
from spectra_core.datasets.files import Files, contents_of, files_of
from spectra_core.datasets.names import NAMES_IDS
from spectra_core.datasets.parts import Grid
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.sandbox import parse_files
from spectra_core.errors import ReadError
from spectra_core.spectra import Target


def read_references(source: "str | Path | Files | Iterable[str | Path]", targets: Sequence[Target]) -> pd.DataFrame:
    """Read a table of reference values.

    Parameters
    ----------
    source
        A file, or contents by name, as `read` takes them.
    targets
        Those that values are wanted of; other columns are left.

    Returns
    -------
    DataFrame, one row per row of the table
        ``id`` and a column per target that the table has, by its name; NaN where a cell is empty.

    Raises
    ------
    ReadError
        When there is no column of ids, none of the targets, a cell that is no number, or another unit.
    """
    parts, _ = parse_files(contents_of(files_of(source)), Recipe().dialect)
    columns = [column for part in parts if isinstance(part, Grid) for column in _columns(part)]
    ids = next((one for one in columns if NAMES_IDS.match(one.name)), None)
    ids = ids or next((one for one in columns if one.text is not None and len(set(one.text)) == len(one.text)), None)
    if ids is None:
        names = ", ".join(one.name for one in columns[:20]) or "none"
        raise ReadError(f"Reference values are matched by id, but no column is named so. Columns: {names}.")
    wanted = {target.name: target for target in targets}
    found = {"id": list(ids.cells())}
    for column in columns:
        named = target_of(column, Recipe())[0]
        target = wanted.get(named.name) or wanted.get(column.name)
        if column is not ids and target is not None and target.name not in found:
            found[target.name] = list(_values(column, named.unit, target))
    if len(found) == 1:
        raise ReadError(
            f"No column is named as a calibrated target ({', '.join(wanted)}). "
            f"Columns: {', '.join(one.name for one in columns[:20])}."
        )
    if len({len(values) for values in found.values()}) > 1:
        raise ReadError("Ids and values stand in tables of different lengths. Put them into one table.")
    return pd.DataFrame(found)


def _columns(grid: Grid) -> tuple[Column, ...]:
    columns = side_table(grid)
    # Beside names, a row of units may stand above the values; more rows there are values with a word among them.
    above = grid.header[2 if any(column.unit for column in columns) else 1 :]
    if above:
        raise ReadError(
            f"{grid.name} has a row without numbers where values are expected: {', '.join(above[-1])[:100]}. "
            "Keep one row of names above the values, and leave cells empty where a value is missing."
        )
    return columns


def _values(column: Column, unit: str, target: Target) -> np.ndarray:
    if unit and target.unit and unit != target.unit:
        raise ReadError(
            f"{column.name} is given in {unit}, but the calibration reads {target.label}. Convert one of them."
        )
    if column.numbers is None or column.odd:
        cell = next(iter(column.odd.values())) if column.odd else (column.text or ("",))[0]
        raise ReadError(f"{column.name} holds {cell[:40]!r}, which is no number. Correct it, or leave the cell empty.")
    return np.asarray(column.numbers, dtype=np.float64)

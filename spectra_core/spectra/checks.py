"""What a set of spectra refuses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from spectra_core.errors import SpectraError
from spectra_core.spectra.frame import SpectralAxis, Target
from spectra_core.spectra.locking import all_finite, locked
from spectra_core.spectra.text import counted, require_whole


def checked_signal(signal: ArrayLike, axis: SpectralAxis, samples: pd.DataFrame | None) -> NDArray[np.floating[Any]]:
    """Return the spectra as float32 or float64, refusing what is no finite table on `axis`."""
    try:
        values = np.asarray(signal)
        values = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise SpectraError("Spectra must be a table of numbers, one spectrum a row, all of one length.") from error
    if values.ndim != 2:
        raise SpectraError(f"Spectra must be a table with one spectrum a row, got an array of shape {values.shape}.")
    n_spectra, n_channels = values.shape
    if n_channels != len(axis):
        raise SpectraError(
            f"The axis has {len(axis)} channels but the spectra have {n_channels}. "
            "Spectra are rows: transpose the table if it holds them in columns."
        )
    if n_spectra == 0:
        raise SpectraError("The set holds no spectra. Give at least one.")
    if not all_finite(values):
        bad = ~np.isfinite(values)
        row, channel = (int(index) for index in np.argwhere(bad)[0])
        name = f" ({samples['id'].iloc[row]})" if samples is not None and "id" in samples else ""
        raise SpectraError(
            f"Every value must be a finite number, but {int(bad.sum())} are not; the first is in spectrum "
            f"{row + 1}{name} at {axis.name_of(channel)}. Exclude those spectra or channels, or correct the file."
        )
    return locked(values, "Spectra", ndim=2, finite=True)


def checked_target_info(table: pd.DataFrame, target_info: Sequence[Target] | None) -> tuple[Target, ...]:
    """Return one `Target` per column, refusing names that are empty, repeated or not those of the table."""
    names = [str(name) for name in table.columns]
    for name in names:
        require_whole(name, "The name of a target")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise SpectraError(
            f"Two targets share the name {repeated[0]!r}. Rename one of them, so that results can be told apart."
        )
    if any(not name.strip() for name in names):
        raise SpectraError("A target has an empty name. Name every target column.")
    if target_info is None:
        return tuple(Target(name) for name in names)
    require_same_targets([target.name for target in target_info], names)
    return tuple(target_info)


def checked_targets(table: pd.DataFrame, n_spectra: int) -> NDArray[np.float64]:
    """Return the targets as a read-only array, refusing what is no finite number."""
    if len(table) != n_spectra:
        raise SpectraError(
            f"There are {n_spectra} spectra but {len(table)} rows of targets. Give one row of targets per spectrum."
        )
    values = np.empty((n_spectra, table.shape[1]))
    for column, name in enumerate(table.columns):
        try:
            values[:, column] = table.iloc[:, column].to_numpy(dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise SpectraError(f"Target {name!r} must hold numbers, and holds something else.") from error
        bad = ~np.isfinite(values[:, column])
        if bad.any():
            raise SpectraError(
                f"Target {name!r} is not a finite number in {counted(int(bad.sum()), 'spectrum', 'spectra')}, "
                f"first in spectrum {int(np.argmax(bad)) + 1}. Exclude those spectra or complete the values."
            )
    values.setflags(write=False)
    return values


def checked_samples(samples: pd.DataFrame | None, n_spectra: int) -> pd.DataFrame:
    """Return the text of each spectrum with a column ``id``."""
    if samples is None:
        return pd.DataFrame({"id": [str(number) for number in range(1, n_spectra + 1)]})
    if len(samples) != n_spectra:
        raise SpectraError(
            f"There are {n_spectra} spectra but {len(samples)} rows of sample names. Give one row per spectrum."
        )
    columns = {str(name): [str(value) for value in samples[name]] for name in samples.columns}
    for name, values in columns.items():
        require_whole(name, "A column of sample names")
        require_whole("\n".join(values), f"Among the names in the column {name!r},")
    text = pd.DataFrame(columns)
    if "id" not in text:
        text.insert(0, "id", [str(number) for number in range(1, n_spectra + 1)])
    return text


def require_same_targets(expected: Sequence[str], got: Sequence[str]) -> None:
    """Refuse targets whose names or order differ from what is expected."""
    if tuple(expected) != tuple(got):
        raise SpectraError(
            f"Expected the targets {', '.join(expected) or 'none'}, got {', '.join(map(str, got)) or 'none'}. "
            "Choose the same targets in the same order."
        )


def require_same_units(expected: Sequence[Target], got: Sequence[Target], whose: str) -> None:
    """Refuse targets of the same name in another unit; a unit that is not stated is taken for the same."""
    units = {target.name: target.unit for target in expected}
    for target in got:
        wanted = units.get(target.name, "")
        if wanted and target.unit and wanted != target.unit:
            raise SpectraError(
                f"{target.name} is given in {target.unit} in {whose}, but in {wanted} elsewhere. Convert one of them "
                "when importing it."
            )

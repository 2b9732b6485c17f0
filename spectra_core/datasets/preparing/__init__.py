"""From the import table to what a set is built of: axis, masks and gaps, each with its reason or its question."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.columns import Role
from spectra_core.datasets.preparing.axis import AXIS_CHOICES, set_axis
from spectra_core.datasets.preparing.base import Prepared
from spectra_core.datasets.preparing.gaps import close_gaps
from spectra_core.datasets.preparing.left_out import leave_out_channels, leave_out_spectra
from spectra_core.datasets.preparing.sentinels import mark_sentinels
from spectra_core.datasets.preparing.signal_quantity import PLAUSIBLE_ABSORBANCE, SIGNAL_CHOICES, set_signal
from spectra_core.datasets.questions import Problem, choice, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.table import ImportTable
from spectra_core.spectra.text import counted

__all__ = ["AXIS_CHOICES", "PLAUSIBLE_ABSORBANCE", "SIGNAL_CHOICES", "Prepared", "prepared"]


def prepared(
    table: ImportTable, roles: list[Role], ids: tuple[str, ...], recipe: Recipe, *, waits: bool = False
) -> Prepared:
    """Decide about axis, left-out spectra and channels, and gaps, as far as the recipe and the data tell.

    `waits` says that cells beyond a limit wait for a decision: until then they are no gaps.
    """
    n_spectra, n_channels = table.signal.shape
    result = Prepared(np.arange(n_channels), np.arange(1.0, n_channels + 1), np.ones(n_spectra, dtype=bool))
    set_axis(result, table, recipe)
    if not table.trusted:
        mark_sentinels(result, table, roles, ids, recipe)
    set_signal(result, table, recipe)
    leave_out_spectra(result, table, ids, recipe)
    leave_out_channels(result, recipe)
    if not waits:
        close_gaps(result, table, roles, ids, recipe)
    _warn(result, table, ids)
    return result


def _warn(result: Prepared, table: ImportTable, ids: tuple[str, ...]) -> None:
    """Say what of the kept spectra and channels is of little use."""
    kept = np.flatnonzero(result.rows)
    signal = table.signal
    if signal.shape[1] > 1 and kept.size:
        flat = _constant(signal, kept)
        if flat:
            names = listed([f"{ids[row]} ({table.places[row]})" for row in flat])
            numbers = tuple(row + 1 for row in flat)
            result.problems.append(
                Problem(
                    "constant spectra",
                    f"{counted(len(flat), 'spectrum has', 'spectra have')} the same value in every channel: {names}.",
                    (choice("Leave them out", leave_out_spectra=numbers),),
                    False,
                    tuple(flat),
                )
            )
    if len(kept) == 1:
        result.problems.append(
            Problem("one spectrum", "There is one spectrum: it can be looked at, but not trained on.", (), False)
        )
    if len(result.positions) == 1:
        result.problems.append(
            Problem(
                "one channel", "There is one channel: a calibration works, a generator of spectra does not.", (), False
            )
        )


def _constant(signal: NDArray[np.floating[Any]], rows: NDArray[np.intp]) -> list[int]:
    """Return the rows whose values are all the same; only those that end as they begin are looked at as a whole."""
    first, last = signal[rows, 0], signal[rows, -1]
    doubtful = rows[(first == last) | np.isnan(first) | np.isnan(last)]
    return [int(row) for row in doubtful if np.fmin.reduce(signal[row]) == np.fmax.reduce(signal[row])]

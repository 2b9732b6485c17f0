"""Single spectra that stand for many, chosen by rule rather than by chance."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.roles import require_comparable
from spectra_core.spectra import SpectraSet


def examples(sets: Mapping[str, SpectraSet], *, n_spectra: int = 9) -> pd.DataFrame:
    """Choose spectra at equal steps from the weakest to the strongest mean signal of every role.

    Parameters
    ----------
    n_spectra
        Spectra per role; the two extremes are among them.

    Returns
    -------
    DataFrame, one row per (role, chosen spectrum, channel)
        ``role``, ``sample`` (row in its set, from 0), ``id``, ``position`` [axis unit], ``signal`` [signal unit].
    """
    require_comparable(sets)
    if n_spectra < 1:
        raise ConfigError(f"At least one spectrum per role is shown, got {n_spectra}.")
    chosen = {}
    for role, spectra in sets.items():
        order = np.argsort(spectra.signal.mean(axis=1, dtype=np.float64), kind="stable")
        ranks = np.unique(np.linspace(0, len(order) - 1, min(n_spectra, len(order))).round().astype(int))
        chosen[role] = order[ranks]
    return spectra_rows(sets, chosen)


def spectra_rows(sets: Mapping[str, SpectraSet], chosen: Mapping[str, NDArray[np.int64]]) -> pd.DataFrame:
    """Return chosen rows of every role as a table with the columns of `examples`.

    Raises
    ------
    SpectraError
        When no row is chosen.
    """
    tables = [_rows(role, sets[role], rows) for role, rows in chosen.items() if len(rows)]
    if not tables:
        raise SpectraError("No spectra are chosen. Choose at least one.")
    return pd.concat(tables, ignore_index=True)


def _rows(role: str, spectra: SpectraSet, rows: NDArray[np.int64]) -> pd.DataFrame:
    n_channels = spectra.n_channels
    return pd.DataFrame(
        {
            "role": role,
            "sample": np.repeat(rows, n_channels),
            "id": np.repeat(spectra.samples["id"].to_numpy(dtype=object)[rows], n_channels),
            "position": np.tile(spectra.axis.positions, len(rows)),
            "signal": spectra.signal[rows].ravel().astype(np.float64),
        }
    )

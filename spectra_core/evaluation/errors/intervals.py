"""How good intervals and predictive distributions are: coverage, sharpness, interval score, CRPS."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def interval_measures(table: pd.DataFrame, level: float, by: Sequence[str] = ("target",)) -> pd.DataFrame:
    """Measure intervals against reference values.

    Parameters
    ----------
    table
        Columns `by`, ``reference``, ``low``, ``high``.
    level
        Share of reference values that the intervals promise to cover.

    Returns
    -------
    DataFrame, one row per combination of `by`
        ``n``; ``covered``, the share of reference values inside; ``width``, the mean one (sharpness: the smaller the
        better, once coverage is kept); ``score``, the mean interval score width + 2/(1 - level) x distance of a value
        outside (Gneiting & Raftery, J. Am. Stat. Assoc. 2007, 102, 359-378, eq. 43), in the target's unit.
    """
    width = table["high"] - table["low"]
    outside = np.maximum(table["low"] - table["reference"], 0) + np.maximum(table["reference"] - table["high"], 0)
    measured = table[list(by)].assign(covered=outside == 0, width=width, score=width + 2 / (1 - level) * outside)
    grouped = measured.groupby(list(by), sort=False)
    return grouped.size().rename("n").to_frame().join(grouped.mean()).reset_index()


def crps(observed: Floats, members: Floats) -> Floats:
    """Return the continuous ranked probability score of ensembles, (n_values,), in the unit of the values.

    mean |X - y| - mean |X - X'| / 2 over members X, X' (Gneiting & Raftery 2007, eq. 21), by sorting; for a single
    member it is |X - y|.

    Parameters
    ----------
    observed : (n_values,)
    members : (n_values, n_members)
        Equally likely values of each.
    """
    n = members.shape[1]
    ranked = np.sort(members, axis=1)
    # Of all pairs, the k-th smallest is the larger one k - 1 times and the smaller one n - k times.
    spread = ranked @ (2.0 * np.arange(n) - n + 1) / n**2
    return np.asarray(np.abs(members - observed[:, None]).mean(axis=1) - spread)

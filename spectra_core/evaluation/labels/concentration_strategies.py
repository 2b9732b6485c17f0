"""Where concentration sets that were chosen or drawn lie relative to those of the training spectra."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.conditions import CONDITIONS
from spectra_core.conditions.charge import charge_obstacle, charge_residual, charge_total
from spectra_core.conditions.hull import hull_distance
from spectra_core.conditions.salts import salt_basis
from spectra_core.contracts import random_stream
from spectra_core.errors import SpectraError
from spectra_core.spectra import SpectraSet

MAX_HULL_POINTS = 200
"""Sets whose distance to the hull is measured: a few milliseconds each among thousands of training sets."""
MAX_HULL_ROWS = 4000
"""Training sets that span the hull; of larger sets evenly spaced rows are taken."""

MAX_BINS = 24
"""Bins of a marginal; more only show chance among a few hundred sets."""


def concentration_points(train_targets: pd.DataFrame, drawn: pd.DataFrame) -> pd.DataFrame:
    """Put training and drawn concentration sets into one table.

    Returns
    -------
    DataFrame, one row per concentration set
        ``role`` ("training", "generated"), ``sample`` (row, from 0), one column ``target NAME`` per target, in the
        unit of the training set.

    Raises
    ------
    SpectraError
        When the targets differ.
    """
    _require_same_columns(train_targets, drawn)
    tables = []
    for role, table in (("training", train_targets), ("generated", drawn)):
        values = table.reset_index(drop=True).rename(columns=lambda name: f"target {name}")
        tables.append(pd.concat([pd.DataFrame({"role": role, "sample": np.arange(len(table))}), values], axis=1))
    return pd.concat(tables, ignore_index=True)


def concentration_marginals(
    train_targets: pd.DataFrame, drawn: pd.DataFrame, *, n_bins: int | None = None
) -> pd.DataFrame:
    """Count training and drawn sets in equal bins over the joint range of every target.

    Parameters
    ----------
    n_bins
        By default 24, or one per level where the training sets have fewer levels: the levels of a designed
        experiment would leave every other bin empty.

    Returns
    -------
    DataFrame, one row per (target, role, bin)
        ``target``, ``role``, ``low``, ``high`` [target unit], ``share`` (of the role's sets; sums to 1 per target
        and role).

    Raises
    ------
    SpectraError
        When the targets differ.
    """
    _require_same_columns(train_targets, drawn)
    tables = []
    for name in train_targets.columns:
        both = np.concatenate([train_targets[name], drawn[name]])
        levels = min(max(train_targets[name].nunique(), 4), MAX_BINS)
        edges = np.histogram_bin_edges(both, bins=n_bins or levels)
        for role, table in (("training", train_targets), ("generated", drawn)):
            counts, _ = np.histogram(table[name], bins=edges)
            tables.append(
                pd.DataFrame(
                    {
                        "target": str(name),
                        "role": role,
                        "low": edges[:-1],
                        "high": edges[1:],
                        "share": counts / len(table),
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def charge_residuals(train: SpectraSet, drawn: pd.DataFrame) -> pd.DataFrame:
    """Compute the charge that training and drawn concentration sets leave unbalanced.

    Returns
    -------
    DataFrame, one row per concentration set
        ``role`` ("training", "generated"), ``sample``; ``residual`` (sum of z c, mol/L, exactly 0 within rounding);
        ``relative`` (residual over the sum of |z| c, from -1 to 1; 0 in pure water).

    Raises
    ------
    SpectraError
        When charge balance cannot be checked, saying why, or the targets differ.
    """
    _require_same_columns(train.targets, drawn)
    obstacle = charge_obstacle(train.target_info)
    if obstacle is not None:
        raise SpectraError(obstacle)
    tables = []
    for role, table in (("training", train.targets), ("generated", drawn)):
        residual, total = charge_residual(table, train.target_info), charge_total(table, train.target_info)
        assert residual is not None
        assert total is not None
        residual = np.where(np.abs(residual) <= 1e-12 * total, 0.0, residual)  # rounding of the sums
        relative = np.divide(residual, total, out=np.zeros(len(table)), where=total > 0)
        tables.append(
            pd.DataFrame({"role": role, "sample": np.arange(len(table)), "residual": residual, "relative": relative})
        )
    return pd.concat(tables, ignore_index=True)


def hull_distances(
    train_targets: pd.DataFrame, drawn: pd.DataFrame, *, max_points: int = MAX_HULL_POINTS
) -> pd.DataFrame:
    """Measure how far concentration sets lie outside the convex hull of the training sets.

    The floor is how far training sets lie outside the hull of the other training sets: among many targets even
    a new measurement usually falls outside. For it a fifth of the training sets, at most `max_points`, is held
    out, evenly spaced. Drawn sets are measured from the first, at most `max_points` of them, against the hull of
    all training sets (evenly spaced ones beyond 4000).

    Returns
    -------
    DataFrame, one row per measured set
        ``role`` ("training" for the floor, "generated"), ``sample`` (row), ``inside``, ``distance`` (standard
        deviations of the training sets; 0 inside), ``n_hull`` (training sets that span the hull).

    Raises
    ------
    SpectraError
        When the targets differ.
    """
    _require_same_columns(train_targets, drawn)
    train = train_targets.reset_index(drop=True)
    rows = _evenly_spaced(len(train), MAX_HULL_ROWS)
    hull = train.iloc[rows]
    parts = [_measured("generated", hull, drawn.reset_index(drop=True).iloc[:max_points])]
    n_floor = min(max_points, len(hull) // 5)
    if n_floor:
        floor = hull.index[_evenly_spaced(len(hull), n_floor)]
        parts.insert(0, _measured("training", hull.drop(floor), hull.loc[floor]))
    return pd.concat(parts, ignore_index=True)


def condition_overview(train: SpectraSet, n_sets: int = 100, seed: int = 0) -> pd.DataFrame:
    """Compare where every way of choosing concentrations, with its defaults, puts its sets.

    Returns
    -------
    DataFrame, one row per strategy
        ``strategy`` (registry name), ``title``, ``offered`` (whether this set allows it), ``inside`` (share of sets
        in the convex hull of the data), ``distance`` (median distance to it, standard deviations),
        ``unbalanced`` (root mean square of the charge left, mol/L; NaN where charges are not known); NaN where
        a strategy is not offered.
    """
    basis = salt_basis(train)
    checks_charge = charge_obstacle(train.target_info) is None
    rows: list[Mapping[str, Any]] = []
    for name, member in CONDITIONS.items():
        offered = not (member.needs_salts and basis.found_from == "none")
        row = {"strategy": name, "title": member.title, "offered": offered}
        measured = {"inside": np.nan, "distance": np.nan, "unbalanced": np.nan}
        if offered:
            sets = member().draw(train, n_sets, random_stream(seed, "overview", name))
            table = hull_distances(train.targets, sets)
            generated = table[table["role"] == "generated"]
            measured["inside"], measured["distance"] = generated["inside"].mean(), generated["distance"].median()
            if checks_charge:
                balance = charge_residuals(train, sets)
                left = balance.loc[balance["role"] == "generated", "residual"]
                measured["unbalanced"] = float(np.sqrt(np.mean(left**2)))
        rows.append({**row, **measured})
    return pd.DataFrame(rows)


def _measured(role: str, hull: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    place = pd.DataFrame({"role": role, "sample": points.index.to_numpy()})
    return pd.concat([place, hull_distance(hull, points)], axis=1).assign(n_hull=len(hull))


def _evenly_spaced(n_rows: int, n_wanted: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, n_rows - 1, min(n_rows, n_wanted)).astype(np.int64))


def _require_same_columns(train_targets: pd.DataFrame, drawn: pd.DataFrame) -> None:
    if list(train_targets.columns) != list(drawn.columns):
        raise SpectraError(
            f"Expected concentration sets of {', '.join(map(str, train_targets.columns)) or 'no targets'}, "
            f"got {', '.join(map(str, drawn.columns)) or 'none'}. Choose the training set's targets in its order."
        )

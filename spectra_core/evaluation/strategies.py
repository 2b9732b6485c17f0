"""Where the points of a sampling strategy fall relative to the data: in latent space and among concentrations."""

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
from spectra_core.evaluation.latent_distance import nearest_mean, nearest_other_mean, remote_from
from spectra_core.latent import LatentPosterior
from spectra_core.samplers import SAMPLERS
from spectra_core.spectra import SpectraSet

MAX_HULL_POINTS = 200
"""Sets whose distance to the hull is measured: a few milliseconds each among thousands of training sets."""
MAX_HULL_ROWS = 4000
"""Training sets that span the hull; of larger sets evenly spaced rows are taken."""

MAX_BINS = 24
"""Bins of a marginal; more only show chance among a few hundred sets."""


def drawn_latent_map(posterior: LatentPosterior, latent: NDArray[np.float64]) -> pd.DataFrame:
    """Map drawn latent points on the two leading principal components of the training spectra's posterior means.

    Parameters
    ----------
    posterior
        Posteriors of the training spectra.
    latent : (n_points, n_latent)
        Drawn points.

    Returns
    -------
    DataFrame, one row per training spectrum and drawn point
        ``role`` ("training", "generated"), ``sample`` (row, from 0); ``x``, ``y`` (scores, in units of the prior);
        ``share_x``, ``share_y`` (of the variance of the training means, the same in every row); ``nearest``
        (distance to the nearest training mean, itself left out, on the active dimensions, in units of the prior;
        NaN where none is active or there is no other).

    Raises
    ------
    SpectraError
        When the points have another number of dimensions than the posterior.
    """
    if latent.ndim != 2 or latent.shape[1] != posterior.n_latent:
        raise SpectraError(
            f"Expected points in {posterior.n_latent} latent dimensions, got an array of shape {latent.shape}. "
            "Use points drawn for this model."
        )
    centre = posterior.mean.mean(axis=0)
    axes, shares = _leading_axes(posterior.mean - centre)
    parts = {"training": posterior.mean, "generated": latent}
    nearest = {
        "training": nearest_other_mean(posterior),
        "generated": nearest_mean(posterior, latent),
    }
    tables = []
    for role, points in parts.items():
        scores = (points - centre) @ axes
        tables.append(
            pd.DataFrame(
                {
                    "role": role,
                    "sample": np.arange(len(points)),
                    "x": scores[:, 0],
                    "y": scores[:, 1],
                    "share_x": shares[0],
                    "share_y": shares[1],
                    "nearest": nearest[role],
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


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


def example_spectra(spectra: SpectraSet, n_examples: int = 5) -> pd.DataFrame:
    """Choose a few spectra, from the one with the smallest mean signal to the one with the largest.

    Returns
    -------
    DataFrame, one row per (spectrum, channel)
        ``sample`` (row of the set), ``position`` [axis unit], ``value`` [signal unit]; evenly spaced ranks.
    """
    order = np.argsort(spectra.signal.mean(axis=1), kind="stable")
    chosen = order[_evenly_spaced(len(order), n_examples)]
    return pd.DataFrame(
        {
            "sample": np.repeat(chosen, spectra.n_channels),
            "position": np.tile(spectra.axis.positions, len(chosen)),
            "value": spectra.signal[chosen].ravel(),
        }
    )


def sampler_overview(
    posterior: LatentPosterior, n_points: int = 500, seed: int = 0, *, groups: NDArray[np.int64] | None = None
) -> pd.DataFrame:
    """Compare how far the points of every latent sampler, with its defaults, lie from the training spectra.

    Parameters
    ----------
    posterior
        Posteriors of the training spectra.
    groups : (n_spectra,)
        Training spectra that belong together, such as replicates: how near they are to each other says nothing.

    Returns
    -------
    DataFrame, one row per sampler
        ``strategy`` (registry name), ``title``, ``nearest`` (median distance to the nearest training mean on the
        active dimensions, in units of the prior), ``remote`` (share of points farther from it than 95 % of the
        training spectra are from one of another group; 0.05 is what the data themselves have).
    """
    limit = remote_from(posterior, groups)
    rows = []
    for name, member in SAMPLERS.items():
        points = member().draw(posterior, n_points, random_stream(seed, "overview", name))
        nearest = nearest_mean(posterior, points)
        remote = float(np.mean(nearest > limit)) if np.isfinite(limit) else np.nan
        rows.append({"strategy": name, "title": member.title, "nearest": float(np.median(nearest)), "remote": remote})
    return pd.DataFrame(rows)


def strategy_points(posterior: LatentPosterior, n_points: int = 400, seed: int = 0) -> pd.DataFrame:
    """Map the points of every latent sampler, with its defaults, over the training spectra.

    Returns
    -------
    DataFrame, one row per training spectrum and, per sampler, per point
        ``strategy`` (registry name; "" for training spectra, evenly spaced ones where they are more than `n_points`),
        ``title``, ``x``, ``y`` (scores on the two leading principal components of the posterior means, units of the
        prior), ``share_x``, ``share_y`` (of their variance, the same in every row).
    """
    centre = posterior.mean.mean(axis=0)
    axes, shares = _leading_axes(posterior.mean - centre)
    drawn = {("", "Training spectra"): posterior.mean[_evenly_spaced(len(posterior), n_points)]}
    for name, member in SAMPLERS.items():
        drawn[name, member.title] = member().draw(posterior, n_points, random_stream(seed, "overview", name))
    tables = []
    for (name, title), points in drawn.items():
        scores = (points - centre) @ axes
        tables.append(
            pd.DataFrame({"strategy": name, "title": title, "x": scores[:, 0], "y": scores[:, 1]}).assign(
                share_x=shares[0], share_y=shares[1]
            )
        )
    return pd.concat(tables, ignore_index=True)


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


def _leading_axes(centred: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two principal axes (n_latent, 2) and their shares of variance; axes that are missing are zero."""
    _, singular, loadings = np.linalg.svd(centred, full_matrices=False)
    n_found = min(2, len(singular))
    axes, shares = np.zeros((centred.shape[1], 2)), np.zeros(2)
    # A component's sign is arbitrary: its largest loading is made positive, so that maps agree between runs.
    largest = loadings[range(n_found), np.abs(loadings[:n_found]).argmax(axis=1)]
    axes[:, :n_found] = (loadings[:n_found] * np.where(largest < 0, -1.0, 1.0)[:, None]).T
    total = float(np.sum(singular**2))
    if total > 0:
        shares[:n_found] = singular[:n_found] ** 2 / total
    return axes, shares


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

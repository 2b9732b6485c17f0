"""Where the latent points of a sampling strategy fall relative to the training spectra."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import random_stream
from spectra_core.errors import SpectraError
from spectra_core.evaluation.latent.distance import nearest_mean, nearest_other_mean, remote_from
from spectra_core.evaluation.sampling import sampled_rows
from spectra_core.samplers import SAMPLERS
from spectra_core.spectra.latent import LatentPosterior


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
    place = _on_leading_axes(posterior)
    parts = (
        ("training", posterior.mean, nearest_other_mean(posterior)),
        ("generated", latent, nearest_mean(posterior, latent)),
    )
    tables = []
    for role, points, nearest in parts:
        row = {"role": role, "sample": np.arange(len(points)), **place(points), "nearest": nearest}
        tables.append(pd.DataFrame(row))
    return pd.concat(tables, ignore_index=True)


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
        ``strategy`` (registry name; "" for training spectra, a random part where they are more than `n_points`),
        ``title``, ``x``, ``y`` (scores on the two leading principal components of the posterior means, units of the
        prior), ``share_x``, ``share_y`` (of their variance, the same in every row).
    """
    place = _on_leading_axes(posterior)
    drawn = {("", "Training spectra"): posterior.mean[sampled_rows(len(posterior), "training", n_points, seed)]}
    for name, member in SAMPLERS.items():
        drawn[name, member.title] = member().draw(posterior, n_points, random_stream(seed, "overview", name))
    tables = [pd.DataFrame({"strategy": key[0], "title": key[1], **place(points)}) for key, points in drawn.items()]
    return pd.concat(tables, ignore_index=True)


def _on_leading_axes(posterior: LatentPosterior) -> Callable[[NDArray[np.float64]], dict[str, Any]]:
    """Return what gives ``x``, ``y``, ``share_x`` and ``share_y`` of points; axes that are missing are zero."""
    centre = posterior.mean.mean(axis=0)
    centred = posterior.mean - centre
    _, singular, loadings = np.linalg.svd(centred, full_matrices=False)
    n_found = min(2, len(singular))
    axes, shares = np.zeros((centred.shape[1], 2)), np.zeros(2)
    # A component's sign is arbitrary: its largest loading is made positive, so that maps agree between runs.
    largest = loadings[range(n_found), np.abs(loadings[:n_found]).argmax(axis=1)]
    axes[:, :n_found] = (loadings[:n_found] * np.where(largest < 0, -1.0, 1.0)[:, None]).T
    total = float(np.sum(singular**2))
    if total > 0:
        shares[:n_found] = singular[:n_found] ** 2 / total

    def place(points: NDArray[np.float64]) -> dict[str, Any]:
        x, y = ((points - centre) @ axes).T
        return {"x": x, "y": y, "share_x": shares[0], "share_y": shares[1]}

    return place

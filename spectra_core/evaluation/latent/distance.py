"""How far latent points lie from the training spectra, and from where on that is far."""

import numpy as np
from numpy.typing import NDArray

from spectra_core.spectra.latent import LatentPosterior

USUAL = 0.95
"""Share of the training spectra that are nearer to another one than a remote point is to any."""


def nearest_mean(posterior: LatentPosterior, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of every point to the nearest posterior mean of a training spectrum.

    Parameters
    ----------
    posterior
        Posteriors of the training spectra.
    points : (n_points, n_latent)

    Returns
    -------
    (n_points,)
        On the active dimensions, in units of the prior; NaN where none is active.
    """
    if not posterior.active.any():
        return np.full(len(points), np.nan)
    return _neighbours(posterior, points, 1)[0][:, 0]


def nearest_other_mean(posterior: LatentPosterior, groups: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """Return the distance of every posterior mean to the nearest one of another group, as `nearest_mean` does.

    Parameters
    ----------
    groups : (n_spectra,)
        Spectra that belong together, such as replicates, whose nearness says nothing; None keeps all apart.

    Returns
    -------
    (n_spectra,)
        NaN where no dimension is active, or there is no other group.
    """
    n_spectra = len(posterior)
    groups = np.arange(n_spectra) if groups is None else groups
    _, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if not posterior.active.any() or len(sizes) < 2:
        return np.full(n_spectra, np.nan)
    distance, row = _neighbours(posterior, posterior.mean, min(int(sizes.max()) + 1, n_spectra))
    other = number[row] != number[:, None]
    return np.asarray(distance[np.arange(n_spectra), other.argmax(axis=1)])


def remote_from(posterior: LatentPosterior, groups: NDArray[np.int64] | None = None) -> float:
    """Return the distance to the nearest mean beyond which a point is remote, in units of the prior.

    95 % of the training spectra are nearer than this to one of another group; NaN where that is not known.
    """
    return float(np.quantile(nearest_other_mean(posterior, groups), USUAL))


def _neighbours(
    posterior: LatentPosterior, points: NDArray[np.float64], n_nearest: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from sklearn.neighbors import NearestNeighbors

    active = posterior.active
    search = NearestNeighbors(n_neighbors=n_nearest, algorithm="brute").fit(posterior.mean[:, active])
    distance, row = search.kneighbors(points[:, active])
    return distance, row

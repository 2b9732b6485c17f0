"""Distances between spectra, and the nearest ones, by chunked matrix products."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.channels.noise import noise_level
from spectra_core.evaluation.row_blocks import by_blocks
from spectra_core.spectra import SpectraSet

Metric = Literal["euclidean", "spectral_angle", "noise_weighted"]

DISTANCES: dict[str, str] = {
    "euclidean": "Square root of the summed squared differences, in the signal's unit.",
    "spectral_angle": "Angle between two spectra as vectors, in radians: shape only, whatever the concentration.",
    "noise_weighted": "Root mean square of the differences in units of each channel's noise.",
}
"""The distances and what each says."""

_UNITS = {"spectral_angle": "radians", "noise_weighted": "noise units"}

CHUNK_VALUES = 2_000_000
"""Distances held at once by one thread (16 MB)."""
CACHED_VALUES = 50_000
"""Differences of one target held at once: they stay in the processor's cache, which is three times faster."""
SPARE = 4
"""Extra candidates per query: the product finds candidates, exact differences put them in order."""


def distance_unit(metric: str, signal: str) -> str:
    """Return the unit of a distance; `signal` is what the signal is called.

    >>> distance_unit("euclidean", "Absorbance"), distance_unit("spectral_angle", "Absorbance")
    ('absorbance', 'radians')
    """
    return _UNITS.get(metric, signal.lower())


@dataclass(frozen=True, eq=False)
class FeatureSpace:
    """A space in which the Euclidean distance, times `scale`, is the wanted distance between spectra.

    Parameters
    ----------
    metric
        A name of `DISTANCES`.
    weights : (n_channels,)
        Factor of every channel.
    centre : (n_channels,)
        Subtracted first, which keeps rounding small and changes no distance (zero for the spectral angle).
    scale
        Factor from distance in the space to the wanted distance.
    """

    metric: Metric
    weights: NDArray[np.float64]
    centre: NDArray[np.float64]
    scale: float = 1.0

    @classmethod
    def of(cls, training: SpectraSet, metric: str = "euclidean") -> "FeatureSpace":
        """Make the space of `metric`, with noise and centre taken from the training set.

        Raises
        ------
        ConfigError
            When the metric is unknown.
        SpectraError
            When the noise-weighted distance finds no noise.
        """
        if metric not in get_args(Metric):
            raise ConfigError(f"Unknown distance {metric!r}. Known distances: {', '.join(DISTANCES)}.")
        ones = np.ones(training.n_channels)
        if metric == "spectral_angle":
            return cls("spectral_angle", ones, 0.0 * ones)
        centre = training.signal.mean(axis=0, dtype=np.float64)
        if metric == "euclidean":
            return cls("euclidean", ones, centre)
        noise = noise_level(training)
        used = noise > 0
        if not used.any():
            raise SpectraError(
                "The training spectra carry no noise to measure differences by. Use the Euclidean distance instead."
            )
        weights = np.divide(1.0, noise, out=np.zeros_like(noise), where=used)
        return cls("noise_weighted", weights, centre, scale=1.0 / float(np.sqrt(used.sum())))

    def place(self, signal: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the points (n_spectra, n_channels) of `signal` in the space.

        Raises
        ------
        SpectraError
            When a spectrum that is zero everywhere is asked for its angle.
        """
        points: NDArray[np.float64] = signal.astype(np.float64)
        points -= self.centre
        points *= self.weights
        if self.metric != "spectral_angle":
            return points
        length = np.linalg.norm(points, axis=1, keepdims=True)
        if (length == 0).any():
            raise SpectraError(
                f"Spectrum {int(np.argmin(length)) + 1} is zero in every channel and has no spectral angle. "
                "Use the Euclidean distance instead."
            )
        unit: NDArray[np.float64] = points / length
        return unit

    def measure(self, separation: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn Euclidean distances in the space into the wanted distance."""
        if self.metric == "spectral_angle":
            # Chord of the unit sphere; exact for small angles, where the cosine is not.
            return 2.0 * np.arcsin(np.minimum(separation / 2.0, 1.0))
        return separation * self.scale


def nearest(
    query: NDArray[np.float64],
    pool: NDArray[np.float64],
    n_nearest: int,
    allowed: "Window | None" = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the nearest rows of `pool` for every row of `query`, in Euclidean distance.

    Candidates come from one matrix product per block of queries; their distances are then computed from the
    differences, so that they are exact and an exact copy is at distance 0. Equal distances are ordered by row.

    Parameters
    ----------
    query : (n_query, n_features)
    pool : (n_pool, n_features)
    n_nearest
        Neighbours wanted per query.
    allowed
        Which pool rows count for which query; None for all.

    Returns
    -------
    rows, distances : (n_query, n_nearest)
        Ascending; row -1 and distance NaN where fewer neighbours are allowed.
    """
    rows = np.full((len(query), n_nearest), -1, dtype=np.int64)
    distances = np.full((len(query), n_nearest), np.nan)
    pool_squared = np.einsum("ij,ij->i", pool, pool)

    def search(part: slice) -> None:
        squared = _squared_distances(query[part], pool, pool_squared)
        if allowed is not None:
            squared[~allowed.mask(part)] = np.inf
        rows[part], distances[part] = _nearest_of(query[part], pool, squared, n_nearest)

    by_blocks(len(query), max(1, CHUNK_VALUES // len(pool)), search)
    return rows, distances


def nearest_and_closer(
    query: NDArray[np.float64], pool: NDArray[np.float64], squared_limits: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the distance to the nearest row of `pool`, and count the rows whose squared distance is below limits.

    Parameters
    ----------
    squared_limits : (n_query, n_limits)
        Counted distances come from a matrix product: leave room for its rounding, of order 1e-13 of the squared
        lengths.

    Returns
    -------
    distances : (n_query,)
        As from `nearest`.
    counts : (n_query, n_limits)
    """
    distances = np.empty(len(query))
    counts = np.empty(squared_limits.shape, dtype=np.int64)
    pool_squared = np.einsum("ij,ij->i", pool, pool)

    def search(part: slice) -> None:
        squared = _squared_distances(query[part], pool, pool_squared)
        for number, limit in enumerate(squared_limits[part].T):
            counts[part, number] = (squared < limit[:, None]).sum(axis=1)
        distances[part] = _nearest_of(query[part], pool, squared, 1)[1][:, 0]

    by_blocks(len(query), max(1, CHUNK_VALUES // len(pool)), search)
    return distances, counts


def _nearest_of(
    query: NDArray[np.float64], pool: NDArray[np.float64], squared: NDArray[np.float64], n_nearest: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Put the candidates of a product in order by their exact distances; infinite ones do not count."""
    rows = np.full((len(query), n_nearest), -1, dtype=np.int64)
    distances = np.full((len(query), n_nearest), np.nan)
    n_wanted = min(n_nearest, len(pool))
    n_candidates = min(n_wanted + SPARE, len(pool))
    candidates = np.sort(np.argpartition(squared, n_candidates - 1, axis=1)[:, :n_candidates], axis=1)
    missing = np.isinf(np.take_along_axis(squared, candidates, axis=1))
    exact = np.stack([np.linalg.norm(query - pool[column], axis=1) for column in candidates.T], axis=1)
    exact[missing] = np.inf
    order = np.argsort(exact, axis=1, kind="stable")[:, :n_wanted]
    found = np.take_along_axis(exact, order, axis=1)
    rows[:, :n_wanted] = np.where(np.isinf(found), -1, np.take_along_axis(candidates, order, axis=1))
    distances[:, :n_wanted] = np.where(np.isinf(found), np.nan, found)
    return rows, distances


@dataclass(frozen=True, eq=False)
class Window:
    """Pool rows count for a query when every target differs by at most `half_width`.

    Parameters
    ----------
    query, pool : (n, n_targets)
        Targets in units of their standard deviation.
    half_width
        In the same units.
    """

    query: NDArray[np.float64]
    pool: NDArray[np.float64]
    half_width: float

    def mask(self, part: slice) -> NDArray[np.bool_]:
        """Return which pool rows count, (n_query in `part`, n_pool)."""
        query = self.query[part]
        inside = np.empty((len(query), len(self.pool)), dtype=bool)
        step = max(1, CACHED_VALUES // len(self.pool))
        for start in range(0, len(query), step):
            block = slice(start, start + step)
            inside[block] = True
            for target in range(self.pool.shape[1]):
                gap = np.abs(query[block, target, None] - self.pool[:, target])
                inside[block] &= gap <= self.half_width
        return inside

    def counts(self) -> NDArray[np.int64]:
        """Return how many pool rows count for every query, (n_query,)."""
        step = max(1, CHUNK_VALUES // len(self.pool))
        parts = [slice(start, start + step) for start in range(0, len(self.query), step)]
        return np.concatenate([self.mask(part).sum(axis=1) for part in parts])


def _squared_distances(
    query: NDArray[np.float64], pool: NDArray[np.float64], pool_squared: NDArray[np.float64]
) -> NDArray[np.float64]:
    squared: NDArray[np.float64] = query @ pool.T
    squared *= -2.0
    squared += pool_squared
    squared += np.einsum("ij,ij->i", query, query)[:, None]
    return squared

"""Two sets of spectra as points, with the distances that many metrics share."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.spectra import SpectralAxis

ROUNDING = 1e-13
"""Squared distances below this share of the squared lengths are rounding of the matrix product: equal points."""


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Spectra as points.

    Parameters
    ----------
    points : (n_spectra, n_channels)
        In the signal's unit. Subtract the same centre from all clouds that meet: it keeps rounding small.
    """

    points: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def within(self) -> NDArray[np.float64]:
        """Euclidean distances (n, n) between its own points, zero on the diagonal."""
        distances = distances_between(self.points, self.points)
        np.fill_diagonal(distances, 0.0)
        return distances

    @cached_property
    def _ordered_neighbours(self) -> NDArray[np.float64]:
        apart = self.within.copy()
        np.fill_diagonal(apart, np.inf)
        most = min(len(self) - 1, 16)
        return np.sort(np.partition(apart, most - 1, axis=1)[:, :most], axis=1)

    def to_neighbour(self, k: int) -> NDArray[np.float64]:
        """Return the distance (n,) of every point to its k-th nearest other point, k up to 16.

        Raises
        ------
        SpectraError
            When there are not more than `k` points.
        """
        if len(self) <= k:
            raise SpectraError(
                f"The {k}th nearest neighbour needs more than {k} spectra in each half, got {len(self)}."
            )
        column: NDArray[np.float64] = self._ordered_neighbours[:, k - 1]
        return column

    def first(self, n: int) -> "PointCloud":
        """Return its first `n` points."""
        return self if n >= len(self) else PointCloud(self.points[:n])


@dataclass(frozen=True, eq=False)
class CloudPair:
    """What a metric compares.

    Parameters
    ----------
    real, generated
        Of equal size, about the same centre.
    axis
        Positions of the channels, for metrics that look at neighbouring channels.
    unseen
        Real spectra that the generator did not see; None where there are none.
    seed
        Decides random directions and folds; the same for all pairs that are compared with each other.
    """

    real: PointCloud
    generated: PointCloud
    axis: SpectralAxis
    unseen: PointCloud | None = None
    seed: int = 0

    @cached_property
    def between(self) -> NDArray[np.float64]:
        """Euclidean distances (n_generated, n_real)."""
        return distances_between(self.generated.points, self.real.points)

    def first(self, n: int) -> "CloudPair":
        """Return the pair of the first `n` points of each cloud; itself where they are no more."""
        if n >= max(len(self.real), len(self.generated)):
            return self
        unseen = None if self.unseen is None else self.unseen.first(n)
        return CloudPair(self.real.first(n), self.generated.first(n), self.axis, unseen, self.seed)


def distances_between(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """Return Euclidean distances (n_one, n_other) by a matrix product; equal points are at exactly 0."""
    one_squared = np.einsum("ij,ij->i", one, one)
    other_squared = np.einsum("ij,ij->i", other, other)
    lengths = one_squared[:, None] + other_squared[None, :]
    squared = one @ other.T
    squared *= -2.0
    squared += lengths
    squared[squared < ROUNDING * lengths] = 0.0
    distances: NDArray[np.float64] = np.sqrt(squared, out=squared)
    return distances

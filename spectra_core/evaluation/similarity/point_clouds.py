"""Two sets of spectra as points, with the distances that many metrics share."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.evaluation.row_blocks import by_blocks
from spectra_core.spectra import SpectralAxis

ROUNDING = 1e-13
"""Squared distances below this share of the squared lengths are rounding of the matrix product: equal points."""
BLOCK_ROWS = 128
"""Rows of a table of distances made at once: with some thousand columns they stay in the processor's cache."""


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
        """Euclidean distances (n, n) between its own points, symmetric and zero on the diagonal."""
        distances = np.empty((len(self), len(self)))
        lengths = np.einsum("ij,ij->i", self.points, self.points)

        def fill(rows: slice) -> None:
            later = slice(rows.start, None)
            _distances(self.points[rows], self.points[later], lengths[rows], lengths[later], distances[rows, later])

        def mirror(rows: slice) -> None:
            distances[rows, : rows.start] = distances[: rows.start, rows].T
            own = distances[rows, rows]  # of one product with itself, which BLAS libraries may round unevenly
            own[np.tril_indices(len(own), -1)] = own.T[np.tril_indices(len(own), -1)]

        by_blocks(len(self), BLOCK_ROWS, fill)
        by_blocks(len(self), BLOCK_ROWS, mirror)
        np.fill_diagonal(distances, 0.0)
        return distances

    @cached_property
    def _ordered_neighbours(self) -> NDArray[np.float64]:
        most = min(len(self) - 1, 16)
        ordered = np.empty((len(self), most))

        def put_in_order(rows: slice) -> None:
            apart = self.within[rows].copy()
            apart[np.arange(len(apart)), np.arange(rows.start, rows.stop)] = np.inf
            ordered[rows] = np.sort(np.partition(apart, most - 1, axis=1)[:, :most], axis=1)

        _ = self.within  # before threads ask for it
        by_blocks(len(self), BLOCK_ROWS, put_in_order)
        return ordered

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
    one_lengths, other_lengths = (np.einsum("ij,ij->i", points, points) for points in (one, other))
    distances = np.empty((len(one), len(other)))

    def fill(rows: slice) -> None:
        _distances(one[rows], other, one_lengths[rows], other_lengths, distances[rows])

    by_blocks(len(one), BLOCK_ROWS, fill)
    return distances


def _distances(
    one: NDArray[Any], other: NDArray[Any], one_lengths: NDArray[Any], other_lengths: NDArray[Any], out: NDArray[Any]
) -> None:
    """Write distances (n_one, n_other) to `out`, given the squared lengths of the points."""
    lengths = one_lengths[:, None] + other_lengths
    squared = one @ other.T
    squared *= -2.0
    squared += lengths
    lengths *= ROUNDING
    squared[squared < lengths] = 0.0
    np.sqrt(squared, out=out)

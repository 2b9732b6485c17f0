"""How densely training spectra lie around a spectrum: where augmentation is expected to matter most."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.spectra import SpectraSet, require_same_axis

N_NEIGHBOURS = 20
MAX_COMPONENTS = 5
"""Distances say little about density in many dimensions."""
_SHARE = 0.99


@dataclass(frozen=True, eq=False)
class TrainingDensity:
    """How densely training spectra lie, ready to be asked at any spectra.

    By the distance r to the 20th nearest training spectrum, p ~ r^-d (Loftsgaarden & Quesenberry, Ann. Math. Stat.
    36, 1965), among the scores on the leading principal components of the training spectra: as many as hold 99 % of
    their variance, at most 5, each scaled to variance 1. The sampler "equalised" weighs by the same estimate in latent
    space.

    Parameters
    ----------
    train
        The training spectra.
    mean : (n_channels,)
        Subtracted before the scores are taken.
    directions : (n_channels, n_components)
        Of the scores; none where the training spectra do not vary.
    tree
        Scores of the training spectra; None without directions.
    usual
        Distance r at the median training spectrum.
    """

    train: SpectraSet
    mean: NDArray[np.float64]
    directions: NDArray[np.float64]
    tree: Any
    usual: float

    @classmethod
    def of(cls, train: SpectraSet) -> "TrainingDensity":
        """Take scores and the usual distance from the training spectra.

        Raises
        ------
        SpectraError
            When there are fewer than two.
        """
        if len(train) < 2:
            raise SpectraError(f"A density needs at least 2 training spectra, got {len(train)}.")
        from scipy.spatial import cKDTree

        mean = train.signal.mean(axis=0, dtype=np.float64)
        centred = train.signal - mean
        directions = _directions(centred)
        if directions.shape[1] == 0:
            return cls(train, mean, directions, None, 1.0)
        # One leaf: never splits repeated values without end.
        tree = cKDTree(centred @ directions, leafsize=len(train))
        own = tree.query(tree.data, k=[_n_neighbours(train) + 1])[0][:, 0]  # the nearest is the spectrum itself
        positive = own[own > 0]
        usual = float(np.median(positive)) if len(positive) else 1.0
        return cls(train, mean, directions, tree, usual)

    def log_at(self, spectra: SpectraSet) -> NDArray[np.float64]:
        """Estimate the density of training spectra at each of `spectra`.

        Returns
        -------
        (n_spectra,)
            log10 of the density over that at the median training spectrum: 0 is usual, below 0 sparse. All 0 where
            the training spectra do not vary.

        Raises
        ------
        SpectraError
            When axes differ.
        """
        require_same_axis(self.train, spectra)
        if self.tree is None:
            return np.zeros(len(spectra))
        scores = (spectra.signal - self.mean) @ self.directions
        there = self.tree.query(scores, k=[_n_neighbours(self.train)])[0][:, 0]
        # Exact copies of many training spectra have no distance; a thousandth of the usual one stands in.
        log_density: NDArray[np.float64] = -self.tree.m * np.log10(np.maximum(there, 1e-3 * self.usual) / self.usual)
        return log_density


def log_training_density(train: SpectraSet, spectra: SpectraSet) -> NDArray[np.float64]:
    """Return `TrainingDensity.log_at` of one set of spectra."""
    require_same_axis(train, spectra)
    return TrainingDensity.of(train).log_at(spectra)


def _n_neighbours(train: SpectraSet) -> int:
    return min(N_NEIGHBOURS, len(train) - 1)


def _directions(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return principal directions (n_channels, n_components), scaled so that scores have variance 1."""
    if len(centred) < centred.shape[1]:
        values, left = np.linalg.eigh(centred @ centred.T)
        keep = values > 1e-12 * max(values.max(), np.finfo(np.float64).tiny)
        vectors = centred.T @ left[:, keep] / np.sqrt(values[keep])
        values = values[keep]
    else:
        values, vectors = np.linalg.eigh(centred.T @ centred)
        keep = values > 1e-12 * max(values.max(), np.finfo(np.float64).tiny)
        values, vectors = values[keep], vectors[:, keep]
    values, vectors = values[::-1], vectors[:, ::-1]
    if not len(values):
        return np.empty((centred.shape[1], 0))
    n = min(int(np.searchsorted(np.cumsum(values) / values.sum(), _SHARE)) + 1, MAX_COMPONENTS, len(values))
    scaled: NDArray[np.float64] = vectors[:, :n] * np.sqrt(len(centred) / values[:n])
    return scaled

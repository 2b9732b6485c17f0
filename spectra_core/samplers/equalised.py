"""More new spectra where training spectra are rare: the study's "inverted distribution"."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.options import Range, WithOptions
from spectra_core.samplers.base import draw_from_posteriors, require_points
from spectra_core.spectra.latent import LatentPosterior


@dataclass(frozen=True)
class Equalised(WithOptions):
    """Training spectra picked with weights density^-strength, then z drawn from each one's posterior.

    Density is estimated among the posterior means, on the leading principal components of the active
    dimensions, by the distance to the `n_neighbours`-th nearest training spectrum (Loftsgaarden & Quesenberry,
    Ann. Math. Stat. 36, 1965): p = k/(n V_d r_k^d). Inactive dimensions hold no information on the spectrum and
    are left out of the density; their points come from the posterior, which is the prior there. Without any
    active dimension all weights are equal.

    Parameters
    ----------
    strength
        0 gives the aggregate posterior, 1 an even density wherever there are training spectra.
    n_neighbours
        More neighbours give a smoother density.
    max_components
        Principal components used at most; distances say little about density in many dimensions.
    max_weight
        Cap: no training spectrum is picked more than this many times as often as the median one, so that a few
        remote spectra cannot make up the generated set.
    """

    title: ClassVar[str] = "Equalised"
    explanation: ClassVar[str] = (
        "Picks training spectra the more often, the fewer neighbours they have in latent space, and draws from each "
        "one's posterior: rare spectra gain weight, and no point lies far from all data."
    )

    strength: Annotated[float, Range(0, 1)] = 1.0
    n_neighbours: Annotated[int, Range(1, 100_000)] = 20
    max_components: Annotated[int, Range(1, 4096), "Most components"] = 5
    max_weight: Annotated[float, Range(1, 1e12), "Largest weight"] = 10.0

    def weights(self, posterior: LatentPosterior) -> NDArray[np.float64]:
        """Return how probable it is to pick each training spectrum, (n_spectra,), with sum 1."""
        radius, n_dimensions = self._radii(posterior)
        # Relative to the median: powers stay in range, and the cap is a multiple of what is usual.
        relative = radius / np.median(radius)
        with np.errstate(over="ignore"):  # an infinite weight is capped like every large one
            raw = np.minimum(relative ** (self.strength * n_dimensions), self.max_weight)
        weights: NDArray[np.float64] = raw / raw.sum()
        return weights

    def draw(self, posterior: LatentPosterior, n_points: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Pick training spectra with `weights`, with replacement, then draw from each one's posterior."""
        require_points(n_points)
        rows = rng.choice(len(posterior), size=n_points, p=self.weights(posterior))
        return draw_from_posteriors(posterior, rows, rng)

    def _radii(self, posterior: LatentPosterior) -> tuple[NDArray[np.float64], int]:
        """Return the distance of every training spectrum to its k-th neighbour, and in how many dimensions."""
        scores = principal_scores(posterior, self.max_components)
        n_spectra, n_dimensions = scores.shape
        if n_dimensions == 0 or n_spectra < 2:
            return np.ones(n_spectra), 0
        from scipy.spatial import cKDTree

        k = min(self.n_neighbours, n_spectra - 1)
        distance, _ = cKDTree(scores, leafsize=n_spectra).query(scores, k=[k + 1])  # the nearest is the spectrum itself
        radius = distance[:, 0]
        # More than k copies of one spectrum have no distance at all; the smallest one seen stands in.
        positive = radius[radius > 0]
        floor = positive.min() if len(positive) else 1.0
        return np.maximum(radius, floor), n_dimensions


def principal_scores(posterior: LatentPosterior, max_components: int) -> NDArray[np.float64]:
    """Return posterior means on their leading principal components, (n_spectra, n_components), each with variance 1.

    Only active dimensions enter, and as many components as hold 99 % of their variance, at most `max_components`.
    """
    active = posterior.mean[:, posterior.active]
    if active.shape[1] == 0:
        return np.empty((len(posterior), 0))
    left, singular, _ = np.linalg.svd(active - active.mean(axis=0), full_matrices=False)
    share = np.cumsum(singular**2) / np.sum(singular**2)
    n_components = min(int(np.searchsorted(share, 0.99)) + 1, max_components, len(singular))
    scores: NDArray[np.float64] = left[:, :n_components] * np.sqrt(len(posterior))
    return scores

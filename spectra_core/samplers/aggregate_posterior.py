"""The training spectra's own distribution in latent space."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.samplers.base import draw_from_posteriors, require_points
from spectra_core.spectra.latent import LatentPosterior


@dataclass(frozen=True)
class AggregatePosterior:
    """z ~ mean over training spectra of q(z|x) (Makhzani et al., arXiv:1511.05644)."""

    title: ClassVar[str] = "Aggregate posterior"
    explanation: ClassVar[str] = (
        "Picks training spectra at random and draws from each one's posterior: the same distribution as the data."
    )

    def draw(self, posterior: LatentPosterior, n_points: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Pick training spectra with replacement, then draw from each one's posterior."""
        require_points(n_points)
        return draw_from_posteriors(posterior, rng.integers(len(posterior), size=n_points), rng)

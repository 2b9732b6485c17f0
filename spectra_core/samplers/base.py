"""What every latent sampling strategy offers."""

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from spectra_core.latent import LatentPosterior


class LatentSampler(Protocol):
    """Chooses where in latent space new spectra are decoded from. A frozen dataclass; never decodes."""

    title: ClassVar[str]
    explanation: ClassVar[str]

    def draw(self, posterior: LatentPosterior, n_points: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return latent points (n_points, n_latent), given the posteriors of the training spectra."""

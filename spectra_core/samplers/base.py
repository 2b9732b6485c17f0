"""What every latent sampling strategy offers."""

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import ConfigError
from spectra_core.spectra.latent import LatentPosterior


class LatentSampler(Protocol):
    """Chooses where in latent space new spectra are decoded from. A frozen dataclass; never decodes."""

    title: ClassVar[str]
    explanation: ClassVar[str]

    def draw(self, posterior: LatentPosterior, n_points: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return latent points (n_points, n_latent), given the posteriors of the training spectra.

        Raises
        ------
        ConfigError
            When `n_points` is not positive.
        """


def require_points(n_points: int) -> None:
    """Refuse a number of points below one."""
    if n_points < 1:
        raise ConfigError(f"The number of latent points must be at least 1, got {n_points}.")


def draw_from_posteriors(
    posterior: LatentPosterior, rows: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw one latent point from the posterior of each spectrum in `rows`, (len(rows), n_latent).

    Inactive dimensions need no care here: their posterior is the prior.
    """
    mean, std = posterior.mean[rows], posterior.std[rows]
    points: NDArray[np.float64] = mean + std * rng.standard_normal(mean.shape)
    return points

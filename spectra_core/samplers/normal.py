"""Normal distributions: the prior, and those fitted to the aggregate posterior."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.samplers.base import require_points
from spectra_core.spectra.latent import LatentPosterior


def aggregate_covariance(posterior: LatentPosterior) -> NDArray[np.float64]:
    """Return the covariance (n_latent, n_latent) of the aggregate posterior, exactly.

    By the law of total covariance, Cov(z) = Cov(means) + diag(mean of std^2); divisor n, since the aggregate
    posterior is a mixture with one component per training spectrum.
    """
    between = np.cov(posterior.mean, rowvar=False, bias=True).reshape(posterior.n_latent, posterior.n_latent)
    covariance: NDArray[np.float64] = between + np.diag((posterior.std**2).mean(axis=0))
    return covariance


@dataclass(frozen=True)
class StandardNormal:
    """z ~ N(0, I), the prior of the variational autoencoder (Kingma & Welling, ICLR 2014)."""

    title: ClassVar[str] = "Standard normal"
    explanation: ClassVar[str] = (
        "Draws from the prior N(0, 1) in every latent dimension, wherever the training spectra lie."
    )

    def draw(self, posterior: LatentPosterior, n_points: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return latent points (n_points, n_latent)."""
        require_points(n_points)
        return rng.standard_normal((n_points, posterior.n_latent))


@dataclass(frozen=True)
class FittedNormal:
    """z normal with mean and variance of the aggregate posterior, every dimension by itself."""

    title: ClassVar[str] = "Fitted normal, diagonal"
    explanation: ClassVar[str] = (
        "Draws every latent dimension from a normal distribution with the training spectra's mean and variance, "
        "ignoring how dimensions vary together."
    )

    def draw(self, posterior: LatentPosterior, n_points: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return latent points (n_points, n_latent)."""
        require_points(n_points)
        variance = posterior.mean.var(axis=0) + (posterior.std**2).mean(axis=0)
        noise = rng.standard_normal((n_points, posterior.n_latent))
        points: NDArray[np.float64] = posterior.mean.mean(axis=0) + np.sqrt(variance) * noise
        return points


@dataclass(frozen=True)
class FittedNormalFull:
    """z normal with mean and full covariance of the aggregate posterior."""

    title: ClassVar[str] = "Fitted normal, full covariance"
    explanation: ClassVar[str] = (
        "Draws from one normal distribution with the training spectra's mean and covariance, "
        "so that latent dimensions vary together as they do in the data."
    )

    def draw(self, posterior: LatentPosterior, n_points: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return latent points (n_points, n_latent)."""
        require_points(n_points)
        # Posterior standard deviations are positive, so the covariance has a Cholesky factor.
        factor = np.linalg.cholesky(aggregate_covariance(posterior))
        noise = rng.standard_normal((n_points, posterior.n_latent))
        points: NDArray[np.float64] = posterior.mean.mean(axis=0) + noise @ factor.T
        return points

"""Uniform over the box that the training spectra span in latent space."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.options import Range, WithOptions
from spectra_core.samplers.base import require_points
from spectra_core.spectra.latent import LatentPosterior


@dataclass(frozen=True)
class UniformBox(WithOptions):
    """z uniform between the smallest and the largest posterior mean of every active dimension.

    Inactive dimensions are drawn from the prior N(0, 1): their means span almost nothing, and the decoder was
    trained with prior noise there, not with a constant.

    Parameters
    ----------
    quantile
        Share of the posterior means left out at either end of every dimension, from 0 (the whole range) to
        0.499; 0.01 keeps single far spectra from blowing up the box.
    """

    title: ClassVar[str] = "Uniform box"
    explanation: ClassVar[str] = (
        "Fills the box around the training spectra's posterior means evenly, corners included, "
        "even where no training spectrum lies."
    )

    quantile: Annotated[float, Range(0, 0.499)] = 0.0

    def draw(self, posterior: LatentPosterior, n_points: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return latent points (n_points, n_latent)."""
        require_points(n_points)
        lower, upper = np.quantile(posterior.mean, [self.quantile, 1 - self.quantile], axis=0)
        shape = (n_points, posterior.n_latent)
        box = rng.uniform(lower, upper, shape)
        return np.where(posterior.active, box, rng.standard_normal(shape))

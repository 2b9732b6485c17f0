"""How generators describe, and samplers read, the latent space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError

ACTIVE_VARIANCE = 0.01
"""A unit is active when Var(mean) over spectra exceeds this (Burda, Grosse, Salakhutdinov, ICLR 2016)."""


@dataclass(frozen=True, eq=False)
class LatentPosterior:
    """The approximate posterior q(z|x) of each spectrum: a normal distribution with diagonal covariance.

    Parameters
    ----------
    mean, std : (n_spectra, n_latent)
        Mean and standard deviation per spectrum and latent dimension, in units of the prior N(0, I).
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            values = np.array(getattr(self, name), dtype=np.float64, copy=True)
            if values.ndim != 2 or values.shape[0] == 0 or values.shape[1] == 0:
                raise SpectraError(f"The posterior {name} must be (n_spectra, n_latent), got shape {values.shape}.")
            if not np.isfinite(values).all():
                raise SpectraError(f"The posterior {name} must be finite. Train the generator again.")
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        if self.mean.shape != self.std.shape:
            raise SpectraError(
                f"Posterior mean and std must have one shape, got {self.mean.shape} and {self.std.shape}."
            )
        if (self.std <= 0).any():
            raise SpectraError("Posterior standard deviations must be positive.")

    @property
    def n_latent(self) -> int:
        """Number of latent dimensions."""
        return int(self.mean.shape[1])

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def active(self) -> NDArray[np.bool_]:
        """Mask (n_latent,) of dimensions that carry information on the spectrum, Var(mean) > 0.01."""
        mask: NDArray[np.bool_] = self.mean.var(axis=0) > ACTIVE_VARIANCE
        return mask

    @property
    def kl_per_dimension(self) -> NDArray[np.float64]:
        """Mean over spectra of KL(q(z|x) || N(0, 1)) per latent dimension, (n_latent,), in nats.

        KL = (mean^2 + std^2 - 1)/2 - ln std (Kingma & Welling, ICLR 2014, appendix B).
        """
        kl: NDArray[np.float64] = (0.5 * (self.mean**2 + self.std**2 - 1.0) - np.log(self.std)).mean(axis=0)
        return kl

    def take(self, rows: NDArray[np.int64]) -> "LatentPosterior":
        """Return the posteriors at `rows`."""
        return LatentPosterior(self.mean[rows], self.std[rows])

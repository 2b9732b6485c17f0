"""Probabilistic principal components: the linear generator that the networks have to beat."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Arrays, Checkpoint, Reporter
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.generators.base import LatentGenerator
from spectra_core.generators.state import (
    checked_arrays,
    refuse_conditions,
    require_fitted,
    require_latent,
    require_training_set,
    scaling_shapes,
)
from spectra_core.preprocessing import Standardiser
from spectra_core.preprocessing.magnitudes import require_computable_signal
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.spectra.latent import LatentPosterior
from spectra_core.spectra.text import counted
from spectra_core.training.vae_shape import LatentDimensions

LEAST_NOISE = 1e-12
"""Share of the largest variance below which noise is rounding error; keeps the posterior's width positive."""


@dataclass
class PCAGenerator(LatentGenerator):
    """Probabilistic PCA (Tipping & Bishop, J R Stat Soc B 1999): x = W z + mean + noise, z ~ N(0, I).

    With eigenvalues l and eigenvectors U of the covariance (divisor n), noise variance s2 = the mean of the
    eigenvalues left out and W = U sqrt(l - s2), the posterior of z is normal with mean sqrt(l - s2)/l U'(x - mean)
    and variance s2/l in each dimension.

    Parameters
    ----------
    n_latent
        Number of components.
    standardise
        Whether every channel is first divided by its standard deviation, as for the networks; else centred only.
    """

    title: ClassVar[str] = "Probabilistic PCA"
    explanation: ClassVar[str] = (
        "Adds up principal components with normally distributed scores: exact, instant, and linear as Beer-Lambert is."
    )
    worth: ClassVar[str] = (
        "For whoever wants to know whether a network is worth its time: in the study it did no less than the "
        "VAE, which is nothing beyond doubt."
    )

    n_latent: LatentDimensions = 10
    standardise: bool = True

    def fit(
        self,
        train: SpectraSet,
        *,
        validation: SpectraSet | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
        checkpoint: Checkpoint | None = None,
    ) -> Self:
        """Learn mean, loadings and noise from `train`; the fit is exact, so `seed` is unused."""
        require_training_set(train, self.title)
        scaling = Standardiser.fit(train.signal)
        if not self.standardise:
            scaling = Standardiser(scaling.mean, np.ones_like(scaling.scale), scaling.constant)
        values = scaling.transform(train.signal.astype(np.float64))
        n_varying = int(np.count_nonzero(~scaling.constant))
        most = min(len(train) - 1, n_varying) - 1
        if self.n_latent > most:
            raise SpectraError(
                f"{len(train)} spectra that vary in {counted(n_varying, 'channel')} allow at most "
                f"{counted(max(most, 0), 'component')} and noise, but "
                f"{self.n_latent} were asked for. Choose fewer components or add spectra."
            )
        _, singular, directions = np.linalg.svd(values, full_matrices=False)
        variances = singular**2 / len(train)
        kept = variances[: self.n_latent]
        noise = variances[self.n_latent :].sum() / (n_varying - self.n_latent)
        self.noise_variance_ = float(max(noise, LEAST_NOISE * variances[0]))
        if kept[-1] <= self.noise_variance_:
            rank = int(np.count_nonzero(variances > self.noise_variance_))
            raise SpectraError(
                f"The spectra vary in only {rank} independent ways, but {self.n_latent} components were asked for. "
                f"Choose at most {rank}."
            )
        self.frame_, self.scaling_, self.variances_ = train.frame, scaling, kept
        self.directions_ = directions[: self.n_latent]
        reporter.progress(f"Fitting {self.title}", 1, 1)
        return self

    def encode(self, spectra: SpectraSet) -> LatentPosterior:
        """Return the exact posterior of every spectrum."""
        require_fitted(self, self.title)
        self.frame_.require_same_signal(spectra.frame)
        require_computable_signal(spectra, "new")
        scores = self.scaling_.transform(spectra.signal.astype(np.float64)) @ self.directions_.T
        mean = scores * np.sqrt(self.variances_ - self.noise_variance_) / self.variances_
        return LatentPosterior(mean, np.tile(np.sqrt(self.noise_variance_ / self.variances_), (len(mean), 1)))

    def decode(self, latent: NDArray[np.float64], conditions: pd.DataFrame | None = None) -> NDArray[np.float64]:
        """Return the mean spectrum at each latent point, without noise."""
        require_fitted(self, self.title)
        refuse_conditions(conditions, self.title)
        require_latent(latent, self.n_latent)
        scores = latent * np.sqrt(self.variances_ - self.noise_variance_)
        return np.asarray(self.scaling_.inverse(scores @ self.directions_), dtype=np.float64)

    @property
    def history_(self) -> pd.DataFrame:
        """No rows: the fit is exact."""
        return pd.DataFrame({"epoch": np.empty(0, dtype=np.int64)})

    @property
    def n_parameters(self) -> int:
        """Mean, loadings and noise variance; scaling is not counted."""
        require_fitted(self, self.title)
        return (self.n_latent + 1) * len(self.frame_.axis) + 1

    def to_arrays(self) -> Arrays:
        """Return scaling, directions and variances."""
        require_fitted(self, self.title)
        return {
            **self.scaling_.to_arrays("spectra"),
            "directions": self.directions_,
            "variances": self.variances_,
            "noise_variance": np.array([self.noise_variance_]),
        }

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a fitted state after checking it."""
        n_channels = len(frame.axis)
        shapes: dict[str, tuple[int | None, ...]] = {
            **scaling_shapes("spectra", n_channels),
            "directions": (self.n_latent, n_channels),
            "variances": (self.n_latent,),
            "noise_variance": (1,),
        }
        state = checked_arrays(arrays, shapes, self.title)
        noise = float(state["noise_variance"][0])
        if not 0 < noise < state["variances"].min():
            raise ConfigError(f"The stored noise of {self.title} does not lie below its variances. Fit it again.")
        self.frame_, self.scaling_ = frame, Standardiser.from_arrays(state, "spectra")
        self.directions_, self.variances_, self.noise_variance_ = state["directions"], state["variances"], noise
        return self

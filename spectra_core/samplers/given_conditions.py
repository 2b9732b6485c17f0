"""Latent points for chosen concentration sets, for conditional generators."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.options import Range, WithOptions
from spectra_core.samplers.base import draw_from_posteriors, require_points
from spectra_core.spectra.latent import LatentPosterior


class ConditionalSampler(Protocol):
    """Chooses a latent point for every concentration set. A frozen dataclass; never decodes."""

    title: ClassVar[str]
    explanation: ClassVar[str]

    def draw_given(
        self,
        posterior: LatentPosterior,
        train_targets: pd.DataFrame,
        conditions: pd.DataFrame,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Return latent points (n_sets, n_latent), one per row of `conditions`.

        Parameters
        ----------
        posterior
            Posteriors of the training spectra.
        train_targets : (n_spectra, n_targets)
            Concentrations of the training spectra, in the order of `posterior`.
        conditions : (n_sets, n_targets)
            Concentration sets in the same columns and units.

        Raises
        ------
        SpectraError
            When rows or columns do not belong together.
        """


@dataclass(frozen=True)
class Prior:
    """z ~ N(0, I), whatever the concentrations (Sohn, Lee & Yan, NeurIPS 2015)."""

    title: ClassVar[str] = "Prior"
    explanation: ClassVar[str] = (
        "Draws z from N(0, 1) independently of the concentrations, which is right only if z carries none of them."
    )

    def draw_given(
        self,
        posterior: LatentPosterior,
        train_targets: pd.DataFrame,
        conditions: pd.DataFrame,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Return latent points (n_sets, n_latent)."""
        _require_matching(posterior, train_targets, conditions)
        return rng.standard_normal((len(conditions), posterior.n_latent))


@dataclass(frozen=True)
class SimilarConcentrations(WithOptions):
    """z from the posterior of a training spectrum with similar concentrations.

    For every concentration set one of its `n_neighbours` nearest training spectra is picked, by Euclidean
    distance of concentrations in units of each target's standard deviation, and z is drawn from its posterior.

    Parameters
    ----------
    n_neighbours
        1 always takes the nearest spectrum; more give more variety and less similar concentrations.
    """

    title: ClassVar[str] = "Similar concentrations"
    explanation: ClassVar[str] = (
        "Draws z from the posterior of a training spectrum with similar concentrations, "
        "so that z and concentrations fit together as they do in the data."
    )

    n_neighbours: Annotated[int, Range(1, 100_000)] = 5

    def draw_given(
        self,
        posterior: LatentPosterior,
        train_targets: pd.DataFrame,
        conditions: pd.DataFrame,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Return latent points (n_sets, n_latent)."""
        _require_matching(posterior, train_targets, conditions)
        from scipy.spatial import cKDTree

        train = train_targets.to_numpy(dtype=np.float64)
        spread = train.std(axis=0)
        # A target that never varies cannot make spectra more or less similar.
        scale = np.where(train.min(axis=0) == train.max(axis=0), np.inf, spread)
        k = min(self.n_neighbours, len(train))
        # One leaf: where denormal numbers count as zero, as in worker threads, scipy splits repeated zeros without end.
        _, nearest = cKDTree(train / scale, leafsize=len(train)).query(
            conditions.to_numpy(dtype=np.float64) / scale, k=list(range(1, k + 1))
        )
        picked = nearest[np.arange(len(conditions)), rng.integers(k, size=len(conditions))]
        return draw_from_posteriors(posterior, picked, rng)


CONDITIONAL_SAMPLERS: dict[str, type[ConditionalSampler]] = {
    "prior": Prior,
    "similar_concentrations": SimilarConcentrations,
}


def _require_matching(posterior: LatentPosterior, train_targets: pd.DataFrame, conditions: pd.DataFrame) -> None:
    require_points(len(conditions))
    if len(train_targets) != len(posterior):
        raise SpectraError(
            f"There are {len(posterior)} posteriors but {len(train_targets)} rows of training concentrations. "
            "Give the targets of the spectra that were encoded."
        )
    if list(train_targets.columns) != list(conditions.columns):
        raise SpectraError(
            f"Expected concentration sets of {', '.join(map(str, train_targets.columns)) or 'no targets'}, "
            f"got {', '.join(map(str, conditions.columns)) or 'none'}. Choose the training set's targets in its order."
        )

"""Concentration sets taken straight from those of the training spectra."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd

from spectra_core.conditions.base import require_drawable
from spectra_core.options import Range, WithOptions
from spectra_core.spectra import SpectraSet


@dataclass(frozen=True)
class Resampled:
    """Concentration sets of the training spectra, picked with replacement."""

    title: ClassVar[str] = "Resampled"
    explanation: ClassVar[str] = "Takes the concentration sets of randomly picked training spectra as they are."
    needs_salts: ClassVar[bool] = False

    def draw(self, train: SpectraSet, n_sets: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return concentration sets (n_sets, n_targets), each one of the training spectra's."""
        require_drawable(train, n_sets)
        rows = rng.integers(len(train), size=n_sets)
        return train.targets.iloc[rows].reset_index(drop=True)


@dataclass(frozen=True)
class ConvexMixtures(WithOptions):
    """Concentrations of solutions made by mixing training solutions, c = sum of w_i c_i with w ~ Dirichlet.

    Mixtures never leave the convex hull of the data and keep every linear relation in it, charge balance
    included.

    Parameters
    ----------
    n_parents
        Solutions in a mixture, picked with replacement. More parents pull mixtures to the middle of the data.
    evenness
        Parameter of the symmetric Dirichlet distribution: 1 makes all proportions equally likely, less lets one
        solution dominate, more mixes evenly.
    """

    title: ClassVar[str] = "Convex mixtures"
    explanation: ClassVar[str] = (
        "Mixes a few measured solutions in random proportions, so that sets stay within the data's convex hull "
        "and charge-balanced where the data are."
    )
    needs_salts: ClassVar[bool] = False

    n_parents: Annotated[int, Range(2, 1000)] = 3
    evenness: Annotated[float, Range(1e-6, 1e6)] = 1.0

    def draw(self, train: SpectraSet, n_sets: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return concentration sets (n_sets, n_targets) within the convex hull of the training sets."""
        require_drawable(train, n_sets)
        parents = train.target_values[rng.integers(len(train), size=(n_sets, self.n_parents))]
        proportions = rng.dirichlet(np.full(self.n_parents, self.evenness), size=n_sets)
        return pd.DataFrame(np.einsum("sp,spt->st", proportions, parents), columns=list(train.target_names))

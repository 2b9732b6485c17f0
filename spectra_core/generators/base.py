"""What every generator of spectra offers.

A generator is a dataclass: its fields are its whole configuration (JSON values), its fitted attributes end
in ``_``, and its fitted state is a dict of named arrays.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Arrays, Checkpoint, Reporter
from spectra_core.options import WithOptions
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.spectra.latent import LatentPosterior
from spectra_core.training.cost import usual_cost
from spectra_core.training.fast import FastTraining


class Generator(WithOptions, ABC):
    """A model of spectra that can be fitted and asked for new ones."""

    title: ClassVar[str]
    """Name on the page."""
    explanation: ClassVar[str]
    """One sentence: what it does, in the field's words."""
    needs_conditions: ClassVar[bool] = False
    """Whether new spectra are asked for at chosen concentrations."""
    worth: ClassVar[str]
    """One sentence: for whom it is worth its cost, as far as the study tells."""
    cautions: ClassVar[Mapping[str, str]] = {}
    """By name of a regressor: what its generated rows were seen to do to it, in one sentence."""
    study_options: ClassVar[Mapping[str, Any]] = {}
    """Options in ready-made experiments, where they differ from the defaults."""
    fast: ClassVar[FastTraining | None] = None
    """How it is trained in the fast mode of these; None where that is no different."""

    frame_: Frame
    """Axis, signal quantity and targets of the training set; set by `fit` and `from_arrays`."""

    @abstractmethod
    def fit(
        self,
        train: SpectraSet,
        *,
        validation: SpectraSet | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
        checkpoint: Checkpoint | None = None,
    ) -> Self:
        """Learn from `train`; `validation` is for curves only and never changes the result.

        Raises
        ------
        SpectraError
            When the set is too small or lacks what the generator needs.
        TrainingError
            At the first non-finite loss, naming epoch and cause.
        """

    def cost(self, n_rows: int, n_channels: int) -> float:
        """Return Gflop of a fit, estimated, for the progress of experiments and their running times."""
        return usual_cost(self, n_rows, n_channels)

    def drawing_cost(self, n_spectra: int, n_channels: int) -> float:
        """Return Gflop of making spectra; of most generators nothing beside a fit."""
        return 0.0

    @property
    @abstractmethod
    def history_(self) -> pd.DataFrame:
        """Training curve, one row per epoch (empty for exact fits): ``epoch`` and the loss parts."""

    @abstractmethod
    def to_arrays(self) -> Arrays:
        """Return the fitted state; numbers, never objects."""

    @abstractmethod
    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a fitted state, after checking names, shapes and finiteness; return self.

        Raises
        ------
        ConfigError
            When the arrays do not fit this configuration.
        """


class LatentGenerator(Generator):
    """A generator with a latent space: spectra are encoded to posteriors, latent points are decoded."""

    n_latent: int

    @abstractmethod
    def encode(self, spectra: SpectraSet) -> LatentPosterior:
        """Return the posterior of every spectrum, in float64."""

    @abstractmethod
    def decode(self, latent: NDArray[np.float64], conditions: pd.DataFrame | None = None) -> NDArray[np.float64]:
        """Return spectra (n_points, n_channels) in the unit of the training set.

        Parameters
        ----------
        latent : (n_points, n_latent)
        conditions : (n_points, n_targets)
            Concentrations in the unit of the training set, for generators with `needs_conditions`; else None.
        """


class DirectGenerator(Generator):
    """A generator that makes spectra from training spectra directly, without a latent space."""

    @abstractmethod
    def generate(self, n_spectra: int, rng: np.random.Generator) -> SpectraSet:
        """Return new spectra with targets and the sample column ``parent``; origin is "generated"."""

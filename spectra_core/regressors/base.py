"""What every regressor (spectrum to concentrations) offers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pandas as pd

from spectra_core.contracts import SILENT, Arrays, Budget, Reporter
from spectra_core.options import WithOptions
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.training.cost import usual_cost
from spectra_core.training.fast import FastTraining


@dataclass(frozen=True, eq=False)
class FitTask:
    """One fit among many: what to train on, for how long, with which seed.

    Parameters
    ----------
    train
        Training spectra with targets.
    seed
        Decides initial weights and order of rows of this fit alone.
    budget
        Overrides the regressor's own; ignored by regressors without optimiser steps.
    name
        What it is called where it fails beside others.
    """

    train: SpectraSet
    seed: int
    budget: Budget | None = None
    name: str = ""


class Regressor(WithOptions, ABC):
    """Predicts all targets of a spectrum. A dataclass whose fields are its configuration (JSON values)."""

    title: ClassVar[str]
    explanation: ClassVar[str]
    has_steps: ClassVar[bool] = False
    """Whether it is trained by optimiser steps, so that a step-matched control differs from the baseline."""
    study_options: ClassVar[Mapping[str, Any]] = {}
    """Options in ready-made experiments, where they differ from the defaults."""
    fast: ClassVar[FastTraining | None] = None
    """How it is trained in the fast mode of these; None where that is no different."""

    frame_: Frame
    """Axis, signal quantity and targets of the training set; set by `fit` and `from_arrays`."""
    notes_: tuple[str, ...] = ()
    """Sentences on what the fit could not do as usual, such as a target that is constant."""

    @abstractmethod
    def fit(
        self,
        train: SpectraSet,
        *,
        budget: Budget | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
    ) -> Self:
        """Learn all targets of `train`; return self.

        Raises
        ------
        SpectraError
            When there are too few spectra or no targets.
        """

    def cost(self, n_rows: int, n_channels: int, n_targets: int) -> float:
        """Return Gflop of a fit, estimated, for the progress of experiments and their running times."""
        return usual_cost(self, n_rows, n_channels)

    def parts(self, n_rows: int) -> "Sequence[tuple[Regressor, float]]":
        """Return the regressors that a fit of `n_rows` spectra is made of, and how often each: all add up to `cost`."""
        return [(self, 1.0)]

    @abstractmethod
    def predict(self, spectra: SpectraSet) -> pd.DataFrame:
        """Return predicted targets (n_spectra, n_targets) in the units of the training set."""

    def fit_many(
        self, tasks: Sequence[FitTask], *, n_workers: int = 1, reporter: Reporter = SILENT
    ) -> "Sequence[Regressor]":
        """Fit a fresh copy of this configuration for every task; results are as if fitted one by one.

        Members that can train several at once override this.
        """
        from dataclasses import replace

        fitted: list[Regressor] = []
        for number, task in enumerate(tasks):
            fresh = replace(self)  # type: ignore[type-var]  # every member is a dataclass
            fitted.append(fresh.fit(task.train, budget=task.budget, seed=task.seed))
            reporter.progress(f"Fitting {self.title}", number + 1, len(tasks))
        return fitted

    @abstractmethod
    def to_arrays(self) -> Arrays:
        """Return the fitted state; numbers, never objects."""

    @abstractmethod
    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a fitted state after checking it; return self."""

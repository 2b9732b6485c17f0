"""A regressor with preprocessing of the spectra before it, fitted on the same training spectra."""

from collections.abc import Sequence
from typing import ClassVar, Self

import pandas as pd

from spectra_core.contracts import SILENT, Arrays, Budget, Reporter
from spectra_core.preprocessing import Preprocessing
from spectra_core.regressors.base import Regressor
from spectra_core.spectra import Frame, SpectraSet


class Preprocessed(Regressor):
    """Fits every step on the training spectra as the steps before left them, then the regressor.

    Not in the registry: it is made of members of two.

    Parameters
    ----------
    regressor
        Sees spectra after all steps.
    steps
        In the order they are done.
    """

    title: ClassVar[str] = "Regressor after preprocessing"
    explanation: ClassVar[str] = "Changes the spectra step by step, each fitted on training spectra, then calibrates."

    def __init__(self, regressor: Regressor, steps: Sequence[Preprocessing]) -> None:
        self.regressor = regressor
        self.steps = tuple(steps)

    def fit(
        self,
        train: SpectraSet,
        *,
        budget: Budget | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
    ) -> Self:
        """Fit steps and regressor on `train`; return self."""
        self.frame_ = train.frame
        for step in self.steps:
            train = step.fit(train).transform(train)
        self.regressor.fit(train, budget=budget, seed=seed, reporter=reporter)
        self.notes_ = self.regressor.notes_
        return self

    def predict(self, spectra: SpectraSet) -> pd.DataFrame:
        """Return predicted targets (n_spectra, n_targets) in the units of the training set."""
        for step in self.steps:
            spectra = step.transform(spectra)
        return self.regressor.predict(spectra)

    def to_arrays(self) -> Arrays:
        """Return the state of every step and of the regressor, by prefix."""
        parts = {f"step{number}": step.to_arrays() for number, step in enumerate(self.steps)}
        parts["regressor"] = self.regressor.to_arrays()
        return {f"{prefix}.{name}": values for prefix, part in parts.items() for name, values in part.items()}

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a fitted state after checking it; return self."""
        self.frame_ = frame
        for number, step in enumerate(self.steps):
            frame = step.from_arrays(_under(f"step{number}.", arrays), frame).frame_after
        self.regressor.from_arrays(_under("regressor.", arrays), frame)
        self.notes_ = self.regressor.notes_
        return self


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}

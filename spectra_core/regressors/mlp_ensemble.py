"""Several of the study's networks, averaged: what a person could do without generating anything."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Arrays, Budget, Reporter, derived_seed
from spectra_core.errors import ConfigError
from spectra_core.options import Range
from spectra_core.regressors.base import FitTask, Regressor
from spectra_core.regressors.mlp import MLP, NetworkOptions, fitted_in_threads
from spectra_core.regressors.state import require_calibration_set, require_fitted, target_table
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.training.devices import CPU, trained_on

Members = Annotated[int, Range(2, 100)]


@dataclass(eq=False)
class MLPEnsemble(NetworkOptions, Regressor):
    """Mean prediction of several MLPs that differ by initial weights and order of the spectra.

    A deep ensemble without adversarial training (Lakshminarayanan, Pritzel & Blundell, NeurIPS 2017). The members'
    spread shows where they disagree; it does not contain the noise of the spectra.

    Parameters
    ----------
    n_members
        Networks per target. Other options as in `NetworkOptions`.

    Attributes
    ----------
    members_
        Fitted MLPs.
    """

    title: ClassVar[str] = "MLP ensemble"
    explanation: ClassVar[str] = "Several of the study's networks trained from different starts, and their mean taken."
    has_steps: ClassVar[bool] = True

    n_members: Members = 5
    members_: list[MLP] = field(init=False, repr=False)

    def cost(self, n_rows: int, n_channels: int, n_targets: int) -> float:
        """Return Gflop of all members."""
        return self.n_members * super().cost(n_rows, n_channels, n_targets)

    def fit(
        self,
        train: SpectraSet,
        *,
        budget: Budget | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
    ) -> Self:
        """Train all members on `train`, each for the whole budget; return self."""
        require_calibration_set(train)
        members = self._member().fit_many(self._member_tasks(FitTask(train, seed, budget)), reporter=reporter)
        self._gather(members, train.frame)
        return self

    def predict(self, spectra: SpectraSet) -> pd.DataFrame:
        """Return the members' mean prediction (n_spectra, n_targets) in the units of the training set."""
        return target_table(self._predictions(spectra).mean(axis=0), self.frame_)

    def fit_many(
        self, tasks: Sequence[FitTask], *, n_workers: int = 1, reporter: Reporter = SILENT
    ) -> "list[MLPEnsemble]":
        """Fit a fresh copy for every task, as `MLP.fit_many`; on an accelerator all members of all together."""
        if trained_on(self.device) == CPU:
            return fitted_in_threads(self, tasks, n_workers, reporter)
        members = self._member().fit_many(
            [one for task in tasks for one in self._member_tasks(task)], reporter=reporter
        )
        fresh = [replace(self) for _ in tasks]
        for number, (one, task) in enumerate(zip(fresh, tasks, strict=True)):
            one._gather(members[number * self.n_members : (number + 1) * self.n_members], task.train.frame)
        return fresh

    def to_arrays(self) -> Arrays:
        """Return the state of every member under its number."""
        require_fitted(self, self.title)
        return {
            f"member{number}.{name}": values
            for number, member in enumerate(self.members_)
            for name, values in member.to_arrays().items()
        }

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a fitted state after checking it; return self."""
        parts: list[Arrays] = [{} for _ in range(self.n_members)]
        for name, values in arrays.items():
            prefix, _, rest = name.partition(".")
            number = prefix.removeprefix("member")
            if not (prefix.startswith("member") and number.isdecimal() and int(number) < self.n_members):
                raise ConfigError(
                    f"The stored array {name!r} belongs to none of the {self.n_members} members of {self.title!r}. "
                    "The file belongs to another model or is damaged."
                )
            parts[int(number)][rest] = values
        self._gather([self._member().from_arrays(part, frame) for part in parts], frame)
        return self

    def _predictions(self, spectra: SpectraSet) -> NDArray[np.float64]:
        """Return every member's prediction, (n_members, n_spectra, n_targets)."""
        require_fitted(self, self.title)
        return np.stack([member.predict(spectra).to_numpy() for member in self.members_])

    def _member(self) -> MLP:
        return MLP(**{option.name: getattr(self, option.name) for option in fields(NetworkOptions) if option.init})

    def _member_tasks(self, task: FitTask) -> list[FitTask]:
        seeds = [derived_seed(task.seed, "member", number) for number in range(self.n_members)]
        return [replace(task, seed=seed) for seed in seeds]

    def _gather(self, members: Sequence[MLP], frame: Frame) -> None:
        self.members_ = list(members)
        self.frame_, self.notes_, self.device_ = frame, members[0].notes_, members[0].device_

"""What is known of a training before it begins: rows, start, loss and plan of the networks of one training set."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from spectra_core.training.plan import Plan

Floats = NDArray[np.floating[Any]]
Figures = NDArray[np.float64]
Curve = dict[str, Figures]


class Training(ABC):
    """The networks of one training set. Both engines train it: `autograd.AutogradEngine`, `compiled.CompiledEngine`.

    The loss of a batch is the sum of `parts` over its rows, each part times its weight, over the number of rows.
    """

    plan: Plan
    stage: str
    """What it is called, in progress and where it diverges."""
    dtype: Any
    """Precision: float32, or float64 to compare with other implementations."""

    @property
    @abstractmethod
    def tables(self) -> tuple[Floats, ...]:
        """What the networks see and what they are to tell, each (n_rows, width)."""

    @property
    @abstractmethod
    def part_weights(self) -> tuple[float, ...]:
        """Weight of each part of the loss."""

    @abstractmethod
    def start(self) -> dict[str, Floats]:
        """Draw the initial parameters, by name, in the order that the compiled epoch expects."""

    def noise(self, epoch: int) -> Tensor | None:
        """Draw the noise of an epoch, (n_rows, width), where there is any."""
        return None

    @abstractmethod
    def parts(self, parameters: Mapping[str, Tensor], rows: tuple[Tensor, ...], noise: Tensor | None) -> Tensor:
        """Return the parts of the loss of every row, for many trainings of this `kind` at once.

        Parameters
        ----------
        parameters
            Those of `start`, stacked over trainings.
        rows, noise
            Rows of `tables` and of `noise`, (n_trainings, n_rows, width) each.

        Returns
        -------
        Tensor (n_trainings, n_parts, n_rows)
        """

    @property
    @abstractmethod
    def compiled(self) -> Any:
        """The same as a compiled epoch: from `compiled_arguments` and the optimiser's to the sum of parts."""

    @abstractmethod
    def compiled_arguments(self, order: NDArray[np.int64], noise: NDArray[Any] | None) -> tuple[Any, ...]:
        """Return the first arguments of `compiled`; `noise` is in the order of the steps."""

    @abstractmethod
    def figures(self, epoch: int, parts: Figures, parameters: Mapping[str, Tensor]) -> dict[str, float]:
        """Name the loss and its parts, averaged over the rows of an epoch; `parameters` are stacked."""

    @abstractmethod
    def mean_squared_error(self, parts: Figures) -> float:
        """Return the error per standardised value from the same averages: 1 for predicting the mean."""

    @property
    @abstractmethod
    def sizes(self) -> Hashable:
        """Sizes and loss of the networks."""

    @property
    def n_rows(self) -> int:
        """Rows of the training set."""
        return len(self.tables[0])

    @property
    def batch_size(self) -> int:
        """Rows of a full step."""
        return min(self.plan.batch_size, self.n_rows)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of a whole epoch; the last takes what is left."""
        return -(-self.n_rows // self.plan.batch_size)

    @property
    def n_steps(self) -> int:
        """Steps of the whole training."""
        return self.plan.budget.total_steps(self.n_rows, self.plan.batch_size)

    @property
    def kind(self) -> Hashable:
        """What trainings have in common that can be advanced together: sizes, and the plan but for its seed."""
        plan = replace(self.plan, seed=0)
        return type(self), self.sizes, np.dtype(self.dtype).name, plan, self.steps_per_epoch, self.n_steps

    def identity(self) -> bytes:
        """Digest of data and configuration, so that a checkpoint of other work is not taken up."""
        return digest_of(self.sizes, *self.tables)


def digest_of(*parts: Any) -> bytes:
    """Return the sha256 of arrays (content) and of anything else (its repr)."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(np.ascontiguousarray(part).data if isinstance(part, np.ndarray) else repr(part).encode())
    return digest.digest()

"""The training loop: shuffled minibatches, Adam, progress and cancel per epoch, resume from a checkpoint."""

import hashlib
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectra_core import __version__
from spectra_core.contracts import SILENT, Arrays, Cancelled, Checkpoint, Reporter, random_stream
from spectra_core.errors import TrainingError
from spectra_core.training.adam import Adam
from spectra_core.training.compiling import tell_compiling
from spectra_core.training.parallel import one_numerical_thread
from spectra_core.training.parameters import FlatParameters
from spectra_core.training.plan import Plan

EPOCHS_BETWEEN_CHECKPOINTS = 10
"""A crash costs at most these; writing the state takes less time than one epoch."""

HOPELESS_ERROR = 1000.0
"""Mean squared error, in units of the spread of the training values, from which training counts as diverged: what
predicts the mean has 1, and Adam at a sane rate never comes near."""
NOT_FINITE = "the loss is no longer finite"
HOPELESS = f"the error is more than {HOPELESS_ERROR:g} times that of predicting the mean"


class Network(Protocol):
    """What the loop needs of a network that holds its training rows."""

    parameters: FlatParameters
    n_rows: int

    def start_epoch(self, epoch: int, order: Tensor) -> None:
        """Bring the training rows into `order` (n_rows,) for the steps of this epoch, counted from 1."""

    def torch_epoch(self, batch_size: int, adam: Adam, rates: list[float]) -> NDArray[np.float64]:
        """Do as many steps of an epoch as there are rates; return the loss parts, summed over the rows seen."""

    @property
    def compiled(self) -> Any:
        """What `compiled_epoch` calls, compiled at its first call."""

    def compiled_epoch(self, batch_size: int, steps: tuple[Any, ...]) -> NDArray[np.float64]:
        """Do the same compiled by numba, given `Adam.compiled_steps`."""

    def figures(self, epoch: int, parts: NDArray[np.float64]) -> dict[str, float]:
        """Name the loss parts, averaged over the rows of the epoch."""

    def mean_squared_error(self, parts: NDArray[np.float64]) -> float:
        """Return the error per standardised value from the same averages: 1 for predicting the mean."""

    def identity(self) -> bytes:
        """Digest of data and configuration, so that a checkpoint of other work is not taken up."""


def train(
    network: Network,
    plan: Plan,
    *,
    stage: str,
    reporter: Reporter = SILENT,
    checkpoint: Checkpoint | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Train `network` in place and return its curve: each figure by name, (n_epochs,).

    Raises
    ------
    TrainingError
        At the first epoch whose loss is not finite or hopeless, naming the epoch and the likely cause.
    Cancelled
        When the person asked to stop; the checkpoint then holds the last epoch.
    """
    with one_numerical_thread(), torch.no_grad():
        return _Run(network, plan, stage, reporter, checkpoint).to_the_end()


class _Run:
    """One training: network, optimiser, curve, and where they are kept."""

    def __init__(
        self, network: Network, plan: Plan, stage: str, reporter: Reporter, checkpoint: Checkpoint | None
    ) -> None:
        self.network, self.plan, self.stage = network, plan, stage
        self.reporter, self.checkpoint = reporter, checkpoint
        self.curve: dict[str, list[float]] = {}
        self.epochs_done = 0
        self.adam = Adam(network.parameters)
        self.steps_per_epoch = -(-network.n_rows // plan.batch_size)
        self.n_steps = plan.budget.total_steps(network.n_rows, plan.batch_size)
        self.n_epochs = -(-self.n_steps // self.steps_per_epoch)

    def to_the_end(self) -> dict[str, NDArray[np.float64]]:
        self._resume()
        while self.epochs_done < self.n_epochs:
            figures = self._epoch(self.epochs_done + 1)
            self.epochs_done += 1
            for name, value in figures.items():
                self.curve.setdefault(name, []).append(value)
            if self.epochs_done % EPOCHS_BETWEEN_CHECKPOINTS == 0:
                self._keep()
            try:
                self.reporter.progress(self.stage, self.epochs_done, self.n_epochs, figures)
            except Cancelled:
                self._keep()
                raise
        return {name: np.array(values) for name, values in self.curve.items()}

    def _epoch(self, epoch: int) -> dict[str, float]:
        network, plan = self.network, self.plan
        order = random_stream(plan.seed, "order", epoch).permutation(network.n_rows)
        network.start_epoch(epoch, torch.from_numpy(order))
        first_step = (epoch - 1) * self.steps_per_epoch
        n_steps = min(self.steps_per_epoch, self.n_steps - first_step)
        rates = [plan.rate(first_step + number, self.n_steps) for number in range(n_steps)]
        if plan.kernels == "torch":
            parts = network.torch_epoch(plan.batch_size, self.adam, rates)
        else:
            tell_compiling(network.compiled, self.reporter)
            parts = network.compiled_epoch(plan.batch_size, self.adam.compiled_steps(rates))
        n_seen = min(n_steps * plan.batch_size, network.n_rows)
        averages = parts / n_seen
        # The parameters too: the very last step may have spoilt what the loss has not seen yet. A sum passes on what is
        # not finite.
        if not (np.isfinite(averages).all() and torch.isfinite(network.parameters.flat.sum())):
            raise TrainingError(diverged(self.stage, self.plan, epoch, self.n_epochs, NOT_FINITE))
        if network.mean_squared_error(averages) > HOPELESS_ERROR:
            raise TrainingError(diverged(self.stage, self.plan, epoch, self.n_epochs, HOPELESS))
        return network.figures(epoch, averages)

    def _keep(self) -> None:
        if self.checkpoint is None or self.epochs_done == self.n_epochs:
            return
        kept: Arrays = {f"curve.{name}": np.array(values) for name, values in self.curve.items()}
        kept["identity"] = self._identity()
        kept["epochs_done"] = np.array(self.epochs_done)
        kept["parameters"] = self.network.parameters.flat.numpy().copy()
        kept["first_moment"] = self.adam.first_moment.numpy().copy()
        kept["second_moment"] = self.adam.second_moment.numpy().copy()
        self.checkpoint.save(kept)

    def _resume(self) -> None:
        kept = self.checkpoint.load() if self.checkpoint is not None else None
        if kept is None or not np.array_equal(kept.get("identity", np.empty(0)), self._identity()):
            return
        self.epochs_done = int(kept["epochs_done"])
        self.curve = {
            name.removeprefix("curve."): values.tolist() for name, values in kept.items() if name.startswith("curve.")
        }
        self.network.parameters.flat.copy_(torch.from_numpy(kept["parameters"]))
        self.adam.first_moment.copy_(torch.from_numpy(kept["first_moment"]))
        self.adam.second_moment.copy_(torch.from_numpy(kept["second_moment"]))
        self.adam.n_steps.fill_(self.epochs_done * self.steps_per_epoch)
        self.reporter.message(f"{self.stage} goes on after epoch {self.epochs_done} of {self.n_epochs}.")

    def _identity(self) -> NDArray[np.uint8]:
        digest = hashlib.sha256(repr((__version__, self.plan)).encode())
        digest.update(self.network.identity())
        return np.frombuffer(digest.digest(), dtype=np.uint8)


def diverged(stage: str, plan: Plan, epoch: int, n_epochs: int, sign: str) -> str:
    """Say which training diverged, when, how that shows, and what to do."""
    rate = f"learning rate {plan.learning_rate:g}"
    advice = (
        f"The {rate} is likely too high; try {min(1e-3, plan.learning_rate / 10):g}."
        if plan.learning_rate > 1e-3
        else f"With {rate} look for extreme values in the spectra first, then lower it tenfold."
    )
    return f"{stage} diverged in epoch {epoch} of {n_epochs}: {sign}. {advice}"


def digest_of(*parts: Any) -> bytes:
    """Return the sha256 of arrays (content) and of anything else (its repr)."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(np.ascontiguousarray(part).data if isinstance(part, np.ndarray) else repr(part).encode())
    return digest.digest()

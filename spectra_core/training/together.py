"""Many equal trainings advanced together, each exactly as if alone: what keeps an accelerator busy.

One optimiser step of all of them is one batched matrix product per layer and one call of Adam, and the rows of all lie
on the device throughout. Every training has its own rows, order of rows and noise, drawn from the streams that
`loop.train` draws from, so that the numbers are those of single trainings up to rounding.
"""

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectra_core import __version__
from spectra_core.contracts import SILENT, Arrays, Cancelled, Checkpoint, Reporter, random_stream
from spectra_core.errors import TrainingError
from spectra_core.training.adam import Adam
from spectra_core.training.loop import EPOCHS_BETWEEN_CHECKPOINTS, HOPELESS, HOPELESS_ERROR, NOT_FINITE, diverged
from spectra_core.training.parallel import one_numerical_thread, run_in_threads
from spectra_core.training.parameters import FlatParameters
from spectra_core.training.plan import Plan

Curve = dict[str, NDArray[np.float64]]
One = TypeVar("One", bound="Training")
Trained = TypeVar("Trained")

MOST_VALUES = 500_000_000
"""Numbers that the rows of trainings advanced together may hold (2 GB in float32); more are trained in turn."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What all trainings see in one step; one with fewer rows than the others repeats a row that does not count.

    Parameters
    ----------
    rows : (n_trainings, n)
        In the table that holds the rows of all trainings, one training below the other.
    start
        Place of the first in the order of the epoch.
    n_rows : (n_trainings, 1, 1)
        Rows that count.
    counts : (n_trainings, n, 1)
        1 where a row counts, else 0; None where all do.
    """

    rows: Tensor
    start: int
    n_rows: Tensor
    counts: Tensor | None


class Stack(Protocol):
    """Networks of one shape with their training rows, all on one device."""

    parameters: FlatParameters
    n_rows: tuple[int, ...]
    device: str

    def start_epoch(self, epoch: int) -> None:
        """Draw the noise of the whole epoch, counted from 1, where there is any."""

    def step(self, batch: Batch) -> Tensor:
        """Write the gradient of every training's loss; return its parts (n_trainings, n_parts), summed over rows."""

    def figures(self, number: int, epoch: int, parts: NDArray[np.float64]) -> dict[str, float]:
        """Name the loss parts of one training, averaged over the rows of the epoch."""

    def mean_squared_error(self, number: int, parts: NDArray[np.float64]) -> float:
        """Return the error of one training per standardised value from the same averages."""

    def identity(self) -> bytes:
        """Digest of data and configuration."""


def equal_stacks(kinds: Sequence[Hashable], n_values: Sequence[int]) -> list[list[int]]:
    """Return which trainings are advanced together: those of one kind, up to `MOST_VALUES` numbers.

    >>> equal_stacks(["a", "b", "a"], [1, 1, 1])
    [[0, 2], [1]]
    """
    stacks: list[list[int]] = []
    open_ones: dict[Hashable, list[int]] = {}
    for number, kind in enumerate(kinds):
        stack = open_ones.get(kind)
        if stack is None or sum(n_values[one] for one in (*stack, number)) > MOST_VALUES:
            stack = open_ones[kind] = []
            stacks.append(stack)
        stack.append(number)
    return stacks


class Training(Protocol):
    """What is known of a training before it begins."""

    @property
    def kind(self) -> Hashable:
        """What trainings have in common that can be advanced together."""

    @property
    def n_values(self) -> int:
        """How many numbers its rows hold."""


def in_stacks(
    trainings: Sequence[One], do: Callable[[Sequence[One], Reporter], list[Trained]], reporter: Reporter
) -> list[Trained]:
    """Call `do` with every group of trainings that can be advanced together, in turn; return what came of each."""
    stacks = equal_stacks([one.kind for one in trainings], [one.n_values for one in trainings])
    jobs = [partial(do, [trainings[number] for number in numbers]) for numbers in stacks]
    found: dict[int, Trained] = {}
    for numbers, trained in zip(stacks, run_in_threads(jobs, reporter=reporter), strict=True):
        found |= dict(zip(numbers, trained, strict=True))
    return [found[number] for number in range(len(trainings))]


def length_of(plan: Plan, n_rows: int) -> Hashable:
    """Return what trainings must share to keep step: the plan but for its seed, and the number of steps."""
    return replace(plan, seed=0), -(-n_rows // plan.batch_size), plan.budget.total_steps(n_rows, plan.batch_size)


def train_stack(
    stack: Stack,
    plans: Sequence[Plan],
    *,
    stages: Sequence[str],
    reporter: Reporter = SILENT,
    checkpoint: Checkpoint | None = None,
) -> list[Curve]:
    """Train all networks of `stack` in place and return the curve of each, as `loop.train` does.

    Parameters
    ----------
    plans
        One per training, of equal `length_of`.
    stages
        What each is called, in progress and where it diverges.

    Raises
    ------
    TrainingError
        At the first epoch in which one of them diverges, naming it.
    Cancelled
        When the person asked to stop; the checkpoint then holds the last epoch.
    """
    with one_numerical_thread(), torch.no_grad():
        return _Run(stack, plans, stages, reporter, checkpoint).to_the_end()


class _Run:
    """All trainings, their optimiser and curves, and where they are kept."""

    def __init__(
        self,
        stack: Stack,
        plans: Sequence[Plan],
        stages: Sequence[str],
        reporter: Reporter,
        checkpoint: Checkpoint | None,
    ) -> None:
        self.stack, self.plans, self.stages = stack, plans, stages
        self.reporter, self.checkpoint = reporter, checkpoint
        self.adam = Adam(stack.parameters)
        self.curves: list[dict[str, list[float]]] = [{} for _ in plans]
        self.epochs_done = 0
        self.batch_size = plans[0].batch_size
        self.steps_per_epoch = -(-stack.n_rows[0] // self.batch_size)
        self.n_steps = plans[0].budget.total_steps(stack.n_rows[0], self.batch_size)
        self.n_epochs = -(-self.n_steps // self.steps_per_epoch)
        self.offsets = [0, *accumulate(stack.n_rows)][:-1]

    def to_the_end(self) -> list[Curve]:
        self._resume()
        while self.epochs_done < self.n_epochs:
            figures = self._epoch(self.epochs_done + 1)
            self.epochs_done += 1
            for curve, values in zip(self.curves, figures, strict=True):
                for name, value in values.items():
                    curve.setdefault(name, []).append(value)
            if self.epochs_done % EPOCHS_BETWEEN_CHECKPOINTS == 0:
                self._keep()
            try:
                # Curves of several would be mixed.
                shown = figures[0] if len(figures) == 1 else None
                self.reporter.progress(self.stages[0], self.epochs_done, self.n_epochs, shown)
            except Cancelled:
                self._keep()
                raise
        return [{name: np.array(values) for name, values in curve.items()} for curve in self.curves]

    def _epoch(self, epoch: int) -> list[dict[str, float]]:
        stack, plan = self.stack, self.plans[0]
        stack.start_epoch(epoch)
        first_step = (epoch - 1) * self.steps_per_epoch
        n_steps = min(self.steps_per_epoch, self.n_steps - first_step)
        parts: Tensor | None = None
        for number, batch in enumerate(self._batches(epoch)[:n_steps]):
            new = stack.step(batch)
            parts = new if parts is None else parts.add_(new)
            self.adam.step(plan.rate(first_step + number, self.n_steps))
        assert parts is not None
        n_seen = np.minimum(n_steps * self.batch_size, np.array(stack.n_rows))
        averages = parts.double().cpu().numpy() / n_seen[:, None]
        self._require_sane(epoch, averages)
        return [stack.figures(number, epoch, own) for number, own in enumerate(averages)]

    def _batches(self, epoch: int) -> list[Batch]:
        """Return what is seen in every step of an epoch, in the order of each training's own stream."""
        size, n_rows = self.batch_size, self.stack.n_rows
        table = np.empty((len(n_rows), self.steps_per_epoch * size), dtype=np.int64)
        for number, (plan, n, offset) in enumerate(zip(self.plans, n_rows, self.offsets, strict=True)):
            table[number, :n] = offset + random_stream(plan.seed, "order", epoch).permutation(n)
            table[number, n:] = offset
        rows = torch.from_numpy(table).to(self.stack.device)
        before_last = (self.steps_per_epoch - 1) * size
        left = [n - before_last for n in n_rows]
        full = self._columns([size] * len(n_rows))
        batches = [Batch(rows[:, start : start + size], start, full, None) for start in range(0, before_last, size)]
        counts = None
        if min(left) < max(left):
            counting = np.arange(max(left))[None, :, None] < np.array(left)[:, None, None]
            counts = torch.from_numpy(counting).to(self.stack.device, self.stack.parameters.flat.dtype)
        last = rows[:, before_last : before_last + max(left)]
        return [*batches, Batch(last, before_last, self._columns(left), counts)]

    def _columns(self, values: list[int]) -> Tensor:
        flat = self.stack.parameters.flat
        return torch.tensor(values, dtype=flat.dtype, device=flat.device)[:, None, None]

    def _require_sane(self, epoch: int, averages: NDArray[np.float64]) -> None:
        flat, n = self.stack.parameters, len(self.plans)
        # The parameters too: the very last step may have spoilt what the loss has not seen yet.
        finite: NDArray[np.bool_] = np.asarray(np.isfinite(averages).all(axis=1))
        if not torch.isfinite(flat.flat).all():
            for value in flat.values.values():
                finite &= torch.isfinite(value).reshape(n, -1).all(dim=1).cpu().numpy()
        for number, (plan, stage) in enumerate(zip(self.plans, self.stages, strict=True)):
            if not finite[number]:
                raise TrainingError(diverged(stage, plan, epoch, self.n_epochs, NOT_FINITE))
            if self.stack.mean_squared_error(number, averages[number]) > HOPELESS_ERROR:
                raise TrainingError(diverged(stage, plan, epoch, self.n_epochs, HOPELESS))

    def _keep(self) -> None:
        if self.checkpoint is None or self.epochs_done == self.n_epochs:
            return
        kept: Arrays = {
            f"curve.{number}.{name}": np.array(values)
            for number, curve in enumerate(self.curves)
            for name, values in curve.items()
        }
        kept |= {"identity": self._identity(), "epochs_done": np.array(self.epochs_done)}
        kept |= {name: tensor.cpu().numpy().copy() for name, tensor in self._state().items()}
        self.checkpoint.save(kept)

    def _resume(self) -> None:
        kept = self.checkpoint.load() if self.checkpoint is not None else None
        if kept is None or not np.array_equal(kept.get("identity", np.empty(0)), self._identity()):
            return
        self.epochs_done = int(kept["epochs_done"])
        for name, values in kept.items():
            if name.startswith("curve."):
                _, number, figure = name.split(".", 2)
                self.curves[int(number)][figure] = values.tolist()
        for name, tensor in self._state().items():
            tensor.copy_(torch.from_numpy(kept[name]))
        self.adam.n_steps.fill_(self.epochs_done * self.steps_per_epoch)
        self.reporter.message(f"{self.stages[0]} goes on after epoch {self.epochs_done} of {self.n_epochs}.")

    def _state(self) -> dict[str, Tensor]:
        return {
            "parameters": self.stack.parameters.flat,
            "first_moment": self.adam.first_moment,
            "second_moment": self.adam.second_moment,
        }

    def _identity(self) -> NDArray[np.uint8]:
        digest = hashlib.sha256(repr((__version__, self.stack.device, tuple(self.plans))).encode())
        digest.update(self.stack.identity())
        return np.frombuffer(digest.digest(), dtype=np.uint8)

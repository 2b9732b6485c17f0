"""The training loop: shuffled minibatches, progress and cancel per epoch, resume from a checkpoint."""

import hashlib
from collections.abc import Hashable, Sequence
from functools import partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectra_core import __version__
from spectra_core.contracts import SILENT, Arrays, Cancelled, Checkpoint, Reporter, random_stream
from spectra_core.errors import TrainingError
from spectra_core.training.autograd import AutogradEngine
from spectra_core.training.compiled import CompiledEngine
from spectra_core.training.compiling import tell_compiling
from spectra_core.training.devices import CPU
from spectra_core.training.parallel import one_numerical_thread, run_in_threads
from spectra_core.training.plan import Plan
from spectra_core.training.training import Curve, Figures, Floats, Training

EPOCHS_BETWEEN_CHECKPOINTS = 10
"""A crash costs at most these; writing the state takes less time than one epoch."""

HOPELESS_ERROR = 1000.0
"""Mean squared error, in units of the spread of the training values, from which training counts as diverged: what
predicts the mean has 1, and Adam at a sane rate never comes near."""
NOT_FINITE = "the loss is no longer finite"
HOPELESS = f"the error is more than {HOPELESS_ERROR:g} times that of predicting the mean"

MOST_VALUES = 500_000_000
"""Numbers that the rows of trainings advanced together may hold (2 GB in float32); more are trained in turn."""

Trained = tuple[dict[str, Floats], Curve]
"""Parameters by name, and each figure of the curve by name, (n_epochs,)."""


class Engine(Protocol):
    """Trainings of one kind with their parameters, and who computes their steps."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What a checkpoint must have been made by."""

    def epoch(self, epoch: int, orders: Sequence[NDArray[np.int64]], rates: Sequence[float]) -> Figures:
        """Do as many steps of an epoch as there are rates; return the parts of the losses, summed over rows."""

    def finite(self) -> NDArray[np.bool_]:
        """Return of every training whether all its parameters are finite."""

    def parameters(self, number: int) -> dict[str, Tensor]:
        """Return the parameters of one training, as a stack of one."""

    def arrays(self, number: int) -> dict[str, Floats]:
        """Return a copy of the parameters of one training."""

    def state(self) -> Arrays:
        """Return parameters and the optimiser's moments, for a checkpoint."""

    def restore(self, kept: Arrays, n_steps: int) -> None:
        """Go on from `state`, after so many steps."""


def train(
    trainings: Sequence[Training],
    *,
    device: str = CPU,
    reporter: Reporter = SILENT,
    checkpoint: Checkpoint | None = None,
) -> list[Trained]:
    """Do all trainings: one by one on the processor, on an accelerator those of one kind at the same time.

    Parameters
    ----------
    device
        Torch's name of it, from `devices.trained_on`; `Plan.kernels` say who computes on the processor only.
    reporter
        Told after every epoch, with the figures of the epoch where a training is advanced alone.
    checkpoint
        Where to keep unfinished training, and to go on from; for a single training.

    Raises
    ------
    TrainingError
        At the first epoch whose loss is not finite or hopeless, naming training, epoch and the likely cause.
    Cancelled
        When the person asked to stop; the checkpoint then holds the last epoch.
    """
    if len(trainings) == 1:
        return _advance(trainings, device, checkpoint, reporter)
    stacks = [[number] for number in range(len(trainings))] if device == CPU else equal_stacks(trainings)
    jobs = [partial(_advance, [trainings[number] for number in numbers], device, None) for numbers in stacks]
    found: dict[int, Trained] = {}
    for numbers, trained in zip(stacks, run_in_threads(jobs, reporter=reporter), strict=True):
        found |= dict(zip(numbers, trained, strict=True))
    return [found[number] for number in range(len(trainings))]


def equal_stacks(trainings: Sequence[Training]) -> list[list[int]]:
    """Return which trainings are advanced together: those of one kind, up to `MOST_VALUES` numbers."""
    stacks: list[list[int]] = []
    open_ones: dict[Hashable, list[int]] = {}
    for number, training in enumerate(trainings):
        stack = open_ones.get(training.kind)
        if stack is None or sum(trainings[one].tables[0].size for one in (*stack, number)) > MOST_VALUES:
            stack = open_ones[training.kind] = []
            stacks.append(stack)
        stack.append(number)
    return stacks


def _advance(
    trainings: Sequence[Training], device: str, checkpoint: Checkpoint | None, reporter: Reporter
) -> list[Trained]:
    with one_numerical_thread():
        engine: Engine
        if device == CPU and trainings[0].plan.kernels == "numba":
            tell_compiling(trainings[0].compiled, reporter)
            engine = CompiledEngine(trainings[0])
        else:
            engine = AutogradEngine(trainings, device)
        return _Run(engine, trainings, reporter, checkpoint).to_the_end()


class _Run:
    """All trainings of an engine, their curves, and where they are kept."""

    def __init__(
        self, engine: Engine, trainings: Sequence[Training], reporter: Reporter, checkpoint: Checkpoint | None
    ) -> None:
        self.engine, self.trainings = engine, trainings
        self.reporter, self.checkpoint = reporter, checkpoint
        self.curves: list[dict[str, list[float]]] = [{} for _ in trainings]
        self.epochs_done = 0
        self.plan, self.stage = trainings[0].plan, trainings[0].stage
        self.steps_per_epoch, self.n_steps = trainings[0].steps_per_epoch, trainings[0].n_steps
        self.n_epochs = -(-self.n_steps // self.steps_per_epoch)

    def to_the_end(self) -> list[Trained]:
        self._resume()
        while self.epochs_done < self.n_epochs:
            figures = self._epoch(self.epochs_done + 1)
            self.epochs_done += 1
            for curve, values in zip(self.curves, figures, strict=True):
                self._note(curve, values)
            if self.epochs_done % EPOCHS_BETWEEN_CHECKPOINTS == 0:
                self._keep()
            try:
                # Curves of several would be mixed.
                shown = figures[0] if len(figures) == 1 else None
                self.reporter.progress(self.stage, self.epochs_done, self.n_epochs, shown)
            except Cancelled:
                self._keep()
                raise
        curves = [{name: np.array(values) for name, values in curve.items()} for curve in self.curves]
        return [(self.engine.arrays(number), curve) for number, curve in enumerate(curves)]

    def _epoch(self, epoch: int) -> list[dict[str, float]]:
        orders = [random_stream(one.plan.seed, "order", epoch).permutation(one.n_rows) for one in self.trainings]
        first = (epoch - 1) * self.steps_per_epoch
        steps = range(first, min(first + self.steps_per_epoch, self.n_steps))
        parts = self.engine.epoch(epoch, orders, [self.plan.rate(step, self.n_steps) for step in steps])
        n_seen = [min(len(steps) * self.plan.batch_size, one.n_rows) for one in self.trainings]
        averages = parts / np.array(n_seen)[:, None]
        # The parameters too: the very last step may have spoilt what the loss has not seen yet.
        finite = np.isfinite(averages).all(axis=1) & self.engine.finite()
        for one, fine, own in zip(self.trainings, finite, averages, strict=True):
            if not fine:
                raise TrainingError(diverged(one.stage, one.plan, epoch, self.n_epochs, NOT_FINITE))
            if one.mean_squared_error(own) > HOPELESS_ERROR:
                raise TrainingError(diverged(one.stage, one.plan, epoch, self.n_epochs, HOPELESS))
        with torch.no_grad():
            return [
                one.figures(epoch, own, self.engine.parameters(number))
                for number, (one, own) in enumerate(zip(self.trainings, averages, strict=True))
            ]

    def _note(self, curve: dict[str, list[float]], figures: dict[str, float]) -> None:
        """Prolong the curve by an epoch. A figure of held-out spectra that is no number ends its curve, no training."""
        lost = [name for name, value in figures.items() if not np.isfinite(value)]
        known = curve if self.epochs_done > 1 else figures
        if any(name in known for name in lost):
            self.reporter.message(
                f"{self.stage}: from epoch {self.epochs_done} on the loss of the held-out spectra is too large for a "
                "number, so its curve is left out. One of them lies far from all training spectra."
            )
        for name, value in figures.items():
            if name in lost:
                curve.pop(name, None)
            elif name in known:
                curve.setdefault(name, []).append(value)

    def _keep(self) -> None:
        if self.checkpoint is None or self.epochs_done == self.n_epochs:
            return
        kept: Arrays = {f"curve.{name}": np.array(values) for name, values in self.curves[0].items()}
        kept |= {"identity": self._identity(), "epochs_done": np.array(self.epochs_done)}
        self.checkpoint.save(kept | self.engine.state())

    def _resume(self) -> None:
        kept = self.checkpoint.load() if self.checkpoint is not None else None
        if kept is None or not np.array_equal(kept.get("identity", np.empty(0)), self._identity()):
            return
        self.epochs_done = int(kept["epochs_done"])
        self.curves[0] = {
            name.removeprefix("curve."): values.tolist() for name, values in kept.items() if name.startswith("curve.")
        }
        self.engine.restore(kept, self.epochs_done * self.steps_per_epoch)
        self.reporter.message(f"{self.stage} goes on after epoch {self.epochs_done} of {self.n_epochs}.")

    def _identity(self) -> NDArray[np.uint8]:
        digest = hashlib.sha256(repr((__version__, *self.engine.identity)).encode())
        digest.update(self.trainings[0].identity())
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

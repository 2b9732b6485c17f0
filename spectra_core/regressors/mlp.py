"""The study's regressor: one small fully connected network per target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, UNSAID, Arrays, Budget, Reporter
from spectra_core.options import Range, WithOptions
from spectra_core.preprocessing import Standardiser
from spectra_core.preprocessing.magnitudes import require_computable_signal
from spectra_core.regressors.base import FitTask, Regressor
from spectra_core.regressors.state import (
    checked_arrays,
    constant_target_notes,
    require_calibration_set,
    require_fitted,
    scaling_shapes,
    target_table,
)
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.training.cost import START, inputs_of, network_cost
from spectra_core.training.devices import CPU, Device, trained_on
from spectra_core.training.fast import AS_IN_THE_STUDY, FastTraining
from spectra_core.training.plan import (
    BatchSize,
    Coordinates,
    Epochs,
    Kernels,
    LearningRate,
    Plan,
    Schedule,
    path_sentence,
    require_kernels,
)

if TYPE_CHECKING:
    from spectra_core.training.mlps import MlpTraining, MlpWeights

Trained = TypeVar("Trained", bound=Regressor)


@dataclass(eq=False)
class NetworkOptions(WithOptions):
    """Options of the study's networks, shared by the single one and the ensemble.

    Parameters
    ----------
    hidden
        Width of every hidden layer.
    epochs
        Passes over the training spectra, unless `fit` is given another budget.
    batch_size, learning_rate
        Spectra per optimiser step; step size of Adam.
    schedule
        "constant" as in the study, or "cosine": the learning rate falls to zero.
    coordinates
        "channels" as in the study, or "components": the networks are trained on the principal components of the
        standardised spectra that stand out of their noise (`training.coordinates`). The same function and loss, but
        **another path of optimisation**, much faster and mostly ending lower.
    kernels
        "torch", or "numba": faster, the same up to rounding. On the processor only.
    device
        "auto": an accelerator where torch sees one, else the processor, and results say which it was; "cpu" or "cuda"
        insist on one. The same up to rounding.
    """

    study_options: ClassVar[Mapping[str, Any]] = AS_IN_THE_STUDY
    fast: ClassVar[FastTraining | None] = FastTraining(
        {"coordinates": "components", "schedule": "cosine", "learning_rate": 3e-3}, fewest_epochs=15, steps=1350
    )

    hidden: Annotated[tuple[Annotated[int, Range(1, 8192)], ...], Range(1, 64), "Hidden units"] = (64, 16)
    epochs: Epochs = 100
    batch_size: BatchSize = 32
    learning_rate: LearningRate = 1e-3
    schedule: Schedule = "constant"
    coordinates: Coordinates = "channels"
    kernels: Kernels = "torch"
    device: Device = field(default="auto", metadata=UNSAID)

    device_: str = field(init=False, repr=False, default=CPU)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_kernels(self.kernels)

    def cost(self, n_rows: int, n_channels: int, n_targets: int) -> float:
        """Return Gflop of a fit."""
        n_inputs, slower = inputs_of(self.coordinates, n_channels)
        n_weights = n_targets * sum(a * b for a, b in pairwise((n_inputs, *self.hidden, 1)))
        return START + network_cost(slower * n_weights, n_rows, self.epochs, self.batch_size)


@dataclass(eq=False)
class MLP(NetworkOptions, Regressor):
    """One multilayer perceptron per target, as in the study: 911-64-16-1, ReLU, trained by Adam on squared errors.

    Channels and targets are standardised with mean and standard deviation of the training spectra. There is no early
    stopping. The networks of one fit share the order of the spectra and nothing else. Options as in `NetworkOptions`.

    Attributes
    ----------
    weights_
        Weights of all networks, and their loss per epoch.
    components_ : (2,)
        Where trained on components: their number, and the share of the variance that they leave out.
    """

    title: ClassVar[str] = "MLP"
    explanation: ClassVar[str] = (
        "The study's network, one per target: every channel feeds 64 units, these feed 16, these one concentration."
    )
    has_steps: ClassVar[bool] = True

    signal_scaling_: Standardiser = field(init=False, repr=False)
    target_scaling_: Standardiser = field(init=False, repr=False)
    weights_: "MlpWeights" = field(init=False, repr=False)
    components_: NDArray[np.float64] = field(init=False, repr=False)

    def fit(
        self,
        train: SpectraSet,
        *,
        budget: Budget | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
    ) -> Self:
        """Train one network per target of `train`; return self.

        Raises
        ------
        SpectraError
            When there are too few spectra or no targets.
        TrainingError
            At the first non-finite loss, naming epoch and cause.
        """
        self.device_ = trained_on(self.device)
        self.weights_ = self._training(FitTask(train, seed, budget)).trained(self.device_, reporter)
        self._take_over(train.frame)
        return self

    def predict(self, spectra: SpectraSet) -> pd.DataFrame:
        """Return predicted targets (n_spectra, n_targets) in the units of the training set."""
        require_fitted(self, self.title)
        self.frame_.require_same_signal(spectra.frame)
        require_computable_signal(spectra, "new", self.signal_scaling_)
        inputs = self.signal_scaling_.transform(spectra.signal)
        values = self.target_scaling_.inverse(self.weights_.predict(inputs))
        return target_table(np.asarray(values, dtype=np.float64), self.frame_)

    def fit_many(self, tasks: Sequence[FitTask], *, n_workers: int = 1, reporter: Reporter = SILENT) -> "list[MLP]":
        """Fit a fresh copy for every task.

        On the processor `n_workers` at a time in threads; the numbers do not depend on it. On an accelerator all
        together.
        """
        from spectra_core.training.mlps import train_mlps_together

        device = trained_on(self.device)
        if device == CPU:
            return fitted_in_threads(self, tasks, n_workers, reporter)
        fresh = [replace(self) for _ in tasks]
        trainings = [one._training(task) for one, task in zip(fresh, tasks, strict=True)]
        found = train_mlps_together(trainings, device=device, reporter=reporter)
        for one, task, weights in zip(fresh, tasks, found, strict=True):
            one.weights_, one.device_ = weights, device
            one._take_over(task.train.frame)
        return fresh

    @property
    def history_(self) -> pd.DataFrame:
        """Training curve, one row per epoch: ``epoch``, then the loss of every target in standardised units squared."""
        require_fitted(self, self.title)
        table = pd.DataFrame(self.weights_.loss, columns=list(self.frame_.target_names))
        table.insert(0, "epoch", np.arange(1, len(table) + 1), allow_duplicates=True)
        return table

    @property
    def n_parameters(self) -> int:
        """Number of parameters of one network; 59,425 for 911 channels."""
        require_fitted(self, self.title)
        return self.weights_.n_parameters

    def to_arrays(self) -> Arrays:
        """Return scaling, weights and training curve."""
        require_fitted(self, self.title)
        return {
            **self.signal_scaling_.to_arrays("signal"),
            **self.target_scaling_.to_arrays("targets"),
            **self.weights_.to_arrays(),
            **({"components": self.components_} if self.coordinates == "components" else {}),
        }

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a fitted state after checking it; return self."""
        from spectra_core.training.mlps import MlpWeights

        n_channels, n_targets = len(frame.axis), len(frame.target_info)
        shapes: dict[str, tuple[int | None, ...]] = {
            **scaling_shapes("signal", n_channels),
            **scaling_shapes("targets", n_targets),
            "loss": (None, n_targets),
        }
        if self.coordinates == "components":
            shapes["components"] = (2,)
        widths = (n_channels, *self.hidden, 1)
        for number, (n_inputs, n_outputs) in enumerate(pairwise(widths), start=1):
            shapes[f"layer{number}.weight"] = (n_targets, n_outputs, n_inputs)
            shapes[f"layer{number}.bias"] = (n_targets, n_outputs)
        checked = checked_arrays(arrays, shapes, self.title)
        self.signal_scaling_ = Standardiser.from_arrays(checked, "signal")
        self.target_scaling_ = Standardiser.from_arrays(checked, "targets")
        networks = {name: values for name, values in checked.items() if name == "loss" or name.startswith("layer")}
        self.weights_ = MlpWeights.from_arrays(networks)
        if self.coordinates == "components":
            self.components_ = checked["components"]
        self._take_over(frame)
        return self

    def _training(self, task: FitTask) -> "MlpTraining":
        """Fit the scaling and return what is to be trained."""
        from spectra_core.training.coordinates import signal_coordinates
        from spectra_core.training.mlps import MlpTraining

        train = task.train
        require_calibration_set(train)
        self.signal_scaling_ = Standardiser.fit(train.signal)
        self.target_scaling_ = Standardiser.fit(train.target_values)
        inputs, basis = self.signal_scaling_.transform(train.signal), None
        if self.coordinates == "components":
            found = signal_coordinates(inputs)
            basis, self.components_ = found.basis, np.array([found.n_components, found.share_left_out])
        budget = task.budget or Budget(epochs=self.epochs)
        return MlpTraining(
            inputs,
            self.target_scaling_.transform(train.target_values),
            Plan(budget, self.batch_size, self.learning_rate, self.schedule, task.seed, self.kernels),
            self.hidden,
            basis=basis,
            stage=f"Training the {self.title}{task.name and f', {task.name}'}",
        )

    def _take_over(self, frame: Frame) -> None:
        self.frame_ = frame
        self.notes_ = constant_target_notes(self.target_scaling_, frame)
        if self.coordinates == "components":
            self.notes_ += (path_sentence(int(self.components_[0]), float(self.components_[1])),)


def fitted_in_threads(
    regressor: Trained, tasks: Sequence[FitTask], n_workers: int, reporter: Reporter
) -> list[Trained]:
    """Fit a fresh copy of `regressor` for every task, `n_workers` at a time."""
    from spectra_core.training.parallel import run_in_threads

    def fit(task: FitTask, told: Reporter) -> Trained:
        fresh: Any = replace(regressor)  # type: ignore[type-var]  # every member is a dataclass
        fitted: Trained = fresh.fit(task.train, budget=task.budget, seed=task.seed, reporter=told)
        return fitted

    return run_in_threads([partial(fit, task) for task in tasks], n_workers, reporter)

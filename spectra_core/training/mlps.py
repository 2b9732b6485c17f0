"""Many small regression networks on the same spectra, trained as one.

One network per target, as in the study. They see the same minibatches, so their first layers are one matrix
product and the rest block-diagonal ones. The loss is the sum of the networks' own losses and Adam acts on each
parameter by itself, so every network trains exactly as if it were alone; what they share is the order of the
spectra.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectra_core.contracts import SILENT, Arrays, Budget, Reporter
from spectra_core.errors import ConfigError
from spectra_core.training.devices import CPU
from spectra_core.training.loop import train
from spectra_core.training.mlp_network import FusedMlps, initial_weights
from spectra_core.training.mlps_together import StackedMlps
from spectra_core.training.parallel import one_numerical_thread
from spectra_core.training.parameters import to_tensor, torch_dtype
from spectra_core.training.plan import Kernels, Plan, Schedule
from spectra_core.training.products import linear
from spectra_core.training.together import in_stacks, length_of, train_stack

Floats = NDArray[np.floating[Any]]
_ROWS_AT_ONCE = 4096  # bounds the memory of `predict`: 4096 x 512 hidden values


@dataclass(frozen=True, eq=False)
class MlpWeights:
    """The networks of one training set: fully connected layers with ReLU between them, linear outputs.

    Parameters
    ----------
    weights
        Per layer (n_networks, n_outputs, n_inputs).
    biases
        Per layer (n_networks, n_outputs).
    loss : (n_epochs, n_networks)
        Mean squared error over each epoch, in standardised units squared.
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    loss: NDArray[np.float64]

    @property
    def n_parameters(self) -> int:
        """Number of parameters of one network; 59,425 for 911-64-16-1."""
        return sum(array[0].size for array in (*self.weights, *self.biases))

    def predict(self, inputs: Floats) -> Floats:
        """Return the outputs (n_spectra, n_networks) at standardised `inputs` (n_spectra, n_inputs)."""
        dtype = torch_dtype(self.weights[0].dtype)
        layers = [
            (to_tensor(weight, dtype), to_tensor(bias, dtype).unsqueeze(2))
            for weight, bias in zip(self.weights, self.biases, strict=True)
        ]
        outputs = np.empty((len(inputs), len(self.weights[0])), dtype=self.weights[0].dtype)
        with one_numerical_thread(), torch.no_grad():
            for start in range(0, len(inputs), _ROWS_AT_ONCE):
                rows = slice(start, start + _ROWS_AT_ONCE)
                outputs[rows] = _outputs(to_tensor(inputs[rows], dtype), layers).numpy()
        return outputs

    def to_arrays(self) -> Arrays:
        """Return the state as named arrays for storage."""
        arrays: Arrays = {"loss": self.loss}
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            arrays[f"layer{number}.weight"], arrays[f"layer{number}.bias"] = weight, bias
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Rebuild from `to_arrays`, refusing layers that do not fit together.

        Raises
        ------
        ConfigError
            Naming the first array that is missing, of another shape, or not finite.
        """
        weights: list[Floats] = []
        biases: list[Floats] = []
        n_layers = sum(name.endswith(".weight") for name in arrays)
        for number in range(1, n_layers + 1):
            weight, bias = (_required(arrays, f"layer{number}.{part}") for part in ("weight", "bias"))
            fits = weight.ndim == 3 and bias.shape == weight.shape[:2]
            if fits and weights:
                fits = (weight.shape[0], weight.shape[2]) == weights[-1].shape[:2]
            if not fits:
                raise ConfigError(
                    f"Layer {number} of the stored networks has weights {weight.shape} and biases {bias.shape}, "
                    "which do not fit the layer before. The file is damaged or of another program."
                )
            weights.append(weight)
            biases.append(bias)
        if not weights or weights[-1].shape[1] != 1:
            raise ConfigError("The stored networks have no output layer with one output. The file is damaged.")
        return cls(tuple(weights), tuple(biases), np.asarray(_required(arrays, "loss"), dtype=np.float64))

    def network(self, number: int) -> nn.Sequential:
        """Return one network as an ordinary PyTorch module, to read or export."""
        modules: list[nn.Module] = []
        for weight, bias in zip(self.weights, self.biases, strict=True):
            dtype = torch_dtype(weight.dtype)
            linear = nn.Linear(weight.shape[2], weight.shape[1], dtype=dtype)
            with torch.no_grad():
                linear.weight.copy_(to_tensor(weight[number], dtype))
                linear.bias.copy_(to_tensor(bias[number], dtype))
            modules += [linear, nn.ReLU()]
        return nn.Sequential(*modules[:-1])


def train_mlps(
    inputs: Floats,
    targets: Floats,
    *,
    hidden: Sequence[int] = (64, 16),
    budget: Budget,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    schedule: Schedule = "constant",
    seed: int = 0,
    dtype: Any = np.float32,
    basis: Floats | None = None,
    kernels: Kernels = "torch",
    device: str = CPU,
    reporter: Reporter = SILENT,
    stage: str = "Training regressors",
) -> MlpWeights:
    """Train one network per target by Adam on the mean squared error.

    Parameters
    ----------
    inputs : (n_spectra, n_inputs)
        Standardised spectra.
    targets : (n_spectra, n_targets)
        Standardised targets.
    hidden
        Width of each hidden layer; the study's are 64 and 16.
    budget, batch_size, learning_rate, schedule, seed, kernels
        As in `plan.Plan`.
    dtype
        Precision of the training: float32, or float64 to compare with other implementations.
    basis : (n_inputs, n_components), orthonormal columns
        Train on the coordinates of the inputs in this basis and return the equal networks of the inputs. The
        same function, starting point and loss, but **another path of optimisation**: Adam is not invariant to
        rotation. None for the study's own path.
    device
        Torch's name of it, from `devices.trained_on`; `kernels` say who computes on the processor only.
    reporter
        Told after every epoch; its `values` are the loss averaged over the networks.

    Raises
    ------
    TrainingError
        When the loss is no longer finite, or hopeless; no networks are returned.
    """
    plan = Plan(budget, batch_size, learning_rate, schedule, seed, kernels)
    training = MlpTraining(inputs, targets, plan, tuple(hidden), dtype, basis, stage)
    return train_mlps_on(device, training, reporter)


@dataclass(frozen=True, eq=False)
class MlpTraining:
    """One call of `train_mlps`, with the same arguments."""

    inputs: Floats
    targets: Floats
    plan: Plan
    hidden: tuple[int, ...] = (64, 16)
    dtype: Any = np.float32
    basis: Floats | None = None
    stage: str = "Training regressors"

    @property
    def coordinates(self) -> Floats:
        """What the networks are trained on."""
        return self.inputs if self.basis is None else self.inputs @ self.basis

    @property
    def kind(self) -> Hashable:
        """What trainings have in common that can be advanced together."""
        n_inputs = (self.inputs if self.basis is None else self.basis).shape[1]
        sizes = (n_inputs, self.hidden, self.targets.shape[1], np.dtype(self.dtype).name)
        return sizes, length_of(self.plan, len(self.inputs))

    @property
    def n_values(self) -> int:
        """How many numbers its rows hold."""
        return int(self.inputs.size)

    def start(self) -> list[tuple[Floats, Floats]]:
        """Draw the initial weights."""
        start = initial_weights(self.inputs.shape[1], self.hidden, self.targets.shape[1], self.plan.seed)
        if self.basis is not None:
            start[0] = (start[0][0] @ self.basis, start[0][1])
        return start

    def weights(
        self, weights: list[Floats], biases: list[Floats], curve: Mapping[str, NDArray[np.float64]]
    ) -> MlpWeights:
        """Return trained networks of coordinates as the equal networks of the inputs."""
        if self.basis is not None:
            weights[0] = np.ascontiguousarray(weights[0] @ self.basis.T, dtype=self.dtype)
        loss = np.stack([curve[f"network {number}"] for number in range(self.targets.shape[1])], axis=1)
        return MlpWeights(tuple(weights), tuple(biases), loss)


def train_mlps_on(device: str, training: MlpTraining, reporter: Reporter = SILENT) -> MlpWeights:
    """Train the networks of one training set, as `train_mlps`."""
    if device != CPU:
        return train_mlps_together([training], device=device, reporter=reporter)[0]
    network = FusedMlps(training.coordinates, training.targets, training.start(), training.dtype)
    curve = train(network, training.plan, stage=training.stage, reporter=reporter)
    return training.weights(*network.layers(), curve)


def train_mlps_together(
    trainings: Sequence[MlpTraining], *, device: str, reporter: Reporter = SILENT
) -> list[MlpWeights]:
    """Train the networks of many training sets on one device, those of equal size and length at the same time.

    The numbers are those of `train_mlps` for each, up to rounding.

    Raises
    ------
    TrainingError
        When one diverges; it is named, and no networks are returned.
    """

    def stack(chosen: Sequence[MlpTraining], told: Reporter) -> list[MlpWeights]:
        coordinates, targets = [one.coordinates for one in chosen], [one.targets for one in chosen]
        networks = StackedMlps(coordinates, targets, [one.start() for one in chosen], chosen[0].dtype, device)
        curves = train_stack(
            networks, [one.plan for one in chosen], stages=[one.stage for one in chosen], reporter=told
        )
        return [one.weights(*networks.layers(number), curves[number]) for number, one in enumerate(chosen)]

    return in_stacks(trainings, stack, reporter)


def _outputs(inputs: Tensor, layers: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Return (n_rows, n_networks)."""
    weight, bias = layers[0]
    flat = linear(weight.reshape(-1, weight.shape[2]), inputs)
    hidden = flat.view(weight.shape[0], weight.shape[1], -1) + bias
    for weight, bias in layers[1:]:
        hidden = torch.baddbmm(bias, weight, hidden.relu_())
    return hidden[:, 0].T


def _required(arrays: Arrays, name: str) -> Floats:
    if name not in arrays:
        raise ConfigError(f"The stored networks lack {name!r}. The file is damaged or of another program.")
    if not np.isfinite(arrays[name]).all():
        raise ConfigError(f"{name!r} of the stored networks is not finite. Train them again.")
    return arrays[name]

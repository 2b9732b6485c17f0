"""Many small regression networks on the same spectra, trained as one.

One network per target, as in the study. They see the same minibatches, so their first layers are one matrix
product and the rest block-diagonal ones. The loss is the sum of the networks' own losses and Adam acts on each
parameter by itself, so every network trains exactly as if it were alone; what they share is the order of the
spectra.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectra_core.contracts import SILENT, Arrays, Budget, Reporter, random_stream
from spectra_core.errors import ConfigError
from spectra_core.training.devices import CPU
from spectra_core.training.loop import train
from spectra_core.training.parallel import one_numerical_thread
from spectra_core.training.parameters import initial_layer, to_tensor, torch_dtype
from spectra_core.training.plan import Kernels, Plan, Schedule
from spectra_core.training.training import Curve, Figures, Floats, Training

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
        layers = {name: to_tensor(array[None], dtype) for name, array in _joined(self.weights, self.biases).items()}
        outputs = np.empty((len(inputs), len(self.weights[0])), dtype=self.weights[0].dtype)
        with one_numerical_thread(), torch.no_grad():
            for start in range(0, len(inputs), _ROWS_AT_ONCE):
                rows = to_tensor(_with_ones(inputs[start : start + _ROWS_AT_ONCE], outputs.dtype), dtype)
                outputs[start : start + _ROWS_AT_ONCE] = _outputs(layers, rows[None])[0].T.numpy()
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
    return training.trained(device, reporter)


@dataclass(frozen=True, eq=False)
class MlpTraining(Training):
    """One call of `train_mlps`, with the same arguments."""

    inputs: Floats
    targets: Floats
    plan: Plan
    hidden: tuple[int, ...] = (64, 16)
    dtype: Any = np.float32
    basis: Floats | None = None
    stage: str = "Training regressors"

    def trained(self, device: str = CPU, reporter: Reporter = SILENT) -> MlpWeights:
        """Train these networks alone."""
        return train_mlps_together([self], device=device, reporter=reporter)[0]

    @cached_property
    def tables(self) -> tuple[Floats, ...]:
        """Inputs, the last of which is always 1 (its weight is the bias), and targets."""
        coordinates = self.inputs if self.basis is None else self.inputs @ self.basis
        return _with_ones(coordinates, self.dtype), self.targets.astype(self.dtype)

    @property
    def part_weights(self) -> tuple[float, ...]:
        """One for each network."""
        return (1.0,) * int(self.targets.shape[1])

    @property
    def sizes(self) -> Hashable:
        """Of all layers."""
        return (self.inputs if self.basis is None else self.basis).shape[1], self.hidden, self.targets.shape[1]

    def start(self) -> dict[str, Floats]:
        """Draw each network from its own stream."""
        if not self.hidden or min(self.hidden) < 1:
            raise ConfigError(f"A network needs at least one hidden layer of at least one unit, got {self.hidden}.")
        widths = (self.inputs.shape[1], *self.hidden, 1)
        networks = []
        for number in range(self.targets.shape[1]):
            rng = random_stream(self.plan.seed, "initial weights", number)
            networks.append([initial_layer(rng, a, b) for a, b in pairwise(widths)])
        weights, biases = (
            [np.stack([network[layer][part] for network in networks]) for layer in range(len(widths) - 1)]
            for part in (0, 1)
        )
        if self.basis is not None:
            weights[0] = weights[0] @ self.basis
        return _joined(weights, biases)

    def parts(self, parameters: Mapping[str, Tensor], rows: tuple[Tensor, ...], noise: Tensor | None) -> Tensor:
        """Return the squared error of every network."""
        inputs, targets = rows
        return (_outputs(parameters, inputs) - targets.transpose(1, 2)).square()

    @property
    def compiled(self) -> Any:
        """The compiled epoch of all regressors."""
        from spectra_core.training.mlp_kernels import mlp_epoch

        return mlp_epoch

    def compiled_arguments(self, order: NDArray[np.int64], noise: NDArray[Any] | None) -> tuple[Any, ...]:
        """Return what `mlp_kernels.mlp_epoch` needs; it adds the biases itself."""
        inputs, targets = self.tables
        return inputs[:, :-1], targets, order, self.batch_size, np.array([*self.hidden, 1])

    def figures(self, epoch: int, parts: Figures, parameters: Mapping[str, Tensor]) -> dict[str, float]:
        """Name the losses."""
        return {"loss": float(parts.mean()), **{f"network {i}": float(part) for i, part in enumerate(parts)}}

    def mean_squared_error(self, parts: Figures) -> float:
        """Return the mean over networks."""
        return float(parts.mean())

    def weights(self, arrays: Mapping[str, Floats], curve: Curve) -> MlpWeights:
        """Return trained parameters as networks of the inputs."""
        first, *deeper = arrays["layer1"], *range(2, len(self.hidden) + 2)
        seen = first[:, :, :-1] if self.basis is None else first[:, :, :-1] @ self.basis.T
        weights = [np.ascontiguousarray(seen, dtype=self.dtype), *(arrays[f"layer{n}.weight"] for n in deeper)]
        biases = [np.ascontiguousarray(first[:, :, -1]), *(arrays[f"layer{n}.bias"][:, :, 0] for n in deeper)]
        loss = np.stack([curve[f"network {number}"] for number in range(self.targets.shape[1])], axis=1)
        return MlpWeights(tuple(weights), tuple(biases), loss)


def train_mlps_together(
    trainings: Sequence[MlpTraining], *, device: str = CPU, reporter: Reporter = SILENT
) -> list[MlpWeights]:
    """Train the networks of many training sets, as `loop.train`; the numbers are those of each alone, up to rounding.

    Raises
    ------
    TrainingError
        When one diverges; it is named, and no networks are returned.
    """
    found = train(trainings, device=device, reporter=reporter)
    return [training.weights(*one) for training, one in zip(trainings, found, strict=True)]


def _joined(weights: Sequence[Floats], biases: Sequence[Floats]) -> dict[str, Floats]:
    """Return the parameters by name; the first layer's bias is the weight of its last input."""
    parameters: dict[str, Floats] = {"layer1": np.concatenate([weights[0], biases[0][:, :, None]], axis=2)}
    for number, (weight, bias) in enumerate(zip(weights[1:], biases[1:], strict=True), start=2):
        parameters |= {f"layer{number}.weight": weight, f"layer{number}.bias": bias[:, :, None]}
    return parameters


def _with_ones(inputs: Floats, dtype: Any) -> Floats:
    table = np.ones((len(inputs), inputs.shape[1] + 1), dtype)
    table[:, :-1] = inputs
    return table


def _outputs(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """Return (n_trainings, n_networks, n_rows), from inputs (n_trainings, n_rows, n_inputs), the last of them 1.

    The networks of a training see the same rows, so their first layers are one product and the rest block-diagonal.
    """
    first, n_rows = parameters["layer1"], inputs.shape[1]
    hidden = torch.bmm(first.flatten(1, 2), inputs.transpose(1, 2)).view(-1, first.shape[2], n_rows)
    for number in range(2, 2 + len(parameters) // 2):
        weight, bias = (parameters[f"layer{number}.{part}"].flatten(0, 1) for part in ("weight", "bias"))
        hidden = torch.baddbmm(bias, weight, hidden.relu())
    return hidden.view(first.shape[0], first.shape[1], n_rows)


def _required(arrays: Arrays, name: str) -> Floats:
    if name not in arrays:
        raise ConfigError(f"The stored networks lack {name!r}. The file is damaged or of another program.")
    if not np.isfinite(arrays[name]).all():
        raise ConfigError(f"{name!r} of the stored networks is not finite. Train them again.")
    return arrays[name]

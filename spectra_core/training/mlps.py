"""Many small regression networks on the same spectra, trained as one.

One network per target, as in the study. They see the same minibatches, so their first layers are one matrix
product and the rest block-diagonal ones. The loss is the sum of the networks' own losses and Adam acts on each
parameter by itself, so every network trains exactly as if it were alone; what they share is the order of the
spectra.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectra_core.contracts import SILENT, Arrays, Budget, Reporter, random_stream
from spectra_core.errors import ConfigError
from spectra_core.training.loop import digest_of, train
from spectra_core.training.parallel import one_numerical_thread
from spectra_core.training.parameters import FlatParameters, initial_layer, to_tensor, torch_dtype
from spectra_core.training.plan import Plan, Schedule

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
    budget, batch_size, learning_rate, schedule, seed
        As in `plan.Plan`.
    dtype
        Precision of the training: float32, or float64 to compare with other implementations.
    basis : (n_inputs, n_components), orthonormal columns
        Train on the coordinates of the inputs in this basis and return the equal networks of the inputs. The
        same function, starting point and loss, but **another path of optimisation**: Adam is not invariant to
        rotation. None for the study's own path.
    reporter
        Told after every epoch; its `values` are the loss averaged over the networks.

    Raises
    ------
    TrainingError
        When the loss is no longer finite, or hopeless; no networks are returned.
    """
    plan = Plan(budget, batch_size, learning_rate, schedule, seed)
    start = _initial_weights(inputs.shape[1], tuple(hidden), targets.shape[1], seed)
    if basis is not None:
        start[0] = (start[0][0] @ basis, start[0][1])
    network = _FusedMlps(inputs if basis is None else inputs @ basis, targets, start, dtype)
    curve = train(network, plan, stage=stage, reporter=reporter)
    weights, biases = network.layers()
    if basis is not None:
        weights[0] = np.ascontiguousarray(weights[0] @ basis.T, dtype=dtype)
    loss = np.stack([curve[f"network {number}"] for number in range(targets.shape[1])], axis=1)
    return MlpWeights(tuple(weights), tuple(biases), loss)


class _FusedMlps:
    """All networks at once; activations are (n_networks, width, n_rows), one column per spectrum."""

    def __init__(self, inputs: Floats, targets: Floats, start: list[tuple[Floats, Floats]], dtype: Any) -> None:
        precision = torch_dtype(dtype)
        self.n_rows, self.n_networks = targets.shape
        # A last input that is always 1 lets the first product add the bias: its weight is the bias.
        self._inputs = torch.ones((self.n_rows, inputs.shape[1] + 1), dtype=precision)
        self._inputs[:, :-1] = to_tensor(inputs, precision)
        self._targets = to_tensor(targets, precision)
        weight, bias = start[0]
        initial = {"layer1": np.concatenate([weight, bias[:, :, None]], axis=2).reshape(-1, inputs.shape[1] + 1)}
        self._deeper = range(2, len(start) + 1)
        for number in self._deeper:
            weight, bias = start[number - 1]
            initial[f"layer{number}.weight"], initial[f"layer{number}.bias"] = weight, bias[:, :, None]
        self.parameters = FlatParameters(initial, precision)

    def start_epoch(self, epoch: int, order: Tensor) -> None:
        self._order = order

    def step(self, start: int, stop: int) -> Tensor:
        values, gradients = self.parameters.values, self.parameters.gradients
        rows = self._order[start:stop]
        n = len(rows)
        x, target = self._inputs[rows], self._targets[rows]  # (n, n_inputs + 1), (n, n_networks)
        hidden = torch.mm(values["layer1"], x.T).relu_().view(self.n_networks, -1, n)
        activations = [hidden]
        for number in self._deeper[:-1]:
            hidden = torch.baddbmm(values[f"layer{number}.bias"], values[f"layer{number}.weight"], hidden).relu_()
            activations.append(hidden)
        last = self._deeper[-1]
        output = torch.baddbmm(values[f"layer{last}.bias"], values[f"layer{last}.weight"], hidden)
        error = output - target.T.unsqueeze(1)  # (n_networks, 1, n)

        delta = error * (2.0 / n)  # gradient of the mean of squares, with respect to the output
        for number in reversed(self._deeper):
            hidden = activations[number - 2]
            torch.bmm(delta, hidden.transpose(1, 2), out=gradients[f"layer{number}.weight"])
            torch.sum(delta, dim=2, keepdim=True, out=gradients[f"layer{number}.bias"])
            delta = torch.bmm(values[f"layer{number}.weight"].transpose(1, 2), delta)
            delta = torch.ops.aten.threshold_backward(delta, hidden, 0)  # through the ReLU
        torch.mm(delta.view(-1, n), x, out=gradients["layer1"])
        return error.square().sum(dim=(1, 2))

    def figures(self, epoch: int, parts: NDArray[np.float64]) -> dict[str, float]:
        return {"loss": float(parts.mean()), **{f"network {i}": float(part) for i, part in enumerate(parts)}}

    def mean_squared_error(self, parts: NDArray[np.float64]) -> float:
        return float(parts.mean())

    def identity(self) -> bytes:
        return digest_of(self._inputs.numpy(), self._targets.numpy(), sorted(self.parameters.values))

    def layers(self) -> tuple[list[Floats], list[Floats]]:
        """Return weights and biases per layer, in the shapes of `MlpWeights`."""
        arrays = self.parameters.to_arrays()
        first = arrays["layer1"].reshape(self.n_networks, -1, arrays["layer1"].shape[1])
        weights: list[Floats] = [np.ascontiguousarray(first[:, :, :-1])]
        biases: list[Floats] = [np.ascontiguousarray(first[:, :, -1])]
        for number in self._deeper:
            weights.append(arrays[f"layer{number}.weight"])
            biases.append(arrays[f"layer{number}.bias"][:, :, 0])
        return weights, biases


def _initial_weights(n_inputs: int, hidden: tuple[int, ...], n_networks: int, seed: int) -> list[tuple[Floats, Floats]]:
    """Draw each network from its own stream; return weight and bias per layer, stacked over networks."""
    if not hidden or any(width < 1 for width in hidden):
        raise ConfigError(f"A network needs at least one hidden layer of at least one unit, got {tuple(hidden)}.")
    widths = (n_inputs, *hidden, 1)
    networks = []
    for number in range(n_networks):
        rng = random_stream(seed, "initial weights", number)
        networks.append([initial_layer(rng, a, b) for a, b in pairwise(widths)])
    return [
        (np.stack([net[layer][0] for net in networks]), np.stack([net[layer][1] for net in networks]))
        for layer in range(len(hidden) + 1)
    ]


def _outputs(inputs: Tensor, layers: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Return (n_rows, n_networks)."""
    weight, bias = layers[0]
    flat = torch.mm(weight.reshape(-1, weight.shape[2]), inputs.T)
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

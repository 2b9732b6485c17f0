"""The regression networks of one training set as the loop trains them, with their gradients written out."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectra_core.contracts import random_stream
from spectra_core.errors import ConfigError
from spectra_core.training.loop import digest_of
from spectra_core.training.parameters import FlatParameters, initial_layer, to_tensor, torch_dtype
from spectra_core.training.products import linear

Floats = NDArray[np.floating[Any]]


class FusedMlps:
    """All networks at once; activations are (n_networks, width, n_rows), one column per spectrum."""

    def __init__(
        self,
        inputs: Floats,
        targets: Floats,
        start: list[tuple[Floats, Floats]],
        dtype: Any,
    ) -> None:
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
        """Keep the order of the spectra."""
        self._order = order

    def step(self, start: int, stop: int) -> Tensor:
        """Write the gradients at rows start:stop of the order; return each network's squared error, summed."""
        rows = self._order[start:stop]
        n = len(rows)
        x = self._inputs.index_select(0, rows)  # (n, n_inputs + 1)
        target = self._targets.index_select(0, rows)  # (n, n_networks)
        hidden = linear(self.parameters.values["layer1"], x).relu_().view(self.n_networks, -1, n)
        loss, delta = self._upper_layers(hidden, target)
        self.parameters.gradients["layer1"].copy_(linear(delta.view(-1, n), x.T))
        return loss

    def _upper_layers(self, hidden: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Write the gradients of all layers but the first; return loss and gradient before the first ReLU."""
        values, gradients = self.parameters.values, self.parameters.gradients
        activations = [hidden]
        for number in self._deeper[:-1]:
            hidden = torch.baddbmm(values[f"layer{number}.bias"], values[f"layer{number}.weight"], hidden).relu_()
            activations.append(hidden)
        last = self._deeper[-1]
        output = torch.baddbmm(values[f"layer{last}.bias"], values[f"layer{last}.weight"], hidden)
        error = output - target.T.unsqueeze(1)  # (n_networks, 1, n)

        delta = error * (2.0 / len(target))  # gradient of the mean of squares, with respect to the output
        for number in reversed(self._deeper):
            hidden = activations[number - 2]
            torch.bmm(delta, hidden.transpose(1, 2), out=gradients[f"layer{number}.weight"])
            torch.sum(delta, dim=2, keepdim=True, out=gradients[f"layer{number}.bias"])
            delta = torch.bmm(values[f"layer{number}.weight"].transpose(1, 2), delta)
            delta = torch.ops.aten.threshold_backward(delta, hidden, 0)  # through the ReLU
        return error.square().sum(dim=(1, 2)), delta

    @property
    def compiled(self) -> Any:
        """What `compiled_epoch` calls."""
        from spectra_core.training.kernels import mlp_epoch

        return mlp_epoch

    def compiled_epoch(self, batch_size: int, steps: tuple[Any, ...]) -> NDArray[np.float64]:
        """Do all steps of an epoch by `kernels.mlp_epoch`."""
        values = self.parameters.values
        deeper = [values[f"layer{number}.weight"].shape[1] for number in self._deeper]
        widths = np.array([len(values["layer1"]) // self.n_networks, *deeper])
        # Without the ones of the last column: compiled steps add the bias themselves.
        arrays = self._inputs.numpy()[:, :-1], self._targets.numpy(), self._order.numpy()
        loss: NDArray[np.float64] = self.compiled(*arrays, batch_size, widths, *steps)
        return loss

    def figures(self, epoch: int, parts: NDArray[np.float64]) -> dict[str, float]:
        """Name the losses."""
        return {"loss": float(parts.mean()), **{f"network {i}": float(part) for i, part in enumerate(parts)}}

    def mean_squared_error(self, parts: NDArray[np.float64]) -> float:
        """Return the mean over networks."""
        return float(parts.mean())

    def identity(self) -> bytes:
        """Digest of data and layers."""
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


def initial_weights(n_inputs: int, hidden: tuple[int, ...], n_networks: int, seed: int) -> list[tuple[Floats, Floats]]:
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

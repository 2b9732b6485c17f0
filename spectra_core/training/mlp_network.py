"""The regression networks of one training set as the loop trains them."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectra_core.contracts import random_stream
from spectra_core.errors import ConfigError
from spectra_core.training.adam import Adam
from spectra_core.training.loop import digest_of
from spectra_core.training.parameters import FlatParameters, initial_layer, to_tensor, torch_dtype
from spectra_core.training.products import by_onednn
from spectra_core.training.torch_epochs import in_one_call, mlp_epoch

Floats = NDArray[np.floating[Any]]


class FusedMlps:
    """All networks at once."""

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

    def torch_epoch(self, batch_size: int, adam: Adam, rates: list[float]) -> NDArray[np.float64]:
        """Do the steps of an epoch by `torch_epochs.mlp_epoch`."""
        names = [["layer1"], *([f"layer{number}.weight", f"layer{number}.bias"] for number in self._deeper)]
        arrays = self._inputs, self._targets, self._order
        state = adam.state_of(names)
        squares = in_one_call(mlp_epoch)(*arrays, batch_size, *state, rates, by_onednn(self._inputs))
        return squares.double().numpy()

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

"""The regression networks of many training sets, trained together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectra_core.training.loop import digest_of
from spectra_core.training.parameters import FlatParameters, to_tensor, torch_dtype
from spectra_core.training.together import Batch

Floats = NDArray[np.floating[Any]]
Layers = list[tuple[Floats, Floats]]


class StackedMlps:
    """One network per target of each of several training sets.

    Parameters
    ----------
    inputs, targets
        Per training set (n_spectra, n_inputs) and (n_spectra, n_targets), standardised.
    starts
        Per training set, weight (n_targets, n_outputs, n_inputs) and bias (n_targets, n_outputs) of every layer.
    """

    def __init__(
        self, inputs: Sequence[Floats], targets: Sequence[Floats], starts: Sequence[Layers], dtype: Any, device: str
    ) -> None:
        precision = torch_dtype(dtype)
        self.device, self.n_rows = device, tuple(map(len, inputs))
        self.n_trainings, self.n_networks = len(inputs), targets[0].shape[1]
        n_inputs = inputs[0].shape[1]
        # A last input that is always 1 lets the first product add the bias: its weight is the bias.
        table = torch.ones((sum(self.n_rows), n_inputs + 1), dtype=precision)
        table[:, :-1] = torch.cat([to_tensor(one, precision) for one in inputs])
        self._inputs = table.to(device)
        self._targets = torch.cat([to_tensor(one, precision) for one in targets]).to(device)
        first = [np.concatenate([start[0][0], start[0][1][:, :, None]], axis=2) for start in starts]
        initial = {"layer1": np.stack(first).reshape(self.n_trainings, -1, n_inputs + 1)}
        self._deeper = range(2, len(starts[0]) + 1)
        for number in self._deeper:
            initial[f"layer{number}.weight"] = np.concatenate([start[number - 1][0] for start in starts])
            initial[f"layer{number}.bias"] = np.concatenate([start[number - 1][1] for start in starts])[:, :, None]
        self.parameters = FlatParameters(initial, precision, device)

    def start_epoch(self, epoch: int) -> None:
        """Do nothing: there is no noise."""

    def step(self, batch: Batch) -> Tensor:
        """Write all gradients; return each network's squared error (n_trainings, n_networks), summed."""
        values, gradients = self.parameters.values, self.parameters.gradients
        n_trainings, n = batch.rows.shape
        n_networks = n_trainings * self.n_networks
        at = batch.rows.reshape(-1)
        x = self._inputs[at].view(n_trainings, n, -1)
        target = self._targets[at].view(n_trainings, n, -1).transpose(1, 2)
        hidden = torch.bmm(values["layer1"], x.transpose(1, 2)).relu_().view(n_networks, -1, n)
        activations = [hidden]
        for number in self._deeper[:-1]:
            hidden = torch.baddbmm(values[f"layer{number}.bias"], values[f"layer{number}.weight"], hidden).relu_()
            activations.append(hidden)
        last = self._deeper[-1]
        output = torch.baddbmm(values[f"layer{last}.bias"], values[f"layer{last}.weight"], hidden)
        error = output.view(n_trainings, self.n_networks, n) - target
        if batch.counts is not None:
            error = error * batch.counts.transpose(1, 2)
        # Gradient of the mean of squares, with respect to the output.
        delta = (error * (2.0 / batch.n_rows)).view(n_networks, 1, n)
        for number in reversed(self._deeper):
            hidden = activations[number - 2]
            torch.bmm(delta, hidden.transpose(1, 2), out=gradients[f"layer{number}.weight"])
            torch.sum(delta, dim=2, keepdim=True, out=gradients[f"layer{number}.bias"])
            delta = torch.bmm(values[f"layer{number}.weight"].transpose(1, 2), delta)
            delta = torch.ops.aten.threshold_backward(delta, hidden, 0)  # through the ReLU
        torch.bmm(delta.view(n_trainings, -1, n), x, out=gradients["layer1"])
        return error.square().sum(dim=2)

    def figures(self, number: int, epoch: int, parts: NDArray[np.float64]) -> dict[str, float]:
        """Name the losses."""
        return {"loss": float(parts.mean()), **{f"network {i}": float(part) for i, part in enumerate(parts)}}

    def mean_squared_error(self, number: int, parts: NDArray[np.float64]) -> float:
        """Return the mean over networks."""
        return float(parts.mean())

    def identity(self) -> bytes:
        """Digest of data and layers."""
        return digest_of(self._inputs.cpu().numpy(), self._targets.cpu().numpy(), sorted(self.parameters.values))

    def layers(self, number: int) -> tuple[list[Floats], list[Floats]]:
        """Return weights and biases of one training's networks per layer, in the shapes of `MlpWeights`."""
        arrays = self.parameters.to_arrays()
        first = arrays["layer1"][number].reshape(self.n_networks, -1, arrays["layer1"].shape[2])
        weights: list[Floats] = [np.ascontiguousarray(first[:, :, :-1])]
        biases: list[Floats] = [np.ascontiguousarray(first[:, :, -1])]
        own = slice(number * self.n_networks, (number + 1) * self.n_networks)
        for layer in self._deeper:
            weights.append(arrays[f"layer{layer}.weight"][own].copy())
            biases.append(arrays[f"layer{layer}.bias"][own, :, 0].copy())
        return weights, biases

"""Many variational autoencoders of one shape, trained together; the loss is defined in `vae_shape`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectra_core.training.loop import digest_of
from spectra_core.training.parameters import FlatParameters, to_tensor
from spectra_core.training.together import Batch
from spectra_core.training.vae_network import VaeRows, noise_of
from spectra_core.training.vae_shape import VaeLoss, VaeShape

Floats = NDArray[np.floating[Any]]


class StackedVaes:
    """One autoencoder for each of several training sets; arrays are (n_trainings, n_rows, width) throughout.

    Parameters
    ----------
    starts
        Initial weights by name, per training set.
    rows, validation
        Spectra of each, in coordinates of one number; validation is for the curve alone.
    seeds
        Name the streams of each one's noise.
    """

    def __init__(
        self,
        starts: Sequence[Mapping[str, Floats]],
        shape: VaeShape,
        loss: VaeLoss,
        rows: Sequence[VaeRows],
        *,
        seeds: Sequence[int],
        dtype: torch.dtype,
        device: str,
        validation: Sequence[VaeRows | None],
    ) -> None:
        stacked = {name: np.stack([start[name] for start in starts]) for name in starts[0]}
        self.parameters = FlatParameters(stacked, dtype, device)
        self.device, self.n_rows = device, tuple(len(one.spectra) for one in rows)
        self._shape, self._loss, self._seeds, self._rows = shape, loss, seeds, rows
        self._validation, self._dtype = validation, dtype
        self._reconstruction_weight, self._kl_weight = loss.weights(shape.n_channels, shape.n_latent)
        self._squared_unit = rows[0].unit ** 2
        self._spectra = torch.cat([to_tensor(one.spectra, dtype) for one in rows]).to(device)
        self._conditions = torch.cat([to_tensor(one.conditions, dtype) for one in rows]).to(device)

    def start_epoch(self, epoch: int) -> None:
        """Draw the noise of the whole epoch, each training's from its own stream."""
        noise = torch.zeros((len(self.n_rows), max(self.n_rows), self._shape.n_latent), dtype=self._dtype)
        for number, n in enumerate(self.n_rows):
            size = (n, self._shape.n_latent)
            noise[number, :n] = noise_of(self._seeds[number], "noise", epoch, size, self._dtype)
        self._noise = noise.to(self.device)

    def step(self, batch: Batch) -> Tensor:
        """Write all gradients; return squared error and KL of every training (n_trainings, 2), summed."""
        (n_trainings, n), n_latent = batch.rows.shape, self._shape.n_latent
        at = batch.rows.reshape(-1)
        x = self._spectra[at].view(n_trainings, n, -1)
        c = self._conditions[at].view(n_trainings, n, self._shape.n_conditions)
        noise = self._noise[:, batch.start : batch.start + n]
        seen, hidden, mean, log_variance, variance, point, unfolded, error = self._forward(
            self.parameters.values, x, c, noise
        )
        kl = _kl(mean, log_variance, variance)
        kl_weight = self._loss.beta * self._kl_weight / batch.n_rows
        if batch.counts is not None:
            error, kl, kl_weight = error * batch.counts, kl * batch.counts, kl_weight * batch.counts
        parts = torch.stack([error.square().sum(dim=(1, 2)), kl.sum(dim=(1, 2))], dim=1)

        d_spectrum = error * (2.0 * self._reconstruction_weight * self._squared_unit / batch.n_rows)
        d_unfolded = self._backward("decoder.spectrum", d_spectrum, unfolded)
        d_unfolded = torch.ops.aten.threshold_backward(d_unfolded, unfolded, 0)  # through the ReLU
        d_point = self._backward("decoder.hidden", d_unfolded, point)[:, :, :n_latent]
        d_mean = d_point + kl_weight * mean
        # point = mean + exp(v/2) * noise, so its derivative by v is half of (point - mean).
        d_log_variance = 0.5 * (d_point * (point[:, :, :n_latent] - mean) + kl_weight * (variance - 1.0))
        d_hidden = self._backward("encoder.posterior", torch.cat([d_mean, d_log_variance], dim=2), hidden)
        d_hidden = torch.ops.aten.threshold_backward(d_hidden, hidden, 0)
        self._gradient("encoder.hidden", d_hidden, seen)
        return parts

    def figures(self, number: int, epoch: int, parts: NDArray[np.float64]) -> dict[str, float]:
        """Name the parts of the loss; where there is validation, the same for it, with its own noise."""
        figures = self._named(parts, self._rows[number].outside)
        held_out = self._validation[number]
        if held_out is not None:
            named = self._named(self._validation_parts(number, held_out, epoch), held_out.outside)
            figures |= {f"validation_{name}": value for name, value in named.items()}
        return figures

    def mean_squared_error(self, number: int, parts: NDArray[np.float64]) -> float:
        """Return the error of reconstruction per channel."""
        return self._squared_unit * float(parts[0]) / self._shape.n_channels

    def identity(self) -> bytes:
        """Digest of data, sizes and loss."""
        return digest_of(self._shape, self._loss, self._spectra.cpu().numpy(), self._conditions.cpu().numpy())

    def arrays(self, number: int) -> dict[str, Floats]:
        """Return the weights of one training, by name."""
        return {name: value[number].cpu().numpy().copy() for name, value in self.parameters.values.items()}

    def _forward(self, w: Mapping[str, Tensor], x: Tensor, c: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        n_latent = self._shape.n_latent
        seen = torch.cat([x, c], dim=2) if self._shape.encoder_sees_conditions else x
        hidden = _layer(w, "encoder.hidden", seen).relu_()
        posterior = _layer(w, "encoder.posterior", hidden)
        mean, log_variance = posterior[:, :, :n_latent], posterior[:, :, n_latent:]
        std = torch.exp(0.5 * log_variance)
        point = torch.addcmul(mean, std, noise)
        if self._shape.n_conditions:
            point = torch.cat([point, c], dim=2)
        unfolded = _layer(w, "decoder.hidden", point).relu_()
        spectrum = _layer(w, "decoder.spectrum", unfolded)
        return seen, hidden, mean, log_variance, std.square(), point, unfolded, spectrum - x

    def _gradient(self, layer: str, delta: Tensor, inputs: Tensor) -> None:
        torch.bmm(delta.transpose(1, 2), inputs, out=self.parameters.gradients[f"{layer}.weight"])
        torch.sum(delta, dim=1, out=self.parameters.gradients[f"{layer}.bias"])

    def _backward(self, layer: str, delta: Tensor, inputs: Tensor) -> Tensor:
        """Write the gradient of one layer; return the gradient with respect to its inputs."""
        self._gradient(layer, delta, inputs)
        return torch.bmm(delta, self.parameters.values[f"{layer}.weight"])

    def _named(self, parts: NDArray[np.float64], outside: float) -> dict[str, float]:
        reconstruction = self._reconstruction_weight * (self._squared_unit * float(parts[0]) + outside)
        kl = self._kl_weight * float(parts[1])
        return {"loss": reconstruction + self._loss.beta * kl, "reconstruction": reconstruction, "kl": kl}

    def _validation_parts(self, number: int, held_out: VaeRows, epoch: int) -> NDArray[np.float64]:
        own = {name: value[number : number + 1] for name, value in self.parameters.values.items()}
        x, c = (to_tensor(one, self._dtype)[None].to(self.device) for one in (held_out.spectra, held_out.conditions))
        n_rows = len(held_out.spectra)
        size = (n_rows, self._shape.n_latent)
        drawn = noise_of(self._seeds[number], "validation noise", epoch, size, self._dtype)
        noise = drawn[None].to(self.device)
        _, _, mean, log_variance, variance, _, _, error = self._forward(own, x, c, noise)
        return np.array([float(error.square().sum()), float(_kl(mean, log_variance, variance).sum())]) / n_rows


def _layer(w: Mapping[str, Tensor], name: str, inputs: Tensor) -> Tensor:
    return torch.baddbmm(w[f"{name}.bias"].unsqueeze(1), inputs, w[f"{name}.weight"].transpose(1, 2))


def _kl(mean: Tensor, log_variance: Tensor, variance: Tensor) -> Tensor:
    """Divergence of N(mean, variance) from N(0, 1), per spectrum and dimension, in nats."""
    return 0.5 * (mean.square() + variance - 1.0 - log_variance)

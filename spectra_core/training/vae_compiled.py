"""The variational autoencoder with what lies between its matrix products compiled; the same gradients."""

from typing import Any

import torch
from torch import Tensor

from spectra_core.training import kernels
from spectra_core.training.vae_network import VaeNetwork


class CompiledVaeNetwork(VaeNetwork):
    """As `VaeNetwork`: only how a step is computed differs, and with it the rounding."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._bias_gradients = {
            name: gradient.numpy() for name, gradient in self.parameters.gradients.items() if name.endswith("bias")
        }
        self._number = self._spectra.numpy().dtype.type

    def step(self, start: int, stop: int) -> Tensor:
        """Write the gradient at rows start:stop of the order; return the squared error and the KL, summed."""
        w, biases, number, n = self.parameters.values, self._bias_gradients, self._number, stop - start
        n_latent = self._shape.n_latent
        rows = self._order[start:stop]
        x, c, noise = self._spectra[rows], self._conditions[rows], self._noise[start:stop].numpy()
        parts = torch.empty(2, dtype=x.dtype)

        seen = torch.cat([x, c], dim=1) if self._shape.encoder_sees_conditions else x
        hidden = self._forward_layer("encoder.hidden", seen).relu_()
        posterior = self._forward_layer("encoder.posterior", hidden)
        point, deviation = (
            torch.empty((n, n_latent + c.shape[1]), dtype=x.dtype),
            torch.empty_like(posterior[:, :n_latent]),
        )
        kernels.draw_points(posterior.numpy(), noise, c.numpy(), point.numpy(), deviation.numpy(), parts.numpy()[1:])
        unfolded = self._forward_layer("decoder.hidden", point).relu_()
        spectrum = self._forward_layer("decoder.spectrum", unfolded)

        factor = number(2.0 * self._reconstruction_weight * self._squared_unit / n)
        kernels.error_gradient(spectrum.numpy(), x.numpy(), factor, biases["decoder.spectrum.bias"], parts.numpy()[:1])
        d_unfolded = self._backward_weight("decoder.spectrum", spectrum, unfolded) @ w["decoder.spectrum.weight"]
        kernels.through_relu(d_unfolded.numpy(), unfolded.numpy(), biases["decoder.hidden.bias"])
        d_point = self._backward_weight("decoder.hidden", d_unfolded, point) @ w["decoder.hidden.weight"]
        delta = torch.empty_like(posterior)
        kernels.posterior_gradient(
            d_point.numpy(),
            posterior.numpy(),
            deviation.numpy(),
            noise,
            number(self._loss.beta * self._kl_weight / n),
            delta.numpy(),
            biases["encoder.posterior.bias"],
        )
        d_hidden = self._backward_weight("encoder.posterior", delta, hidden) @ w["encoder.posterior.weight"]
        kernels.through_relu(d_hidden.numpy(), hidden.numpy(), biases["encoder.hidden.bias"])
        self._backward_weight("encoder.hidden", d_hidden, seen)
        return parts

    def _forward_layer(self, layer: str, inputs: Tensor) -> Tensor:
        w = self.parameters.values
        return torch.addmm(w[f"{layer}.bias"], inputs, w[f"{layer}.weight"].T)

    def _backward_weight(self, layer: str, delta: Tensor, inputs: Tensor) -> Tensor:
        """Write the gradient of the layer's weight; return `delta`."""
        torch.mm(delta.T, inputs, out=self.parameters.gradients[f"{layer}.weight"])
        return delta

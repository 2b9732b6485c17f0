"""The variational autoencoder as the loop trains it; the loss is in `vae_shape`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectra_core.contracts import derived_seed, random_stream
from spectra_core.training.adam import Adam
from spectra_core.training.loop import digest_of
from spectra_core.training.parameters import FlatParameters, initial_layer, to_tensor
from spectra_core.training.products import by_onednn
from spectra_core.training.torch_epochs import in_one_call, vae_epoch, vae_forward
from spectra_core.training.vae_shape import LAYERS, VaeLoss, VaeShape

Floats = NDArray[np.floating[Any]]


def initial_weights(shape: VaeShape, seed: int) -> dict[str, Floats]:
    """Draw every layer from its own stream, as PyTorch does by default."""
    arrays: dict[str, Floats] = {}
    for layer, (n_inputs, n_outputs) in shape.layers.items():
        rng = random_stream(seed, "initial weights", layer)
        arrays[f"{layer}.weight"], arrays[f"{layer}.bias"] = initial_layer(rng, n_inputs, n_outputs)
    return arrays


def noise_of(seed: int, purpose: str, epoch: int, size: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """Draw the standard normal noise of one epoch, from a stream of its own; one row per spectrum.

    By torch's generator, which needs a third of the time of numpy's.
    """
    stream = torch.Generator().manual_seed(derived_seed(seed, purpose, epoch))
    return torch.randn(size, generator=stream, dtype=dtype)


def into_basis(arrays: Mapping[str, Floats], shape: VaeShape, basis: Floats) -> dict[str, Floats]:
    """Return the network of coordinates that equals this network of channels; `basis` has orthonormal columns.

    Coordinates are counted in units of `unit_of(basis)`, so that they vary about as much as standardised channels do:
    weights then start as large, and learn as fast, as Adam's usual rate expects.
    """
    unit = unit_of(basis)
    seen, written = arrays["encoder.hidden.weight"], arrays["decoder.spectrum.weight"]
    channels, conditions = seen[:, : shape.n_channels], seen[:, shape.n_channels :]
    return {
        **arrays,
        "encoder.hidden.weight": np.concatenate([unit * (channels @ basis), conditions], axis=1),
        "decoder.spectrum.weight": basis.T @ written / unit,
        "decoder.spectrum.bias": basis.T @ arrays["decoder.spectrum.bias"] / unit,
    }


def unit_of(basis: Floats) -> float:
    """Return sqrt(n_channels / n_components), the size of coordinates of standardised channels.

    >>> unit_of(np.eye(4))
    1.0
    """
    return float(np.sqrt(basis.shape[0] / basis.shape[1]))


def out_of_basis(arrays: Mapping[str, Floats], basis: Floats) -> dict[str, Floats]:
    """Undo `into_basis`, up to what lies outside the basis."""
    unit = unit_of(basis)
    seen = arrays["encoder.hidden.weight"]
    coordinates, conditions = seen[:, : basis.shape[1]], seen[:, basis.shape[1] :]
    return {
        **arrays,
        "encoder.hidden.weight": np.concatenate([coordinates @ basis.T / unit, conditions], axis=1),
        "decoder.spectrum.weight": unit * (basis @ arrays["decoder.spectrum.weight"]),
        "decoder.spectrum.bias": unit * (basis @ arrays["decoder.spectrum.bias"]),
    }


@dataclass(frozen=True, eq=False)
class VaeRows:
    """Standardised spectra with what the loss needs of them.

    Parameters
    ----------
    spectra : (n_rows, n_coordinates)
    conditions : (n_rows, n_conditions)
        No columns for the unconditional form.
    outside
        Mean over spectra of the squared length that the coordinates do not hold; 0 without a basis.
    unit
        Of the coordinates, in standardised channels.
    """

    spectra: Floats
    conditions: Floats
    outside: float = 0.0
    unit: float = 1.0

    @classmethod
    def of(cls, spectra: Floats, conditions: Floats | None, basis: Floats | None) -> Self:
        """Gather the rows, in the coordinates of `basis` where one is given."""
        if conditions is None:
            conditions = np.empty((len(spectra), 0))
        if basis is None:
            return cls(spectra, conditions)
        coordinates, unit = spectra @ basis, unit_of(basis)
        outside = float((spectra**2).sum() - (coordinates**2).sum()) / len(spectra)
        return cls(coordinates / unit, conditions, outside, unit)


class VaeNetwork:
    """A VAE or conditional VAE with its training rows; one spectrum a row throughout."""

    def __init__(
        self,
        start: Mapping[str, Floats],
        shape: VaeShape,
        loss: VaeLoss,
        rows: VaeRows,
        *,
        seed: int,
        dtype: torch.dtype,
        validation: VaeRows | None = None,
    ) -> None:
        self.parameters = FlatParameters(start, dtype)
        self.n_rows = len(rows.spectra)
        self._shape, self._loss, self._seed = shape, loss, seed
        self._reconstruction_weight, self._kl_weight = loss.weights(shape.n_channels, shape.n_latent)
        self._squared_unit = rows.unit**2
        self._weights = 2.0 * self._reconstruction_weight * self._squared_unit, loss.beta * self._kl_weight
        self._rows, self._validation = rows, validation
        self._spectra, self._conditions = to_tensor(rows.spectra, dtype), to_tensor(rows.conditions, dtype)

    def start_epoch(self, epoch: int, order: Tensor) -> None:
        """Draw the noise of the whole epoch."""
        self._order = order
        self._noise = noise_of(self._seed, "noise", epoch, (self.n_rows, self._shape.n_latent), self._spectra.dtype)

    def torch_epoch(self, batch_size: int, adam: Adam, rates: list[float]) -> NDArray[np.float64]:
        """Do the steps of an epoch by `torch_epochs.vae_epoch`."""
        arrays = self._spectra, self._conditions, self._order, self._noise
        state = adam.state_of([[f"{layer}.weight", f"{layer}.bias"] for layer in LAYERS])
        settings = batch_size, self._shape.encoder_sees_conditions, self._weights
        parts = in_one_call(vae_epoch)(*arrays, *settings, *state, rates, by_onednn(self._spectra))
        return parts.double().numpy()

    @property
    def compiled(self) -> Any:
        """What `compiled_epoch` calls."""
        from spectra_core.training.kernels import vae_epoch

        return vae_epoch

    def compiled_epoch(self, batch_size: int, steps: tuple[Any, ...]) -> NDArray[np.float64]:
        """Do all steps of an epoch by `kernels.vae_epoch`."""
        shape = self._shape
        arrays = self._spectra.numpy(), self._conditions.numpy(), self._order.numpy(), self._noise.numpy()
        parts: NDArray[np.float64] = self.compiled(
            *arrays, batch_size, shape.n_hidden, shape.encoder_sees_conditions, self._weights, *steps
        )
        return parts

    def figures(self, epoch: int, parts: NDArray[np.float64]) -> dict[str, float]:
        """Name the parts of the loss; where there is validation, the same for it, with its own noise."""
        figures = self._named(parts, self._rows.outside)
        if self._validation is not None:
            held_out = self._named(self._validation_parts(epoch), self._validation.outside)
            figures |= {f"validation_{name}": value for name, value in held_out.items()}
        return figures

    def mean_squared_error(self, parts: NDArray[np.float64]) -> float:
        """Return the error of reconstruction per channel."""
        return self._squared_unit * float(parts[0]) / self._shape.n_channels

    def identity(self) -> bytes:
        """Digest of data, sizes and loss."""
        return digest_of(self._shape, self._loss, self._rows.spectra, self._rows.conditions)

    def _named(self, parts: NDArray[np.float64], outside: float) -> dict[str, float]:
        reconstruction = self._reconstruction_weight * (self._squared_unit * float(parts[0]) + outside)
        kl = self._kl_weight * float(parts[1])
        return {"loss": reconstruction + self._loss.beta * kl, "reconstruction": reconstruction, "kl": kl}

    def _validation_parts(self, epoch: int) -> NDArray[np.float64]:
        assert self._validation is not None
        dtype, n_rows = self._spectra.dtype, len(self._validation.spectra)
        x, c = to_tensor(self._validation.spectra, dtype), to_tensor(self._validation.conditions, dtype)
        noise = noise_of(self._seed, "validation noise", epoch, (n_rows, self._shape.n_latent), dtype)
        values = self.parameters.values
        layers = [[values[f"{layer}.weight"], values[f"{layer}.bias"]] for layer in LAYERS]
        seen_too = self._shape.encoder_sees_conditions
        through = vae_forward(x, c, noise, seen_too, layers, by_onednn(x))
        _, _, mean, log_variance, _, _, error = through
        kl = 0.5 * (mean.square() + torch.exp(0.5 * log_variance).square() - 1.0 - log_variance)
        return np.array([float(error.square().sum()), float(kl.sum())]) / n_rows

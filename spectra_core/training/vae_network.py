"""The variational autoencoder in torch, and its rows in coordinates of a basis; the loss is in `vae_shape`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from spectra_core.contracts import derived_seed, random_stream
from spectra_core.training.parameters import initial_layer
from spectra_core.training.training import Floats
from spectra_core.training.vae_shape import VaeShape


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


def encoded(parameters: Mapping[str, Tensor], seen: Tensor) -> Tensor:
    """Return means and log-variances of the posteriors, side by side, of many networks at once.

    Parameters
    ----------
    parameters
        ``<layer>.weight`` (n_networks, n_outputs, n_inputs) and ``<layer>.bias`` (n_networks, n_outputs).
    seen : (n_networks, n_rows, n_inputs)
        Spectra, and conditions where the encoder sees them.
    """
    return _layer(parameters, "encoder.posterior", _layer(parameters, "encoder.hidden", seen).relu())


def decoded(parameters: Mapping[str, Tensor], points: Tensor) -> Tensor:
    """Return spectra from latent points and conditions, side by side; as `encoded`."""
    return _layer(parameters, "decoder.spectrum", _layer(parameters, "decoder.hidden", points).relu())


def _layer(parameters: Mapping[str, Tensor], name: str, inputs: Tensor) -> Tensor:
    weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
    return torch.baddbmm(bias.unsqueeze(1), inputs, weight.transpose(1, 2))

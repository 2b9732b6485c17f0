"""Trained variational autoencoders, and how they are trained; the loss is defined in `vae_shape`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Arrays, Checkpoint, Reporter
from spectra_core.errors import ConfigError
from spectra_core.training.loop import train
from spectra_core.training.parallel import one_numerical_thread
from spectra_core.training.parameters import to_tensor, torch_dtype
from spectra_core.training.plan import Plan
from spectra_core.training.vae_network import (
    VaeNetwork,
    VaeRows,
    initial_weights,
    into_basis,
    out_of_basis,
)
from spectra_core.training.vae_shape import VaeLoss, VaeShape

Floats = NDArray[np.floating[Any]]
_ROWS_AT_ONCE = 4096  # bounds the memory of `encode` and `decode`


@dataclass(frozen=True, eq=False)
class VaeWeights:
    """A trained autoencoder: standardised spectra in, standardised spectra out.

    Parameters
    ----------
    shape
        Sizes of the layers.
    arrays
        ``<layer>.weight`` (n_outputs, n_inputs) and ``<layer>.bias`` (n_outputs,) for each of `LAYERS`. The
        first `n_latent` outputs of ``encoder.posterior`` are the mean, the others the log-variance; conditions
        come after the spectrum, and after the latent point.
    curve
        Loss parts per epoch, each (n_epochs,).
    """

    shape: VaeShape
    arrays: Mapping[str, Floats]
    curve: Mapping[str, NDArray[np.float64]]

    def encode(self, spectra: Floats, conditions: Floats | None = None) -> tuple[Floats, Floats]:
        """Return mean and log-variance of the posteriors, each (n_spectra, n_latent)."""
        seen = conditions if self.shape.encoder_sees_conditions else None
        both = self._through("encoder.hidden", "encoder.posterior", spectra, seen)
        return both[:, : self.shape.n_latent], both[:, self.shape.n_latent :]

    def decode(self, latent: Floats, conditions: Floats | None = None) -> Floats:
        """Return standardised spectra (n_points, n_channels)."""
        return self._through("decoder.hidden", "decoder.spectrum", latent, conditions)

    def to_arrays(self) -> Arrays:
        """Return weights and curve as named arrays for storage."""
        return {**self.arrays, **{f"curve.{name}": values for name, values in self.curve.items()}}

    @classmethod
    def from_arrays(cls, shape: VaeShape, arrays: Arrays) -> Self:
        """Rebuild from `to_arrays`, refusing what does not fit `shape`.

        Raises
        ------
        ConfigError
            Naming the first array that is missing, of another shape, or not finite.
        """
        weights: dict[str, Floats] = {}
        for layer, (n_inputs, n_outputs) in shape.layers.items():
            for name, expected in ((f"{layer}.weight", (n_outputs, n_inputs)), (f"{layer}.bias", (n_outputs,))):
                array = arrays.get(name)
                if array is None or array.shape != expected:
                    got = "nothing" if array is None else f"shape {array.shape}"
                    raise ConfigError(f"The stored model should hold {name!r} of shape {expected}, but holds {got}.")
                if not np.isfinite(array).all():
                    raise ConfigError(f"{name!r} of the stored model is not finite. Train it again.")
                weights[name] = array
        curve = {
            name.removeprefix("curve."): np.asarray(values, dtype=np.float64)
            for name, values in arrays.items()
            if name.startswith("curve.")
        }
        return cls(shape, weights, curve)

    def _through(self, first: str, second: str, values: Floats, conditions: Floats | None) -> Floats:
        dtype = torch_dtype(self.arrays[f"{first}.weight"].dtype)
        inputs = values if conditions is None else np.concatenate([values, conditions], axis=1)
        w1, b1, w2, b2 = (
            to_tensor(self.arrays[f"{layer}.{part}"], dtype) for layer in (first, second) for part in ("weight", "bias")
        )
        with one_numerical_thread(), torch.no_grad():
            parts = [
                torch.addmm(b2, torch.addmm(b1, to_tensor(rows, dtype), w1.T).relu_(), w2.T).numpy()
                for rows in (inputs[at : at + _ROWS_AT_ONCE] for at in range(0, len(inputs), _ROWS_AT_ONCE))
            ]
        return np.concatenate(parts)


def train_vae(
    spectra: Floats,
    conditions: Floats | None = None,
    *,
    shape: VaeShape,
    loss: VaeLoss,
    plan: Plan,
    dtype: Any = np.float32,
    basis: Floats | None = None,
    validation: Floats | None = None,
    validation_conditions: Floats | None = None,
    reporter: Reporter = SILENT,
    checkpoint: Checkpoint | None = None,
    stage: str = "Training the VAE",
) -> VaeWeights:
    """Train by Adam on minibatches, one draw from each posterior per step.

    Parameters
    ----------
    spectra : (n_spectra, n_channels)
        Standardised.
    conditions : (n_spectra, n_conditions)
        Standardised; None for the unconditional form.
    shape, loss, plan
        Sizes, loss and optimisation; all random streams are named by `plan.seed`.
    dtype
        Precision of the training: float32, or float64 to compare with other implementations.
    basis : (n_channels, n_components), orthonormal columns
        Train on coordinates in this basis and return the equal network of the channels. The same function and
        starting point, and the same loss but for the part of the spectra outside the basis, but **another path
        of optimisation**: Adam is not invariant to rotation. None for the study's own path.
    validation, validation_conditions
        Standardised spectra for the curve alone; they never change the result.
    reporter
        Told after every epoch, with ``loss``, ``reconstruction``, ``kl`` and the same for validation.
    checkpoint
        Where to keep unfinished training, and to go on from.

    Raises
    ------
    TrainingError
        When the loss is no longer finite; nothing is returned.
    """
    start = initial_weights(shape, plan.seed)
    if basis is not None:
        start = into_basis(start, shape, basis)
    held_out = None if validation is None else VaeRows.of(validation, validation_conditions, basis)
    network = VaeNetwork(
        start,
        shape,
        loss,
        VaeRows.of(spectra, conditions, basis),
        seed=plan.seed,
        dtype=torch_dtype(dtype),
        validation=held_out,
    )
    curve = train(network, plan, stage=stage, reporter=reporter, checkpoint=checkpoint)
    arrays: dict[str, Floats] = network.parameters.to_arrays()
    if basis is not None:
        arrays = {name: np.asarray(array, dtype) for name, array in out_of_basis(arrays, basis).items()}
    return VaeWeights(shape, arrays, curve)

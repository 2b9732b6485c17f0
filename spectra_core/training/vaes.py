"""Trained variational autoencoders, and how they are trained; the loss is defined in `vae_shape`."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Arrays, Checkpoint, Reporter
from spectra_core.errors import ConfigError
from spectra_core.training.devices import CPU
from spectra_core.training.loop import train
from spectra_core.training.parallel import one_numerical_thread
from spectra_core.training.parameters import to_tensor, torch_dtype
from spectra_core.training.plan import Plan
from spectra_core.training.products import linear
from spectra_core.training.together import in_stacks, length_of, train_stack
from spectra_core.training.vae_network import (
    VaeNetwork,
    VaeRows,
    initial_weights,
    into_basis,
    out_of_basis,
)
from spectra_core.training.vae_shape import VaeLoss, VaeShape
from spectra_core.training.vaes_together import StackedVaes

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
                linear(linear(to_tensor(rows, dtype), w1, b1).relu_(), w2, b2).numpy()
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
    device: str = CPU,
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
    device
        Torch's name of it, from `devices.trained_on`; `plan.kernels` say who computes on the processor only.
    reporter
        Told after every epoch, with ``loss``, ``reconstruction``, ``kl`` and the same for validation.
    checkpoint
        Where to keep unfinished training, and to go on from.

    Raises
    ------
    TrainingError
        When the loss is no longer finite; nothing is returned.
    """
    training = VaeTraining(
        spectra, conditions, shape, loss, plan, dtype, basis, validation, validation_conditions, stage
    )
    return train_vae_on(device, training, reporter, checkpoint)


@dataclass(frozen=True, eq=False)
class VaeTraining:
    """One call of `train_vae`, with the same arguments."""

    spectra: Floats
    conditions: Floats | None
    shape: VaeShape
    loss: VaeLoss
    plan: Plan
    dtype: Any = np.float32
    basis: Floats | None = None
    validation: Floats | None = None
    validation_conditions: Floats | None = None
    stage: str = "Training the VAE"

    @property
    def rows(self) -> VaeRows:
        """What the network is trained on."""
        return VaeRows.of(self.spectra, self.conditions, self.basis)

    @property
    def held_out(self) -> VaeRows | None:
        """The same of the spectra for the curve."""
        if self.validation is None:
            return None
        return VaeRows.of(self.validation, self.validation_conditions, self.basis)

    @property
    def kind(self) -> Hashable:
        """What trainings have in common that can be advanced together."""
        n_coordinates = (self.spectra if self.basis is None else self.basis).shape[1]
        sizes = (n_coordinates, self.shape, self.loss, np.dtype(self.dtype).name)
        return sizes, length_of(self.plan, len(self.spectra))

    @property
    def n_values(self) -> int:
        """How many numbers its rows hold."""
        return int(self.spectra.size)

    def start(self) -> dict[str, Floats]:
        """Draw the initial weights."""
        start = initial_weights(self.shape, self.plan.seed)
        return start if self.basis is None else into_basis(start, self.shape, self.basis)

    def weights(self, arrays: dict[str, Floats], curve: Mapping[str, NDArray[np.float64]]) -> VaeWeights:
        """Return a trained network of coordinates as the equal network of the channels."""
        if self.basis is not None:
            arrays = {name: np.asarray(array, self.dtype) for name, array in out_of_basis(arrays, self.basis).items()}
        return VaeWeights(self.shape, arrays, curve)


def train_vae_on(
    device: str, training: VaeTraining, reporter: Reporter = SILENT, checkpoint: Checkpoint | None = None
) -> VaeWeights:
    """Train one autoencoder, as `train_vae`."""
    if device != CPU:
        return train_vaes_together([training], device=device, reporter=reporter, checkpoint=checkpoint)[0]
    network = VaeNetwork(
        training.start(),
        training.shape,
        training.loss,
        training.rows,
        seed=training.plan.seed,
        dtype=torch_dtype(training.dtype),
        validation=training.held_out,
    )
    curve = train(network, training.plan, stage=training.stage, reporter=reporter, checkpoint=checkpoint)
    return training.weights(network.parameters.to_arrays(), curve)


def train_vaes_together(
    trainings: Sequence[VaeTraining],
    *,
    device: str,
    reporter: Reporter = SILENT,
    checkpoint: Checkpoint | None = None,
) -> list[VaeWeights]:
    """Train many autoencoders on one device, those of equal size and length at the same time.

    The numbers are those of `train_vae` for each, up to rounding.

    Parameters
    ----------
    checkpoint
        As in `train_vae`; for a single training.

    Raises
    ------
    TrainingError
        When one diverges; it is named, and nothing is returned.
    """

    def stack(chosen: Sequence[VaeTraining], told: Reporter) -> list[VaeWeights]:
        networks = StackedVaes(
            [one.start() for one in chosen],
            chosen[0].shape,
            chosen[0].loss,
            [one.rows for one in chosen],
            seeds=[one.plan.seed for one in chosen],
            dtype=torch_dtype(chosen[0].dtype),
            device=device,
            validation=[one.held_out for one in chosen],
        )
        plans, stages = [one.plan for one in chosen], [one.stage for one in chosen]
        kept = checkpoint if len(trainings) == 1 else None
        curves = train_stack(networks, plans, stages=stages, reporter=told, checkpoint=kept)
        return [one.weights(networks.arrays(number), curves[number]) for number, one in enumerate(chosen)]

    return in_stacks(trainings, stack, reporter)

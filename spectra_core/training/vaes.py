"""Trained variational autoencoders, and how they are trained; the loss is defined in `vae_shape`."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectra_core.contracts import SILENT, Arrays, Checkpoint, Reporter
from spectra_core.errors import ConfigError
from spectra_core.training.devices import CPU
from spectra_core.training.loop import train
from spectra_core.training.parallel import one_numerical_thread
from spectra_core.training.parameters import TORCH_DTYPES, to_tensor, torch_dtype
from spectra_core.training.plan import Plan
from spectra_core.training.training import Curve, Figures, Floats, Training, digest_of
from spectra_core.training.vae_network import (
    VaeRows,
    decoded,
    encoded,
    initial_weights,
    into_basis,
    noise_of,
    out_of_basis,
)
from spectra_core.training.vae_shape import VaeLoss, VaeShape

Network = Callable[[Mapping[str, Tensor], Tensor], Tensor]
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
        both = self._through(encoded, spectra, seen)
        return both[:, : self.shape.n_latent], both[:, self.shape.n_latent :]

    def decode(self, latent: Floats, conditions: Floats | None = None) -> Floats:
        """Return standardised spectra (n_points, n_channels)."""
        return self._through(decoded, latent, conditions)

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
                if array.dtype.name not in TORCH_DTYPES:
                    raise ConfigError(f"The stored model should hold {name!r} as fractions, but holds {array.dtype}.")
                if not np.isfinite(array).all():
                    raise ConfigError(f"{name!r} of the stored model is not finite. Train it again.")
                weights[name] = array
        curve = {
            name.removeprefix("curve."): np.asarray(values, dtype=np.float64)
            for name, values in arrays.items()
            if name.startswith("curve.")
        }
        if any(values.ndim != 1 for values in curve.values()) or len({len(values) for values in curve.values()}) > 1:
            raise ConfigError("The parts of the stored training curve differ in length. Train the model again.")
        return cls(shape, weights, curve)

    def _through(self, network: Network, values: Floats, conditions: Floats | None) -> Floats:
        dtype = torch_dtype(self.arrays["encoder.hidden.weight"].dtype)
        inputs = values if conditions is None else np.concatenate([values, conditions], axis=1)
        parameters = {name: to_tensor(array[None], dtype) for name, array in self.arrays.items()}
        with one_numerical_thread(), torch.no_grad():
            some = (inputs[at : at + _ROWS_AT_ONCE] for at in range(0, len(inputs), _ROWS_AT_ONCE))
            return np.concatenate([network(parameters, to_tensor(rows[None], dtype))[0].numpy() for rows in some])


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
    return training.trained(device, reporter, checkpoint)


@dataclass(frozen=True, eq=False)
class VaeTraining(Training):
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

    def trained(
        self, device: str = CPU, reporter: Reporter = SILENT, checkpoint: Checkpoint | None = None
    ) -> VaeWeights:
        """Train this network alone."""
        return self.weights(*train([self], device=device, reporter=reporter, checkpoint=checkpoint)[0])

    @cached_property
    def rows(self) -> VaeRows:
        """What the network is trained on."""
        return VaeRows.of(self.spectra, self.conditions, self.basis)

    @cached_property
    def held_out(self) -> VaeRows | None:
        """The same of the spectra for the curve."""
        if self.validation is None:
            return None
        return VaeRows.of(self.validation, self.validation_conditions, self.basis)

    @cached_property
    def tables(self) -> tuple[Floats, ...]:
        """Spectra and conditions."""
        return self.rows.spectra.astype(self.dtype), self.rows.conditions.astype(self.dtype)

    @property
    def part_weights(self) -> tuple[float, ...]:
        """Of the squared error, summed over channels, and of the divergence, summed over latent dimensions."""
        reconstruction, kl = self.loss.weights(self.shape.n_channels, self.shape.n_latent)
        return reconstruction * self.rows.unit**2, self.loss.beta * kl

    @property
    def sizes(self) -> Hashable:
        """Of all layers, and the loss."""
        return (self.spectra if self.basis is None else self.basis).shape[1], self.shape, self.loss

    def start(self) -> dict[str, Floats]:
        """Draw the initial weights."""
        start = initial_weights(self.shape, self.plan.seed)
        return start if self.basis is None else into_basis(start, self.shape, self.basis)

    def noise(self, epoch: int) -> Tensor:
        """Draw the noise of an epoch."""
        return noise_of(self.plan.seed, "noise", epoch, (self.n_rows, self.shape.n_latent), torch_dtype(self.dtype))

    def parts(self, parameters: Mapping[str, Tensor], rows: tuple[Tensor, ...], noise: Tensor | None) -> Tensor:
        """Return squared error and divergence from the prior of every spectrum."""
        assert noise is not None
        x, c = rows
        seen = torch.cat([x, c], dim=2) if self.shape.encoder_sees_conditions else x
        mean, log_variance = encoded(parameters, seen).chunk(2, dim=2)
        point = mean + torch.exp(0.5 * log_variance) * noise
        error = decoded(parameters, torch.cat([point, c], dim=2)) - x
        kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance)
        return torch.stack([error.square().sum(dim=2), kl.sum(dim=2)], dim=1)

    @property
    def compiled(self) -> Any:
        """The compiled epoch of an autoencoder."""
        from spectra_core.training.vae_kernels import vae_epoch

        return vae_epoch

    def compiled_arguments(self, order: NDArray[np.int64], noise: NDArray[Any] | None) -> tuple[Any, ...]:
        """Return what `vae_kernels.vae_epoch` needs; the slope of a squared error is twice it."""
        reconstruction, kl = self.part_weights
        shape, weights = self.shape, (2.0 * reconstruction, kl)
        return *self.tables, order, noise, self.batch_size, shape.n_hidden, shape.encoder_sees_conditions, weights

    def figures(self, epoch: int, parts: Figures, parameters: Mapping[str, Tensor]) -> dict[str, float]:
        """Name the parts of the loss; where there is validation, the same for it, with its own noise."""
        figures = self._named(parts, self.rows.outside)
        if self.held_out is not None:
            named = self._named(self._held_out_parts(epoch, parameters), self.held_out.outside)
            figures |= {f"validation_{name}": value for name, value in named.items()}
        return figures

    def mean_squared_error(self, parts: Figures) -> float:
        """Return the error of reconstruction per channel."""
        return self.rows.unit**2 * float(parts[0]) / self.shape.n_channels

    def identity(self) -> bytes:
        """Digest of data, sizes and loss."""
        return digest_of(self.shape, self.loss, self.rows.spectra, self.rows.conditions)

    def weights(self, arrays: dict[str, Floats], curve: Curve) -> VaeWeights:
        """Return a trained network of coordinates as the equal network of the channels."""
        if self.basis is not None:
            arrays = {name: np.asarray(array, self.dtype) for name, array in out_of_basis(arrays, self.basis).items()}
        return VaeWeights(self.shape, arrays, curve)

    def _named(self, parts: Figures, outside: float) -> dict[str, float]:
        reconstruction_weight, kl_weight = self.loss.weights(self.shape.n_channels, self.shape.n_latent)
        reconstruction = reconstruction_weight * (self.rows.unit**2 * float(parts[0]) + outside)
        kl = kl_weight * float(parts[1])
        return {"loss": reconstruction + self.loss.beta * kl, "reconstruction": reconstruction, "kl": kl}

    def _held_out_parts(self, epoch: int, parameters: Mapping[str, Tensor]) -> Figures:
        assert self.held_out is not None
        device, dtype = parameters["encoder.hidden.bias"].device, torch_dtype(self.dtype)
        size = (len(self.held_out.spectra), self.shape.n_latent)
        noise = noise_of(self.plan.seed, "validation noise", epoch, size, dtype)[None].to(device)
        spectra, conditions = (
            to_tensor(values[None], dtype).to(device) for values in (self.held_out.spectra, self.held_out.conditions)
        )
        parts = self.parts(parameters, (spectra, conditions), noise)[0]
        return np.asarray(parts.double().mean(dim=1).cpu().numpy())


def train_vaes_together(
    trainings: Sequence[VaeTraining], *, device: str = CPU, reporter: Reporter = SILENT
) -> list[VaeWeights]:
    """Train many autoencoders, as `loop.train`; the numbers are those of each alone, up to rounding.

    Raises
    ------
    TrainingError
        When one diverges; it is named, and nothing is returned.
    """
    found = train(trainings, device=device, reporter=reporter)
    return [training.weights(*one) for training, one in zip(trainings, found, strict=True)]

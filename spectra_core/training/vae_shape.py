"""The variational autoencoder of the study and its conditional form: sizes and loss.

Encoder n_channels-n_hidden-(mean, log-variance), decoder n_latent-n_hidden-n_channels, ReLU in between, linear
outputs. The conditional form adds the concentrations to the inputs of the decoder and, as an option, to those of
the encoder (Kingma & Welling, ICLR 2014; Sohn, Lee & Yan, NeurIPS 2015).

The loss is ``reconstruction + beta * kl``, where for spectrum x, its reconstruction y and its posterior
N(mu, exp(v)) in standardised units

===========  =====================================  ==============================================
reduction    reconstruction                         kl
===========  =====================================  ==============================================
``"mean"``   (y - x)^2, mean over channels          -(1 + v - mu^2 - exp(v))/2, mean over dimensions
``"sum"``    (y - x)^2, sum over channels           the same, summed over dimensions
===========  =====================================  ==============================================

both averaged over the spectra of the batch. The loss is proportional to the evidence bound with noise of
variance s^2 per channel, ``s^2 = beta * n_channels / (2 * n_latent)`` for ``"mean"`` and ``beta / 2`` for
``"sum"``. Principal components of smaller variance are lost and one of variance l keeps about ln(l/s^2)/2 nats
(exact for linear networks: Lucas et al., NeurIPS 2019), which is why ``"mean"`` keeps few dimensions active.
The mean over channels with the sum over dimensions, also met in programs, is ``"mean"`` with ``beta`` multiplied
by ``n_latent``.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from spectra_core.options import Range, WithOptions

Reduction = Literal["mean", "sum"]
HiddenUnits = Annotated[int, Range(1, 8192), "Hidden units"]
LatentDimensions = Annotated[int, Range(1, 4096), "Latent dimensions"]
Beta = Annotated[float, Range(0, 1e6), "Weight of the KL term, beta"]
LAYERS = ("encoder.hidden", "encoder.posterior", "decoder.hidden", "decoder.spectrum")


@dataclass(frozen=True)
class VaeShape(WithOptions):
    """Sizes of all layers.

    Parameters
    ----------
    n_channels, n_hidden, n_latent
        Of the study: 911, 256 and 91.
    n_conditions
        Concentrations that the decoder sees; 0 for the unconditional form.
    encoder_sees_conditions
        Whether the encoder sees them too.
    """

    n_channels: Annotated[int, Range(1, 1_000_000)]
    n_hidden: HiddenUnits = 256
    n_latent: LatentDimensions = 91
    n_conditions: Annotated[int, Range(0, 100_000)] = 0
    encoder_sees_conditions: bool = False

    @property
    def layers(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of each layer, by name."""
        n_seen = self.n_conditions if self.encoder_sees_conditions else 0
        sizes = (
            (self.n_channels + n_seen, self.n_hidden),
            (self.n_hidden, 2 * self.n_latent),
            (self.n_latent + self.n_conditions, self.n_hidden),
            (self.n_hidden, self.n_channels),
        )
        return dict(zip(LAYERS, sizes, strict=True))

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases.

        >>> VaeShape(911).n_parameters, VaeShape(911, n_conditions=8).n_parameters
        (537925, 539973)
        """
        return sum((n_inputs + 1) * n_outputs for n_inputs, n_outputs in self.layers.values())


@dataclass(frozen=True)
class VaeLoss(WithOptions):
    """Weight of the parts of the loss; see the head of this module.

    Parameters
    ----------
    beta
        Weight of the divergence from the prior (Higgins et al., ICLR 2017); smaller gives sharper spectra.
    reduction
        "mean" or "sum" over channels and latent dimensions.
    """

    beta: Beta = 1.0
    reduction: Reduction = "mean"

    def weights(self, n_channels: int, n_latent: int) -> tuple[float, float]:
        """Return what sums over channels and over latent dimensions are multiplied by."""
        return (1.0 / n_channels, 1.0 / n_latent) if self.reduction == "mean" else (1.0, 1.0)

"""The study's conditional variational autoencoder: spectra for chosen concentrations."""

from dataclasses import dataclass
from typing import ClassVar

from spectra_core.generators.autoencoder import Autoencoder


@dataclass
class CVAE(Autoencoder):
    """Conditional variational autoencoder (Sohn, Lee & Yan, NeurIPS 2015); parameters as in `Autoencoder`.

    Parameters
    ----------
    encoder_sees_targets
        Whether the encoder sees the concentrations too, so that the latent point need not carry them. The study's
        encoder sees the spectrum only. Where it sees them, `encode` uses the targets of the set.
    """

    title: ClassVar[str] = "Conditional variational autoencoder"
    explanation: ClassVar[str] = (
        "Draws a spectrum from a latent point and a chosen set of concentrations, which become its labels."
    )
    worth: ClassVar[str] = (
        "For teaching what conditions and labels do, not for calibrations: on every set of the study it "
        "raised errors where concentrations were drawn independently."
    )
    needs_conditions: ClassVar[bool] = True

    encoder_sees_targets: bool = False

    def _encoder_sees_targets(self) -> bool:
        return self.encoder_sees_targets

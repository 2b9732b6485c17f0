"""The study's variational autoencoder: spectra without concentrations."""

from dataclasses import dataclass
from typing import ClassVar

from spectra_core.generators.autoencoder import Autoencoder


@dataclass
class VAE(Autoencoder):
    """Variational autoencoder (Kingma & Welling, ICLR 2014); parameters as in `Autoencoder`.

    Its spectra come without concentrations: they have to be labelled.
    """

    title: ClassVar[str] = "Variational autoencoder"
    explanation: ClassVar[str] = (
        "Compresses spectra to points of a latent space and learns to draw a spectrum from any such point."
    )
    worth: ClassVar[str] = (
        "For teaching and for looking at a set, not for calibrations: in no arm, set or size of the study did "
        "it lower an error beyond doubt."
    )

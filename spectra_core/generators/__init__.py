"""Models that make new spectra: learned ones with a latent space, and classical augmentation without one."""

from spectra_core.generators.base import Generator
from spectra_core.generators.cvae import CVAE
from spectra_core.generators.fitting import fit_many
from spectra_core.generators.jitter import Jitter
from spectra_core.generators.mixing import Mixing
from spectra_core.generators.nuisances import Nuisances
from spectra_core.generators.pca import PCAGenerator
from spectra_core.generators.physics_residual import PhysicsResidual
from spectra_core.generators.vae import VAE

GENERATORS: dict[str, type[Generator]] = {
    "pca": PCAGenerator,
    "vae": VAE,
    "cvae": CVAE,
    "jitter": Jitter,
    "mixing": Mixing,
    "nuisances": Nuisances,
    "physics_residual": PhysicsResidual,
}
"""Every generator by name; adding one means one file and one line here."""

__all__ = [
    "CVAE",
    "GENERATORS",
    "VAE",
    "Jitter",
    "Mixing",
    "Nuisances",
    "PCAGenerator",
    "PhysicsResidual",
    "fit_many",
]

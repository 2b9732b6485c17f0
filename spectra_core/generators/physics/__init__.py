"""What is known of a spectrum before any learning: from concentrations to absorbance."""

from spectra_core.generators.physics.base import Physics
from spectra_core.generators.physics.beer_lambert import BeerLambert
from spectra_core.generators.physics.pure_components import PureComponents
from spectra_core.generators.physics.salt_simulator import SaltSimulator

PHYSICS: dict[str, type[Physics]] = {
    "salt_simulator": SaltSimulator,
    "beer_lambert": BeerLambert,
    "pure_components": PureComponents,
}
"""Every physics by name; adding one means one file and one line here."""

__all__ = ["PHYSICS", "BeerLambert", "Physics", "PureComponents", "SaltSimulator"]

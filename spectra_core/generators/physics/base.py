"""What every physics offers: a function from concentrations to spectra on the axis of a set."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from spectra_core.conditions.charge import molar_factor
from spectra_core.contracts import Arrays
from spectra_core.datasets.ions import MASS_UNITS, concentration_unit
from spectra_core.options import WithOptions
from spectra_core.spectra import Frame, SpectraSet, Target

Floats = NDArray[np.float64]


class Physics(WithOptions, ABC):
    """A forward model. A dataclass; its fields are its whole configuration (JSON values)."""

    title: ClassVar[str]
    explanation: ClassVar[str]
    data_only: ClassVar[bool] = False
    """Whether it knows nothing but the training rows."""

    @abstractmethod
    def obstacle(self, frame: Frame) -> str | None:
        """Say in one sentence why it cannot make spectra on this axis for these targets; None where it can."""

    def notes(self, frame: Frame) -> tuple[str, ...]:
        """Say what it leaves out on this axis, for these targets; one sentence each."""
        return ()

    def fit(self, train: SpectraSet) -> Self:
        """Learn what is left open, if anything; return self."""
        return self

    @abstractmethod
    def spectra(self, targets: Floats, frame: Frame) -> Floats:
        """Return spectra (n_sets, n_channels) for concentrations (n_sets, n_targets) in the targets' units."""

    def leverages(self, targets: Floats) -> Floats:
        """Return the share of its own spectrum in what `fit` made of each training row, (n_rows,); 0 if nothing is."""
        return np.zeros(len(targets))

    def to_arrays(self) -> Arrays:
        """Return what `fit` learned."""
        return {}

    def shapes(self, frame: Frame) -> dict[str, tuple[int | None, ...]]:
        """Return name and shape of every array of `to_arrays`."""
        return {}

    def from_arrays(self, arrays: Arrays) -> Self:
        """Take over what `fit` learned, of checked shapes; return self."""
        return self


def absorbance_obstacle(frame: Frame) -> str | None:
    """Say why nothing that is told in absorbance over nanometres fits; None where it does."""
    if frame.quantity != "Absorbance":
        return f"it gives absorbance, and these spectra hold {frame.quantity.lower()}"
    if frame.axis.quantity != "Wavelength" or frame.axis.unit != "nm":
        return f"it needs wavelengths in nm, and this axis is {frame.axis.label}"
    return None


def mol_per_litre(target: Target) -> float | None:
    """Return mol/L in one unit of a target, 1 where it names none; None where the unit is no amount per volume.

    >>> mol_per_litre(Target("Cu2+", "mM")), mol_per_litre(Target("Cu2+", "mg/L", molar_mass=63.55)), mol_per_litre(
    ...     Target("Cu2+", "%")
    ... )
    (0.001, 1.5735641227380016e-05, None)
    """
    unit = concentration_unit(target.unit)
    if unit in MASS_UNITS and target.molar_mass:
        return MASS_UNITS[unit] / target.molar_mass
    return molar_factor(target.unit) if target.unit else 1.0


def unit_notes(targets: Iterable[Target]) -> tuple[str, ...]:
    """Say of which targets the unit is taken to be mol/L, since none is named."""
    unnamed = [target.name for target in targets if not target.unit]
    return (f"No unit is named for {', '.join(unnamed)}: taken as mol/L.",) if unnamed else ()

"""What spectra must share to be used together: axis, signal, targets; and where a set comes from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.spectra.locking import locked
from spectra_core.spectra.text import require_whole

Origin = Literal["measured", "simulated", "generated"]


@dataclass(frozen=True, eq=False)
class SpectralAxis:
    """The position of every channel.

    Parameters
    ----------
    positions : (n_channels,), in `unit`
        Strictly monotonic channel positions, in either direction.
    quantity
        What the positions measure: "Wavelength", "Wavenumber", "Raman shift".
    unit
        Unit of the positions; empty for a dimensionless axis.
    """

    positions: NDArray[np.float64]
    quantity: str = "Wavelength"
    unit: str = "nm"

    def __post_init__(self) -> None:
        for text in (self.quantity, self.unit):
            require_whole(text, "The description of an axis")
        positions = locked(np.asarray(self.positions, dtype=np.float64), f"{self.quantity} axis", ndim=1)
        if len(positions) == 0:
            raise SpectraError("The axis has no channels. Give at least one position.")
        steps = np.diff(positions)
        if not ((steps > 0).all() or (steps < 0).all()):
            rising = np.sign(positions[-1] - positions[0]) or 1.0
            at = int(np.argmax(steps * rising <= 0))
            raise SpectraError(
                f"{self.quantity} axis must rise or fall from channel to channel, but channel {at + 2} is at "
                f"{positions[at + 1]:g} after {positions[at]:g}. "
                "Sort axis and spectra together, and remove repeated channels, before building the set."
            )
        object.__setattr__(self, "positions", positions)

    def __len__(self) -> int:
        return len(self.positions)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SpectralAxis)
            and (self.quantity, self.unit) == (other.quantity, other.unit)
            and np.array_equal(self.positions, other.positions)
        )

    def __hash__(self) -> int:
        return hash((self.positions.tobytes(), self.quantity, self.unit))

    @property
    def label(self) -> str:
        """Title of the axis with its unit.

        >>> SpectralAxis(np.arange(3.0)).label
        'Wavelength, nm'
        """
        return _with_unit(self.quantity, self.unit)

    def name_of(self, channel: int) -> str:
        """Name one channel by its position.

        >>> SpectralAxis(np.array([190.0, 191.0])).name_of(1)
        '191 nm'
        """
        return f"{self.positions[channel]:.10g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Target:
    """A quantity known for every spectrum, usually the concentration of one component.

    Parameters
    ----------
    name
        As the person writes it; any text, unique in a set.
    unit
        Unit of the values, such as "mol/L"; empty where it is not known.
    charge
        Charge number of the ion; None where it is not known or does not apply.
    molar_mass
        In g/mol; None where it is not known.
    """

    name: str
    unit: str = ""
    charge: int | None = None
    molar_mass: float | None = None

    def __post_init__(self) -> None:
        for text in (self.name, self.unit):
            require_whole(text, "The name or unit of a target")

    @property
    def label(self) -> str:
        """Name with unit.

        >>> Target("Cu2+", "mol/L").label
        'Cu2+, mol/L'
        """
        return _with_unit(self.name, self.unit)


@dataclass(frozen=True)
class SetMeta:
    """What a set is and where it comes from.

    Parameters
    ----------
    name
        What people call the set. Not part of the fingerprint: renaming changes no content.
    origin
        "measured", "simulated" or "generated".
    quantity, unit
        What `signal` measures. Clipping, saturation and Beer-Lambert checks apply to "Absorbance" only.
    provenance
        How the set was made, as JSON values: file and recipe, simulator settings, or model, sampler and seed.
    """

    name: str = "Unnamed set"
    origin: Origin = "measured"
    quantity: str = "Absorbance"
    unit: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.origin not in get_args(Origin):
            raise SpectraError(f"The origin of a set is one of {', '.join(get_args(Origin))}; got {self.origin!r}.")
        try:
            # In one order, whatever order it came in: sets of one fingerprint must lead to the same numbers.
            written = json.dumps(dict(self.provenance), allow_nan=False, sort_keys=True, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise SpectraError(
                f"Provenance must hold JSON values only (text, numbers, lists, mappings): {error}."
            ) from error
        for text in (self.name, self.quantity, self.unit, written):
            require_whole(text, "The description of a set")
        object.__setattr__(self, "provenance", MappingProxyType(json.loads(written)))

    @property
    def signal_label(self) -> str:
        """Title of the signal axis with its unit."""
        return _with_unit(self.quantity, self.unit)

    @property
    def is_absorbance(self) -> bool:
        """Whether Beer-Lambert checks apply."""
        return self.quantity == "Absorbance"


@dataclass(frozen=True)
class Frame:
    """What spectra must share to be used together: axis, signal quantity and unit, targets.

    Models keep the frame of their training set, so that they can refuse spectra that do not fit.
    """

    axis: SpectralAxis
    quantity: str
    unit: str
    target_info: tuple[Target, ...]

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of the targets in column order."""
        return tuple(target.name for target in self.target_info)

    def require_same_signal(self, other: "Frame") -> None:
        """Refuse a frame whose channels or signal quantity differ; targets may.

        Raises
        ------
        SpectraError
            Naming what differs.
        """
        if self.axis != other.axis:
            raise SpectraError(
                f"Expected spectra on one axis, got {_describe_axis(self.axis)} and {_describe_axis(other.axis)}. "
                "Resample one onto the axis of the other first."
            )
        if (self.quantity, self.unit) != (other.quantity, other.unit):
            raise SpectraError(
                f"Expected spectra of one quantity, got {_with_unit(self.quantity, self.unit)} and "
                f"{_with_unit(other.quantity, other.unit)}. Convert one of them first."
            )


def _describe_axis(axis: SpectralAxis) -> str:
    return f"{len(axis)} channels from {axis.positions[0]:g} to {axis.positions[-1]:g} {axis.unit}".rstrip()


def _with_unit(name: str, unit: str) -> str:
    return f"{name}, {unit}" if unit else name

"""Everything that decides a simulated set, as one value that goes through JSON."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Annotated, Any, TypeVar, cast

import numpy as np

from spectra_core.contracts import configuration
from spectra_core.datasets.simulator.constants import Chemistry, load_chemistry
from spectra_core.datasets.simulator.designs import DESIGNS, Design
from spectra_core.datasets.simulator.instrument import Instrument
from spectra_core.datasets.simulator.ions import MAX_ION_CONCENTRATION, SALTS
from spectra_core.errors import ConfigError, json_fault
from spectra_core.json_text import strict_value
from spectra_core.options import Range, Seed, option_of, require_options
from spectra_core.spectra import SpectralAxis

_MAX_CHANNELS = 20_000

Made = TypeVar("Made")
Concentration = Annotated[float, Range(0, MAX_ION_CONCENTRATION)]
Wavelength = Annotated[float, Range(150, 1110)]
Factor = Annotated[float, Range(0, 10)]


@dataclass(frozen=True, eq=True)
class SimulationSettings:
    """What is dissolved, how it absorbs, and what measures it.

    Parameters
    ----------
    title
        What people call it.
    n_spectra
        Spectra in a set, unless asked otherwise.
    salts
        Names from `SALTS`.
    max_concentration
        Largest concentration of every salt, mol/L.
    limits
        Largest concentration by salt, mol/L, in place of `max_concentration`.
    design, design_options
        Name in `DESIGNS` and its parameters.
    acid
        Nitric acid added to every solution, mol/L.
    temperature
        Of the sample, C.
    path_length
        Of the cell, cm.
    first_wavelength, last_wavelength, step
        The axis, nm, both ends included.
    speciation
        Whether equilibria are solved by PHREEQC; without, each ion absorbs for itself.
    nitrate_disturbance
        Factor on how cations disturb nitrate's bands; 0 switches it off.
    iron_tail
        Factor on iron's absorption beyond 400 nm, which is uncertain by a factor of three up to 480 nm.
    water_exclusion
        Whether ions push water out of the light's path.
    hydration
        Factor on how ions change the water around them; 0 switches it off.
    ammonium_overtones
        Whether ammonium's weak overtones are drawn.
    subtract_blank
        Whether spectra are relative to water in the same cell.
    instrument
        Parameters of `Instrument` that differ from their defaults.
    constants
        Values by name in `constants_table`, in place of the listed ones.
    perturbation_seed
        Draws every constant within its uncertainty: a physics that is not quite right. None for the listed values.

    Examples
    --------
    >>> settings = SimulationSettings(max_concentration=0.1)
    >>> SimulationSettings.from_json(settings.to_json()) == settings
    True
    """

    title: str = "Simulated mixtures"
    n_spectra: Annotated[int, Range(1, 10_000_000)] = 1000
    salts: tuple[str, ...] = tuple(SALTS)
    max_concentration: Annotated[float, Range(1e-9, MAX_ION_CONCENTRATION)] = 1.0
    limits: Mapping[str, float] = field(default_factory=dict)
    design: str = "sparse"
    design_options: Mapping[str, Any] = field(default_factory=dict)
    acid: Annotated[Concentration, "Nitric acid added, mol/L"] = 0.0
    # Constants are known near 25 C, and the water table near 20 C; outside this water freezes or data mislead.
    temperature: Annotated[float, Range(0, 60), "Temperature, °C"] = 25.0
    path_length: Annotated[float, Range(1e-4, 100), "Path length, cm"] = 1.0
    first_wavelength: Wavelength = 190.0
    last_wavelength: Wavelength = 1100.0
    step: Annotated[float, Range(0.01, 100)] = 1.0
    speciation: Annotated[bool, "Solve equilibria"] = True
    nitrate_disturbance: Factor = 1.0
    iron_tail: Annotated[float, Range(0.01, 100), "Iron beyond 400 nm, factor"] = 1.0
    water_exclusion: bool = True
    hydration: Factor = 1.0
    ammonium_overtones: bool = False
    subtract_blank: Annotated[bool, "Subtract water"] = True
    instrument: Mapping[str, float] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    perturbation_seed: Seed | None = None

    def __post_init__(self) -> None:
        require_options(self, "The simulator")
        for name in ("limits", "design_options", "instrument", "constants"):
            object.__setattr__(self, name, dict(getattr(self, name)))
        self._check_choices()
        self._check_numbers()
        # Built once here so that what is wrong is said at creation, not in the middle of a job.
        _ = self.design_model, self.instrument_model, self.chemistry

    @property
    def axis(self) -> SpectralAxis:
        """Position of every channel, nm."""
        n_channels = round((self.last_wavelength - self.first_wavelength) / self.step) + 1
        return SpectralAxis(self.first_wavelength + self.step * np.arange(n_channels, dtype=np.float64))

    @property
    def largest(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Largest concentration of each salt, (n_salts,), mol/L."""
        return np.array([self.limits.get(salt, self.max_concentration) for salt in self.salts], dtype=np.float64)

    @property
    def design_model(self) -> Design:
        """The design with its parameters."""
        return _made(DESIGNS[self.design], self.design_options, f"The design {self.design!r}")

    @property
    def instrument_model(self) -> Instrument:
        """The instrument with its parameters."""
        return _made(Instrument, self.instrument, "The instrument")

    @cached_property
    def chemistry(self) -> Chemistry:
        """The constants in force."""
        return load_chemistry(self.constants, self.perturbation_seed)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values that make these settings again."""
        return {**configuration(self), "salts": list(self.salts)}

    def to_json(self) -> str:
        """Write these settings as JSON."""
        return json.dumps(self.to_dict())

    def differences(self, other: "SimulationSettings") -> dict[str, Any]:
        """Return the JSON values in which these settings differ from `other`.

        >>> SimulationSettings(acid=0.1).differences(SimulationSettings())
        {'acid': 0.1}
        """
        theirs = other.to_dict()
        return {name: value for name, value in self.to_dict().items() if value != theirs[name]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SimulationSettings":
        """Make settings from JSON values.

        Raises
        ------
        ConfigError
            For an unknown name, or a value out of its range.
        """
        return _made(cls, values, "The simulator")

    @classmethod
    def from_json(cls, text: str) -> "SimulationSettings":
        """Read settings from JSON."""
        try:
            values = strict_value(text)
        except ValueError as error:
            raise ConfigError(f"The text of the simulator settings {json_fault(error)}.") from error
        if not isinstance(values, dict):
            raise ConfigError("Simulator settings must be a JSON object of names and values.")
        return cls.from_dict(values)

    def _check_choices(self) -> None:
        unknown = [salt for salt in (*self.salts, *self.limits) if salt not in SALTS]
        if unknown:
            raise ConfigError(f"Unknown salt {unknown[0]!r}. Known salts: {', '.join(SALTS)}.")
        if not self.salts or len(set(self.salts)) != len(self.salts):
            raise ConfigError(f"Give at least one salt, and each only once; got {list(self.salts)}.")
        if self.design not in DESIGNS:
            raise ConfigError(f"Unknown design {self.design!r}. Known designs: {', '.join(DESIGNS)}.")

    def _check_numbers(self) -> None:
        for salt, limit in self.limits.items():
            option_of("limits", Annotated[Concentration, f"Largest concentration of {salt}, mol/L"]).checked(
                limit, "The simulator"
            )
        if self.last_wavelength <= self.first_wavelength:
            raise ConfigError(
                f"The axis must end above its start, got {self.first_wavelength:g} to {self.last_wavelength:g} nm."
            )
        if (self.last_wavelength - self.first_wavelength) / self.step >= _MAX_CHANNELS:
            raise ConfigError(f"The axis has more than {_MAX_CHANNELS} channels. Give a larger step.")


def changed_settings(settings: SimulationSettings, changes: Mapping[str, Any]) -> SimulationSettings:
    """Return `settings` with some values changed, checked again.

    Raises
    ------
    ConfigError
        For an unknown name, or a value out of its range.
    """
    return SimulationSettings.from_dict({**settings.to_dict(), **changes})


def _made(kind: Callable[..., Made], values: Mapping[str, Any], what: str) -> Made:
    known = [f.name for f in fields(cast(Any, kind)) if f.init]
    unknown = [name for name in values if name not in known]
    if unknown:
        raise ConfigError(f"{what} has no setting {unknown[0]!r}. Its settings: {', '.join(known) or 'none'}.")
    return kind(**values)

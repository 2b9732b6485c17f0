"""Physics from a table of molar absorptivities."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np

from spectra_core.datasets.ions import named_target
from spectra_core.errors import ConfigError
from spectra_core.generators.physics.base import Floats, Physics, absorbance_obstacle, mol_per_litre, unit_notes
from spectra_core.options import Range
from spectra_core.spectra import Frame, SpectraSet

_MARK = re.compile(r"^(eps(ilon)?|ε|molar absorptivity( of)?)[\s_.:\-(\[]*", re.IGNORECASE)
"""What a column of molar absorptivities may begin with, before the name of the component."""


@dataclass
class BeerLambert(Physics):
    """Absorbance is path length times the sum of concentration times molar absorptivity, A = d sum of c_k eps_k.

    Between the table's wavelengths absorptivities are interpolated linearly; beyond them they count as 0.

    Parameters
    ----------
    wavelengths : (n_wavelengths,), nm
        Of the table, rising.
    absorptivities
        Component by name of the target it stands for: one molar absorptivity per wavelength, L/(mol cm). Other targets
        count as colourless.
    path_length
        Of the cell, cm.
    """

    title: ClassVar[str] = "Beer-Lambert, from a table"
    explanation: ClassVar[str] = "Adds up concentration times molar absorptivity, as a table of yours gives them."

    wavelengths: Annotated[tuple[float, ...], "Wavelengths of the table, nm"] = ()
    absorptivities: Mapping[str, Sequence[float]] = field(default_factory=dict)
    path_length: Annotated[float, Range(1e-4, 100), "Path length, cm"] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.absorptivities, Mapping):
            raise ConfigError(f"{self.title}: absorptivities are a mapping from component to numbers.")
        try:
            table = {str(name): [float(one) for one in values] for name, values in self.absorptivities.items()}
            axis = np.array(self.wavelengths, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{self.title}: wavelengths and absorptivities must be numbers ({error}).") from error
        for name, values in table.items():
            if len(values) != len(axis) or not np.isfinite(values).all():
                raise ConfigError(
                    f"{self.title}: {name!r} needs one finite number for each of the {len(axis)} wavelengths, "
                    f"got {len(values)}."
                )
        if not np.isfinite(axis).all() or (np.diff(axis) <= 0).any():
            raise ConfigError(f"{self.title}: wavelengths must be finite and rise from one to the next.")
        self.wavelengths, self.absorptivities = tuple(axis.tolist()), table

    def obstacle(self, frame: Frame) -> str | None:
        """Say what does not fit: quantity, axis, names or units."""
        if not self.absorptivities:
            return "it has no table of molar absorptivities yet"
        known = [target for target in frame.target_info if target.name in self.absorptivities]
        if not known:
            return (
                f"its table knows {', '.join(self.absorptivities)}, and the targets are {', '.join(frame.target_names)}"
            )
        unknown_unit = [target.name for target in known if mol_per_litre(target) is None]
        if unknown_unit:
            return f"molar absorptivities need concentrations in mol/L or the like, and {unknown_unit[0]} is not"
        positions = frame.axis.positions
        if positions.max() < self.wavelengths[0] or positions.min() > self.wavelengths[-1]:
            return f"its table, {self.wavelengths[0]:g} to {self.wavelengths[-1]:g} nm, does not meet this axis"
        return absorbance_obstacle(frame)

    def notes(self, frame: Frame) -> tuple[str, ...]:
        """Name the targets, and the part of the axis, that the table says nothing about."""
        found = []
        if missing := [name for name in frame.target_names if name not in self.absorptivities]:
            found.append(f"The table has no {', '.join(missing)}: what they absorb is left to the residual.")
        positions = frame.axis.positions
        if positions.min() < self.wavelengths[0] or positions.max() > self.wavelengths[-1]:
            found.append(
                f"The table covers {self.wavelengths[0]:g} to {self.wavelengths[-1]:g} nm; beyond, everything is "
                "left to the residual."
            )
        known = [target for target in frame.target_info if target.name in self.absorptivities]
        return (*found, *unit_notes(known))

    def spectra(self, targets: Floats, frame: Frame) -> Floats:
        """Return path length x concentrations x molar absorptivities."""
        made = np.zeros((len(targets), len(frame.axis)))
        for column, target in enumerate(frame.target_info):
            if target.name in self.absorptivities:
                known = self.absorptivities[target.name]
                curve = np.interp(frame.axis.positions, self.wavelengths, known, left=0.0, right=0.0)
                made += np.outer(targets[:, column] * (mol_per_litre(target) or 0.0) * self.path_length, curve)
        return made


def table_options(table: SpectraSet, frame: Frame) -> dict[str, Any]:
    """Return the options of `BeerLambert` for a table that the importer read as spectra, one component each.

    A component stands for the target of its name; else for the only one of its formula, as "eps_Cu" does for Cu2+.

    Raises
    ------
    ConfigError
        Where no component names a target; both are listed.
    """
    order = np.argsort(table.axis.positions)
    found: dict[str, list[float]] = {}
    for row, component in enumerate(table.samples["id"]):
        name = _target_of(str(component), frame.target_names)
        if name is not None:
            found[name] = np.asarray(table.signal[row, order], dtype=np.float64).tolist()
    if not found:
        raise ConfigError(
            f"None of the components {', '.join(table.samples['id'])} names a target of the set "
            f"({', '.join(frame.target_names)}). Name the columns of the table as the targets."
        )
    return {"wavelengths": table.axis.positions[order].tolist(), "absorptivities": found}


def _target_of(component: str, targets: Sequence[str]) -> str | None:
    if component in targets:
        return component
    formula = named_target(_MARK.sub("", component.strip())).formula
    fitting = [name for name in targets if formula and named_target(name).formula == formula]
    return fitting[0] if len(fitting) == 1 else None

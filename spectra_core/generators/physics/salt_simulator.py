"""Physics of the eight ions that the simulator knows, with constants as they stand in the literature."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from spectra_core.contracts import random_stream
from spectra_core.datasets.simulator.instrument import Instrument, add_stray_light, pass_slit, to_absorbance
from spectra_core.datasets.simulator.ions import CHARGES, IONS, MAX_ION_CONCENTRATION
from spectra_core.datasets.simulator.optics import clean_absorbance
from spectra_core.datasets.simulator.settings import SimulationSettings
from spectra_core.datasets.simulator.solutions import Solutions, speciate
from spectra_core.datasets.simulator.speciation import Speciation, without_speciation
from spectra_core.errors import SpectraError
from spectra_core.generators.physics.base import Floats, Physics, absorbance_obstacle, mol_per_litre, unit_notes
from spectra_core.options import Range, Seed
from spectra_core.shares import percent
from spectra_core.spectra import Frame

_UNCERTAIN = {"slit": 0.3, "stray_light": 0.3, "stray_light_uv": 0.3}
"""Sizes of a noiseless instrument, and the spread of their logarithm where constants are perturbed."""
_FEWEST_NM, _MOST_NM = 150, 1110
_MOST_UNBALANCED = 0.2
"""Share of all charge that may be left over for hydrogen ions to balance; beyond, a counter-ion is missing."""
_ROWS_AT_ONCE = 1024


@dataclass
class SaltSimulator(Physics):
    """The simulator of salt solutions without noise and drift: equilibria, bands, water, slit and stray light.

    Parameters
    ----------
    perturbation_seed
        Draws every constant within its uncertainty and slit and stray light within about 30 %: physics right in form
        and wrong in number, as literature is for a given laboratory. None for the listed values.
    speciation
        Whether equilibria are solved; without, the physics is crude: each ion absorbs for itself.
    temperature
        Of the solutions, C.
    path_length
        Of the cell, cm.
    subtract_blank
        Whether spectra are relative to water in the same cell.
    """

    title: ClassVar[str] = "Salt simulator"
    explanation: ClassVar[str] = (
        "Computes spectra of Zn, Cu, Li, Fe, Ni, ammonium, sulfate and nitrate from equilibria and molar "
        "absorptivities in the literature."
    )

    perturbation_seed: Annotated[Seed | None, "Perturb the constants, seed"] = None
    speciation: Annotated[bool, "Solve equilibria"] = True
    temperature: Annotated[float, Range(0, 60), "Temperature, °C"] = 25.0
    path_length: Annotated[float, Range(1e-4, 100), "Path length, cm"] = 1.0
    subtract_blank: Annotated[bool, "Spectra are relative to water"] = True

    def obstacle(self, frame: Frame) -> str | None:
        """Say what does not fit: quantity, axis, ions or their units."""
        strangers = [name for name in frame.target_names if name not in IONS]
        if strangers or not frame.target_info:
            return f"it knows {', '.join(IONS)}, and {', '.join(strangers) or 'no target'} is not among them"
        unknown_unit = [target.name for target in frame.target_info if mol_per_litre(target) is None]
        if unknown_unit:
            return f"it needs concentrations in mol/L or the like, and {unknown_unit[0]} is not"
        reason = absorbance_obstacle(frame)
        ends = frame.axis.positions.min(), frame.axis.positions.max()
        if reason is None and (ends[0] < _FEWEST_NM or ends[1] > _MOST_NM or len(frame.axis) < 2):
            return f"it covers {_FEWEST_NM} to {_MOST_NM} nm, and this axis is {ends[0]:g} to {ends[1]:g} nm"
        return reason

    def notes(self, frame: Frame) -> tuple[str, ...]:
        """Name the ions that are taken to be absent."""
        missing = [ion for ion in IONS if ion not in frame.target_names]
        absent = (f"{', '.join(missing)} are no targets and taken to be absent.",) if missing else ()
        return (*absent, *unit_notes(frame.target_info))

    def spectra(self, targets: Floats, frame: Frame) -> Floats:
        """Return what a noiseless instrument shows.

        Raises
        ------
        SpectraError
            Where charges show that counter-ions are missing, or concentrations are beyond any solution.
        """
        settings = self._settings(frame)
        ions = _ions(targets, frame)
        if self.speciation:
            _require_balance(ions)
        # Bands are far wider than the grid of 1 nm, from which the axis takes its channels.
        grid, instrument = settings.axis.positions, settings.instrument_model
        place = np.clip(np.searchsorted(grid, frame.axis.positions, side="right") - 1, 0, len(grid) - 2)
        share = (frame.axis.positions - grid[place]) / (grid[place + 1] - grid[place])
        made = np.empty((len(ions), len(frame.axis)))
        for start in range(0, len(ions), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            solutions = Solutions(None, ions[rows], _solved(settings, ions[rows]))
            passed = pass_slit(clean_absorbance(settings, solutions), grid, instrument)
            shown = to_absorbance(add_stray_light(10.0**-passed, grid, instrument), instrument)
            made[rows] = shown[:, place] * (1.0 - share) + shown[:, place + 1] * share
        return made

    def _settings(self, frame: Frame) -> SimulationSettings:
        first, last = np.floor(frame.axis.positions.min()), np.ceil(frame.axis.positions.max())
        usual = Instrument()
        instrument = {
            name: getattr(usual, name)
            if self.perturbation_seed is None
            else float(
                getattr(usual, name)
                * np.exp(sd * random_stream(self.perturbation_seed, "instrument", name).standard_normal())
            )
            for name, sd in _UNCERTAIN.items()
        }
        return SimulationSettings(
            temperature=self.temperature,
            path_length=self.path_length,
            first_wavelength=first,
            last_wavelength=min(max(last, first + 1.0), float(_MOST_NM)),
            speciation=self.speciation,
            subtract_blank=self.subtract_blank,
            instrument=instrument,
            perturbation_seed=self.perturbation_seed,
        )


def _ions(targets: Floats, frame: Frame) -> Floats:
    """Return concentrations of all ions (n_sets, 8), mol/L; a label below zero stands for none."""
    ions = np.zeros((len(targets), len(IONS)))
    for column, target in enumerate(frame.target_info):
        ions[:, IONS.index(target.name)] = np.maximum(targets[:, column] * (mol_per_litre(target) or 0.0), 0.0)
    if ions.max(initial=0.0) > MAX_ION_CONCENTRATION:
        row, ion = np.unravel_index(int(ions.argmax()), ions.shape)
        raise SpectraError(
            f"The salt simulator knows solutions up to {MAX_ION_CONCENTRATION:g} mol/L, and set {row + 1} holds "
            f"{ions[row, ion]:g} mol/L of {IONS[ion]}. Check the unit, or choose another physics."
        )
    return ions


def _require_balance(ions: Floats) -> None:
    left_over, total = np.abs(ions @ CHARGES).sum(), (ions @ np.abs(CHARGES)).sum()
    if left_over > _MOST_UNBALANCED * total:
        raise SpectraError(
            f"The salt simulator needs all ions of a solution, and {percent(left_over / total)} of the charge of these "
            "is left over: counter-ions are missing among the targets. Choose Beer-Lambert, pure components, or the "
            "simulator without equilibria."
        )


def _solved(settings: SimulationSettings, ions: Floats) -> Speciation:
    """Return solutions at equilibrium; the rare one that finds none keeps its ions as they are."""
    found = speciate(settings, ions)
    if found.solved.all():
        return found
    plain = without_speciation(ions, settings.chemistry)
    use = found.solved
    return Speciation(
        np.where(use[:, None], found.concentrations, plain.concentrations),
        np.where(use, found.ph, plain.ph),
        np.where(use, found.ionic_strength, plain.ionic_strength),
        np.ones(len(ions), dtype=bool),
    )

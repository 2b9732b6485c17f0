"""Clean absorbance: what solutions at equilibrium absorb, as a whole and by absorber."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.datasets.simulator import absorption
from spectra_core.datasets.simulator.constants import Chemistry
from spectra_core.datasets.simulator.settings import SimulationSettings
from spectra_core.datasets.simulator.solutions import Solutions

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Optics:
    """What settings fix about absorption, the same for every solution.

    Parameters
    ----------
    absorptivity : (n_species, n_channels), L/mol/cm
    on_water : (8, n_channels), absorbance per mol/L and cm
    water, water_by_temperature : (n_channels,), absorbance of the whole path, and per K
    """

    wavelengths: Array
    absorptivity: Array
    on_water: Array
    water: Array
    water_by_temperature: Array
    nitrate_absorbers: Array
    chemistry: Chemistry


def optics_of(settings: SimulationSettings) -> Optics:
    """Return what `settings` fix about absorption; kept for the last few settings."""
    return _optics(settings.to_json())


@lru_cache(maxsize=8)
def _optics(settings_json: str) -> Optics:
    settings = SimulationSettings.from_json(settings_json)
    chemistry, wavelengths = settings.chemistry, settings.axis.positions
    return Optics(
        wavelengths=wavelengths,
        absorptivity=absorption.absorptivities(
            wavelengths, chemistry, iron_tail=settings.iron_tail, ammonium_overtones=settings.ammonium_overtones
        ),
        on_water=absorption.ion_effects_on_water(
            wavelengths,
            chemistry,
            temperature=settings.temperature,
            exclusion=settings.water_exclusion,
            hydration=settings.hydration,
        ),
        water=settings.path_length * absorption.water_absorbance(wavelengths, chemistry, settings.temperature),
        water_by_temperature=settings.path_length * absorption.water_by_temperature(wavelengths, chemistry),
        nitrate_absorbers=absorption.nitrate_absorbers(chemistry),
        chemistry=chemistry,
    )


def clean_absorbance(settings: SimulationSettings, solutions: Solutions, rows: slice = slice(None)) -> Array:
    """Return the absorbance before the instrument, (n_spectra, n_channels).

    ``path * (species @ absorptivity + ions @ effect on water)``, with nitrate's bands disturbed by cations; relative to
    water in the same cell unless the blank is not subtracted.
    """
    optics = optics_of(settings)
    species, ions = solutions.speciation.concentrations[rows], solutions.ions[rows]
    absorbance = species @ optics.absorptivity + ions @ optics.on_water
    if settings.nitrate_disturbance:
        changed = absorption.nitrate_disturbance(
            ions, optics.wavelengths, optics.chemistry, settings.nitrate_disturbance
        )
        absorbance += (species @ optics.nitrate_absorbers)[:, None] * changed
    absorbance *= settings.path_length
    return absorbance if settings.subtract_blank else absorbance + optics.water


def contributions(settings: SimulationSettings, solutions: Solutions, row: int) -> pd.DataFrame:
    """Split one clean spectrum by what absorbs; rows sum to it.

    Returns
    -------
    DataFrame, one row per absorber and channel
        Columns ``absorber`` (a species, or "Water"), ``position`` [nm], ``absorbance``.
    """
    optics = optics_of(settings)
    species, ions = solutions.speciation.concentrations[row], solutions.ions[row]
    parts = species[:, None] * optics.absorptivity
    if settings.nitrate_disturbance:
        changed = absorption.nitrate_disturbance(
            ions[None, :], optics.wavelengths, optics.chemistry, settings.nitrate_disturbance
        )[0]
        parts += np.outer(species * optics.nitrate_absorbers, changed)
    parts = settings.path_length * np.vstack([parts, ions @ optics.on_water])
    if not settings.subtract_blank:
        parts[-1] += optics.water
    names = [*optics.chemistry.species["species"], "Water"]
    return pd.DataFrame(
        {
            "absorber": np.repeat(names, len(optics.wavelengths)),
            "position": np.tile(optics.wavelengths, len(names)),
            "absorbance": parts.ravel(),
        }
    )

"""Spectra of aqueous salt solutions from physics: speciation, absorption, instrument, and what can be known at all."""

from spectra_core.datasets.simulator.bounds import identifiability, identifiability_of
from spectra_core.datasets.simulator.constants import STATUS, constants_table
from spectra_core.datasets.simulator.designs import DESIGNS
from spectra_core.datasets.simulator.instrument import Instrument
from spectra_core.datasets.simulator.ions import IONS, SALTS, TARGETS
from spectra_core.datasets.simulator.presets import PRESETS
from spectra_core.datasets.simulator.settings import SimulationSettings
from spectra_core.datasets.simulator.simulation import Simulation, simulate, simulate_in_detail, simulate_like
from spectra_core.datasets.simulator.teaching import solution_tables

__all__ = [
    "DESIGNS",
    "IONS",
    "PRESETS",
    "SALTS",
    "STATUS",
    "TARGETS",
    "Instrument",
    "Simulation",
    "SimulationSettings",
    "constants_table",
    "identifiability",
    "identifiability_of",
    "simulate",
    "simulate_in_detail",
    "simulate_like",
    "solution_tables",
]

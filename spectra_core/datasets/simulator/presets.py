"""Ready-made settings. Salts, concentrations and instrument of the published set are not public: they are assumed."""

from spectra_core.datasets.simulator.settings import SimulationSettings

PRESETS: dict[str, SimulationSettings] = {
    "msu_like": SimulationSettings(title="MSU-like (assumed)", n_spectra=3744),
    "dilute": SimulationSettings(title="Dilute, salts up to 0.1 mol/L", max_concentration=0.1),
    "beer_lambert": SimulationSettings(
        title="Beer-Lambert, no speciation (teaching)",
        n_spectra=500,
        max_concentration=0.02,
        limits={"Fe(NO3)3": 2e-4},
        design="random",
        # Below 250 nm nitrate alone would saturate, and nothing here should.
        first_wavelength=250.0,
        speciation=False,
        nitrate_disturbance=0.0,
        instrument={"stray_light": 0.0, "stray_light_uv": 0.0, "slit": 0.0},
    ),
    "iron": SimulationSettings(
        title="Iron, strongly non-linear (teaching)",
        max_concentration=0.02,
        limits={"Fe(NO3)3": 2e-3},
        design="random",
        first_wavelength=240.0,
        path_length=0.5,
    ),
}
"""Every ready-made simulator, by name."""

"""From salts to spectra: design, equilibrium, absorption, instrument."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core import __version__
from spectra_core.contracts import NO_MEMO, SILENT, Memo, Reporter, random_stream
from spectra_core.datasets.simulator import optics
from spectra_core.datasets.simulator.instrument import measure, saturated
from spectra_core.datasets.simulator.ions import IONS, SALTS, TARGETS, checked_ions, checked_salts, ions_of, salt_matrix
from spectra_core.datasets.simulator.optics import clean_absorbance, optics_of
from spectra_core.datasets.simulator.settings import SimulationSettings
from spectra_core.datasets.simulator.solutions import Solutions, draw_solutions, given_solutions, with_acid
from spectra_core.datasets.simulator.speciation import BLOCK
from spectra_core.errors import SimulationError
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated set with everything that is known about it.

    Parameters
    ----------
    spectra
        The measured spectra with their ions as targets.
    clean : (n_spectra, n_channels)
        Absorbance before the instrument.
    species : (n_spectra, n_species), mol/L
        One named column per species.
    ph, ionic_strength : (n_spectra,), -, mol/kg
    saturated : (n_spectra, n_channels)
        True where less light passed the sample than stray light or dark noise.
    """

    settings: SimulationSettings
    spectra: SpectraSet
    solutions: Solutions
    clean: Array
    saturated: NDArray[np.bool_]

    @property
    def species(self) -> pd.DataFrame:
        """Concentration of every species, mol/L, one column each."""
        return pd.DataFrame(
            self.solutions.speciation.concentrations,
            columns=list(optics_of(self.settings).chemistry.species["species"]),
        )

    @property
    def ph(self) -> Array:
        """The pH of each solution."""
        return self.solutions.speciation.ph

    @property
    def ionic_strength(self) -> Array:
        """Ionic strength of each solution, mol/kg."""
        return self.solutions.speciation.ionic_strength

    def contributions(self, row: int) -> pd.DataFrame:
        """Split one clean spectrum by what absorbs; rows sum to it.

        Returns
        -------
        DataFrame, one row per absorber and channel
            Columns ``absorber`` (a species, or "Water"), ``position`` [nm], ``absorbance``.
        """
        return optics.contributions(self.settings, self.solutions, row)


def simulate(
    settings: SimulationSettings,
    *,
    n_spectra: int | None = None,
    seed: int,
    reporter: Reporter = SILENT,
    n_workers: int = 1,
    memo: Memo = NO_MEMO,
) -> SpectraSet:
    """Return a simulated set: fresh solutions of the settings' design, measured once each.

    Parameters
    ----------
    n_spectra
        Number of spectra; that of the settings by default.
    seed
        Decides everything that settings leave open; the same seed gives the same bits.
    n_workers
        Processes for the equilibria; leave it at 1 below some ten thousand spectra and inside a Streamlit script.
    memo
        Where equilibria are kept, keyed by content.

    Raises
    ------
    SimulationError
        When solutions cannot be brought to equilibrium.
    """
    solutions = draw_solutions(
        settings,
        _number(settings, n_spectra),
        seed,
        reporter=reporter,
        n_workers=n_workers,
        memo=memo,
    )
    return _measured(settings, solutions, seed, reporter)


def simulate_in_detail(
    settings: SimulationSettings,
    *,
    salts: pd.DataFrame | None = None,
    ions: pd.DataFrame | None = None,
    n_spectra: int | None = None,
    seed: int,
    reporter: Reporter = SILENT,
    memo: Memo = NO_MEMO,
) -> Simulation:
    """Return a simulated set with its clean spectra, species, pH, ionic strength and saturation.

    Parameters
    ----------
    salts : (n_spectra, up to n_salts), mol/L
        Solutions by salts, columns named as in `settings.salts`; those of the design by default.
    ions : (n_spectra, up to 8), mol/L
        Solutions by ions instead: charges must cancel, counting the settings' acid as hydrogen ions.

    Raises
    ------
    SimulationError
        For concentrations that no solution has, or a given solution that finds no equilibrium.
    """
    if salts is not None and ions is not None:
        raise SimulationError("Give solutions either by salts or by ions, not both.")
    if salts is not None:
        by_salt = checked_salts(salts, settings.salts)
        solutions = given_solutions(
            settings, by_salt, with_acid(by_salt @ salt_matrix(settings.salts), settings), reporter, memo
        )
    elif ions is not None:
        solutions = given_solutions(settings, None, checked_ions(ions, settings.acid), reporter, memo)
    else:
        solutions = draw_solutions(settings, _number(settings, n_spectra), seed, reporter=reporter, memo=memo)
    clean = clean_absorbance(settings, solutions)
    wavelengths = optics_of(settings).wavelengths
    return Simulation(
        settings=settings,
        spectra=_measured(settings, solutions, seed, reporter),
        solutions=solutions,
        clean=clean,
        saturated=saturated(clean, wavelengths, settings.instrument_model),
    )


def simulate_like(
    settings: SimulationSettings, n_spectra: int, seed: int, *, reporter: Reporter = SILENT
) -> SpectraSet:
    """Return fresh spectra from the same design and physics: what more measuring would have given."""
    return simulate(settings, n_spectra=n_spectra, seed=seed, reporter=reporter)


def _measured(settings: SimulationSettings, solutions: Solutions, seed: int, reporter: Reporter) -> SpectraSet:
    """Measure block by block: random streams belong to blocks, so memory stays small and order does not matter."""
    light, instrument = optics_of(settings), settings.instrument_model
    n_spectra = len(solutions.ions)
    # Single precision: the display's step is a thousand times coarser, and sets take half the room.
    signal = np.empty((n_spectra, len(light.wavelengths)), dtype=np.float32)
    n_saturated = 0
    for start in range(0, n_spectra, BLOCK):
        rows = slice(start, start + BLOCK)
        clean = clean_absorbance(settings, solutions, rows)
        n_saturated += int(saturated(clean, light.wavelengths, instrument).sum())
        rng = random_stream(seed, "simulator", "instrument", start // BLOCK)
        signal[rows] = measure(
            clean, light.wavelengths, instrument, rng, water_by_temperature=light.water_by_temperature
        )
        reporter.progress("Measuring", min(start + BLOCK, n_spectra), n_spectra)
    names = ions_of(settings.salts, settings.acid) if solutions.salts is not None else IONS
    columns = [IONS.index(name) for name in names]
    return SpectraSet(
        SpectralAxis(light.wavelengths),
        signal,
        pd.DataFrame(solutions.ions[:, columns], columns=list(names)),
        target_info=[TARGETS[column] for column in columns],
        meta=SetMeta(
            f"{settings.title}, simulated",
            "simulated",
            provenance=_provenance(settings, solutions, seed, n_saturated / signal.size),
        ),
    )


def _provenance(
    settings: SimulationSettings, solutions: Solutions, seed: int, saturated_share: float
) -> dict[str, Any]:
    return {
        "simulator": settings.to_dict(),
        "seed": seed,
        "salts": {salt: SALTS[salt] for salt in settings.salts},
        "assumed": True,
        "note": "Simulated spectra: chemistry and instrument are models, and partly assumed.",
        "saturation": {
            "share_of_values": saturated_share,
            "means": "less light passed the sample than stray light or dark noise",
        },
        "replaced": list(solutions.replaced),
        "versions": {
            "latent-spectra": __version__,
            "numpy": np.__version__,
            **({"phreeqc": version("phreeqc")} if settings.speciation else {}),
        },
    }


def _number(settings: SimulationSettings, n_spectra: int | None) -> int:
    return settings.n_spectra if n_spectra is None else n_spectra

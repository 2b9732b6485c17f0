"""From salts to spectra: design, equilibrium, absorption, instrument."""

from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core import __version__
from spectra_core.contracts import NO_MEMO, SILENT, Memo, Reporter, random_stream
from spectra_core.datasets.simulator import absorption
from spectra_core.datasets.simulator.constants import Chemistry
from spectra_core.datasets.simulator.instrument import measure, saturated
from spectra_core.datasets.simulator.ions import IONS, SALTS, TARGETS, checked_ions, checked_salts, ions_of, salt_matrix
from spectra_core.datasets.simulator.settings import SimulationSettings
from spectra_core.datasets.simulator.speciation import BLOCK, Speciation, dissolve, without_speciation
from spectra_core.errors import SimulationError
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet

Array = NDArray[np.float64]

_MAX_REDRAWS = 10


@dataclass(frozen=True, eq=False)
class Solutions:
    """Solutions at equilibrium, before any light passes.

    Parameters
    ----------
    salts : (n_spectra, n_salts), mol/L; None where ions were given
    ions : (n_spectra, 8), mol/L
    speciation
        Species, pH and ionic strength.
    replaced
        One sentence per solution that did not converge and was drawn anew.
    """

    salts: Array | None
    ions: Array
    speciation: Speciation
    replaced: tuple[str, ...] = ()


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
        return _contributions(self.settings, self.solutions, row)


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
        settings, n_spectra or settings.n_spectra, seed, reporter=reporter, n_workers=n_workers, memo=memo
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
        solutions = _given(
            settings, by_salt, with_acid(by_salt @ salt_matrix(settings.salts), settings), reporter, memo
        )
    elif ions is not None:
        solutions = _given(settings, None, checked_ions(ions, settings.acid), reporter, memo)
    else:
        solutions = draw_solutions(settings, n_spectra or settings.n_spectra, seed, reporter=reporter, memo=memo)
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


def draw_solutions(
    settings: SimulationSettings,
    n_spectra: int,
    seed: int,
    *,
    reporter: Reporter = SILENT,
    n_workers: int = 1,
    memo: Memo = NO_MEMO,
) -> Solutions:
    """Draw solutions from the design and bring them to equilibrium.

    A solution that PHREEQC cannot solve is drawn anew, and named in `Solutions.replaced`.
    """
    if n_spectra < 1:
        raise SimulationError(f"A set needs at least one spectrum, got {n_spectra}.")
    salts = _drawn_salts(settings, n_spectra, seed, 0)
    solutions = _at_equilibrium(settings, salts, reporter, n_workers, memo)
    replaced: list[str] = []
    for attempt in range(1, _MAX_REDRAWS + 1):
        unsolved = np.flatnonzero(~solutions.speciation.solved)
        if not len(unsolved):
            return replace(solutions, replaced=tuple(replaced))
        replaced += [
            f"Solution {row + 1} ({_describe(settings, salts[row])}) did not converge and was drawn anew."
            for row in unsolved
        ]
        salts[unsolved] = _drawn_salts(settings, n_spectra, seed, attempt)[unsolved]
        solutions = _at_equilibrium(settings, salts, reporter, n_workers, memo)
    raise SimulationError(
        f"{len(unsolved)} solutions of this design find no equilibrium, even when drawn anew; the first "
        f"is {_describe(settings, salts[unsolved[0]])}. Choose smaller concentrations."
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


def _drawn_salts(settings: SimulationSettings, n_spectra: int, seed: int, attempt: int) -> Array:
    rng = random_stream(seed, "simulator", "design", attempt)
    return settings.design_model.draw(n_spectra, len(settings.salts), rng) * settings.largest


def with_acid(ions: Array, settings: SimulationSettings) -> Array:
    """Count the nitrate of the added acid among the ions."""
    return ions + settings.acid * np.array([ion == "NO3-" for ion in IONS], dtype=np.float64)


def _at_equilibrium(
    settings: SimulationSettings, salts: Array, reporter: Reporter, n_workers: int, memo: Memo
) -> Solutions:
    ions = with_acid(salts @ salt_matrix(settings.salts), settings)
    return Solutions(salts, ions, speciate(settings, ions, reporter=reporter, n_workers=n_workers, memo=memo))


def speciate(
    settings: SimulationSettings, ions: Array, *, reporter: Reporter = SILENT, n_workers: int = 1, memo: Memo = NO_MEMO
) -> Speciation:
    """Return the species of solutions with the given ions, (n_solutions, 8), mol/L, under `settings`."""
    chemistry = optics_of(settings).chemistry
    if not settings.speciation:
        return without_speciation(ions, chemistry)
    return dissolve(
        ions, chemistry, temperature=settings.temperature, memo=memo, reporter=reporter, n_workers=n_workers
    )


def _given(settings: SimulationSettings, salts: Array | None, ions: Array, reporter: Reporter, memo: Memo) -> Solutions:
    speciation = speciate(settings, ions, reporter=reporter, memo=memo)
    if not speciation.solved.all():
        row = int(np.argmin(speciation.solved))
        raise SimulationError(f"PHREEQC finds no equilibrium for solution {row + 1}. Change its concentrations.")
    return Solutions(salts, ions, speciation)


def _measured(settings: SimulationSettings, solutions: Solutions, seed: int, reporter: Reporter) -> SpectraSet:
    """Measure block by block: random streams belong to blocks, so memory stays small and order does not matter."""
    optics, instrument = optics_of(settings), settings.instrument_model
    n_spectra = len(solutions.ions)
    # Single precision: the display's step is a thousand times coarser, and sets take half the room.
    signal = np.empty((n_spectra, len(optics.wavelengths)), dtype=np.float32)
    n_saturated = 0
    for start in range(0, n_spectra, BLOCK):
        rows = slice(start, start + BLOCK)
        clean = clean_absorbance(settings, solutions, rows)
        n_saturated += int(saturated(clean, optics.wavelengths, instrument).sum())
        rng = random_stream(seed, "simulator", "instrument", start // BLOCK)
        signal[rows] = measure(
            clean, optics.wavelengths, instrument, rng, water_by_temperature=optics.water_by_temperature
        )
        reporter.progress("Measuring", min(start + BLOCK, n_spectra), n_spectra)
    names = ions_of(settings.salts, settings.acid) if solutions.salts is not None else IONS
    columns = [IONS.index(name) for name in names]
    return SpectraSet(
        SpectralAxis(optics.wavelengths),
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


def _describe(settings: SimulationSettings, salts: Array) -> str:
    return ", ".join(f"{name} {value:.3g} mol/L" for name, value in zip(settings.salts, salts, strict=True) if value)


def _contributions(settings: SimulationSettings, solutions: Solutions, row: int) -> pd.DataFrame:
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

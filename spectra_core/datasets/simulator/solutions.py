"""Solutions at equilibrium: drawn from a design, or given."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import NO_MEMO, SILENT, Memo, Reporter, random_stream
from spectra_core.datasets.simulator.ions import IONS, salt_matrix
from spectra_core.datasets.simulator.settings import SimulationSettings
from spectra_core.datasets.simulator.speciation import Speciation, dissolve, without_speciation
from spectra_core.errors import SimulationError

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


def given_solutions(
    settings: SimulationSettings, salts: Array | None, ions: Array, reporter: Reporter = SILENT, memo: Memo = NO_MEMO
) -> Solutions:
    """Bring the given solutions to equilibrium; one that finds none is refused by its number.

    Raises
    ------
    SimulationError
        Naming the first solution without equilibrium.
    """
    speciation = speciate(settings, ions, reporter=reporter, memo=memo)
    if not speciation.solved.all():
        row = int(np.argmin(speciation.solved))
        raise SimulationError(f"PHREEQC finds no equilibrium for solution {row + 1}. Change its concentrations.")
    return Solutions(salts, ions, speciation)


def speciate(
    settings: SimulationSettings, ions: Array, *, reporter: Reporter = SILENT, n_workers: int = 1, memo: Memo = NO_MEMO
) -> Speciation:
    """Return the species of solutions with the given ions, (n_solutions, 8), mol/L, under `settings`."""
    chemistry = settings.chemistry
    if not settings.speciation:
        return without_speciation(ions, chemistry)
    return dissolve(
        ions, chemistry, temperature=settings.temperature, memo=memo, reporter=reporter, n_workers=n_workers
    )


def with_acid(ions: Array, settings: SimulationSettings) -> Array:
    """Count the nitrate of the added acid among the ions."""
    return ions + settings.acid * np.array([ion == "NO3-" for ion in IONS], dtype=np.float64)


def _drawn_salts(settings: SimulationSettings, n_spectra: int, seed: int, attempt: int) -> Array:
    rng = random_stream(seed, "simulator", "design", attempt)
    return settings.design_model.draw(n_spectra, len(settings.salts), rng) * settings.largest


def _at_equilibrium(
    settings: SimulationSettings, salts: Array, reporter: Reporter, n_workers: int, memo: Memo
) -> Solutions:
    ions = with_acid(salts @ salt_matrix(settings.salts), settings)
    return Solutions(salts, ions, speciate(settings, ions, reporter=reporter, n_workers=n_workers, memo=memo))


def _describe(settings: SimulationSettings, salts: Array) -> str:
    return ", ".join(f"{name} {value:.3g} mol/L" for name, value in zip(settings.salts, salts, strict=True) if value)

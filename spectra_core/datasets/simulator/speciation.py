"""Which species a solution holds: equilibrium by USGS PHREEQC with the database of this package.

D. L. Parkhurst, C. A. J. Appelo, U.S. Geological Survey Techniques and Methods 6-A43 (2013).
"""

import ctypes
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import NO_MEMO, SILENT, Arrays, Memo, Reporter
from spectra_core.datasets.simulator.constants import Chemistry
from spectra_core.datasets.simulator.ions import IONS
from spectra_core.errors import SimulationError

BLOCK = 256
"""Solutions solved and kept together: about a fifth of a second of work, so progress moves and cancelling is quick."""

_ELEMENTS = dict(zip(IONS, ("Zn", "Cu", "Li", "Fe", "Ni", "Amm", "S", "N"), strict=True))

_OUTPUT = """SELECTED_OUTPUT 1
    -reset false
    -high_precision true
    -solution true
    -pH true
    -ionic_strength true
    -molalities {species}
KNOBS
    -convergence_tolerance 1e-12
    -iterations {iterations}
    -step_size {step_size}
    -pe_step_size {pe_step_size}
END
"""

_GENTLER: tuple[dict[str, float], ...] = (
    {"iterations": 200, "step_size": 100, "pe_step_size": 10},
    {"iterations": 1000, "step_size": 5, "pe_step_size": 2},
    {"iterations": 5000, "step_size": 1.5, "pe_step_size": 1.2},
)
"""PHREEQC's own step limits, then smaller ones for solutions that do not converge."""


@dataclass(frozen=True, eq=False)
class Speciation:
    """What the solutions hold at equilibrium.

    Parameters
    ----------
    concentrations : (n_solutions, n_species), mol/L
        Columns as the rows of `Chemistry.species`.
    ph, ionic_strength : (n_solutions,), -, mol/kg
    solved : (n_solutions,)
        False where PHREEQC found no equilibrium; the numbers of such a row are NaN.
    """

    concentrations: NDArray[np.float64]
    ph: NDArray[np.float64]
    ionic_strength: NDArray[np.float64]
    solved: NDArray[np.bool_]


def water_per_litre(ions: NDArray[np.float64], chemistry: Chemistry, temperature: float) -> NDArray[np.float64]:
    """Return the mass of water in one litre of solution, (n_solutions,), kg/L.

    Ions take the room of their partial molar volumes at infinite dilution; water fills the rest at its own density
    (Kell, J. Chem. Eng. Data 20 (1975) 97, at 1 atm).

    Raises
    ------
    SimulationError
        Where ions leave no water.
    """
    room = 1.0 - ions @ chemistry.ions["volume"].reindex(list(IONS)).to_numpy() / 1000.0
    if (room < 0.1).any():
        raise SimulationError(
            f"Solution {int(np.argmin(room)) + 1} holds so much salt that hardly any water is left. "
            "Give smaller concentrations."
        )
    return np.asarray(room * _water_density(temperature))


def _water_density(temperature: float) -> float:
    """Return the density of water at `temperature` [C], kg/L."""
    t = temperature
    numerator = 999.83952 + 16.945176 * t - 7.9870401e-3 * t**2 - 46.170461e-6 * t**3 + 105.56302e-9 * t**4
    return float((numerator - 280.54253e-12 * t**5) / (1.0 + 16.879850e-3 * t) / 1000.0)


def dissolve(
    ions: NDArray[np.float64],
    chemistry: Chemistry,
    *,
    temperature: float = 25.0,
    memo: Memo = NO_MEMO,
    reporter: Reporter = SILENT,
    n_workers: int = 1,
) -> Speciation:
    """Find the equilibrium of every solution.

    Parameters
    ----------
    ions : (n_solutions, 8), mol/L
        Total concentrations, columns as `IONS`; the charge they leave over is balanced by hydrogen ions.
    temperature
        In C.
    memo
        Where solved blocks are kept, keyed by database, temperature and concentrations.
    n_workers
        Processes; pays above some ten thousand solutions. Must be 1 inside a Streamlit script.

    Raises
    ------
    Cancelled
        Between blocks, when the person asked to stop.
    """
    water = water_per_litre(ions, chemistry, temperature)
    molalities = ions / water[:, None]
    starts = range(0, len(ions), BLOCK)
    names = tuple(chemistry.species["phreeqc"])
    tasks = [(molalities[start : start + BLOCK], chemistry.database, names, temperature) for start in starts]
    parts: list[Arrays] = []
    for part in _solved_blocks(tasks, memo, n_workers):
        # Laid out as they are solved, also where they were kept: sums over them differ in the last bit otherwise.
        parts.append({name: np.asfortranarray(values) for name, values in part.items()})
        reporter.progress("Finding the equilibrium of each solution", min(len(parts) * BLOCK, len(ions)), len(ions))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Speciation(
        concentrations=joined["molalities"] * water[:, None],
        ph=joined["ph"],
        ionic_strength=joined["ionic_strength"],
        solved=np.isfinite(joined["ph"]),
    )


def without_speciation(ions: NDArray[np.float64], chemistry: Chemistry) -> Speciation:
    """Return solutions whose ions stay as they are: no complex, no hydrolysis, pH 7 by decree."""
    species = list(chemistry.species["species"])
    concentrations = np.zeros((len(ions), len(species)))
    concentrations[:, [species.index(ion) for ion in IONS]] = ions
    charges = chemistry.species["charge"].to_numpy(dtype=np.float64)
    return Speciation(
        concentrations=concentrations,
        ph=np.full(len(ions), 7.0),
        ionic_strength=0.5 * concentrations @ charges**2,
        solved=np.ones(len(ions), dtype=bool),
    )


_Task = tuple[NDArray[np.float64], str, tuple[str, ...], float]


def _solved_blocks(tasks: Sequence[_Task], memo: Memo, n_workers: int) -> Iterator[Arrays]:
    if n_workers == 1:
        for task in tasks:
            yield memo.arrays(_key(task), partial(_solve, task))
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # spawn: a forked child of a process with threads may hang
    with ProcessPoolExecutor(n_workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(_solve, task) for task in tasks]
        try:
            for task, future in zip(tasks, waiting, strict=True):
                yield memo.arrays(_key(task), future.result)
        finally:
            pool.shutdown(cancel_futures=True)


def _key(task: _Task) -> str:
    molalities, database, names, temperature = task
    digest = hashlib.sha256(f"{database}\0{names}\0{temperature!r}".encode())
    digest.update(np.ascontiguousarray(molalities).data)
    return f"speciation-{digest.hexdigest()}"


def _solve(task: _Task) -> Arrays:
    """Solve one block; a solution that fails is tried again with gentler steps, then left as NaN."""
    molalities, database, names, temperature = task
    solver = _Solver(database, names, temperature)
    rows = solver.run(molalities, _GENTLER[0])
    if rows is None:
        rows = np.concatenate([solver.run_patiently(one[None, :]) for one in molalities])
    return {"ph": rows[:, 0], "ionic_strength": rows[:, 1], "molalities": rows[:, 2:]}


def _run_string(phreeqc: Any, text: str) -> int:
    """Let PHREEQC work through its input, other threads going on meanwhile; return the number of its errors."""
    unlocked = _unlocked()
    return int(phreeqc.RunString(text) if unlocked is None else unlocked(phreeqc.GetId(), text.encode()))


@cache
def _unlocked() -> Any:
    """Return the C function behind `Phreeqc.RunString`, which itself keeps Python's lock; None where it is hidden."""
    from phreeqc import _phreeqc

    function = getattr(ctypes.CDLL(_phreeqc.__file__), "RunString", None)
    if function is not None:
        function.argtypes, function.restype = (ctypes.c_int, ctypes.c_char_p), ctypes.c_int
    return function


class _Solver:
    """One PHREEQC instance with its database."""

    def __init__(self, database: str, names: tuple[str, ...], temperature: float) -> None:
        from phreeqc import Phreeqc

        self._phreeqc = Phreeqc()
        self._names = names
        self._temperature = temperature
        # PHREEQC prints errors to the process's own streams unless told otherwise.
        self._phreeqc.SetErrorFileOn(False)
        if self._phreeqc.LoadDatabaseString(database):
            raise SimulationError(f"PHREEQC refuses the database: {self._phreeqc.GetErrorString().strip()}")

    def run_patiently(self, molalities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Solve one solution with smaller and smaller steps; NaN where none helps."""
        for steps in _GENTLER:
            rows = self.run(molalities, steps)
            if rows is not None:
                return rows
        return np.full((1, 2 + len(self._names)), np.nan)

    def run(self, molalities: NDArray[np.float64], steps: dict[str, float]) -> NDArray[np.float64] | None:
        """Return pH, ionic strength and molalities, (n_solutions, 2 + n_species); None if any solution fails."""
        text = _OUTPUT.format(species=" ".join(self._names), **steps)
        text += "".join(self._solution(number, row) for number, row in enumerate(molalities, start=1))
        if _run_string(self._phreeqc, text + "END\n"):
            return None
        output = self._phreeqc.GetSelectedOutput()
        columns = ["pH", "mu", *(f"m_{name}(mol/kgw)" for name in self._names)]
        rows = np.array([output[column] for column in columns], dtype=np.float64).T
        return rows if len(rows) == len(molalities) and np.isfinite(rows).all() else None

    def _solution(self, number: int, molalities: NDArray[np.float64]) -> str:
        totals = "".join(
            f"    {element} {value:.15g}\n"
            for element, value in zip(_ELEMENTS.values(), molalities, strict=True)
            if value
        )
        # pH is an outcome: PHREEQC moves it from this guess until charges cancel.
        return f"SOLUTION {number}\n    units mol/kgw\n    temp {self._temperature!r}\n    pH 4 charge\n{totals}"

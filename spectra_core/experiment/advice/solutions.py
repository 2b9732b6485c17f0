"""Which solutions to measure next: where the design is emptiest, within the measured range, salts kept."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.conditions.salt_box import LatinHypercube
from spectra_core.conditions.salts import salt_basis
from spectra_core.contracts import random_stream
from spectra_core.errors import SpectraCoreError
from spectra_core.spectra import SpectraSet

ROUNDING = 1e-9
"""Amounts below this share of the largest are rounding."""
CANDIDATES = 4000
"""Possible solutions among which the emptiest places are looked for."""


def solutions_to_prepare(spectra: SpectraSet, n_solutions: int = 20, *, seed: int = 0) -> pd.DataFrame:
    """Choose solutions far from all that were measured, and from each other.

    Candidates are drawn from the box of the salts (those of a randomly picked measured solution, its other salts
    absent), no target outside its measured range. One after the other, the candidate is taken whose nearest solution,
    measured or taken before, is farthest (Kennard & Stone, Technometrics 1969, 11, 137-148), every target in units of
    its measured range.

    Parameters
    ----------
    n_solutions
        How many; fewer where the box allows no more different ones.

    Returns
    -------
    DataFrame, one row per solution, the most needed first
        ``solution`` (from 1); the amount of every salt where salts are known, and every target, each with its unit in
        brackets; ``distance`` to the nearest solution, in ranges of the targets.

    Raises
    ------
    SpectraError
        When the set has no targets, or none varies.
    """
    basis = salt_basis(spectra)
    rng = random_stream(seed, "solutions to prepare")
    drawn = LatinHypercube().draw(spectra, CANDIDATES, rng).to_numpy()
    span = np.ptp(spectra.target_values, axis=0)
    varies = span > 0
    chosen, distances = _farthest(
        spectra.target_values[:, varies] / span[varies], drawn[:, varies] / span[varies], n_solutions
    )
    table = pd.DataFrame(drawn[chosen], columns=[_with_unit(info.name, info.unit) for info in spectra.target_info])
    if basis.found_from == "provenance":
        amounts = _amounts(drawn[chosen], basis.matrix)
        salts = pd.DataFrame(amounts, columns=[_with_unit(name, spectra.target_info[0].unit) for name in basis.names])
        table = pd.concat([salts, table], axis="columns")
    table.insert(0, "solution", np.arange(1, len(chosen) + 1))
    table["distance"] = distances
    return table


def possible_solutions(spectra: SpectraSet, *, seed: int = 0) -> tuple[pd.DataFrame, str]:
    """Return `solutions_to_prepare`; an empty table and a sentence where there is no such list."""
    try:
        return solutions_to_prepare(spectra, seed=seed), ""
    except SpectraCoreError as error:
        return pd.DataFrame(), str(error)


def _farthest(
    measured: NDArray[np.float64], candidates: NDArray[np.float64], n_wanted: int
) -> tuple[list[int], list[float]]:
    """Return candidates, one after the other those farthest from their nearest neighbour, and that distance."""
    from scipy.spatial import cKDTree

    nearest, _ = cKDTree(measured).query(candidates)
    chosen: list[int] = []
    distances: list[float] = []
    while len(chosen) < n_wanted and nearest.max() > 0:
        best = int(nearest.argmax())
        chosen.append(best)
        distances.append(float(nearest[best]))
        nearest = np.minimum(nearest, np.linalg.norm(candidates - candidates[best], axis=1))
    return chosen, distances


def _amounts(targets: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return non-negative amounts of the salts (n, n_salts) that make the targets (Lawson & Hanson 1974)."""
    from scipy.optimize import nnls

    amounts = np.array([nnls(matrix.T, row)[0] for row in targets])
    return np.where(amounts > ROUNDING * amounts.max(initial=0.0), amounts, 0.0)


def _with_unit(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name

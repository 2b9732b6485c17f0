"""New concentration sets like the measured ones: the same salts together, as much of each, none beyond its range."""

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.conditions.base import require_drawable
from spectra_core.conditions.salts import DEPENDENCE_TOLERANCE, salt_basis
from spectra_core.options import Range, WithOptions
from spectra_core.spectra import SpectraSet

Floats = NDArray[np.float64]

Reach = Annotated[float, Range(0, 1), "Reach beyond the data"]
N_NEIGHBOURS = 5
"""Measured sets that one may be mixed with where there are no salts: few, so that mixtures stay in dense places."""
MOST_TOGETHER, MOST_CHOICES = 5, 2000
"""Salts of one solution up to which, and choices of so many salts up to which, the fewest are looked for."""
MAX_ROUNDS = 50
"""Times that amounts are drawn anew for a set beyond the data; after that a measured set is taken as it is."""

SPREAD = 0.1
"""How far a new amount may lie from a measured one, as a share of all measured amounts of that salt."""


@dataclass(frozen=True, eq=False)
class Design:
    """What is kept of measured concentration sets, so that more like them can be drawn.

    Parameters
    ----------
    targets : (n_rows, n_targets)
    matrix : (n_salts, n_targets)
        As in `SaltBasis`; without rows where no salts are known or found.
    offset : (n_targets,)
    amounts : (n_solutions, n_salts)
        Of the salts, in the measured solutions; 0 for absent ones.
    """

    targets: Floats
    matrix: Floats
    offset: Floats
    amounts: Floats

    @classmethod
    def of(cls, train: SpectraSet) -> Self:
        """Return the design of a set."""
        basis = salt_basis(train)
        if basis.found_from == "none":
            nothing = np.empty((0, train.n_targets))
            return cls(train.target_values, nothing, np.zeros(train.n_targets), np.empty((len(train), 0)))
        amounts = np.where(basis.present, basis.amounts, 0.0)
        if np.linalg.matrix_rank(basis.matrix) < len(basis.matrix):
            amounts = fewest_salts(train.target_values, basis.matrix, amounts)
        return cls(train.target_values, basis.matrix, basis.offset, amounts)

    def draw(self, n_sets: int, rng: np.random.Generator, reach: float = 0.0) -> Floats:
        """Return new concentration sets (n_sets, n_targets)."""
        return self._of_salts(n_sets, rng, reach) if len(self.matrix) else self._between_neighbours(n_sets, rng)

    def _of_salts(self, n_sets: int, rng: np.random.Generator, reach: float) -> Floats:
        """Take the salts of one solution, and deal to them how large the amounts of another with as many salts are.

        Large means among the measured amounts of the same salt. So each salt keeps the distribution of its amounts, and
        amounts that are small where others are large, as in any mixture of stock solutions, stay so.
        """
        present = self.amounts != 0
        largest = np.maximum(np.abs(self.amounts).max(axis=0), np.finfo(np.float64).tiny)
        most = (1.0 + reach) * (np.abs(self.amounts) / largest).sum(axis=1).max()
        lower, upper = self.targets.min(axis=0), self.targets.max(axis=0)
        lower, upper = (end + reach * np.abs(end) * sign for end, sign in ((lower, -np.sign(lower)), (upper, 1.0)))
        rounding = 1e-9 * np.maximum(np.abs(lower), np.abs(upper))
        rows = rng.integers(len(present), size=n_sets)
        sets = self.offset + self.amounts[rows] @ self.matrix
        levels = _levels(self.amounts, present)
        left = np.arange(n_sets)
        for _ in range(MAX_ROUNDS):
            drawn = self._amounts_at(self._dealt(levels, present, rows[left], rng), present[rows[left]])
            drawn *= (1.0 + reach) ** rng.uniform(-1.0, 1.0, (len(left), 1))
            made = self.offset + drawn @ self.matrix
            fits = ((made >= lower - rounding) & (made <= upper + rounding)).all(axis=1)
            fits &= (np.abs(drawn) / largest).sum(axis=1) <= most
            sets[left[fits]] = made[fits]
            left = left[~fits]
        return np.asarray(np.clip(sets, lower, upper))

    @staticmethod
    def _dealt(levels: Floats, present: NDArray[np.bool_], rows: NDArray[np.int64], rng: np.random.Generator) -> Floats:
        """Return levels (n_rows, n_salts) of other solutions with as many salts, dealt to the salts of `rows`."""
        sizes = present.sum(axis=1)
        dealt = np.zeros((len(rows), levels.shape[1]))
        for size in np.unique(sizes[rows]):
            here = np.flatnonzero(sizes[rows] == size)
            others = rng.choice(np.flatnonzero(sizes == size), size=len(here))
            theirs = levels[others][present[others]].reshape(len(here), size)
            place = np.nonzero(present[rows[here]])[1].reshape(len(here), size)
            dealt[here[:, None], place] = rng.permuted(theirs, axis=1)
        beside = np.abs(dealt + SPREAD * rng.uniform(-1.0, 1.0, dealt.shape))
        return np.asarray(1.0 - np.abs(1.0 - beside))  # folded back at both ends, where clipping would pile sets up

    def _amounts_at(self, levels: Floats, present: NDArray[np.bool_]) -> Floats:
        """Return the amounts (n_rows, n_salts) at `levels` of each salt's measured amounts; 0 for absent salts."""
        amounts = np.zeros_like(levels)
        for salt in range(levels.shape[1]):
            known = np.sort(self.amounts[self.amounts[:, salt] != 0, salt])
            if len(known):
                at = present[:, salt]
                amounts[at, salt] = np.interp(levels[at, salt], np.linspace(0.0, 1.0, len(known)), known)
        return amounts

    def _between_neighbours(self, n_sets: int, rng: np.random.Generator) -> Floats:
        """Take a point on the way from one set to one of its nearest (Chawla et al., J. Artif. Intell. Res. 2002)."""
        from scipy.spatial import cKDTree

        scale = self.targets.std(axis=0)
        different = np.unique(self.targets, axis=0)
        k = min(N_NEIGHBOURS + 1, len(different))
        start = self.targets[rng.integers(len(self.targets), size=n_sets)]
        scaled = np.where(scale > 0, scale, 1.0)
        _, near = cKDTree(different / scaled).query(start / scaled, k=k)
        chosen = np.asarray(near).reshape(n_sets, k)[np.arange(n_sets), rng.integers(min(1, k - 1), k, size=n_sets)]
        return np.asarray(start + rng.random((n_sets, 1)) * (different[chosen] - start))


def _levels(amounts: Floats, present: NDArray[np.bool_]) -> Floats:
    """Return how large each amount (n_rows, n_salts) is among those of its salt, from 0 to 1."""
    from scipy.stats import rankdata

    levels = np.zeros_like(amounts)
    for salt, held in enumerate(present.T):
        levels[held, salt] = (rankdata(amounts[held, salt]) - 1.0) / max(int(held.sum()) - 1, 1)
    return levels


def fewest_salts(targets: Floats, matrix: Floats, otherwise: Floats) -> Floats:
    """Return amounts (n_rows, n_salts) that explain each solution by as few salts as possible.

    With more salts than independent ions, amounts are not unique: zinc nitrate and copper sulfate hold the ions of zinc
    sulfate and copper nitrate. Every choice of salts is tried, the fewest first. Rows that no choice of `MOST_TOGETHER`
    explains within the tolerance of labels keep `otherwise`.
    """
    found = otherwise.copy()
    scale = np.maximum(np.abs(targets).max(axis=0), np.finfo(np.float64).tiny)
    open_rows = np.arange(min(len(targets), len(otherwise)))
    n_salts = len(matrix)
    for size in range(1, min(n_salts, MOST_TOGETHER) + 1):
        if comb(n_salts, size) > MOST_CHOICES:
            break
        best = np.full(len(open_rows), DEPENDENCE_TOLERANCE)
        for salts in combinations(range(n_salts), size):
            chosen = matrix[list(salts)] / scale
            if np.linalg.matrix_rank(chosen) < size:
                continue
            amounts = targets[open_rows] / scale @ np.linalg.pinv(chosen)
            misfit = np.abs(amounts @ chosen - targets[open_rows] / scale).max(axis=1)
            better = (misfit < best) & (amounts > 0).all(axis=1)
            rows = open_rows[better]
            found[rows] = 0.0
            found[np.ix_(rows, list(salts))] = amounts[better]
            best[better] = misfit[better]
        open_rows = open_rows[best == DEPENDENCE_TOLERANCE]
    return found


@dataclass(frozen=True)
class AsMeasured(WithOptions):
    """Concentration sets like the measured ones but not the same.

    Where salts are known or found: the salts of one measured solution and no others, in amounts as they are in another
    with as many salts, drawn anew until no target leaves its measured range and there is no more of all salts together
    than in any measured solution. Else: a point on the way from one measured set to one of its five nearest neighbours,
    so within the hull of the data.

    Parameters
    ----------
    reach
        With salts: all amounts of a set are multiplied by a factor from 1/(1 + reach) to 1 + reach, and ranges are
        that much wider. 0 stays within the data; beyond them only what knows physics can be trusted.
    """

    title: ClassVar[str] = "Design of the data"
    explanation: ClassVar[str] = (
        "Makes solutions of the salts that were measured together, in amounts as they were measured, within the range "
        "of every concentration; without salts, mixes neighbouring sets."
    )
    needs_salts: ClassVar[bool] = False

    reach: Reach = 0.0

    def draw(self, train: SpectraSet, n_sets: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return concentration sets (n_sets, n_targets), charge-balanced and as sparse as the measured ones."""
        require_drawable(train, n_sets)
        return pd.DataFrame(Design.of(train).draw(n_sets, rng, self.reach), columns=list(train.target_names))

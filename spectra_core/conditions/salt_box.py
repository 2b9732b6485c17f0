"""Concentration sets in the box of the salts, drawn at random or spread evenly."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.conditions.base import require_drawable
from spectra_core.conditions.salts import SaltBasis, salt_basis
from spectra_core.errors import SpectraError
from spectra_core.options import WithOptions
from spectra_core.spectra import SpectraSet

SaltsPresent = Literal["as in the data", "all"]

MAX_ROUNDS = 200
"""Rounds of drawing before a box is given up: one set in 200 within bounds is enough."""

UnitPoints = Callable[[int], NDArray[np.float64]]
"""From a number of points to the next points (at least that many, n_salts) in the unit cube."""


@dataclass(frozen=True)
class Box(WithOptions, ABC):
    """What all ways of filling the box of the salts share.

    Parameters
    ----------
    salts_present
        "as in the data" gives every set the salts of a randomly picked training solution and no others; "all" mixes
        all salts in every set. Where solutions hold a few of many salts, a box of all salts lies far from the data.
    within_range
        Leave out sets in which a target lies outside its range in the data: salts that share an ion can add
        up to more of it than was ever measured.
    """

    title: ClassVar[str]
    explanation: ClassVar[str]
    needs_salts: ClassVar[bool] = False

    salts_present: SaltsPresent = "as in the data"
    within_range: bool = True

    def draw(self, train: SpectraSet, n_sets: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return concentration sets (n_sets, n_targets) in the box of the salts.

        Raises
        ------
        ConfigError
            When `n_sets` is not positive.
        SpectraError
            When the set has no targets, no salts where they are needed, or almost no point of the box is possible.
        """
        require_drawable(train, n_sets)
        basis = salt_basis(train)
        if self.needs_salts and basis.found_from == "none":
            raise SpectraError(f"{basis.explanation} Choose concentrations in another way.")
        next_points = self.unit_points(basis.n_salts, rng)
        kept: list[NDArray[np.float64]] = []
        for _ in range(MAX_ROUNDS):
            sets = self._sets(basis, next_points(n_sets), rng)
            kept.append(sets[basis.is_possible(sets, within_range=self.within_range)])
            if sum(map(len, kept)) >= n_sets:
                return pd.DataFrame(np.concatenate(kept)[:n_sets], columns=list(basis.target_names))
        raise SpectraError(
            f"Almost no point in the box of {', '.join(basis.names)} gives possible concentrations "
            f"({sum(map(len, kept))} of the {n_sets} sets asked for after {MAX_ROUNDS} rounds). "
            "Use convex mixtures instead."
        )

    @abstractmethod
    def unit_points(self, n_salts: int, rng: np.random.Generator) -> UnitPoints:
        """Return what gives the next points in the unit cube."""

    def _sets(self, basis: SaltBasis, unit: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        amounts = basis.lower + (basis.upper - basis.lower) * unit
        if self.salts_present == "as in the data":
            amounts = np.where(basis.present[rng.integers(len(basis.present), size=len(unit))], amounts, 0.0)
        return basis.targets_of(amounts)


@dataclass(frozen=True)
class SaltBox(Box):
    """The amount of every salt uniform over its range in the data; ions follow from the salts."""

    title: ClassVar[str] = "Salt box"
    explanation: ClassVar[str] = (
        "Draws the amounts of salts evenly over their ranges and adds up the ions, so that every set is "
        "charge-balanced; corners of the box may lie outside the data."
    )
    needs_salts: ClassVar[bool] = True

    def unit_points(self, n_salts: int, rng: np.random.Generator) -> UnitPoints:
        """Return uniform points."""
        return lambda n: rng.random((n, n_salts))


@dataclass(frozen=True)
class Sobol(Box):
    """A scrambled Sobol sequence in the box of the salts (Owen, J. Complexity 14, 1998)."""

    title: ClassVar[str] = "Sobol sequence"
    explanation: ClassVar[str] = (
        "Spreads sets evenly over the box of the salts (of the targets, where there are no salts to find) by a "
        "Sobol sequence, leaving smaller gaps than chance does."
    )

    def unit_points(self, n_salts: int, rng: np.random.Generator) -> UnitPoints:
        """Return the next points of the sequence; it is balanced at powers of two, so a surplus is given."""
        from scipy.stats import qmc

        engine = qmc.Sobol(n_salts, scramble=True, rng=rng)

        def next_points(n: int) -> NDArray[np.float64]:
            points: NDArray[np.float64] = engine.random(max(2 ** max(n - 1, 0).bit_length(), engine.num_generated))
            return points

        return next_points


@dataclass(frozen=True)
class LatinHypercube(Box):
    """A Latin hypercube in the box of the salts (McKay, Beckman & Conover, Technometrics 21, 1979)."""

    title: ClassVar[str] = "Latin hypercube"
    explanation: ClassVar[str] = (
        "Spreads sets over the box of the salts (of the targets, where there are no salts to find) so that every "
        "salt takes each of as many equal steps of its range as there are sets once, before impossible sets are left "
        "out."
    )

    def unit_points(self, n_salts: int, rng: np.random.Generator) -> UnitPoints:
        """Return a new hypercube at every call."""
        from scipy.stats import qmc

        engine = qmc.LatinHypercube(n_salts, rng=rng)
        return lambda n: np.asarray(engine.random(n), dtype=np.float64)

"""Concentration sets in the box of the salts, drawn at random or spread evenly."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.conditions.base import require_drawable
from spectra_core.conditions.salts import SaltBasis, salt_basis
from spectra_core.errors import SpectraError
from spectra_core.spectra import SpectraSet

MAX_ROUNDS = 200
"""Rounds of drawing before a box is given up; at one set in 200 within bounds, a draw still ends."""

UnitPoints = Callable[[int], NDArray[np.float64]]
"""From a number of points to the next points (at least that many, n_salts) in the unit cube."""


@dataclass(frozen=True)
class SaltBox:
    """The amount of every salt uniform over its range in the data; ions follow from the salts."""

    title: ClassVar[str] = "Salt box"
    explanation: ClassVar[str] = (
        "Draws the amount of every salt evenly over its range and adds up the ions, so that every set is "
        "charge-balanced; corners of the box may lie outside the data."
    )
    needs_salts: ClassVar[bool] = True

    def draw(self, train: SpectraSet, n_sets: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return concentration sets (n_sets, n_targets) in the box of the salts."""
        require_drawable(train, n_sets)
        basis = salt_basis(train)
        if basis.found_from == "none":
            raise SpectraError(f"{basis.explanation} Choose concentrations in another way.")
        return fill_box(basis, n_sets, lambda n: rng.random((n, basis.n_salts)))


@dataclass(frozen=True)
class Sobol:
    """A scrambled Sobol sequence in the box of the salts (Owen, J. Complexity 14, 1998)."""

    title: ClassVar[str] = "Sobol sequence"
    explanation: ClassVar[str] = (
        "Spreads sets evenly over the box of the salts (of the targets, where there are no salts to find) by a "
        "Sobol sequence, leaving smaller gaps than chance does."
    )
    needs_salts: ClassVar[bool] = False

    def draw(self, train: SpectraSet, n_sets: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return concentration sets (n_sets, n_targets) in the box of the salts."""
        require_drawable(train, n_sets)
        from scipy.stats import qmc

        basis = salt_basis(train)
        engine = qmc.Sobol(basis.n_salts, scramble=True, rng=rng)

        def next_points(n: int) -> NDArray[np.float64]:
            # Sobol sequences are balanced at powers of two; the surplus is cut by the caller.
            exponent = max(n - 1, 0).bit_length()
            drawn = engine.num_generated
            points: NDArray[np.float64] = engine.random(max(2**exponent, drawn))
            return points

        return fill_box(basis, n_sets, next_points)


@dataclass(frozen=True)
class LatinHypercube:
    """A Latin hypercube in the box of the salts (McKay, Beckman & Conover, Technometrics 21, 1979)."""

    title: ClassVar[str] = "Latin hypercube"
    explanation: ClassVar[str] = (
        "Spreads sets over the box of the salts (of the targets, where there are no salts to find) so that every "
        "salt takes each of as many equal steps of its range as there are sets exactly once."
    )
    needs_salts: ClassVar[bool] = False

    def draw(self, train: SpectraSet, n_sets: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return concentration sets (n_sets, n_targets) in the box of the salts."""
        require_drawable(train, n_sets)
        from scipy.stats import qmc

        basis = salt_basis(train)
        return fill_box(basis, n_sets, qmc.LatinHypercube(basis.n_salts, rng=rng).random)


def fill_box(basis: SaltBasis, n_sets: int, next_points: UnitPoints) -> pd.DataFrame:
    """Return `n_sets` concentration sets from points in the unit cube, leaving out impossible ones.

    A set is impossible when a target that follows from the others turns negative although it never is in the
    data. Then further points are drawn, and the spread of the sets is only as even as the cut box allows.

    Raises
    ------
    SpectraError
        When almost no point of the box is possible.
    """
    kept: list[NDArray[np.float64]] = []
    n_kept = 0
    for _ in range(MAX_ROUNDS):
        amounts = basis.lower + (basis.upper - basis.lower) * next_points(n_sets)
        sets = basis.targets_of(amounts)
        possible = sets[basis.is_possible(sets)]
        kept.append(possible)
        n_kept += len(possible)
        if n_kept >= n_sets:
            return pd.DataFrame(np.concatenate(kept)[:n_sets], columns=list(basis.target_names))
    raise SpectraError(
        f"Almost no point in the box of {', '.join(basis.names)} gives possible concentrations "
        f"({n_kept} of the {n_sets} sets asked for after {MAX_ROUNDS} rounds). Use convex mixtures instead."
    )

"""Which solutions are made: how concentrations of the salts are chosen.

Every design works in shares of the largest concentration of each salt and, for the Bayesian bound, knows how far a
solution can move before it leaves the design (see `bounds`).
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import ConfigError
from spectra_core.options import Range, WithOptions

Array = NDArray[np.float64]


class Design(Protocol):
    """Chooses salt concentrations. A frozen dataclass."""

    title: ClassVar[str]
    explanation: ClassVar[str]

    def draw(self, n_spectra: int, n_salts: int, rng: np.random.Generator) -> Array:
        """Return concentrations (n_spectra, n_salts), each a share (0 to 1) of the salt's largest concentration."""

    def room(self, shares: Array, direction: Array) -> Array:
        """Return how far each row can move along `direction` (n_salts,) and within the design, (n_spectra,).

        The density of a design is constant along the way; a salt that is absent because the design left it out cannot
        move at all.
        """


@dataclass(frozen=True)
class Levels(WithOptions):
    """Each salt at one of a few levels, independently.

    Parameters
    ----------
    n_levels
        Levels from 0 to the largest concentration, equally spaced.
    """

    title: ClassVar[str] = "Salts x levels"
    explanation: ClassVar[str] = "Every salt takes one of a few equally spaced levels, independently of the others."

    n_levels: Annotated[int, Range(2, 10_000)] = 5

    def draw(self, n_spectra: int, n_salts: int, rng: np.random.Generator) -> Array:
        """Draw a level for every salt."""
        return rng.integers(self.n_levels, size=(n_spectra, n_salts)) / (self.n_levels - 1.0)

    def room(self, shares: Array, direction: Array) -> Array:
        """Return the room in the box of all concentrations: who reads the spectrum does not know the levels."""
        return _room_in_box(shares, direction)


@dataclass(frozen=True)
class RandomMixtures:
    """Each salt uniformly between nothing and its largest concentration."""

    title: ClassVar[str] = "Random mixtures"
    explanation: ClassVar[str] = "Every salt is drawn uniformly from zero to its largest concentration."

    def draw(self, n_spectra: int, n_salts: int, rng: np.random.Generator) -> Array:
        """Draw uniformly."""
        return rng.random((n_spectra, n_salts))

    def room(self, shares: Array, direction: Array) -> Array:
        """Return the room in the box of all concentrations."""
        return _room_in_box(shares, direction)


@dataclass(frozen=True)
class SparseMixtures(WithOptions):
    """A few stock solutions and water, mixed in random volumes.

    Parameters
    ----------
    min_salts, max_salts
        How many of the salts one solution holds, each number equally likely.
    """

    title: ClassVar[str] = "Sparse mixtures of stock solutions"
    explanation: ClassVar[str] = (
        "A few salts are picked, and their stock solutions and water are mixed in random volumes, so that no salt "
        "exceeds its stock and all shares sum to at most one."
    )

    min_salts: Annotated[int, Range(1, 100)] = 2
    max_salts: Annotated[int, Range(1, 100)] = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(
            self.min_salts <= self.max_salts,
            f"Numbers of salts must satisfy min_salts <= max_salts, got {self.min_salts} and {self.max_salts}.",
        )

    def draw(self, n_spectra: int, n_salts: int, rng: np.random.Generator) -> Array:
        """Pick salts, then volumes uniformly from all that sum to one with water."""
        _require(self.max_salts <= n_salts, f"A solution cannot hold {self.max_salts} of {n_salts} salts.")
        n_present = rng.integers(self.min_salts, self.max_salts + 1, size=(n_spectra, 1))
        order = rng.random((n_spectra, n_salts)).argsort(axis=1).argsort(axis=1)
        volumes = np.where(order < n_present, rng.standard_exponential((n_spectra, n_salts)), 0.0)
        water = rng.standard_exponential((n_spectra, 1))
        return np.asarray(volumes / (volumes.sum(axis=1, keepdims=True) + water))

    def room(self, shares: Array, direction: Array) -> Array:
        """Return the room until a present salt or the water is used up."""
        moved = direction != 0
        growth = direction.sum()
        until_dry = (1.0 - shares.sum(axis=1)) / growth if growth > 0 else np.full(len(shares), np.inf)
        room = np.minimum(_until_empty(shares, direction), until_dry)
        return np.where((shares[:, moved] > 0).all(axis=1), room, 0.0)


@dataclass(frozen=True)
class Sobol:
    """Each salt as in random mixtures, but filling the space evenly (I. M. Sobol, 1967; scrambled)."""

    title: ClassVar[str] = "Sobol"
    explanation: ClassVar[str] = "Concentrations fill the box of all salts more evenly than chance would."

    def draw(self, n_spectra: int, n_salts: int, rng: np.random.Generator) -> Array:
        """Take the first points of a scrambled sequence."""
        from scipy.stats import qmc

        n_bits = int(np.ceil(np.log2(max(n_spectra, 2))))
        return np.asarray(qmc.Sobol(n_salts, scramble=True, rng=rng).random_base2(n_bits)[:n_spectra])

    def room(self, shares: Array, direction: Array) -> Array:
        """Return the room in the box of all concentrations."""
        return _room_in_box(shares, direction)


DESIGNS: dict[str, type[Design]] = {
    "levels": Levels,
    "random": RandomMixtures,
    "sparse": SparseMixtures,
    "sobol": Sobol,
}


def _room_in_box(shares: Array, direction: Array) -> Array:
    return np.minimum(_until_empty(shares, direction), _until_empty(1.0 - shares, -direction))


def _until_empty(shares: Array, direction: Array) -> Array:
    """Return how far each row can move until a share reaches zero, (n_spectra,)."""
    falling = direction < 0
    return np.asarray(np.min(shares[:, falling] / -direction[falling], axis=1, initial=np.inf))


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ConfigError(sentence)

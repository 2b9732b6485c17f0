"""What every way of choosing concentration sets offers."""

from typing import ClassVar, Protocol

import numpy as np
import pandas as pd

from spectra_core.errors import ConfigError
from spectra_core.preprocessing.magnitudes import require_computable_targets
from spectra_core.spectra import SpectraSet, require_targets


class ConditionSampler(Protocol):
    """Chooses concentration sets for conditional generators. A frozen dataclass."""

    title: ClassVar[str]
    explanation: ClassVar[str]
    needs_salts: ClassVar[bool]
    """Whether it can only be used where `salts.salt_basis` finds salts (or other independent components)."""

    def draw(self, train: SpectraSet, n_sets: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return concentration sets (n_sets, n_targets), columns and units as in `train`.

        Only targets, `target_info` and meta of `train` are read, never its signal.

        Raises
        ------
        ConfigError
            When `n_sets` is not positive.
        SpectraError
            When `train` has no targets, or lacks what the strategy needs.
        """


def require_drawable(train: SpectraSet, n_sets: int) -> None:
    """Refuse a set without targets, targets too large to compute with, and a number of sets below one."""
    require_targets(train)
    require_computable_targets(train, "training")
    if n_sets < 1:
        raise ConfigError(f"The number of concentration sets must be at least 1, got {n_sets}.")

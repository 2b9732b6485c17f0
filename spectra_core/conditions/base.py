"""What every way of choosing concentration sets offers."""

from typing import ClassVar, Protocol

import numpy as np
import pandas as pd

from spectra_core.spectra import SpectraSet


class ConditionSampler(Protocol):
    """Chooses concentration sets for conditional generators. A frozen dataclass."""

    title: ClassVar[str]
    explanation: ClassVar[str]

    def draw(self, train: SpectraSet, n_sets: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return concentration sets (n_sets, n_targets), columns and units as in `train`.

        Only targets, `target_info` and meta of `train` are read, never its signal.
        """

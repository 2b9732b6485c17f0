"""Every target uniform by itself: the study's likely choice."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from spectra_core.conditions.base import require_drawable
from spectra_core.spectra import SpectraSet


@dataclass(frozen=True)
class IndependentUniform:
    """Every target uniform between its smallest and largest value, independently of the others."""

    title: ClassVar[str] = "Independent uniform"
    explanation: ClassVar[str] = (
        "Draws every concentration evenly over its own range, regardless of the others: where targets are ions, "
        "this breaks charge balance and asks for solutions that cannot exist."
    )
    needs_salts: ClassVar[bool] = False

    def draw(self, train: SpectraSet, n_sets: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return concentration sets (n_sets, n_targets) in the box of the targets."""
        require_drawable(train, n_sets)
        values = train.target_values
        sets = rng.uniform(values.min(axis=0), values.max(axis=0), (n_sets, train.n_targets))
        return pd.DataFrame(sets, columns=list(train.target_names))

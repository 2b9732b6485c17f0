"""How networks are trained in ready-made experiments: as in the study, or on a faster path that each member names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STUDY_EPOCHS = 100
AS_IN_THE_STUDY: Mapping[str, Any] = {"epochs": STUDY_EPOCHS, "kernels": "numba"}


@dataclass(frozen=True)
class FastTraining:
    """Another path of optimisation than the study's, found on validation folds (docs/decisions/014).

    Parameters
    ----------
    options
        That differ from the study's.
    fewest_epochs
        On the set that it was found with: 2867 simulated spectra.
    steps
        Optimiser steps that these made; small sets need more passes.
    """

    options: Mapping[str, Any]
    fewest_epochs: int
    steps: int

    def epochs(self, n_train: int | None) -> int:
        """Return as many epochs as make about `steps`, at most the study's; the fewest where `n_train` is not known.

        >>> found = FastTraining({}, fewest_epochs=15, steps=1350)
        >>> [found.epochs(n_train) for n_train in (None, 3276, 600, 50)]
        [15, 15, 72, 100]
        """
        if n_train is None:
            return self.fewest_epochs
        steps_per_epoch = -(-n_train // 32)  # at the batch size of the study
        return min(STUDY_EPOCHS, max(self.fewest_epochs, -(-self.steps // steps_per_epoch)))

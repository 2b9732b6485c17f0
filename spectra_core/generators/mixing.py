"""Classical augmentation: mixtures of two training spectra, as if the solutions were poured together."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from spectra_core.generators.parents import ParentGenerator, even_rows
from spectra_core.generators.state import require_fitted
from spectra_core.options import Range
from spectra_core.spectra import SpectraSet

FADE = 0.5
"""Absorbance over which mixing fades out below saturation: a sharp limit would leave a step in the spectrum."""


@dataclass
class Mixing(ParentGenerator):
    """Convex mixtures of pairs (mixup: Zhang et al., ICLR 2018), x = w x_i + (1 - w) x_j, labels alike.

    Absorbance is additive (Beer-Lambert), so up to interactions between components a mixture is what an
    instrument would show for the mixed concentrations. Where a parent saturates it is not, for its true absorbance
    is unknown. In absorbance, therefore, w rises to 1 while the larger of the two absorbances rises from
    `saturation` - 0.5 to `saturation`: saturated channels are those of parent i, whose share is at least one half.

    Parameters
    ----------
    concentration
        Both parameters of the Beta distribution of w: 1 draws all shares equally, smaller ones stay near one parent.
    saturation
        Absorbance from which channels are not mixed; None mixes all. Ignored for other quantities.
    """

    title: ClassVar[str] = "Mixing"
    explanation: ClassVar[str] = (
        "Averages two training spectra and their concentrations with random weights, as pouring solutions together."
    )
    worth: ClassVar[str] = (
        "As a negative control: in the study it raised the errors of copper and nickel by 80 % and more, for "
        "components interact."
    )

    concentration: Annotated[float, Range(1e-6, 1e6)] = 1.0
    saturation: Annotated[float | None, Range(FADE, 1000)] = 2.5

    def generate(self, n_spectra: int, rng: np.random.Generator) -> SpectraSet:
        """Return mixtures of pairs of different spectra; every spectrum is the main parent equally often.

        The sample column ``parent`` names both, main parent first, as ``"<id> + <id>"``.
        """
        require_fitted(self, self.title)
        n_parents = len(self.ids_)
        main = even_rows(n_parents, n_spectra, rng)
        other = (main + rng.integers(1, n_parents, size=n_spectra)) % n_parents
        share = rng.beta(self.concentration, self.concentration, size=(n_spectra, 1))
        share = np.maximum(share, 1.0 - share)
        targets = share * self.targets_[main] + (1.0 - share) * self.targets_[other]
        one, two = self.signal_[main].astype(np.float64), self.signal_[other].astype(np.float64)
        weight = share
        if self.saturation is not None and self.frame_.quantity == "Absorbance":
            fade = np.clip((np.maximum(one, two) - (self.saturation - FADE)) / FADE, 0.0, 1.0)
            weight = share + (1.0 - share) * fade
        # Written as a step from the main parent, so that equal parents give back their value to the last bit.
        signal = one + (1.0 - weight) * (two - one)
        parents = [f"{self.ids_[i]} + {self.ids_[j]}" for i, j in zip(main, other, strict=True)]
        return self._children(signal, targets, parents)

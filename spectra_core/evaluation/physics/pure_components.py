"""Classical least squares: every spectrum as a blank plus concentrations times spectra of pure components."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.evaluation.suitability.design import DEPENDENCE
from spectra_core.spectra import SpectraSet


@dataclass(frozen=True, eq=False)
class PureComponents:
    """The affine space of mixtures that obey Beer and Lambert (Haaland & Easterling, Appl Spectrosc 1980).

    Targets that follow from others, such as a counter-ion, have no spectrum of their own; concentrations vary
    along independent directions only.

    Parameters
    ----------
    mean_signal : (n_channels,)
    mean_targets : (n_targets,)
    directions : (n_directions, n_targets)
        Independent changes of concentration.
    spectra : (n_directions, n_channels)
        Change of the signal with each.
    """

    mean_signal: NDArray[np.float64]
    mean_targets: NDArray[np.float64]
    directions: NDArray[np.float64]
    spectra: NDArray[np.float64]

    @classmethod
    def fit(cls, training: SpectraSet) -> Self:
        """Fit the spectra of pure components to all training spectra by least squares.

        Raises
        ------
        SpectraError
            When no target varies, or spectra are not more than independent targets.
        """
        targets = training.target_values
        mean_targets = targets.mean(axis=0)
        spread = targets.std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        left, sizes, right = np.linalg.svd((targets - mean_targets) / scale, full_matrices=False)
        rank = int((sizes > DEPENDENCE * max(sizes.max(initial=0.0), 1e-300)).sum()) if sizes.any() else 0
        if rank == 0 or len(training) <= rank + 1:
            raise SpectraError(
                f"Spectra of pure components need targets that vary and more spectra than targets; this set has "
                f"{rank} independent targets and {len(training)} spectra."
            )
        signal = training.signal.astype(np.float64)
        mean_signal = signal.mean(axis=0)
        spectra = left[:, :rank].T @ (signal - mean_signal)
        return cls(mean_signal, mean_targets, sizes[:rank, None] * right[:rank] * scale, spectra)

    def concentrations(self, signal: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the concentrations (n_spectra, n_targets) that explain the spectra best."""
        amounts, *_ = np.linalg.lstsq(self.spectra.T, (signal - self.mean_signal).T, rcond=None)
        found: NDArray[np.float64] = self.mean_targets + amounts.T @ self.directions
        return found

    def residual(self, signal: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return what no mixture of the components explains, (n_spectra, n_channels), in the signal's unit."""
        centred = signal - self.mean_signal
        amounts, *_ = np.linalg.lstsq(self.spectra.T, centred.T, rcond=None)
        left: NDArray[np.float64] = centred - amounts.T @ self.spectra
        return left

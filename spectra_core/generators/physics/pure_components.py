"""Physics for sets of which nothing is known: pure spectra fitted to the training rows."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from spectra_core.contracts import Arrays
from spectra_core.generators.physics.base import Floats, Physics
from spectra_core.spectra import Frame, SpectraSet


@dataclass
class PureComponents(Physics):
    """Classical least squares (Haaland & Easterling, Appl. Spectrosc. 1980): x = blank + sum of c_k s_k.

    One spectrum per target and one of the blank, by least squares over the training rows. Where targets depend on each
    other, as ions do, the s_k are those of least norm: their sums are right, each alone is not the spectrum of an ion.
    """

    title: ClassVar[str] = "Pure components, fitted"
    explanation: ClassVar[str] = (
        "Adds up one spectrum per target, fitted to the training spectra: data only, for it knows nothing beyond them."
    )
    data_only: ClassVar[bool] = True

    def obstacle(self, frame: Frame) -> str | None:
        """Fit any set with targets."""
        return None if frame.target_info else "it needs targets"

    def fit(self, train: SpectraSet) -> Self:
        """Learn the pure spectra."""
        scale = train.target_values.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        centre = train.target_values.mean(axis=0)
        signal = np.asarray(train.signal, dtype=np.float64)
        known = (train.target_values - centre) / scale
        pure = np.linalg.lstsq(known, signal - signal.mean(axis=0), rcond=1e-9)[0] / scale[:, None]
        self.pure_ = np.vstack([signal.mean(axis=0) - centre @ pure, pure])
        return self

    def leverages(self, targets: Floats) -> Floats:
        """Return the diagonal of the hat matrix of least squares on the targets and a blank (Cook & Weisberg 1982)."""
        known = (targets - targets.mean(axis=0)) / np.maximum(targets.std(axis=0), np.finfo(np.float64).tiny)
        left, singular, _ = np.linalg.svd(np.nan_to_num(known), full_matrices=False)
        kept = left[:, singular > 1e-9 * max(singular[0], np.finfo(np.float64).tiny)]
        return np.asarray(1.0 / len(targets) + (kept**2).sum(axis=1))

    def spectra(self, targets: Floats, frame: Frame) -> Floats:
        """Return blank + targets @ pure spectra."""
        return np.asarray(self.pure_[0] + targets @ self.pure_[1:])

    def to_arrays(self) -> Arrays:
        """Return the blank and the pure spectra."""
        return {"pure": self.pure_}

    def shapes(self, frame: Frame) -> dict[str, tuple[int | None, ...]]:
        """Return the shape of the blank and the pure spectra."""
        return {"pure": (1 + len(frame.target_info), len(frame.axis))}

    def from_arrays(self, arrays: Arrays) -> Self:
        """Take over the pure spectra."""
        self.pure_ = arrays["pure"]
        return self

"""What every preprocessing of spectra offers."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import Arrays
from spectra_core.errors import NotFittedError
from spectra_core.options import WithOptions
from spectra_core.spectra import Frame, SpectraSet


class Preprocessing(WithOptions, ABC):
    """Changes the signal of spectra, never their number, axis or targets. A dataclass of JSON values."""

    title: ClassVar[str]
    explanation: ClassVar[str]
    caution: ClassVar[str] = ""
    """A sentence for the person who chooses it; empty where nothing speaks against it."""

    frame_: Frame
    """Axis, signal quantity and targets of the training set; set by `fit` and `from_arrays`."""

    def fit(self, train: SpectraSet) -> Self:
        """Learn from training spectra only; return self.

        Raises
        ------
        SpectraError
            When these spectra cannot be treated so.
        """
        self._check(train.frame)
        self._learn(np.asarray(train.signal, dtype=np.float64))
        self.frame_ = train.frame
        return self

    def transform(self, spectra: SpectraSet) -> SpectraSet:
        """Return the same spectra with changed signal, in the same precision, under the changed quantity."""
        if not hasattr(self, "frame_"):
            raise NotFittedError(f"The preprocessing {self.title!r} is not fitted. Call fit first.")
        self.frame_.require_same_signal(spectra.frame)
        signal = self._transformed(np.asarray(spectra.signal, dtype=np.float64))
        after = self.frame_after
        return SpectraSet(
            spectra.axis,
            signal.astype(spectra.signal.dtype),
            spectra.targets,
            target_info=spectra.target_info,
            samples=spectra.samples,
            meta=spectra.with_meta(quantity=after.quantity, unit=after.unit).meta,
        )

    @property
    def frame_after(self) -> Frame:
        """Axis, signal quantity and targets of what `transform` returns."""
        quantity, unit = self._renamed(self.frame_.quantity, self.frame_.unit)
        return replace(self.frame_, quantity=quantity, unit=unit)

    def to_arrays(self) -> Arrays:
        """Return what was learned; nothing for most."""
        return {}

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over what was learned from spectra in `frame`; return self."""
        self._check(frame)
        self.frame_ = frame
        return self

    @abstractmethod
    def _transformed(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the changed signal (n_spectra, n_channels)."""

    def _learn(self, signal: NDArray[np.float64]) -> None:
        """Keep what is needed of the training signal (n_spectra, n_channels)."""

    def _check(self, frame: Frame) -> None:
        """Refuse spectra that cannot be treated so."""

    def _renamed(self, quantity: str, unit: str) -> tuple[str, str]:
        """Return quantity and unit of the changed signal."""
        return quantity, unit


def constant_to_one(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return divisors with 1 in place of 0, so that what does not vary stays as it is."""
    return np.where(values == 0.0, 1.0, values)

"""Scaling fitted on training spectra only, and undone exactly."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import Arrays
from spectra_core.errors import ConfigError, SpectraError

Floats = NDArray[np.floating[Any]]

_COLUMNS_AT_ONCE, _ROWS_AT_ONCE = 64, 64  # copies in float64 stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Standardiser:
    """Column-wise ``(x - mean) / scale``, with mean and standard deviation of the training rows.

    Parameters
    ----------
    mean, scale : (n_columns,)
        A column that is constant in the training rows has scale 1: it maps to 0 and comes back as its mean.
    constant : (n_columns,)
        Which columns are constant, so that they can be named and left out of judgements.
    """

    mean: Floats
    scale: Floats
    constant: NDArray[np.bool_]

    @classmethod
    def fit(cls, values: Floats) -> Self:
        """Measure mean and standard deviation (divisor n) of every column of `values` (n_rows, n_columns)."""
        mean, std = np.empty(values.shape[1]), np.empty(values.shape[1])
        for start in range(0, values.shape[1], _COLUMNS_AT_ONCE):
            columns = slice(start, start + _COLUMNS_AT_ONCE)
            wide = np.asarray(values[:, columns], dtype=np.float64)
            mean[columns], std[columns] = wide.mean(axis=0), wide.std(axis=0)
        constant = values.min(axis=0) == values.max(axis=0)
        # A spread below rounding error is no spread: dividing by it would blow rounding up to signal.
        constant |= std <= 1e-12 * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
        return cls(
            np.where(constant, np.asarray(values[0], dtype=np.float64), mean), np.where(constant, 1.0, std), constant
        )

    def transform(self, values: Floats) -> Floats:
        """Return standardised columns in the dtype of `values`; constant columns become 0."""
        self._require_width(values)
        out = np.empty_like(values)
        room = np.empty((_ROWS_AT_ONCE, values.shape[1]))
        for start in range(0, len(values), _ROWS_AT_ONCE):
            some = values[start : start + _ROWS_AT_ONCE]
            centred = np.subtract(some, self.mean, out=room[: len(some)])
            np.divide(centred, self.scale, out=out[start : start + _ROWS_AT_ONCE], casting="same_kind")
        out[:, self.constant] = 0.0
        return out

    def inverse(self, standardised: Floats) -> Floats:
        """Return values in the original units; constant columns come back as they were, exactly."""
        self._require_width(standardised)
        out = np.asarray(standardised, dtype=np.float64) * self.scale + self.mean
        out[:, self.constant] = self.mean[self.constant]
        return out

    @property
    def centring(self) -> Self:
        """The same without the division."""
        return type(self)(self.mean, np.ones_like(self.scale), self.constant)

    def to_arrays(self, prefix: str) -> Arrays:
        """Return the state as named arrays for storage."""
        return {
            f"{prefix}.mean": self.mean,
            f"{prefix}.scale": self.scale,
            f"{prefix}.constant": self.constant.astype(np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, prefix: str) -> Self:
        """Rebuild from `to_arrays`.

        Raises
        ------
        ConfigError
            When nothing can be divided by what is kept as scale.
        """
        if not (arrays[f"{prefix}.scale"] > 0).all():
            raise ConfigError(f"The stored scale of the {prefix} must be positive. Train the model again.")
        return cls(
            arrays[f"{prefix}.mean"],
            arrays[f"{prefix}.scale"],
            arrays[f"{prefix}.constant"].astype(bool),
        )

    def _require_width(self, values: Floats) -> None:
        if values.ndim != 2 or values.shape[1] != len(self.mean):
            raise SpectraError(
                f"Expected {len(self.mean)} columns as in training, got an array of shape {values.shape}. "
                "Use spectra on the axis, and targets in the order, that the model was trained with."
            )

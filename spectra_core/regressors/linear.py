"""What the regressors share whose prediction is one product: coefficients times scaled channels."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Arrays, Budget, Reporter
from spectra_core.preprocessing import Standardiser
from spectra_core.preprocessing.magnitudes import require_computable_signal
from spectra_core.regressors.base import Regressor
from spectra_core.regressors.state import (
    checked_arrays,
    constant_target_notes,
    require_calibration_set,
    require_fitted,
    scaling_shapes,
    target_table,
)
from spectra_core.spectra import Frame, SpectraSet


class LinearRegressor(Regressor):
    """Predicts ``scaled channels @ coefficients_``, in units of the targets' training spread.

    Attributes
    ----------
    signal_scaling_, target_scaling_
        Mean and scale of every channel and target in the training spectra.
    coefficients_ : (n_channels, n_targets)
        Standard deviations of the target per scaled channel; 0 for constant channels and targets.
    """

    scale_channels: bool | None

    signal_scaling_: Standardiser
    target_scaling_: Standardiser
    coefficients_: NDArray[np.float64]

    def fit(
        self,
        train: SpectraSet,
        *,
        budget: Budget | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
    ) -> Self:
        """Learn all targets of `train`; `budget` is unused, the fit is exact."""
        require_calibration_set(train)
        signal = np.asarray(train.signal, dtype=np.float64)
        scaling = Standardiser.fit(signal)
        self.signal_scaling_ = scaling if self.scale_channels else scaling.centring
        self.target_scaling_ = Standardiser.fit(train.target_values)
        self.coefficients_ = self._coefficients(
            self.signal_scaling_.transform(signal), self.target_scaling_.transform(train.target_values), train, seed
        )
        self.frame_ = train.frame
        self.notes_ = constant_target_notes(self.target_scaling_, self.frame_)
        return self

    def predict(self, spectra: SpectraSet) -> pd.DataFrame:
        """Return predicted targets (n_spectra, n_targets) in the units of the training set."""
        require_fitted(self, self.title)
        self.frame_.require_same_signal(spectra.frame)
        require_computable_signal(spectra, "new")
        scaled = self.signal_scaling_.transform(np.asarray(spectra.signal, dtype=np.float64))
        values = self.target_scaling_.inverse(scaled @ self.coefficients_)
        return target_table(np.asarray(values, dtype=np.float64), self.frame_)

    def to_arrays(self) -> Arrays:
        """Return scaling, coefficients and what was chosen by validation."""
        require_fitted(self, self.title)
        return {
            **self.signal_scaling_.to_arrays("signal"),
            **self.target_scaling_.to_arrays("targets"),
            "coefficients": self.coefficients_,
            **self._choices(),
        }

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a fitted state after checking it; return self."""
        n_channels, n_targets = len(frame.axis), len(frame.target_info)
        shapes = {
            **scaling_shapes("signal", n_channels),
            **scaling_shapes("targets", n_targets),
            "coefficients": (n_channels, n_targets),
            **self._choice_shapes(n_targets),
        }
        checked = checked_arrays(arrays, shapes, self.title)
        self.signal_scaling_ = Standardiser.from_arrays(checked, "signal")
        self.target_scaling_ = Standardiser.from_arrays(checked, "targets")
        self.coefficients_ = checked["coefficients"]
        self._take_choices(checked)
        self.frame_ = frame
        self.notes_ = constant_target_notes(self.target_scaling_, frame)
        return self

    @abstractmethod
    def _coefficients(
        self, signal: NDArray[Any], targets: NDArray[Any], train: SpectraSet, seed: int
    ) -> NDArray[np.float64]:
        """Return coefficients for scaled `signal` and scaled `targets`, and keep what validation chose."""

    @abstractmethod
    def _choices(self) -> Arrays:
        """Return what validation chose, to be stored."""

    @abstractmethod
    def _choice_shapes(self, n_targets: int) -> dict[str, tuple[int | None, ...]]:
        """Return the shapes of `_choices`."""

    @abstractmethod
    def _take_choices(self, arrays: Arrays) -> None:
        """Take over stored choices."""

"""Ridge regression, one penalty per target, chosen by leaving out one group at a time."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import Arrays
from spectra_core.errors import ConfigError
from spectra_core.options import Range
from spectra_core.regressors.inner_folds import inner_groups, measured_rows, require_groups
from spectra_core.regressors.linear import LinearRegressor
from spectra_core.spectra import SpectraSet
from spectra_core.training.cost import CALLS, EIGENVECTORS, THIN


@dataclass(eq=False)
class Ridge(LinearRegressor):
    """Least squares on scaled channels with a penalty on the coefficients' squared length.

    The penalty is the one with the least error when every group in turn is left out. Those errors need no
    refitting: with hat matrix H, the residuals of a left-out group g are (I - H_gg)^-1 e_g (Cook & Weisberg,
    Residuals and Influence in Regression, 1982, section 3.6; for single rows, Allen's PRESS, Technometrics 1974,
    16, 125-127). Single rows would do for independent spectra, but not for repeated ones: a twin gives the answer away.

    Parameters
    ----------
    lowest, highest
        Ends of the penalties tried, as shares of the largest eigenvalue of X'X, so that units do not matter.
    n_penalties
        How many are tried, evenly in logarithm.
    scale_channels
        Whether every channel is divided by its standard deviation before.

    Attributes
    ----------
    penalties_ : (n_targets,)
        Chosen penalty per target, on scaled channels.
    """

    title: ClassVar[str] = "Ridge"
    explanation: ClassVar[str] = (
        "Ridge regression: a linear model on all channels, kept smooth by a penalty chosen on left-out spectra."
    )

    lowest: Annotated[float, Range(1e-16, 1e6), "Lowest penalty"] = 1e-10
    highest: Annotated[float, Range(1e-16, 1e6), "Highest penalty"] = 1.0
    n_penalties: Annotated[int, Range(2, 1000)] = 31
    scale_channels: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.lowest < self.highest:
            raise ConfigError(
                f"Penalties go from a small positive share to a larger one; got {self.lowest:g} to {self.highest:g}."
            )

    def cost(self, n_rows: int, n_channels: int, n_targets: int) -> float:
        """Return Gflop of a fit: principal directions, and what every penalty leaves out."""
        n_directions = min(n_rows, n_channels)
        products = 4 * n_rows * n_channels * n_directions + 2 * n_channels * n_directions**2
        left_out = self.n_penalties * 4 * n_rows * n_directions * (1 + n_targets)
        return CALLS + 1e-9 * (products + EIGENVECTORS * n_directions**3 + THIN * left_out)

    def _coefficients(
        self, signal: NDArray[Any], targets: NDArray[Any], train: SpectraSet, seed: int
    ) -> NDArray[np.float64]:
        groups = inner_groups(train)
        require_groups(len(np.unique(groups)), train)
        shares = np.geomspace(self.lowest, self.highest, self.n_penalties)
        coefficients, self.penalties_ = ridge_fit(signal, targets, groups, shares, measured_rows(train))
        return coefficients

    def _choices(self) -> Arrays:
        return {"penalties": self.penalties_}

    def _choice_shapes(self, n_targets: int) -> dict[str, tuple[int | None, ...]]:
        return {"penalties": (n_targets,)}

    def _take_choices(self, arrays: Arrays) -> None:
        self.penalties_ = arrays["penalties"]


def ridge_fit(
    signal: NDArray[np.floating[Any]],
    targets: NDArray[np.floating[Any]],
    groups: NDArray[np.int64],
    shares: NDArray[np.float64],
    counted: NDArray[np.bool_] | slice = slice(None),
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit ridge regression to centred columns, choosing a penalty for every target.

    Parameters
    ----------
    signal : (n_rows, n_columns)
        Centred predictors.
    targets : (n_rows, n_targets)
        Centred targets.
    groups : (n_rows,)
        Rows that are left out together.
    shares : (n_penalties,)
        Penalties to try, as shares of the largest eigenvalue of X'X.
    counted : (n_rows,)
        Rows by whose errors a penalty is chosen; all by default.

    Returns
    -------
    coefficients : (n_columns, n_targets)
    penalties : (n_targets,)
    """
    eigenvalues, directions = _principal_directions(signal)
    scores = signal @ directions  # (n_rows, n_directions)
    products = scores.T @ targets
    # Constant spectra have no eigenvalue to take a share of; any penalty then gives the mean.
    penalties = shares * (eigenvalues.max(initial=0.0) or 1.0)
    squares = [
        (left_out_residuals(scores, eigenvalues + penalty, targets, groups)[counted] ** 2).sum(axis=0)
        for penalty in penalties
    ]
    chosen = penalties[np.argmin(squares, axis=0)]
    coefficients = directions @ (products / (eigenvalues[:, None] + chosen))
    return coefficients, chosen


def left_out_residuals(
    scores: NDArray[np.floating[Any]],
    penalised: NDArray[np.floating[Any]],
    targets: NDArray[np.floating[Any]],
    groups: NDArray[np.int64],
) -> NDArray[np.floating[Any]]:
    """Return the residual of every row (n_rows, n_targets) when its whole group is left out.

    Scores are the centred rows in the basis of X'X, `penalised` its eigenvalues plus the penalty. The free intercept
    adds 1/n to every element of the hat matrix.
    """
    n_rows = len(scores)
    damped = scores / penalised
    residuals = targets - damped @ (scores.T @ targets)
    out: NDArray[np.floating[Any]] = np.empty_like(residuals)
    for members in _rows_by_group_size(groups):  # (n_groups, group size)
        hat = damped[members] @ scores[members].transpose(0, 2, 1) + 1.0 / n_rows
        out[members] = np.linalg.solve(np.eye(members.shape[1]) - hat, residuals[members])
    return out


def _rows_by_group_size(groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return row numbers (n_groups, size), one array per group size, so that equal sizes are solved at once."""
    _, numbers, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(numbers, kind="stable")
    size_of_row = sizes[numbers][order]
    return [order[size_of_row == size].reshape(-1, size) for size in np.unique(sizes)]


def _principal_directions(signal: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return eigenvalues (n_directions,) and directions (n_columns, n_directions) of X'X, from the smaller side."""
    n_rows, n_columns = signal.shape
    if n_rows >= n_columns:
        eigenvalues, directions = np.linalg.eigh(signal.T @ signal)
        return np.maximum(eigenvalues, 0.0), directions
    # Directions outside the rows' span get coefficient 0 whatever the penalty, so the span is enough.
    basis, coordinates = np.linalg.qr(signal.T)
    eigenvalues, directions = np.linalg.eigh(coordinates @ coordinates.T)
    return np.maximum(eigenvalues, 0.0), basis @ directions

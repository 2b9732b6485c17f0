"""Does a concentration set lie among the measured ones? The convex hull of the data, in any number of dimensions.

Distances are in units of each target's standard deviation in the training set, so that targets of different
ranges and units count alike.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import SpectraError

INSIDE_TOLERANCE = 1e-6
"""Distance, in standard deviations, that still counts as inside: rounding of labels and of the solver."""


def hull_distance(train_targets: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Measure how far each concentration set lies outside the convex hull of the training sets.

    The nearest mixture sum of w_i a_i (w >= 0, sum of w = 1) is found exactly by one non-negative least squares
    problem, min |[A - p; 1] u - [0; 1]|, w = u / sum of u (Lawson & Hanson, Solving Least Squares Problems, 1974,
    chapter 23: least distance programming). It takes milliseconds where a linear program takes tens of them.

    Parameters
    ----------
    train_targets : (n_spectra, n_targets)
        Concentrations whose hull is asked for. Targets that never vary count by their own size.
    points : (n_points, n_targets)
        The same columns.

    Returns
    -------
    DataFrame, one row per point
        Columns ``inside`` (within rounding) and ``distance`` [standard deviations of the training set; 0 inside].

    Raises
    ------
    SpectraError
        When columns differ.
    """
    from scipy.optimize import nnls

    corners, inner = _standardised(train_targets, points)
    distance = np.empty(len(inner))
    one = np.zeros(corners.shape[1] + 1)
    one[-1] = 1.0
    for row, point in enumerate(inner):
        towards = np.vstack([(corners - point).T, np.ones(len(corners))])
        weights, _ = nnls(towards, one)
        weights /= weights.sum()
        distance[row] = np.linalg.norm(weights @ corners - point)
    inside = distance <= INSIDE_TOLERANCE
    return pd.DataFrame({"inside": inside, "distance": np.where(inside, 0.0, distance)})


def in_hull(train_targets: pd.DataFrame, points: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which points (n_points,) are mixtures of training sets, by linear programming (HiGHS).

    A point is inside when weights w >= 0 with sum 1 and sum of w_i a_i = p exist.

    Raises
    ------
    SpectraError
        When columns differ.
    """
    from scipy.optimize import linprog

    corners, inner = _standardised(train_targets, points)
    equations = np.vstack([corners.T, np.ones(len(corners))])
    cost = np.zeros(len(corners))
    solutions = (
        linprog(cost, A_eq=equations, b_eq=np.append(point, 1.0), bounds=(0, None), method="highs") for point in inner
    )
    return np.array([solution.status == 0 for solution in solutions], dtype=bool)


def _standardised(train_targets: pd.DataFrame, points: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return distinct training sets and points in standard deviations around the training mean."""
    if list(train_targets.columns) != list(points.columns):
        raise SpectraError(
            f"Expected points with the targets {', '.join(map(str, train_targets.columns))}, "
            f"got {', '.join(map(str, points.columns))}. Choose the training set's targets in its order."
        )
    train = train_targets.to_numpy(dtype=np.float64)
    constant = train.min(axis=0) == train.max(axis=0)
    scale = np.where(constant, np.maximum(np.abs(train[0]), 1e-12), train.std(axis=0))
    mean = train.mean(axis=0)
    corners = np.unique(train, axis=0)
    return (corners - mean) / scale, (points.to_numpy(dtype=np.float64) - mean) / scale

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
ROWS_ADDED = 10
"""Training sets taken in at once: few enough for small problems, enough for few rounds."""


def hull_distance(train_targets: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Measure how far each concentration set lies outside the convex hull of the training sets.

    The nearest mixture sum of w_i a_i (w >= 0, sum of w = 1) is found exactly by one non-negative least squares
    problem, min |[A - p; 1] u - [0; 1]|, w = u / sum of u (Lawson & Hanson, Solving Least Squares Problems, 1974,
    chapter 23: least distance programming), on the training sets that matter to it.

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
    corners, inner = _standardised(train_targets, points)
    distance = np.empty(len(inner))
    # Few training sets matter to any one point; those found for one point help with the next.
    matters = np.unique(np.concatenate([corners.argmin(axis=0), corners.argmax(axis=0)]))
    for row, point in enumerate(inner):
        distance[row], matters = _distance(corners, point, matters)
    inside = distance <= INSIDE_TOLERANCE
    return pd.DataFrame({"inside": inside, "distance": np.where(inside, 0.0, distance)})


def _distance(
    corners: NDArray[np.float64], point: NDArray[np.float64], matters: NDArray[np.int64]
) -> tuple[float, NDArray[np.int64]]:
    """Return the distance of one point to the hull, and the rows of `corners` that were needed.

    The nearest mixture of the rows in `matters` is nearest of all when no other row lies beyond the plane through it
    that faces the point (the optimality condition of the whole problem); rows that do are taken in.
    """
    from scipy.optimize import nnls

    while True:
        chosen = corners[matters]
        towards = np.vstack([(chosen - point).T, np.ones(len(chosen))])
        weights, _ = nnls(towards, np.append(np.zeros(len(point)), 1.0))
        nearest = weights @ chosen / weights.sum()
        gap = point - nearest
        distance = float(np.linalg.norm(gap))
        beyond = (corners - nearest) @ gap
        best = np.argsort(-beyond, kind="stable")[:ROWS_ADDED]
        new = np.setdiff1d(best[beyond[best] > INSIDE_TOLERANCE * distance / 10], matters)
        if distance <= INSIDE_TOLERANCE or len(new) == 0:
            return distance, matters
        matters = np.concatenate([matters, new])


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

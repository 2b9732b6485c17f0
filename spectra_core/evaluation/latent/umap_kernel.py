"""The part of UMAP that takes its time, compiled by numba.

The first call in a new installation compiles for a few seconds; the result is kept on disk where a folder is writable.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def _pull_and_push(  # noqa: PLR0917 (compiled: arrays in, arrays out, no keywords)
    points: Array, heads: Array, tails: Array, gaps: Array, n_epochs: int, n_negative: int, a: Any, b: Any, state: Any
) -> None:
    """Move points (n_points, 2), in single precision, by stochastic gradient descent.

    For an edge of probability p = 1/(1 + a d^2b) the loss is -log p, and -log(1 - p) for `n_negative` points drawn at
    random after each pull (section 3.2 of the paper). No step is longer than 4 in either direction; the rate falls
    from 1 to 0.

    Parameters
    ----------
    heads, tails, gaps : (n_edges,)
        Ends of the edges, and after how many epochs each has its turn again.
    state
        Of the random numbers, 64 bits.
    """
    one, two, four, zero = np.float32(1), np.float32(2), np.float32(4), np.float32(0)
    near = np.float32(1e-3)  # keeps the push of a point at the same place finite
    n_points = np.uint64(len(points))
    turns = gaps.copy()
    for epoch in range(n_epochs):
        rate = one - np.float32(epoch) / np.float32(n_epochs)
        now = np.float32(epoch)
        for edge in range(heads.size):
            if turns[edge] > now:
                continue
            turns[edge] += gaps[edge]
            i, j = heads[edge], tails[edge]
            x, y = points[i, 0], points[i, 1]
            dx, dy = x - points[j, 0], y - points[j, 1]
            squared = dx * dx + dy * dy
            if squared > zero:
                power = a * squared**b
                slope = -two * b * power / (squared * (power + one))
                dx = rate * min(max(slope * dx, -four), four)
                dy = rate * min(max(slope * dy, -four), four)
                x += dx
                y += dy
                points[j, 0] -= dx
                points[j, 1] -= dy
            pushed_x, pushed_y = zero, zero
            for _ in range(n_negative):
                # Knuth's linear congruential generator; its upper half picks a point.
                state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
                k = ((state >> np.uint64(32)) * n_points) >> np.uint64(32)
                dx, dy = x - points[k, 0], y - points[k, 1]
                squared = dx * dx + dy * dy
                if squared > zero:
                    slope = two * b / ((near + squared) * (a * squared**b + one))
                    pushed_x += min(max(slope * dx, -four), four)
                    pushed_y += min(max(slope * dy, -four), four)
            x += rate * pushed_x
            y += rate * pushed_y
            points[i, 0], points[i, 1] = x, y


_OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": True}
try:
    pull_and_push = numba.njit(cache=True, **_OPTIONS)(_pull_and_push)
except RuntimeError:  # no writable folder for the cache: compiles in every process
    pull_and_push = numba.njit(**_OPTIONS)(_pull_and_push)

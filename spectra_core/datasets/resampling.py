"""Spectra of different grids on one common axis."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import ReadError

if TYPE_CHECKING:
    from spectra_core.datasets.blocks import Block


def onto_first_grid(blocks: "Sequence[Block]", method: str) -> "tuple[list[Block], str]":
    """Interpolate every block onto the positions of the first one that lie within all of them.

    Parameters
    ----------
    method
        "linear" or "cubic" (not-a-knot spline).

    Returns
    -------
    blocks, note
        Blocks on one grid, and a sentence with what was done.

    Raises
    ------
    ReadError
        When positions are missing, in different units, not monotonic, or do not overlap.
    """
    if any(block.positions is None for block in blocks):
        raise ReadError("Spectra without positions cannot be put on a common grid. Give each file its axis.")
    units = {block.axis_unit for block in blocks}
    if len(units) > 1:
        raise ReadError(
            f"The axes are in different units ({', '.join(sorted(units))}). Load the files of one unit together."
        )
    axes = [np.asarray(block.positions, dtype=np.float64) for block in blocks]
    low, high = max(axis.min() for axis in axes), min(axis.max() for axis in axes)
    goal = axes[0][(axes[0] >= low) & (axes[0] <= high)]
    if len(goal) < 2:
        raise ReadError(
            f"The spectra share no range: they would meet between {low:g} and {high:g}. Load them as separate sets."
        )
    moved = []
    for block, axis in zip(blocks, axes, strict=True):
        signal = block.signal if np.array_equal(axis, goal) else resampled(block.signal, axis, goal, method)
        moved.append(replace(block, signal=signal, positions=goal))
    n_moved = sum(not np.array_equal(axis, goal) for axis in axes)
    return moved, (
        f"{n_moved} of {len(blocks)} grids were resampled ({method} interpolation) onto {len(goal)} channels "
        f"from {goal[0]:g} to {goal[-1]:g}."
    )


def resampled(
    signal: NDArray[np.floating], positions: NDArray[np.float64], goal: NDArray[np.float64], method: str = "linear"
) -> NDArray[np.float64]:
    """Interpolate spectra from `positions` to `goal`, which must lie within.

    Parameters
    ----------
    signal : (n_spectra, n_channels)
        Spectra on `positions`.
    positions, goal
        Strictly monotonic, in either direction.
    method
        "linear" or "cubic".

    Raises
    ------
    ReadError
        When positions repeat or turn back, or `goal` leaves their range.
    """
    steps = np.diff(positions)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise ReadError("An axis must rise or fall steadily to be resampled. Decide about its order and repeats first.")
    order = np.argsort(positions)
    rising = positions[order]
    if goal.min() < rising[0] or goal.max() > rising[-1]:
        raise ReadError(f"The grid asked for leaves the range {rising[0]:g} to {rising[-1]:g} of the spectra.")
    values = np.asarray(signal, dtype=np.float64)[:, order]
    if method == "cubic" and len(rising) > 3:
        from scipy.interpolate import CubicSpline

        spline: NDArray[np.float64] = CubicSpline(rising, values, axis=1)(goal)
        return spline
    return np.stack([np.interp(goal, rising, row) for row in values])

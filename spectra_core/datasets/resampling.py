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
    slack = rounding(axes[0])
    goal = axes[0][(axes[0] >= low - slack) & (axes[0] <= high + slack)]
    if len(goal) < 2:
        raise ReadError(
            f"The spectra share no range: they would meet between {low:g} and {high:g}. Load them as separate sets."
        )
    moved = []
    for block, axis in zip(blocks, axes, strict=True):
        inside = np.clip(goal, axis.min(), axis.max())  # the ends may lie outside by the rounding of the digits
        signal = block.signal if np.array_equal(axis, goal) else resampled(block.signal, axis, inside, method)
        moved.append(replace(block, signal=signal, positions=goal))
    n_moved = sum(not np.array_equal(axis, goal) for axis in axes)
    n_out = len(axes[0]) - len(goal)
    outside = f" {n_out} channels of the first grid lie outside of the others and are left out." if n_out else ""
    return moved, (
        f"{n_moved} of {len(blocks)} grids were resampled ({method} interpolation) onto {len(goal)} channels "
        f"from {goal[0]:g} to {goal[-1]:g}.{outside}"
    )


def even_grid(grid: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the positions from the first to the last, the last included where the step meets it.

    >>> even_grid((400.0, 401.0, 0.25)).tolist()
    [400.0, 400.25, 400.5, 400.75, 401.0]
    """
    first, last, step = grid
    n_steps = int(np.floor(abs(last - first) / step + 1e-9))
    positions: NDArray[np.float64] = first + np.sign(last - first) * step * np.arange(n_steps + 1)
    return positions


def rounding(positions: NDArray[np.floating]) -> float:
    """Return by how much positions may differ and still be the same channel: a hundredth of the smallest step."""
    return 0.01 * float(np.abs(np.diff(positions)).min()) if len(positions) > 1 else 0.0


def same_within_rounding(one: NDArray[np.floating], other: NDArray[np.floating]) -> bool:
    """Whether two axes hold the same channels, but for the digits they are written with."""
    return len(one) == len(other) and bool((np.abs(one - other) <= rounding(one)).all())


def wide_steps(positions: NDArray[np.floating]) -> list[int]:
    """Return after which channels an axis has a gap: few steps, each more than three times the usual one."""
    steps = np.abs(np.diff(positions))
    if len(steps) < 3:
        return []
    wide = np.flatnonzero(steps > 3 * np.median(steps)).tolist()
    return wide if len(wide) <= 0.05 * len(steps) else []


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
        raise ReadError(
            "An axis must rise or fall steadily to be resampled, without repeats. Correct its order in the file, or "
            "leave that table out."
        )
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

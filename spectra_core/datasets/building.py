"""What a set is built of once nothing is open: axis, signal, targets and samples of what is kept, converted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.datasets.columns import Role, said_of_generated, target_of
from spectra_core.datasets.conversions import AXIS_GOALS, concentration_factor, converted_axis
from spectra_core.datasets.groups import group_values
from spectra_core.datasets.preparing import Prepared
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.resampling import even_grid, resampled
from spectra_core.datasets.table import ImportTable
from spectra_core.errors import ReadError
from spectra_core.spectra import SpectralAxis, Target


def built_axis(prepared: Prepared, recipe: Recipe) -> SpectralAxis:
    """Return the axis of the channels that are kept, in the unit that was chosen."""
    positions, quantity, unit = prepared.positions, prepared.axis_quantity, prepared.axis_unit
    if recipe.grid is not None:
        positions = even_grid(recipe.grid)
    goal = recipe.convert_axis
    if goal is not None and goal != unit:
        positions = converted_axis(positions, unit, goal)
        quantity, unit = AXIS_GOALS[goal], goal
    return SpectralAxis(positions, quantity, unit)


def built_signal(
    table: ImportTable, prepared: Prepared, ids: Sequence[str], rows: NDArray[np.intp], recipe: Recipe
) -> NDArray[np.floating[Any]]:
    """Return the signal of the spectra and channels that are kept, averaged and interpolated where that was chosen."""
    order, signal = prepared.order, table.signal
    whole = len(order) == signal.shape[1] and bool((np.diff(order) == 1).all())
    if len(rows) < len(signal):
        signal = signal[rows]
    for kept, alike in prepared.averaged.items():
        signal = signal.copy()
        signal[:, kept] = signal[:, alike].mean(axis=1)
    signal = signal if whole else signal[:, order]
    if prepared.interpolate:
        signal = _interpolated(signal, prepared.positions, [ids[row] for row in rows])
    if recipe.grid is not None:
        signal = resampled(signal, prepared.positions, even_grid(recipe.grid), recipe.resample or "linear")
    return signal


def built_targets(
    roles: Sequence[Role], recipe: Recipe, rows: NDArray[np.intp]
) -> tuple[pd.DataFrame | None, list[Target] | None]:
    """Return values and descriptions of the targets, in the unit that was chosen."""
    columns = [one.column for one in roles if one.role == "target"]
    if not columns:
        return None, None
    values, info = [], []
    for column in columns:
        if column.numbers is None:
            raise ReadError(f"Column {column.name!r} holds text and cannot be a target. Choose another role for it.")
        target, _ = target_of(column, recipe)
        numbers = np.asarray(column.numbers, dtype=np.float64)[rows]
        goal = recipe.convert_targets
        if goal is not None and goal != target.unit:
            numbers = numbers * concentration_factor(target.unit, goal, target.molar_mass, target.name)
            target = Target(target.name, goal, target.charge, target.molar_mass)
        values.append(numbers)
        info.append(target)
    table = pd.DataFrame(np.column_stack(values), columns=[target.name for target in info])
    return table, info


def built_samples(roles: Sequence[Role], ids: Sequence[str], recipe: Recipe, rows: NDArray[np.intp]) -> pd.DataFrame:
    """Return id and group of the spectra that are kept, and what generated ones carry along."""
    samples = {"id": [ids[row] for row in rows]}
    for one in roles:
        if one.role == "ignored" and said_of_generated(one.column.name):
            cells = one.column.cells()
            samples[one.column.name] = [cells[row] for row in rows]
    groups = group_values(roles, ids, recipe)
    if groups is not None:
        samples["group"] = [groups[row] for row in rows]
    return pd.DataFrame(samples)


def _interpolated(
    signal: NDArray[np.floating[Any]], positions: NDArray[np.float64], ids: list[str]
) -> NDArray[np.floating[Any]]:
    filled = np.array(signal)
    order = np.argsort(positions)
    for number in np.flatnonzero(~np.isfinite(filled).all(axis=1)):
        good = np.isfinite(filled[number])
        if good.sum() < 2:
            raise ReadError(f"Spectrum {ids[number]} has fewer than two values to interpolate from. Leave it out.")
        at = order[good[order]]
        filled[number, ~good] = np.interp(positions[~good], positions[at], filled[number, at])
    return filled

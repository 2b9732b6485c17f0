"""What becomes of missing values? Left out with their spectrum or channel, interpolated, or asked about."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.columns import Role
from spectra_core.datasets.preparing.base import Prepared
from spectra_core.datasets.questions import Choice, Problem, choice, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.table import ImportTable
from spectra_core.spectra.locking import all_finite
from spectra_core.spectra.text import counted


def close_gaps(result: Prepared, table: ImportTable, roles: list[Role], ids: tuple[str, ...], recipe: Recipe) -> None:
    """Treat missing values of the signal, then of the targets, as the recipe says; ask where it says nothing."""
    if len(result.order) and not all_finite(table.signal):
        _signal_gaps(result, table, np.isfinite(table.signal), ids, recipe)
    gaps: dict[str, list[int]] = {}
    for one in roles:
        if one.role == "target" and one.column.numbers is not None:
            lacking = np.flatnonzero(result.rows & ~np.isfinite(one.column.numbers))
            if lacking.size:
                gaps[one.column.name] = [int(row) for row in lacking]
    if not gaps:
        return
    rows = sorted({row for found in gaps.values() for row in found})
    odd = {one.column.name: one.column.odd for one in roles}
    parts = "; ".join(
        f"{name}: {listed([f'{ids[row]} ({table.places[row]}{_word(odd[name], row)})' for row in found], 3)}"
        for name, found in gaps.items()
    )
    leave = recipe.gaps is not None
    if leave:
        result.rows[rows] = False
    decided = (
        "and are left out"
        if leave
        else "A calibration needs every target of every spectrum: leave those spectra out, or do not use the target"
    )
    options = (
        choice("Leave out those spectra", gaps=recipe.gaps or "leave out spectra"),
        *(choice(f"Do not use {name}", columns={name: "ignored"}) for name in gaps),
    )
    result.problems.append(
        Problem(
            "target gaps",
            f"{counted(len(rows), 'spectrum lacks', 'spectra lack')} a target ({parts})"
            f"{' ' if leave else '. '}{decided}.",
            options,
            not leave,
            tuple(rows),
        )
    )


def _signal_gaps(
    result: Prepared, table: ImportTable, finite: NDArray[np.bool_], ids: tuple[str, ...], recipe: Recipe
) -> None:
    bad = ~finite
    bad[~result.rows] = False
    kept = np.zeros(bad.shape[1], dtype=bool)
    kept[result.order] = True
    bad[:, ~kept] = False
    if not bad.any():
        return
    rows, channels = np.flatnonzero(bad.any(axis=1)), np.flatnonzero(bad.any(axis=0))
    infinite = int(np.isinf(table.signal[bad]).sum())
    words = {(row, channel): cell for row, channel, cell in table.odd}
    names = listed([f"{ids[row]} ({table.places[row]}) at {_channel_words(result, bad[row])}" for row in rows], 4)
    kinds = counted(int(bad.sum()), "value is missing or no number", "values are missing or no numbers")
    kinds += f", {infinite} of them infinite" if infinite else ""
    kinds += f", such as {next(iter(words.values()))!r}" if words else ""
    options = (
        *_unless_all(len(rows), int(result.rows.sum()), "spectrum", "spectra"),
        *_unless_all(len(channels), len(result.order), "channel", "channels"),
        choice("Interpolate from neighbouring channels", gaps="interpolate"),
    )
    done = {
        "leave out spectra": "Those spectra are left out",
        "leave out channels": "Those channels are left out",
        "interpolate": "They are interpolated from neighbouring channels",
        None: "Say what to do with them",
    }[recipe.gaps]
    if recipe.gaps == "leave out spectra":
        result.rows[rows] = False
    elif recipe.gaps == "leave out channels":
        keep = ~np.isin(result.order, channels)
        result.order, result.positions = result.order[keep], result.positions[keep]
    elif recipe.gaps == "interpolate":
        result.interpolate = True
    result.problems.append(
        Problem(
            "gaps",
            f"{kinds}: {names}. {done}.",
            options,
            recipe.gaps is None,
            tuple(map(int, rows)),
            tuple(map(int, channels)),
        )
    )


def _unless_all(n_out: int, n_all: int, one: str, many: str) -> tuple[Choice, ...]:
    """Offer to leave out what holds gaps, as long as something is left."""
    return (choice(f"Leave out {counted(n_out, one, many)}", gaps=f"leave out {many}"),) if n_out < n_all else ()


def _word(odd: Mapping[int, str], row: int) -> str:
    return f", {odd[row]!r}" if row in odd else ""


def _channel_words(result: Prepared, bad: NDArray[np.bool_]) -> str:
    places = [f"{result.positions[np.flatnonzero(result.order == at)[0]]:g}" for at in np.flatnonzero(bad)[:4]]
    return f"{listed(places, 3)} {result.axis_unit}".rstrip()

"""From the import table to what a set is built of: axis, masks and gaps, each with its reason or its question."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.blocks import monotonic
from spectra_core.datasets.columns import Role, summary_rows
from spectra_core.datasets.questions import Point, Problem, choice, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.table import ImportTable
from spectra_core.spectra.locking import all_finite

AXIS_CHOICES = (
    choice("Wavelength, nm", axis_quantity="Wavelength", axis_unit="nm"),
    choice("Wavenumber, cm-1", axis_quantity="Wavenumber", axis_unit="cm-1"),
    choice("Raman shift, cm-1", axis_quantity="Raman shift", axis_unit="cm-1"),
    choice("Photon energy, eV", axis_quantity="Photon energy", axis_unit="eV"),
)
SIGNAL_CHOICES = (
    choice("Absorbance", signal_quantity="Absorbance", signal_unit=""),
    choice("Transmittance, %", signal_quantity="Transmittance", signal_unit="%"),
    choice("Transmittance (0 to 1)", signal_quantity="Transmittance", signal_unit=""),
    choice("Reflectance, %", signal_quantity="Reflectance", signal_unit="%"),
    choice("Intensity", signal_quantity="Intensity", signal_unit=""),
)
PLAUSIBLE_ABSORBANCE = 20.0


@dataclass(eq=False)
class Prepared:
    """Axis and masks over the import table; nothing is removed from it.

    Parameters
    ----------
    order : (n_kept,)
        Channels that are kept, as indices into the table, in the order of the set.
    positions : (n_kept,)
        Their positions.
    averaged
        For a kept channel, all channels at its position, where those are averaged.
    rows : (n_spectra,)
        Mask of spectra that are kept.
    """

    order: NDArray[np.intp]
    positions: NDArray[np.float64]
    rows: NDArray[np.bool_]
    averaged: dict[int, NDArray[np.intp]] = field(default_factory=dict)
    axis_quantity: str = ""
    axis_unit: str = ""
    signal_quantity: str = ""
    signal_unit: str = ""
    interpolate: bool = False
    points: list[Point] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def prepared(table: ImportTable, roles: list[Role], ids: tuple[str, ...], recipe: Recipe) -> Prepared:
    """Decide about axis, left-out spectra and channels, and gaps, as far as the recipe and the data tell."""
    n_spectra, n_channels = table.signal.shape
    result = Prepared(np.arange(n_channels), np.arange(1.0, n_channels + 1), np.ones(n_spectra, dtype=bool))
    _set_axis(result, table, recipe)
    _set_signal(result, table, recipe)
    _leave_out_rows(result, table, ids, recipe)
    _leave_out_channels(result, recipe)
    _close_gaps(result, table, roles, ids, recipe)
    _warn(result, table, ids)
    return result


def _set_axis(result: Prepared, table: ImportTable, recipe: Recipe) -> None:
    n_channels = table.signal.shape[1]
    if recipe.axis_first is not None and recipe.axis_last is not None:
        result.positions = np.linspace(recipe.axis_first, recipe.axis_last, n_channels)
        why = "chosen"
    elif table.positions is not None:
        result.positions = table.positions
        why = "from the file"
    else:
        result.problems.append(
            Problem(
                "no axis",
                f"Nothing says where the {n_channels} channels lie. Give the first and last position, or add "
                "a file with the axis, or number the channels.",
                (
                    choice(
                        "Number the channels",
                        axis_first=1.0,
                        axis_last=float(n_channels),
                        axis_quantity="Channel",
                        axis_unit="",
                    ),
                ),
            )
        )
        why = "numbered, since the file holds no positions"
    bad = ~np.isfinite(result.positions)
    if bad.any():
        result.problems.append(
            Problem(
                "axis",
                f"{int(bad.sum())} positions of the axis are no numbers, the first at channel "
                f"{int(np.argmax(bad)) + 1}. Correct the axis in the file.",
            )
        )
        return
    quantity, unit, reason, sure = _axis_unit(result.positions, table)
    result.axis_quantity = quantity if recipe.axis_quantity is None else recipe.axis_quantity
    result.axis_unit = unit if recipe.axis_unit is None else recipe.axis_unit
    decided = recipe.axis_unit is not None
    label = f"{result.axis_quantity}, {result.axis_unit}".strip(", ")
    result.points.append(Point("axis unit", "Axis", label, "chosen" if decided else reason, AXIS_CHOICES, decided))
    if not sure and not decided and table.positions is not None:
        result.problems.append(
            Problem(
                "axis unit",
                f"The file does not say whether its axis from {result.positions[0]:g} to {result.positions[-1]:g} "
                "is a wavelength or a wavenumber. Say which.",
                AXIS_CHOICES,
            )
        )
    _set_order(result, recipe)
    values = result.positions
    direction = "rising" if values[-1] >= values[0] else "falling"
    gaps = _axis_gaps(values)
    result.points.append(
        Point("axis", "Channels", f"{len(values):,} from {values[0]:.10g} to {values[-1]:.10g}, {direction}{gaps}", why)
    )


def _axis_unit(positions: NDArray[np.float64], table: ImportTable) -> tuple[str, str, str, bool]:
    if table.axis_unit:
        return table.axis_quantity, table.axis_unit, "written in the file", True
    if table.axis_quantity == "Wavelength":
        return "Wavelength", "nm", "the file says wavelength, without a unit", True
    low, high = float(positions.min()), float(positions.max())
    falling = positions[0] > positions[-1]
    if low < 390 and high <= 3300 and low >= 100:
        return "Wavelength", "nm", f"from {low:g} to {high:g}, as ultraviolet and visible light", True
    if high > 2600 or (falling and low >= 390 and high > 1250):
        return (
            "Wavenumber",
            "cm-1",
            f"{'falling ' if falling else ''}from {positions[0]:g} to {positions[-1]:g}, as in the infrared",
            True,
        )
    if low >= 100 and (high <= 1250 or low >= 600):
        return "Wavelength", "nm", f"from {low:g} to {high:g}, as visible and near-infrared light", True
    return "Wavelength", "nm", f"a guess: from {low:g} to {high:g}", False


def _set_order(result: Prepared, recipe: Recipe) -> None:
    values = result.positions
    if monotonic(values) or len(values) == 1:
        return
    unique, first, counts = np.unique(values, return_index=True, return_counts=True)
    if len(unique) < len(values):
        repeated = unique[counts > 1]
        names = listed([f"{value:g}" for value in repeated])
        if recipe.repeated_channels is None:
            result.problems.append(
                Problem(
                    "repeated channels",
                    f"{int((counts - 1).sum())} channels repeat a position: {names} {result.axis_unit}. "
                    "Keep the first of each, or average them.",
                    (
                        choice("Keep the first", repeated_channels="first"),
                        choice("Average them", repeated_channels="mean"),
                    ),
                    channels=tuple(int(at) for at in np.flatnonzero(np.isin(values, repeated))),
                )
            )
            return
        kept = np.sort(first)
        if recipe.repeated_channels == "mean":
            result.averaged = {
                int(at): np.flatnonzero(values == values[at]) for at in kept if (values == values[at]).sum() > 1
            }
        result.order, result.positions = result.order[kept], values[kept]
        result.points.append(
            Point(
                "repeated channels",
                "Repeated channels",
                recipe.repeated_channels,
                f"{names} occur more than once",
                (choice("first", repeated_channels="first"), choice("mean", repeated_channels="mean")),
                True,
            )
        )
        values = result.positions
        if monotonic(values):
            return
    turns = int((np.sign(np.diff(values)) != np.sign(values[-1] - values[0])).sum())
    if recipe.axis_order == "sort":
        sorting = np.argsort(values, kind="stable")
        result.order, result.positions = result.order[sorting], values[sorting]
        result.points.append(
            Point(
                "axis order",
                "Order of channels",
                "sorted, spectra along with the axis",
                f"the axis of the file turns back {turns} times",
                (),
                True,
            )
        )
        return
    result.problems.append(
        Problem(
            "axis order",
            f"The axis does not rise or fall steadily: it turns back {turns} times, first at "
            f"{values[_first_turn(values)]:g} {result.axis_unit}. Sort the channels, or correct the file.",
            (choice("Sort channels and spectra together", axis_order="sort"),),
        )
    )


def _first_turn(values: NDArray[np.float64]) -> int:
    rising = np.sign(values[-1] - values[0]) or 1.0
    return int(np.argmax(np.sign(np.diff(values)) != rising)) + 1


def _axis_gaps(values: NDArray[np.float64]) -> str:
    if len(values) < 4:
        return ""
    steps = np.abs(np.diff(values))
    wide = steps > 3 * np.median(steps)
    if not wide.any() or wide.sum() > 0.05 * len(steps):
        return ""
    places = [f"{values[at]:g} to {values[at + 1]:g}" for at in np.flatnonzero(wide)]
    return f", with gaps at {listed(places, 3)}"


def _set_signal(result: Prepared, table: ImportTable, recipe: Recipe) -> None:
    if recipe.signal_quantity is not None:
        quantity, unit, reason = recipe.signal_quantity, recipe.signal_unit or "", "chosen"
    elif table.signal_quantity:
        quantity, unit, reason = table.signal_quantity, table.signal_unit, "written in the file"
        largest = _largest(table.signal)
        if quantity == "Absorbance" and largest > PLAUSIBLE_ABSORBANCE:
            result.problems.append(
                Problem(
                    "signal",
                    f"The file says absorbance, but values reach {largest:g}, which no absorbance does: they look "
                    "like intensities.",
                    SIGNAL_CHOICES,
                    False,
                )
            )
    else:
        largest = _largest(table.signal)
        if largest > PLAUSIBLE_ABSORBANCE:
            quantity, unit, reason = "Intensity", "", f"not stated; values up to {largest:g} are no absorbances"
        else:
            quantity, unit, reason = "Absorbance", "", f"not stated; values up to {largest:.3g} could be absorbances"
    result.signal_quantity, result.signal_unit = quantity, unit
    label = f"{quantity}, {unit}".strip(", ")
    result.points.append(Point("signal", "Signal", label, reason, SIGNAL_CHOICES, recipe.signal_quantity is not None))


def _largest(signal: NDArray[np.floating[Any]]) -> float:
    # A sample of the spectra is enough to tell absorbances from counts, and keeps large sets quick.
    sample = signal[:: max(1, len(signal) // 200)]
    finite = sample[np.isfinite(sample)]
    return float(np.abs(finite).max()) if finite.size else 0.0


def _leave_out_rows(result: Prepared, table: ImportTable, ids: tuple[str, ...], recipe: Recipe) -> None:
    summary = summary_rows(ids)
    if summary:
        names = listed([f"{ids[row]!r} ({table.places[row]})" for row in summary])
        leave = recipe.summary_rows != "keep"
        result.rows[summary] = not leave
        options = (
            choice("Leave them out", summary_rows="leave out"),
            choice("Keep them as spectra", summary_rows="keep"),
        )
        result.problems.append(
            Problem(
                "summary rows",
                f"{len(summary)} rows look like summaries and are {'left out' if leave else 'kept'}: {names}.",
                options,
                False,
                tuple(summary),
            )
        )
    if table.cut:
        leave = recipe.cut_rows != "keep"
        result.rows[list(table.cut)] = not leave
        names = listed([table.places[row] for row in table.cut])
        result.problems.append(
            Problem(
                "cut rows",
                f"The file ends within a row, which is {'left out' if leave else 'kept'}: {names}.",
                (choice("Leave it out", cut_rows="leave out"), choice("Keep it", cut_rows="keep")),
                False,
                table.cut,
            )
        )
    chosen = [number - 1 for number in recipe.leave_out_spectra if 1 <= number <= len(result.rows)]
    if chosen:
        result.rows[chosen] = False
        result.problems.append(
            Problem(
                "left out",
                f"{len(chosen)} spectra are left out as chosen: {listed([ids[row] for row in chosen])}.",
                (choice("Use all", leave_out_spectra=()),),
                False,
                tuple(chosen),
            )
        )


def _leave_out_channels(result: Prepared, recipe: Recipe) -> None:
    if not recipe.leave_out_channels:
        return
    keep = np.ones(len(result.positions), dtype=bool)
    for low, high in recipe.leave_out_channels:
        keep &= ~((result.positions >= min(low, high)) & (result.positions <= max(low, high)))
    n_out = int((~keep).sum())
    if keep.any():
        result.order, result.positions = result.order[keep], result.positions[keep]
    result.problems.append(
        Problem(
            "left out", f"{n_out} channels are left out as chosen.", (choice("Use all", leave_out_channels=()),), False
        )
    )


def _close_gaps(result: Prepared, table: ImportTable, roles: list[Role], ids: tuple[str, ...], recipe: Recipe) -> None:
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
    parts = "; ".join(
        f"{name}: {listed([f'{ids[row]} ({table.places[row]})' for row in found], 3)}" for name, found in gaps.items()
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
            f"{len(rows)} spectra lack a target ({parts}){' ' if leave else '. '}{decided}.",
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
    kinds = f"{int(bad.sum())} values are missing or no numbers"
    kinds += f", {infinite} of them infinite" if infinite else ""
    kinds += f", such as {next(iter(words.values()))!r}" if words else ""
    options = (
        choice(f"Leave out {len(rows)} spectra", gaps="leave out spectra"),
        choice(f"Leave out {len(channels)} channels", gaps="leave out channels"),
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


def _channel_words(result: Prepared, bad: NDArray[np.bool_]) -> str:
    places = [f"{result.positions[np.flatnonzero(result.order == at)[0]]:g}" for at in np.flatnonzero(bad)[:4]]
    return f"{listed(places, 3)} {result.axis_unit}".rstrip()


def _constant(signal: NDArray[np.floating[Any]], rows: NDArray[np.intp]) -> list[int]:
    """Return the rows whose values are all the same; only those that end as they begin are looked at as a whole."""
    first, last = signal[rows, 0], signal[rows, -1]
    doubtful = rows[(first == last) | np.isnan(first) | np.isnan(last)]
    return [int(row) for row in doubtful if np.fmin.reduce(signal[row]) == np.fmax.reduce(signal[row])]


def _warn(result: Prepared, table: ImportTable, ids: tuple[str, ...]) -> None:
    kept = np.flatnonzero(result.rows)
    signal = table.signal
    if signal.shape[1] > 1 and kept.size:
        flat = _constant(signal, kept)
        if flat:
            names = listed([f"{ids[row]} ({table.places[row]})" for row in flat])
            numbers = tuple(row + 1 for row in flat)
            result.problems.append(
                Problem(
                    "constant spectra",
                    f"{len(flat)} spectra have the same value in every channel: {names}.",
                    (choice("Leave them out", leave_out_spectra=numbers),),
                    False,
                    tuple(flat),
                )
            )
    if len(kept) == 1:
        result.problems.append(
            Problem("one spectrum", "There is one spectrum: it can be looked at, but not trained on.", (), False)
        )
    if len(result.positions) == 1:
        result.problems.append(
            Problem(
                "one channel", "There is one channel: a calibration works, a generator of spectra does not.", (), False
            )
        )

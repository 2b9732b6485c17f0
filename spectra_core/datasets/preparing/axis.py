"""Where do the channels lie, in which unit and order? Read from the file, guessed from values, or asked."""

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.orientation import monotonic
from spectra_core.datasets.other_axes import OTHER_AXES
from spectra_core.datasets.preparing.base import Prepared
from spectra_core.datasets.preparing.signal_quantity import PLAUSIBLE_PER_CENT, largest_of
from spectra_core.datasets.questions import Point, Problem, choice, listed
from spectra_core.datasets.readers.axis_units import KNOWN_UNITS, UNSAID
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.resampling import wide_steps
from spectra_core.datasets.table import ImportTable
from spectra_core.spectra.text import counted

MOST_TITLES = 20  # targets stand to the left
AXIS_CHOICES = (
    choice("Wavelength, nm", axis_quantity="Wavelength", axis_unit="nm"),
    choice("Wavelength, µm", axis_quantity="Wavelength", axis_unit="µm"),
    choice("Wavenumber, cm-1", axis_quantity="Wavenumber", axis_unit="cm-1"),
    choice("Raman shift, cm-1", axis_quantity="Raman shift", axis_unit="cm-1"),
    choice("Photon energy, eV", axis_quantity="Photon energy", axis_unit="eV"),
)


def set_axis(result: Prepared, table: ImportTable, recipe: Recipe) -> None:
    """Set positions, quantity and unit of the axis, and the order of the channels."""
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
                "a file with the axis, or number the channels; before that, name the columns that are no channels.",
                (
                    choice(
                        "Number the channels",
                        axis_first=1.0,
                        axis_last=float(n_channels),
                        axis_quantity="Channel",
                        axis_unit="",
                    ),
                ),
                asks=("axis ends", *(f"no channel {title}" for title in table.titles[:MOST_TITLES])),
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
    if unit and unit not in KNOWN_UNITS and quantity not in OTHER_AXES and not decided:
        said = "does not say what its axis measures" if unit == UNSAID else f"gives {unit!r} as the unit of its axis"
        keep = () if unit == UNSAID else (choice(f"Keep {unit!r}", axis_quantity="Position", axis_unit=unit),)
        result.problems.append(
            Problem(
                "axis unit",
                f"The file {said}, from {result.positions[0]:g} to {result.positions[-1]:g}. Say what it is.",
                (*AXIS_CHOICES, *keep),
            )
        )
    elif not sure and not decided and table.positions is not None:
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
    if table.axis_quantity and table.axis_quantity not in {one.changes["axis_quantity"] for one in AXIS_CHOICES}:
        return table.axis_quantity, "", "written in the file, without a unit", True
    low, high = float(positions.min()), float(positions.max())
    falling = positions[0] > positions[-1]
    if _like_raman(low, high, table):
        return "Raman shift", "cm-1", f"a guess: from {low:g} to {high:g}, as wavelengths or Raman shifts", False
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


def _like_raman(low: float, high: float, table: ImportTable) -> bool:
    """Whether positions may be Raman shifts as well as wavelengths: nobody measures light from 200 to 3000 nm at once.

    Shorter ranges are those of Raman where the values are counts, which diode arrays beyond 1100 nm hardly give.
    """
    if low >= 1000 or not 1100 < high <= 4500:
        return False
    return (low < 390 and high > 2600) or largest_of(table.signal) > PLAUSIBLE_PER_CENT


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
                    f"{counted(int((counts - 1).sum()), 'channel repeats', 'channels repeat')} a position: {names} "
                    f"{result.axis_unit}. Keep the first of each, or average them.",
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
    places = [f"{values[at]:g} to {values[at + 1]:g}" for at in wide_steps(values)]
    if not places:
        return ""
    return f", with gaps at {listed(places, 3)}"

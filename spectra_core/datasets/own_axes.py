"""Spectra that carry their own axis inside one table: pairs of columns, or one value a row."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.datasets.names import NAMES_IDS, axis_named, only_axis, positions_in, signal_named
from spectra_core.datasets.parts import Curve, Grid
from spectra_core.datasets.questions import listed

_MANGLED = re.compile(r"(?:[._ ]\d+|\d+)$")  # what pandas and R add to a name that repeats
_FEWEST = 3
_UNCERTAINTY = re.compile(
    r"(?:err(?:or)?s?|unc(?:ertainty)?|std\.?(?: ?(?:dev|err)\.?)?|stdev|s\.?d\.?|s\.?e\.?m?\.?|sigma|±.*)[._ ]?\d*\Z",
    re.IGNORECASE,
)
_SCAN = re.compile(r"rep|scan|run|replicate|repeat|wdh|meas|aliquot|trial", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Columns of positions and of values in turn.

    Parameters
    ----------
    columns
        Column of the positions and of the values, per spectrum.
    sure
        Whether the names say so, or only the values.
    """

    columns: tuple[tuple[int, int], ...]
    reason: str
    sure: bool


@dataclass(frozen=True, eq=False)
class Stacked:
    """A table of one value a row: which column says what.

    Parameters
    ----------
    sample, axis, value
        Columns of the name of the spectrum, its positions and its values.
    scan
        Column that numbers the measurements of one sample, or is the second half of its name, if any.
    constant
        Columns with one value per spectrum.
    others
        Columns of numbers that vary within a spectrum, too.
    """

    sample: int
    axis: int
    value: int
    scan: int | None
    constant: tuple[int, ...]
    others: tuple[int, ...]
    reason: str


def pairs_in(grid: Grid) -> Pairs | None:
    """Find positions and values in turn, at least two of each; None where there are none."""
    numeric = [column for column in range(grid.n_columns) if column not in grid.words]
    if len(numeric) < 4 or grid.n_rows < _FEWEST:
        return None
    if (several := _several_axes(grid, numeric)) is not None:
        return several
    if len(numeric) % 2:
        return None
    for swapped in (False, True):
        places, values = numeric[swapped::2], numeric[1 - swapped :: 2]
        if not all(_steady(grid, column) for column in places):
            continue
        named = all(any(only_axis(row[column]) for row in grid.header) for column in places)
        steady = sum(_steady(grid, column) for column in values)
        if named or (_named_in_turn(grid, places, values) and steady < len(values)):
            words = "are named as axes" if named else "share one name"
            return Pairs(_both(places, values), f"every second column rises or falls steadily, and all {words}", True)
        like_axis = all(_far(grid, column) or _same(grid, places[0], column) for column in places)
        if like_axis and not any(map(partial(_far, grid), values)) and not _bare_positions(grid):
            nameless = not any(row[places[-1]] for row in grid.header)
            sure = steady == 0 and nameless and grid.n_rows > _FEWEST
            return Pairs(_both(places, values), "every second column rises or falls steadily", sure)
    return None


def _several_axes(grid: Grid, numeric: Sequence[int]) -> Pairs | None:
    """Find columns named as axes, each before the spectra that lie on it; None where it is a plain alternation."""
    rows = [row for row in grid.header if 2 * max(Counter(filter(None, row)).values(), default=0) <= len(row)]
    axes = [at for at in numeric if any(only_axis(row[at]) for row in rows) and _steady(grid, at)]
    if len(axes) < 2 or axes[0] != numeric[0] or axes == list(numeric[::2]):
        return None
    pairs = tuple(
        (max(axis for axis in axes if axis < at), at)
        for at in numeric
        if at not in axes and not any(_UNCERTAINTY.match(row[at]) for row in grid.header)
    )
    return (
        Pairs(pairs, f"{len(axes)} columns are named as axes, each before the spectra on it", True) if pairs else None
    )


def curves_of_pairs(grid: Grid) -> list[Curve]:
    """Return one curve per pair of columns; a shorter one ends where its cells do."""
    found = pairs_in(grid)
    if found is None:
        columns = [column for column in range(grid.n_columns) if column not in grid.words]
        pairs: Sequence[tuple[int, int]] = _both(columns[0::2], columns[1::2])
    else:
        pairs = found.columns
    names = [_pair_name(grid, *pair) for pair in pairs]
    if len(set(names)) < len(names):
        names = [f"{name} {number}".strip() for number, name in enumerate(names, 1)]
    used = {column for pair in pairs for column in pair}
    left = [row[at] for row in grid.header[-1:] for at in range(grid.n_columns) if at not in used and row[at]]
    notes = grid.notes + ((f"Columns of uncertainties are left out: {listed(left)}.",) if left and found else ())
    above = [row for row in grid.header if all(len(row[v]) > 1 and signal_named(row[v]) for _, v in pairs)]
    curves = []
    for number, (place, value) in enumerate(pairs, 1):
        x, y = (np.asarray(grid.numbers[:, column], dtype=np.float64) for column in (place, value))
        held = np.flatnonzero(np.isfinite(x) | np.isfinite(y))
        end = int(held[-1]) + 1 if held.size else 0
        quantity = next((named for row in grid.header if (named := axis_named(row[place]))), ("", ""))
        signal = next((named for row in above if (named := signal_named(row[value]))), ("", ""))
        name = names[number - 1] or f"spectrum {number}"
        curves.append(Curve(name, grid.format, x[:end], y[:end], *quantity, *signal, notes, grid.facts))
    return [curve for curve in curves if curve.x.size]


def stacked_in(grid: Grid) -> Stacked | None:
    """Find the name of a spectrum, a position and a value in every row; None where the table is no such list."""
    if not 3 <= grid.n_columns <= 40 or grid.n_rows < 2 * _FEWEST:
        return None
    numeric = [column for column in range(grid.n_columns) if column not in grid.words]
    axes = [column for column in numeric if any(only_axis(row[column]) for row in grid.header)]
    candidates = axes or ([] if len(numeric) > 6 or channel_like(grid) else numeric)
    for axis in candidates:
        found = _stacked_on(grid, axis, numeric, named=bool(axes))
        if found is not None:
            return found
    return None


def repeated_in_list(grid: Grid) -> str:
    """Return a sentence on the row that spoils a list of one value a row: a position that a spectrum has twice."""
    axes = [at for at in range(grid.n_columns) if any(only_axis(row[at]) for row in grid.header)]
    samples = [at for at in range(grid.n_columns) if _is_id(grid, at)]
    if len(axes) != 1 or not samples or grid.n_rows < 2 * _FEWEST:
        return ""
    places = pd.DataFrame({"spectrum": _cells(grid, samples[0]), "place": grid.numbers[:, axes[0]]})
    again = np.flatnonzero(places.duplicated())
    if not 0 < len(again) <= len(places) // 2:
        return ""
    spectrum, place = places.iloc[again[0]]
    more = f", and {len(again) - 1} more lines do the like" if len(again) > 1 else ""
    return (
        f"Line {grid.line(again[0])} of {grid.name} gives spectrum {spectrum} a second value at {place:g}{more}. "
        "Remove what is doubled, or number the measurements in a column of their own."
    )


def channel_like(grid: Grid) -> bool:
    """Whether three or more column names are bare positions."""
    return any(
        named is not None and named.values.size >= _FEWEST and not named.of_samples
        for named in (positions_in(row) for row in grid.header)
    )


def spectrum_keys(grid: Grid, found: Stacked) -> tuple[NDArray[np.intp], list[str]]:
    """Return the number of the spectrum of every row, in order of first appearance, and the sample of each."""
    names = pd.Series(_cells(grid, found.sample))
    keys = names if found.scan is None else names + "\0" + pd.Series(_cells(grid, found.scan))
    codes, firsts = pd.factorize(keys)
    # Plate and well, x and y, are a name of two halves; scans of one sample share the name of the sample.
    repeats = found.scan is not None and (_is_scan(grid, found.scan) or _is_id(grid, found.sample))
    return np.asarray(codes, dtype=np.intp), [
        str(name).split("\0")[0] if repeats else str(name).replace("\0", " ") for name in firsts
    ]


def _stacked_on(grid: Grid, axis: int, numeric: list[int], *, named: bool) -> Stacked | None:
    places = np.asarray(grid.numbers[:, axis], dtype=np.float64)
    if not np.isfinite(places).all() or 2 * len(np.unique(places)) > len(places):
        return None
    others = [column for column in range(grid.n_columns) if column != axis]
    scans = [column for column in others if _is_scan(grid, column)]
    named_first = sorted(others, key=lambda column: (not _is_id(grid, column), column not in grid.words, column))
    for sample in (column for column in named_first if column not in scans):
        for scan in [None, *scans, *((one for one in others if one != sample and one not in scans) if named else ())]:
            sizes = _sizes(grid, sample, scan, places)
            if sizes is None or not (named or sample in grid.words):
                continue
            codes = spectrum_keys(grid, Stacked(sample, axis, axis, scan, (), (), ""))[0]
            rest = [column for column in others if column not in {sample, scan}]
            constant = [column for column in rest if _constant_within(grid, column, codes)]
            varying = [column for column in rest if column in numeric and column not in constant]
            if not varying:
                continue
            signals = [column for column in varying if any(signal_named(row[column]) for row in grid.header)]
            value = (signals or varying)[0]
            if not named and not (len(varying) == 1 and _repeats(places, sizes)):
                continue
            left = tuple(column for column in varying if column != value)
            reason = f"each of {len(sizes)} spectra has its positions in column {axis + 1}, one a row"
            return Stacked(sample, axis, value, scan, tuple(constant), left, reason)
    return None


def _sizes(grid: Grid, sample: int, scan: int | None, places: NDArray[np.float64]) -> NDArray[np.intp] | None:
    """Return how many positions every spectrum has, or None where names and positions do not tell rows apart."""
    codes, names = spectrum_keys(grid, Stacked(sample, 0, 0, scan, (), (), ""))
    if len(names) < 2 or 2 * len(names) > len(codes) or len(np.unique(places)) == len(places):
        return None
    if pd.DataFrame({"spectrum": codes, "place": places}).duplicated().any():
        return None
    sizes = np.bincount(codes)
    return sizes if np.median(sizes) >= _FEWEST else None


def _repeats(places: NDArray[np.float64], sizes: NDArray[np.intp]) -> bool:
    """Whether the same positions come again for most spectra, as axis positions do and values do not."""
    return len(np.unique(places)) <= 1.2 * sizes.max() and float(np.abs(places).max()) >= 100


def _constant_within(grid: Grid, column: int, codes: NDArray[np.intp]) -> bool:
    cells = pd.Series(_cells(grid, column) if column in grid.words else grid.numbers[:, column])
    return bool((cells.groupby(codes).nunique(dropna=False) == 1).all())


def _is_scan(grid: Grid, column: int) -> bool:
    return any(_SCAN.search(row[column]) for row in grid.header)


def _is_id(grid: Grid, column: int) -> bool:
    return any(NAMES_IDS.match(row[column]) for row in grid.header)


def _cells(grid: Grid, column: int) -> list[str]:
    if column in grid.text:
        return list(grid.text[column])
    return [f"{value:.15g}" for value in grid.numbers[:, column]]


def _steady(grid: Grid, column: int) -> bool:
    values = grid.numbers[:, column]
    held = np.flatnonzero(np.isfinite(values))
    steps = np.diff(values[held])
    together = held.size >= _FEWEST and held[-1] - held[0] + 1 == held.size and held[0] == 0
    return bool(together and ((steps > 0).all() or (steps < 0).all()))


def _far(grid: Grid, column: int) -> bool:
    return float(np.nanmin(np.abs(grid.numbers[:, column]))) >= 100


def _same(grid: Grid, one: int, other: int) -> bool:
    return np.array_equal(grid.numbers[:, one], grid.numbers[:, other], equal_nan=True)


def _named_in_turn(grid: Grid, places: list[int], values: list[int]) -> bool:
    """Whether all positions share a name, but for what programs add to repeated names, and no values have it."""
    for row in grid.header:
        names = {_MANGLED.sub("", row[column]).lower() for column in places}
        if len(names) == 1 and not names & {"", *(_MANGLED.sub("", row[column]).lower() for column in values)}:
            return True
    return False


def _bare_positions(grid: Grid) -> bool:
    return any(
        named is not None and named.values.size == grid.n_columns - len(grid.words) and not named.prefix
        for named in (positions_in(row) for row in grid.header)
    )


def _both(places: Sequence[int], values: Sequence[int]) -> tuple[tuple[int, int], ...]:
    return tuple(zip(places, values, strict=True))


def _pair_name(grid: Grid, place: int, value: int) -> str:
    """Return the name of a pair: above its values if that is no quantity, else above its positions."""
    own = [row[column] for row in grid.header for column in (value, place) if row[column]]
    # "A" alone is a name here: pairs that all measure absorbance say so in a row of their own.
    return next((cell for cell in own if axis_named(cell) is None and (len(cell) == 1 or not signal_named(cell))), "")

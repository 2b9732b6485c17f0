"""Numbers that stand for a missing value, such as -9999: found where they lie far outside all others, and asked."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.columns import Role
from spectra_core.datasets.preparing.base import Prepared
from spectra_core.datasets.questions import Problem, choice, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.table import ImportTable

USUAL = np.array(
    [
        *(sign * value for sign in (-1, 1) for value in (99.99, 999, 999.9, 999.25, 999.99, 9999, 9999.9, 9999.99)),
        *(sign * value for sign in (-1, 1) for value in (99999, 999999, 9999999, 1e20, 1e30, 1.23e34, 1e34, 1e36)),
        *(-99, -32768, -32767, 32767, 65535, 2147483647, -2147483648, -2147483647, 4294967295),
        9.969209968386869e36,
    ]
)
"""Marks of missing values in use; the last is the default of netCDF."""
USUAL_GAP = 10.0  # a usual mark this many times larger than all other values is no value
ANY_GAP = 1e3  # any number this many times larger than all others is asked about
TARGET_GAP = 1e6  # concentrations span more than spectra do
MOST_MARKS = 500
FEW, SHARE = 3, 0.05  # marks that are not usual are few
FEW_GAP = 10  # of no more than that many, a tenth of the gap is enough
_CELLS = 1 << 16  # a block that fits into the processor's cache

CHOICES = (
    choice("Treat them as missing", sentinels="missing"),
    choice("Keep them as they are", sentinels="keep"),
    choice("Leave out those spectra", sentinels="leave out spectra"),
)


def mark_sentinels(
    result: Prepared, table: ImportTable, roles: list[Role], ids: tuple[str, ...], recipe: Recipe
) -> None:
    """Find numbers far outside all others in the spectra and targets; do with them what the recipe says, or ask.

    Where they count as missing, gaps take their place in `table` and `roles`.
    """
    if recipe.sentinels == "keep":
        return
    signal = table.signal
    places: list[tuple[float, NDArray[np.intp], str]] = []
    marks = outlying(signal, ANY_GAP)
    if marks:
        where = np.isin(signal, marks)
        rows, channels = np.nonzero(where)
        for mark in marks:
            here = signal[rows, channels] == mark
            at = f"{result.positions[channels[here][0]]:g} {result.axis_unit}".rstrip()
            one_place = bool((channels[here] == channels[here][0]).all())
            places.append((mark, rows[here], f"at {at}" if one_place else f"first at {at}"))
        if recipe.sentinels == "missing":
            table.signal = np.where(where, np.array(np.nan, dtype=signal.dtype), signal)
    for number, one in enumerate(roles):
        values = one.column.numbers
        if one.role != "target" or values is None:
            continue
        found = outlying(np.asarray(values, dtype=np.float64).reshape(-1, 1), TARGET_GAP)
        places += [(mark, np.flatnonzero(values == mark), f"in {one.column.name}") for mark in found]
        if found and recipe.sentinels == "missing":
            gaps = np.where(np.isin(values, found), np.nan, values)
            roles[number] = replace(one, column=replace(one.column, numbers=gaps))
    if not places:
        return
    rows = np.unique(np.concatenate([of_mark for _, of_mark, _ in places]))
    if recipe.sentinels == "leave out spectra":
        result.rows[rows] = False
    done = {"missing": "They are treated as missing.", "leave out spectra": "Those spectra are left out."}
    each = listed([_sentence(mark, of_mark, at, table, ids) for mark, of_mark, at in places], 4)
    ask = "Instruments and programs write such numbers where a value is missing. Say what they are."
    text = f"Some values lie far outside all others: {each}. {done.get(recipe.sentinels or '', ask)}"
    result.problems.append(
        Problem("sentinels", text, CHOICES, recipe.sentinels is None, tuple(int(row) for row in rows))
    )


def outlying(values: NDArray[np.floating[Any]], gap: float) -> list[float]:
    """Return the few distinct values that lie far outside all others, largest first.

    A value does where its size is `gap` times that of all values that are smaller by a factor of ten, or a tenth of
    that for no more than three values; a usual mark of missing values, with ten times; and a negative one where all
    others are ten times less negative.

    >>> outlying(np.array([[0.1, 0.3, -9999.0, 0.2]]), 1e3)
    [-9999.0]
    """
    found: list[float] = []
    bound = np.inf
    sample = np.abs(values[:: max(1, len(values) // 200)])
    low, high = _ends(values, bound)
    lowest = low
    while low <= high:
        size = max(abs(low), abs(high))
        usual = _are_usual([size if size == high else low])
        if not usual and bool(((sample > FEW_GAP * size / gap) & (sample < size / USUAL_GAP)).any()):
            break
        below = _ends(values, size / USUAL_GAP)
        rest = max(abs(end) for end in below) if below[0] <= below[1] else 0.0
        outside, count = _distinct(values, size / USUAL_GAP, bound)
        most = FEW if size < gap * rest else max(FEW, SHARE * values.size)
        few = rest > 0 and size >= gap / FEW_GAP * rest and count <= most
        if not outside or not (few or (_are_usual(outside) and below[0] <= below[1])):
            break
        found += outside
        bound = size / USUAL_GAP
        low, high = below
    while lowest < 0 and _are_usual([lowest]):
        others = min((float(block[block > lowest].min(initial=np.inf)) for block in _blocks(values)), default=np.inf)
        if lowest / USUAL_GAP > others or others == np.inf:
            break
        found.append(lowest)
        lowest = others
    return sorted(set(found), key=abs, reverse=True)


def _ends(values: NDArray[np.floating[Any]], bound: float) -> tuple[float, float]:
    """Return the smallest and largest value whose size is below `bound`; infinities where there is none."""
    low, high = np.inf, -np.inf
    for block in _blocks(values):
        kept = block
        if np.isfinite(bound):
            kept = block[np.abs(block) < bound]
        elif not np.isfinite(block.sum(dtype=np.float64)):
            kept = block[np.isfinite(block)]
        if kept.size:
            low, high = min(low, float(kept.min())), max(high, float(kept.max()))
    return low, high


def _distinct(values: NDArray[np.floating[Any]], low: float, high: float) -> tuple[list[float], int]:
    """Return the distinct values with a size from `low` to below `high`, and how many there are; none where many."""
    found: set[float] = set()
    count = 0
    for block in _blocks(values):
        sizes = np.abs(block)
        inside = block[(sizes >= low) & (sizes < high)]
        count += inside.size
        found |= set(np.unique(inside).tolist())
        if len(found) > MOST_MARKS:
            return [], count
    return list(found), count


def _blocks(values: NDArray[np.floating[Any]]) -> Iterable[NDArray[np.floating[Any]]]:
    n_rows = max(1, _CELLS // max(values.shape[1], 1))
    return (values[start : start + n_rows] for start in range(0, len(values), n_rows))


def _are_usual(values: Iterable[float]) -> bool:
    return all(bool(np.isclose(value, USUAL, rtol=1e-6, atol=0.0).any()) for value in values)


def _sentence(mark: float, rows: NDArray[np.intp], where: str, table: ImportTable, ids: tuple[str, ...]) -> str:
    spectra = np.unique(rows)
    first = f"{ids[spectra[0]]} ({table.places[spectra[0]]})"
    more = f" and {len(spectra) - 1} more spectra" if len(spectra) > 1 else ""
    values = f"{len(rows)} value{'s' if len(rows) > 1 else ''}"
    return f"{mark:.10g} ({values}, {first}{more} {where})"

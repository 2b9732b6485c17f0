"""Which spectra belong together in every split? Replicates by id, column or targets, and exact copies by content."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.datasets.columns import Role
from spectra_core.datasets.numbers import is_missing, parse_number
from spectra_core.datasets.questions import Point, Problem, choice, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.replicates import MOST_REPEATS, stems
from spectra_core.errors import ReadError
from spectra_core.spectra.text import counted

_UNKNOWN = frozenset({"unknown", "unk", "unk.", "not known", "not recorded", "unbekannt", "inconnu", "tbd"})
_TOGETHER = "They are kept together in every split."


@dataclass(frozen=True)
class Grouping:
    """What keeps spectra together.

    Parameters
    ----------
    values
        One text per spectrum, equal where they belong together; None where nothing is known to.
    words, reason
        By what, and why.
    problems
        What should be known or decided about it.
    """

    values: Sequence[str] | None
    words: str
    reason: str
    problems: tuple[Problem, ...] = ()


def group_values(roles: Sequence[Role], ids: Sequence[str], recipe: Recipe) -> Sequence[str] | None:
    """Return the group of every spectrum under the recipe, or as guessed."""
    return grouping(roles, ids, recipe).values


def grouping(roles: Sequence[Role], ids: Sequence[str], recipe: Recipe) -> Grouping:
    """Return what keeps spectra together under the recipe, or as guessed.

    Raises
    ------
    ReadError
        When the recipe names a column that is not there.
    """
    if recipe.groups is not None:
        return _chosen(roles, ids, recipe.groups)
    column = next((one.column for one in roles if one.role == "group"), None)
    repeated = len(ids) - len(set(ids))
    repeats = _stems(ids, roles)
    told = repeats[0] if repeats is not None and repeats[1] else None
    if column is not None:
        cells = _independent(column.cells())
        values = _linked(cells, told or ids) if told or repeated else cells
        problems = _group_remarks(column.name, column.cells())
        return Grouping(values, column.name, "the name of the column", problems)
    if repeated:
        names = sorted(name for name, times in Counter(ids).items() if times > 1)
        text = f"{counted(repeated, 'spectrum repeats', 'spectra repeat')} an id: {listed(names)}. {_TOGETHER}"
        options = (choice("They are independent", groups="none"), choice("Keep equal ids together", groups="id"))
        problem = Problem("repeated ids", text, options, False)
        return Grouping(
            _linked(ids, told) if told else ids,
            "equal ids",
            f"{counted(repeated, 'spectrum repeats', 'spectra repeat')} the id of another one",
            (problem,),
        )
    return _guessed(roles, ids)


def group_points(
    roles: Sequence[Role], ids: Sequence[str], signal: NDArray[np.floating[Any]], recipe: Recipe
) -> tuple[list[Point], list[Problem]]:
    """Say what groups there are and what else could be one; warn of spectra that are the same."""
    found = grouping(roles, ids, recipe)
    samples = _samples(roles)
    options = [choice("none", groups="none")]
    options += [choice("equal ids", groups="id")] if len(set(ids)) < len(ids) else []
    if _stems(ids, roles) is not None or stems(ids) is not None:
        options.append(choice("ids without the replicate mark", groups="id without replicate"))
    if samples is not None and len(set(samples)) < len(ids):
        options.append(choice("equal targets", groups="equal targets"))
    options += [choice(one.column.name, groups=one.column.name) for one in roles if one.role in {"group", "ignored"}]
    problems = list(found.problems)
    copies = _exact_copies(signal)
    if copies:
        pairs = listed([f"{ids[two]} = {ids[one]}" for one, two in copies], 3)
        problems.append(
            Problem(
                "copies",
                f"{counted(len(copies), 'spectrum is an exact copy', 'spectra are exact copies')} of another "
                f"one ({pairs}). {_TOGETHER}",
                (choice("Leave out the copies", leave_out_spectra=tuple(two + 1 for _, two in copies)),),
                False,
                tuple(two for _, two in copies),
            )
        )
    return [
        Point("groups", "Groups kept together", found.words, found.reason, tuple(options), recipe.groups is not None)
    ], problems


def _chosen(roles: Sequence[Role], ids: Sequence[str], wanted: str) -> Grouping:
    words = {"id": "equal ids", "id without replicate": "ids without the replicate mark"}.get(wanted, wanted)
    values: Sequence[str] | None = None
    if wanted == "equal targets":
        samples = _target_sets(roles)
        values = None if samples is None else [str(sample) for sample in samples]
    elif wanted == "id":
        values = ids
    elif wanted == "id without replicate":
        found = _stems(ids, roles) or stems(ids)
        values = ids if found is None else found[0]
    elif wanted != "none":
        by_name = {one.column.name: one.column for one in roles}
        if wanted not in by_name:
            raise ReadError(
                f"The recipe groups by {wanted!r}, but there is no such column. "
                f"Columns: {', '.join(by_name) or 'none'}."
            )
        values = _independent(by_name[wanted].cells())
    return Grouping(values, words, "chosen")


def _guessed(roles: Sequence[Role], ids: Sequence[str]) -> Grouping:
    """Look for repeated measurements that no column of groups tells."""
    samples = _samples(roles)
    found = _stems(ids, roles)
    told = [column for column in _repeating_columns(roles) if samples is not None and _agrees(column.cells(), samples)]
    if found is not None and found[1]:
        made = _replicates(found[0], ids, "ids and equal targets", "ids without the replicate mark")
        assert samples is not None
        firsts = list({stem: row for row, stem in reversed(list(enumerate(found[0])))}.values())
        more = _equal_targets([samples[row] for row in firsts], [ids[row] for row in firsts])
        return replace(made, problems=(*made.problems, more)) if more else made
    if told:
        cells = _independent(told[0].cells())
        return _replicates(cells, ids, f"column {told[0].name} and equal targets", told[0].name)
    none = "no two spectra share an id"
    if found is not None:
        members = _members(found[0], ids)
        text = (
            f"Ids look like repeated measurements of one sample ({members}). If they are, they must be kept together."
        )
        options = (
            choice("Keep them together", groups="id without replicate"),
            choice("They are independent", groups="none"),
        )
        return Grouping(None, "none", none, (Problem("replicates", text, options),))
    if samples is not None and (problem := _equal_targets(samples, ids)):
        return Grouping(None, "none", none, (problem,))
    return Grouping(None, "none", none)


def _replicates(values: Sequence[str], ids: Sequence[str], told_by: str, words: str) -> Grouping:
    n_samples = len(set(values))
    text = (
        f"{len(ids)} spectra are {n_samples} samples, some measured repeatedly, by their {told_by} "
        f"({_members(values, ids)}). {_TOGETHER}"
    )
    problem = Problem("replicates", text, (choice("They are independent", groups="none"),), False)
    return Grouping(values, words, f"{n_samples} samples by {told_by}", (problem,))


def _equal_targets(samples: Sequence[int], ids: Sequence[str]) -> Problem | None:
    """Warn where most spectra share all targets with a few others: they may be repeats."""
    sizes = np.bincount(samples)
    shared = sizes > 1
    # Two or three levels of one target are shared by samples that have nothing else in common.
    if shared.sum() < 4 or sizes[shared].sum() < 0.5 * len(ids) or float(np.median(sizes[shared])) > MOST_REPEATS:
        return None
    text = (
        f"{int(sizes[shared].sum())} of {len(ids)} spectra share all their targets with another one "
        f"({_members([str(sample) for sample in samples], ids)}). Repeated measurements of one sample must be kept "
        "together, or errors come out too small."
    )
    options = (
        choice("Keep equal targets together", groups="equal targets"),
        choice("They are independent", groups="none"),
    )
    return Problem("equal targets", text, options, False)


def _group_remarks(name: str, cells: Sequence[str]) -> tuple[Problem, ...]:
    """Say what was made of groups that are blank, and of those that are spelled in several ways."""
    ways = (choice("Do not group", groups="none"),)
    found = []
    if n_blank := sum(map(_is_blank, cells)):
        text = f"No {name} is given for {n_blank} of {len(cells)} spectra: each is taken as independent of all others."
        found.append(Problem("blank groups", text, ways, False))
    spelled: dict[str, dict[str, None]] = {}
    for cell in cells:
        spelled.setdefault(_spelling(cell), {})[cell] = None
    several = [
        " = ".join(map(repr, one)) for one in spelled.values() if len(one) > 1 and not _is_blank(next(iter(one)))
    ]
    if several:
        text = f"Groups in {name} that differ by their spelling alone are taken as one: {listed(several)}. {_TOGETHER}"
        found.append(Problem("spelled groups", text, ways, False))
    return tuple(found)


def _is_blank(cell: str) -> bool:
    return is_missing(cell) or cell.strip().casefold() in _UNKNOWN


def _spelling(cell: str) -> str:
    """Return what is left of a name without case and blanks, and of a number without its zeros.

    >>> _spelling(" Lot A"), _spelling("lot_a"), _spelling("01"), _spelling("1.0")
    ('lot a', 'lot a', '1', '1')
    """
    number = parse_number(cell)
    return f"{number:.15g}" if number is not None else re.sub(r"[\s_]+", " ", cell.strip()).casefold()


def _independent(cells: Sequence[str]) -> list[str]:
    """Return the groups, each as it is spelled first; a spectrum without one is a group of its own."""
    taken = set(cells)
    first: dict[str, str] = {}
    named = []
    for row, cell in enumerate(cells, 1):
        own = f"spectrum {row}"
        while _is_blank(cell) and own in taken:
            own += "'"
        named.append(own if _is_blank(cell) else first.setdefault(_spelling(cell), cell))
    return named


def _linked(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Join two groupings: spectra linked by either share the name of the first of them."""
    root: dict[str, str] = {}

    def top(name: str) -> str:
        while root.setdefault(name, name) != name:
            name = root[name]
        return name

    for left, right in zip(one, other, strict=True):
        root[top(f"id {right}")] = top(left)
    return [top(name) for name in one]


def _repeating_columns(roles: Sequence[Role]) -> list[Any]:
    unused = [one.column for one in roles if one.role == "ignored"]
    return [column for column in unused if 1 < len(set(column.cells())) < len(column.cells())]


def _agrees(cells: Sequence[str], samples: Sequence[int]) -> bool:
    """Whether spectra that share a cell share all targets, a few at a time."""
    table = pd.DataFrame({"cell": list(cells), "sample": list(samples)})
    table = table[[not is_missing(cell) for cell in cells]]
    found = table.groupby("cell")["sample"].agg(["nunique", "size"])
    shared = found[found["size"] > 1]
    return len(shared) > 1 and bool((shared["nunique"] == 1).all()) and int(shared["size"].max()) <= MOST_REPEATS


def _target_sets(roles: Sequence[Role]) -> list[int] | None:
    """Return a number per spectrum, equal where all targets are."""
    columns = [one.column for one in roles if one.role == "target"]
    if not columns:
        return None
    rows = pd.MultiIndex.from_arrays([list(column.cells()) for column in columns])
    return [int(code) for code in pd.factorize(rows)[0]]


def _samples(roles: Sequence[Role]) -> list[int] | None:
    """Return what `_target_sets` does, but None where all targets are equal and so tell nothing."""
    found = _target_sets(roles)
    return None if found is None or len(set(found)) < 2 else found


def _stems(ids: Sequence[str], roles: Sequence[Role]) -> tuple[list[str], bool] | None:
    """Return the ids without the mark of the repeat, as far as they and the targets say so."""
    values = [one.column.numbers for one in roles if one.role == "target" and one.column.numbers is not None]
    return stems(ids, _samples(roles), np.column_stack(values).astype(np.float64) if values else None)


def _members(values: Sequence[str], ids: Sequence[str]) -> str:
    """Name the spectra of the first groups of more than one."""
    table = pd.DataFrame({"group": list(values), "id": list(ids)})
    found = [list(one["id"]) for _, one in table.groupby("group", sort=False) if len(one) > 1]
    return "; ".join(listed(one, 3) for one in found[:2]) + ("; …" if len(found) > 2 else "")


def _exact_copies(signal: NDArray[np.floating[Any]]) -> list[tuple[int, int]]:
    """Return (first, copy) per spectrum that equals an earlier one in every channel, found by content."""
    # Copies have equal sums; only spectra that share one are worth hashing.
    with np.errstate(invalid="ignore", over="ignore"):
        sums = signal.sum(axis=1)
    _, where, counts = np.unique(sums, return_inverse=True, return_counts=True)
    seen: dict[bytes, int] = {}
    copies = []
    for number in np.flatnonzero(counts[where] > 1):
        row = signal[number]
        digest = hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=16).digest()
        if digest in seen:
            copies.append((seen[digest], int(number)))
        else:
            seen[digest] = int(number)
    return copies

"""Which spectra belong together in every split? Replicates by id or column, and exact copies by content."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.columns import Role, stems
from spectra_core.datasets.questions import Point, Problem, choice, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.errors import ReadError


def group_values(roles: Sequence[Role], ids: Sequence[str], recipe: Recipe) -> Sequence[str] | None:
    """Return the group of every spectrum under the recipe, or as guessed."""
    wanted = recipe.groups
    by_name = {one.column.name: one.column for one in roles}
    if wanted == "none":
        return None
    if wanted == "equal targets":
        columns = [one.column for one in roles if one.role == "target"]
        return (
            [" ".join(cells) for cells in zip(*(column.cells() for column in columns), strict=True)]
            if columns
            else None
        )
    if wanted == "id":
        return ids
    if wanted == "id without replicate":
        return stems(ids) or ids
    if wanted is not None:
        if wanted not in by_name:
            raise ReadError(
                f"The recipe groups by {wanted!r}, but there is no such column. "
                f"Columns: {', '.join(by_name) or 'none'}."
            )
        return by_name[wanted].cells()
    grouping = next((one.column for one in roles if one.role == "group"), None)
    if grouping is not None:
        return grouping.cells()
    return ids if len(set(ids)) < len(ids) else None


def group_points(
    roles: Sequence[Role], ids: Sequence[str], signal: NDArray[np.floating[Any]], recipe: Recipe
) -> tuple[list[Point], list[Problem]]:
    """Say what groups there are and what else could be one; warn of spectra that are the same."""
    problems = list[Problem]()
    options = [choice("none", groups="none")]
    words = recipe.groups or "none"
    reason = "no two spectra share an id"
    repeated = len(ids) - len(set(ids))
    if repeated:
        options.append(choice("equal ids", groups="id"))
        words, reason = recipe.groups or "equal ids", f"{repeated} spectra repeat the id of another one"
        seen: set[str] = set()
        names = sorted({name for name in ids if name in seen or seen.add(name)})  # type: ignore[func-returns-value]
        problems.append(
            Problem(
                "repeated ids",
                f"{repeated} spectra repeat an id: {listed(names)}. They are kept together in every split.",
                tuple(options),
                False,
            )
        )
    if stems(ids) is not None:
        options.append(choice("ids without the replicate mark", groups="id without replicate"))
    targets = [one.column.numbers for one in roles if one.role == "target" and one.column.numbers is not None]
    if targets and len(np.unique(np.column_stack(targets), axis=0)) < len(ids):
        options.append(choice("equal targets", groups="equal targets"))
    options += [choice(one.column.name, groups=one.column.name) for one in roles if one.role in {"group", "ignored"}]
    grouping = next((one.column.name for one in roles if one.role == "group"), None)
    if grouping and recipe.groups is None:
        words, reason = grouping, "the name of the column"
    copies = _exact_copies(signal)
    if copies:
        pairs = listed([f"{ids[two]} = {ids[one]}" for one, two in copies], 3)
        problems.append(
            Problem(
                "copies",
                f"{len(copies)} spectra are exact copies of another one ({pairs}). "
                "They are kept together in every split.",
                (choice("Leave out the copies", leave_out_spectra=tuple(two + 1 for _, two in copies)),),
                False,
                tuple(two for _, two in copies),
            )
        )
    point = Point("groups", "Groups kept together", words, reason, tuple(options), recipe.groups is not None)
    return [point], problems


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

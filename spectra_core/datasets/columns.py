"""Columns beside the spectra: which are targets, ids, groups."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.column import Column
from spectra_core.datasets.ions import concentration_unit, named_target
from spectra_core.datasets.marks import is_remark
from spectra_core.datasets.names import NAMES_IDS, axis_named
from spectra_core.datasets.questions import Point, choice
from spectra_core.datasets.recipe import Recipe
from spectra_core.spectra import Target
from spectra_core.spectra.label_intervals import LABEL_HIGH, LABEL_LOW

_GROUP = re.compile(
    r"batch|group|replicate|series|block|site|mixture|donor|patient|subject|specimen|solution|vial|\blot\b|campaign",
    re.IGNORECASE,
)
_SCAN = re.compile(
    r"^(?:scan|rep|repl|replicate|replica|repeat|repetition|run|measurement|meas|wdh|aliquot|trial)s?"
    r"[\s_.#]*(?:no|nr|number|id|index)?[\s_.]*$",
    re.IGNORECASE,
)
_SUMMARY = re.compile(
    r"^(?:mean|average|avg\.?|mittelwert|sd|std\.?(?: ?dev(?:iation)?\.?)?|stdev|stabw\.?|standard deviation"
    r"|(?:% ?)?(?:rsd|cv)(?: ?\(?%\)?)?|rel\.? ?std\.?(?: ?dev\.?)?|median|range|\d{1,2} ?%|q[1-4]|anzahl|summe"
    r"|sem|err(?:or)?|uncertainty|sigma|min\.?|max\.?|minimum|maximum|sum|total|var|variance|count|n)$",
    re.IGNORECASE,
)
_OF_SPECTRUM = re.compile(
    r"^(?:mean|average|avg\.?|mittelwert|std\.?(?: ?dev\.?)?|sd|stdev|stabw\.?|median|rsd|cv)$", re.IGNORECASE
)
"""Columns beside spectra that a spreadsheet computed from them."""
ROLE_WORDS = {"target": "Target", "id": "Id", "group": "Group", "ignored": "Not used"}


@dataclass(frozen=True)
class Role:
    """What one column is used for, and why."""

    column: Column
    role: str
    reason: str
    decided: bool = False


def said_of_generated(name: str) -> bool:
    """Whether a column is one that this program writes beside the ids of generated spectra, which are kept as such."""
    return name == "parent" or name.startswith((LABEL_LOW, LABEL_HIGH))


def column_roles(columns: Sequence[Column], recipe: Recipe) -> list[Role]:
    """Guess the role of every column; what the recipe says goes first."""
    roles: list[Role] = []
    has_id = "id" in recipe.columns.values()
    named = any(one.text is not None and NAMES_IDS.match(one.name) and _all_differ(one.text) for one in columns)
    told = any(one.text is not None and NAMES_IDS.match(one.name) for one in columns)
    for column in columns:
        chosen = recipe.columns.get(column.name)
        if chosen:
            role, reason = chosen, "chosen"
        elif named and column.numbers is not None and NAMES_IDS.match(column.name) and _counts_rows(column.numbers):
            role, reason = "ignored", "counts the rows, and another column names them"
        else:
            role, reason = _guessed_role(column, has_id=has_id, told=told)
        has_id |= role == "id"
        roles.append(Role(column, role, reason, chosen is not None))
    return roles


def _guessed_role(column: Column, *, has_id: bool, told: bool) -> tuple[str, str]:
    cells = column.cells()
    n_different = len(set(cells))
    # Three scans of 24 samples are numbered by three numbers; 24 groups of three by 24.
    if _SCAN.match(column.name) and n_different**2 <= len(cells):
        return "ignored", "numbers the measurements of a sample"
    if has_id and NAMES_IDS.match(column.name) and 1 < n_different < len(cells):
        return "group", "several spectra share a name in it"
    if said_of_generated(column.name):
        return "ignored", "said of generated spectra, and kept beside their ids"
    if column.text is not None:
        return _role_of_text(column, has_id=has_id, told=told)
    assert column.numbers is not None
    if np.isnan(column.numbers).all():
        return "ignored", "an empty column"
    target = named_target(column.name)
    counts = _counts_rows(column.numbers)
    if target.formula or target.unit or concentration_unit(column.unit):
        return "target", f"the name is that of {target.formula}" if target.formula else "a unit of concentration"
    if not has_id and counts and (NAMES_IDS.match(column.name) or column.name.startswith("#")):
        return "id", "counts the rows"
    if NAMES_IDS.match(column.name) and not column.name.startswith("#") and not has_id:
        return "id", "the name says so"
    if _GROUP.search(column.name):
        return "group", "the name speaks of a group"
    if _OF_SPECTRUM.match(column.name):
        return "ignored", f"numbers, but {column.name!r} is computed from the spectrum"
    if is_remark(column.name):
        return "ignored", f"numbers, but {column.name!r} is no quantity of the sample"
    if axis_named(column.name):
        return "ignored", "the name speaks of an axis"
    return "target", "numbers beside the spectra"


def _role_of_text(column: Column, *, has_id: bool, told: bool) -> tuple[str, str]:
    cells = column.cells()
    # A date tells spectra apart as well, but is no name where another column is called one.
    if not has_id and (NAMES_IDS.match(column.name) or (_all_differ(cells) and not told)):
        return "id", "text that tells the spectra apart"
    if _GROUP.search(column.name):
        return "group", "the name speaks of a group"
    return "ignored", "text, and not the first column of ids"


def _all_differ(cells: Sequence[str]) -> bool:
    return len(set(cells)) == len(cells)


def _counts_rows(numbers: NDArray[np.floating[Any]]) -> bool:
    return len(numbers) > 1 and bool((np.diff(numbers) == 1).all())


def role_points(roles: Sequence[Role]) -> list[Point]:
    """Show the role of every column with its reason."""
    return [
        Point(
            f"column {one.column.name}",
            one.column.name,
            ROLE_WORDS[one.role],
            one.reason,
            tuple(choice(words, columns={one.column.name: key}) for key, words in ROLE_WORDS.items()),
            one.decided,
        )
        for one in roles
    ]


def target_of(column: Column, recipe: Recipe) -> tuple[Target, str]:
    """Return name, unit, charge and molar mass of a target column, and where the charge comes from."""
    named = named_target(column.name)
    said = recipe.targets.get(column.name, {})
    unit = named.unit or concentration_unit(column.unit) or column.unit
    name = named.name if named.unit else column.name
    charge = said.get("charge", named.charge)
    molar_mass = said.get("molar_mass", named.molar_mass)
    target = Target(
        str(said.get("name") or name),
        str(said.get("unit", unit)),
        None if charge is None else int(charge),
        None if molar_mass is None else float(molar_mass),
    )
    return target, "chosen" if "charge" in said else named.reason


def summary_rows(ids: Sequence[str]) -> list[int]:
    """Return the rows at the end that are called Mean, SD and the like."""
    last = len(ids)
    while last > 0 and _SUMMARY.match(ids[last - 1].strip()):
        last -= 1
    return list(range(last, len(ids))) if 0 < last < len(ids) else []


def charge_points(roles: Sequence[Role], recipe: Recipe) -> list[Point]:
    """Say which charge every target is taken to have."""
    points = []
    for one in roles:
        if one.role != "target":
            continue
        target, reason = target_of(one.column, recipe)
        charge = "no charge known" if target.charge is None else f"charge {target.charge:+d}"
        points.append(
            Point(
                f"target {one.column.name}",
                target.label,
                charge,
                reason,
                (),
                "charge" in recipe.targets.get(one.column.name, {}),
            )
        )
    return points

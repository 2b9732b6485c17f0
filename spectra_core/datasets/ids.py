"""What the names of spectra say, and what is made of those that have none."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.columns import Role
from spectra_core.datasets.questions import Problem, choice, listed
from spectra_core.datasets.recipe import Recipe

_QUANTITIES = {
    "absorbance": re.compile(r"(?:.*[^a-z])?abs(?:orbance)?\W*", re.IGNORECASE),
    "transmittance": re.compile(r".*(?:%\s*t|\bt\s*%|[^a-z]transm\w*)\W*", re.IGNORECASE),
    "reflectance": re.compile(r".*(?:%\s*r|\br\s*%|[^a-z]refl\w*)\W*", re.IGNORECASE),
}


def filled_ids(cells: Sequence[str], recipe: Recipe) -> tuple[str, ...]:
    """Return the ids, where a cell holds none that of the cell above or a number of its own, as was decided."""
    found: list[str] = []
    taken = set(cells)
    for number, cell in enumerate(cells, 1):
        own = str(number)
        while own in taken:
            own += "'"
        above = found[-1] if found and recipe.blank_ids == "above" else own
        found.append(cell if cell.strip() else above)
    return tuple(found)


def on_blank_ids(roles: Sequence[Role], recipe: Recipe) -> list[Problem]:
    """Ask what spectra without an id belong to, where others have one: repeats that were parted would leak."""
    column = next((one.column for one in roles if one.role == "id"), None)
    cells = () if column is None else column.cells()
    blank = tuple(row for row, cell in enumerate(cells) if not cell.strip())
    if column is None or recipe.blank_ids is not None or not blank or len(blank) == len(cells):
        return []
    text = (
        f"{len(blank)} of {len(cells)} spectra have no {column.name or 'id'}. Where cells were merged they belong to "
        "the one above, and are kept together with it in every split. Say which."
    )
    ways = choice("They belong to the one above", blank_ids="above"), choice("Each is of its own", blank_ids="own")
    return [Problem("blank ids", text, ways, True, blank)]


def on_quantities(ids: Sequence[str], rows: NDArray[np.bool_]) -> list[Problem]:
    """Ask which spectra are meant, where their names say that some are absorbance and others transmittance."""
    said: dict[str, list[int]] = {}
    for row in np.flatnonzero(rows).tolist():
        for quantity, name in _QUANTITIES.items():
            if name.fullmatch(ids[row]):
                said.setdefault(quantity, []).append(row)
    if len(said) < 2:
        return []
    kept = [number + 1 for number in np.flatnonzero(~rows).tolist()]
    every = sorted(row for found in said.values() for row in found)
    ways = tuple(
        choice(f"Use {quantity} alone", leave_out_spectra=(*kept, *(row + 1 for row in every if row not in found)))
        for quantity, found in said.items()
    )
    named = [f"{ids[found[0]]} ({quantity})" for quantity, found in said.items()]
    return [Problem("quantities", f"By their names the spectra differ in what they measure: {listed(named)}.", ways)]

"""What the names of spectra say, and what is made of those that have none."""

from collections.abc import Sequence

from spectra_core.datasets.columns import Role
from spectra_core.datasets.questions import Problem, choice
from spectra_core.datasets.recipe import Recipe


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

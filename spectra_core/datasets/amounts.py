"""Spectra in columns that are named by their concentrations: a target that stands in the names alone."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.censored import quantities
from spectra_core.datasets.numbers import parse_number
from spectra_core.datasets.questions import Problem, choice, listed

TITLE = "names of the spectra"
_Amounts = tuple[str, NDArray[np.float64], None, str]


def amounts_in_names(
    names: Sequence[str], decimal: str, roles: Mapping[str, str]
) -> tuple[_Amounts | None, tuple[Problem, ...]]:
    """Return the target that the names of spectra hold, as parts of a column; ask where they may only number them.

    Returns
    -------
    amounts, problems
        Title, values, no text and unit, or None.
    """
    if len(names) < 3:
        return None, ()
    found = quantities(names, decimal)
    if found is not None:
        return ("concentration", np.array(found[0]), None, found[1]), ()
    values = [parse_number(name, decimal) for name in names]
    if any(value is None for value in values):
        return None, ()
    numbers = np.array(values, dtype=np.float64)
    if bool((np.diff(np.sort(numbers)) == 1).all()):
        return None, ()
    text = f"The spectra are named by numbers: {listed(list(names), 4)}. Say whether these are values of a target."
    ways = (
        choice("Values of a target", columns={TITLE: "target"}),
        choice("Only names", columns={TITLE: "ignored"}),
    )
    asked = () if TITLE in roles else (Problem("numbers as names", text, ways),)
    return (TITLE, numbers, None, ""), asked

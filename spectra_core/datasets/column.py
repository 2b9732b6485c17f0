"""One value per spectrum, beside its channels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.parts import Cells


@dataclass(frozen=True, eq=False)
class Column:
    """One value per spectrum that is no channel: a target, an id, a remark.

    Parameters
    ----------
    name
        As in the file; "#3" for the third column of a table without names.
    numbers : (n_spectra,)
        NaN where there is none; None for a column of text.
    text
        Verbatim cells; None for a column of numbers.
    unit
        From a units row; empty where there is none.
    odd
        Words that stand in a column of numbers, such as "<0.05", by the number of their spectrum.
    """

    name: str
    numbers: NDArray[np.floating[Any]] | None = None
    text: Cells | None = None
    unit: str = ""
    odd: Mapping[int, str] = field(default_factory=dict)

    def cells(self) -> Cells:
        """Return the values as text, whole numbers without a decimal point."""
        if self.text is not None:
            return self.text
        assert self.numbers is not None
        return tuple(
            self.odd.get(row, "") if np.isnan(value) else f"{value:.15g}" for row, value in enumerate(self.numbers)
        )

    def taken(self, rows: Sequence[int]) -> "Column":
        """Return the values at some rows; nothing where a row is below zero."""
        if self.text is not None:
            return replace(self, text=tuple(self.text[row] if row >= 0 else "" for row in rows))
        assert self.numbers is not None
        odd = {at: self.odd[row] for at, row in enumerate(rows) if row in self.odd}
        numbers = np.array([self.numbers[row] if row >= 0 else np.nan for row in rows])
        return replace(self, numbers=numbers, odd=odd)

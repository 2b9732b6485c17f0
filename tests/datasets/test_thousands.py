"""When cells that mark their thousands are numbers, and when they stay text: at the edges."""

import numpy as np
import pytest

from spectra_core.datasets.parts import Grid
from spectra_core.datasets.readers.thousands import with_thousands


def grid(cells, header=()):
    numbers = np.full((len(cells), max(1, len(header))), np.nan)
    return Grid("file", "text", numbers, {0: tuple(cells)} if cells else {}, (tuple(header),) if header else ())


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (("1,234.5", "2,345.5", "low"), True),
        (("1,234.5", "2,345.5", "low", "high"), False),  # as many words as numbers: names, perhaps
        (("1,234.5", "low", "high"), False),
    ],
)
def test_a_column_is_numbers_where_most_of_its_cells_are(cells, read):
    found = with_thousands(grid(cells), ".")
    assert (0 not in found.text) == read
    if read:
        assert found.numbers[:2, 0].tolist() == [1234.5, 2345.5]
        assert found.odd_cells == ((2, 0, "low"),)


@pytest.mark.parametrize(("names", "read"), [(("1,350", "1,351", "1,352"), True), (("1,350", "1,351", "Cu"), False)])
def test_positions_mark_their_thousands_where_three_do(names, read):
    found = with_thousands(grid((), names), ".")
    assert found.header == ((("1350", "1351", "1352") if read else names),)

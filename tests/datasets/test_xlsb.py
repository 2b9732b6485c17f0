"""Binary workbooks hold what the same table as text holds; what they do not tell is said."""

import numpy as np
import pytest

from tests.datasets.binary_workbooks import xlsb_of
from tests.datasets.tables import CHANNELS, CU, IDS, SIGNAL, N
from tests.datasets.test_strangers import asked, require_whole, understood

ROWS = [[one, float(value), *map(float, row)] for one, value, row in zip(IDS, CU, SIGNAL, strict=True)]
HEAD = ["sample", "Cu", *map(int, CHANNELS)]


@pytest.mark.parametrize("head", [HEAD, list(map(str, HEAD))])
def test_numbers_and_names_are_those_of_the_sheet(head):
    found = understood(xlsb_of({"S": [head, *ROWS]}), name="a.xlsb")
    assert asked(found) == []
    require_whole(found.build())
    assert list(found.ids) == IDS
    assert any("save it as .xlsx to be sure" in point.reason for point in found.points)


def test_targets_of_another_sheet_are_joined_by_id():
    spectra = [[row[0], *row[2:]] for row in [HEAD, *ROWS]]
    targets = [HEAD[:2], *(ROWS[at][:2] for at in np.random.default_rng(2).permutation(N))]
    require_whole(understood(xlsb_of({"S": spectra, "T": targets}), name="a.xlsb").build())


@pytest.mark.parametrize("cell", ["", "#N/A"])
def test_a_cell_without_a_value_is_asked_about(cell):
    rows = [row if at != 3 else [*row[:5], cell, *row[6:]] for at, row in enumerate(ROWS)]
    found = understood(xlsb_of({"S": [HEAD, *rows]}), name="a.xlsb")
    assert asked(found) == ["gaps"]
    assert np.isnan(found.table.signal[3, 3])
    assert np.isnan(found.table.signal).sum() == 1

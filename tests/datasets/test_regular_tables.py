"""Regular tables of text are read at once, and exactly as with care; irregular ones are left to care."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectra_core.datasets.dialect import Dialect
from spectra_core.datasets.readers.decoding import decoded, lines_of
from spectra_core.datasets.readers.delimited import DelimitedText, table_from_lines
from spectra_core.datasets.readers.dialects import guess_layout
from spectra_core.datasets.readers.regular import regular_cells

HEAD = "id,Cu,400,401,402\n"


def with_care(content: bytes):
    """Return the table as the general way reads it, line by line."""
    lines = lines_of(decoded(content)[0])
    return table_from_lines(lines, guess_layout(lines, Dialect()), "a.csv", {})


def at_once(content: bytes):
    """Return what the quick way makes of the same layout, numbers and text, or None."""
    lines = lines_of(decoded(content)[0])
    return regular_cells(content, guess_layout(lines, Dialect()), [0])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4), min_size=2, max_size=9
    ),
    st.sampled_from([repr, "{:.17g}".format, "{:.3e}".format, "{:f}".format]),
    st.sampled_from([("\n", ",", "."), ("\r\n", ",", "."), ("\n", ";", ","), ("\n", "\t", "."), ("\n", ", ", ".")]),
)
def test_every_number_is_the_double_nearest_to_its_digits(rows, written, style):
    end, separator, decimal = style
    cells = [[f"s{at}", *(written(value).replace(".", decimal) for value in row)] for at, row in enumerate(rows)]
    text = end.join(separator.join(row) for row in [HEAD.strip().split(","), *cells]) + end
    (grid,) = DelimitedText().read(text.encode(), "a.csv", Dialect(separator=separator.strip(" ") or None))
    expected = [[float(cell.replace(decimal, ".")) for cell in row[1:]] for row in cells]
    assert np.array_equal(grid.numbers[:, 1:], expected)
    assert grid.text == {0: tuple(row[0] for row in cells)}


@pytest.mark.parametrize(("separator", "decimal", "end"), [(",", ".", "\n"), (",", ".", "\r\n"), (";", ",", "\n")])
def test_a_regular_table_is_read_at_once_and_as_with_care(separator, decimal, end):
    rows = [f"s{at},{at / 7},{at / 9},-1e-5,.5" for at in range(1, 40)]
    text = "".join(line + end for line in [HEAD.strip(), *rows])
    content = text.replace(",", separator).replace(".", decimal).encode()
    numbers, cells = at_once(content)
    expected = with_care(content)
    assert np.array_equal(numbers, expected.numbers, equal_nan=True)
    assert cells == expected.text


@pytest.mark.parametrize("cell", ["", "NaN", "nan", "NA", "-", "---", "OVRFLW", "#N/A"])
def test_a_missing_value_is_a_gap_as_with_care(cell):
    content = (HEAD + f"s1,1,2,3,4\ns2,1,2,3,5\nNA,1,{cell},3,{cell}\ns4,1,2,3,6\n").encode()
    numbers, text = at_once(content)
    expected = with_care(content)
    assert np.array_equal(numbers, expected.numbers, equal_nan=True)
    assert np.argwhere(np.isnan(numbers[:, 1:])).tolist() == [[2, 1], [2, 3]]
    assert (text, expected.odd_cells) == (expected.text, ())


def test_empty_columns_behind_separators_at_the_line_ends_are_dropped_and_told():
    content = (HEAD.strip() + ",\n" + "".join(f"s{at},1,{at},3,4,\n" for at in range(9))).encode()
    (grid,) = DelimitedText().read(content, "a.csv", Dialect())
    assert grid.numbers.shape == (9, 5)
    assert "1 empty column at the end comes" in grid.notes[-1]
    assert at_once(content) is not None


@pytest.mark.parametrize(
    "line",
    [
        "s3,1,2,3",
        "s3,1,2,3,4,5",
        "s3,1,2,3, ",
        "s3,1,2,3,missing",
        "s3,1,2,3,-nan",
        "s3,1,2,3,nan(7)",
        "s3,1,2,3,inf",
        "s3,1,2,3,1e999",
        "s3,1,2,3,<0.05",
        "s3,1,2,3,1.5D-3",
        "s3,1,2,3,0x1p3",
        "s3,1,2,3,1_0",
        's3,1,2,3,"4"',
        "# a remark",
        "   ",
    ],
)
def test_whatever_is_not_regular_is_left_to_care(line):
    content = (HEAD + "s1,1,2,3,4\ns2,1,2,3,5\n" + line + "\ns4,1,2,3,6\n").encode()
    assert at_once(content) is None


def test_a_gap_below_many_regular_rows_is_found():
    rows = [f"s{at},1,2,3,4" for at in range(3000)]
    rows[2900] = "s2900,1,,3,4"
    (grid,) = DelimitedText().read((HEAD + "\n".join(rows)).encode(), "a.csv", Dialect())
    assert np.argwhere(np.isnan(grid.numbers[:, 1:])).tolist() == [[2900, 1]]
    assert grid.n_rows == 3000

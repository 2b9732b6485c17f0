"""What of a record that was read from JSON is taken for what it should be."""

import math
from dataclasses import dataclass

import pytest

from spectra_core.store.shapes import MOST, fits, shaped


@dataclass(frozen=True)
class Record:
    name: str
    n_spectra: int
    sizes: tuple[float, ...] = ()
    note: str = ""


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (True, int, False),
        (True, float, False),
        (True, bool, True),
        (1, bool, False),
        (MOST, int, True),
        (MOST + 1, int, False),
        (-MOST - 1, float, False),
        (math.inf, float, False),
        (math.nan, float, False),
        (0.5, int, False),
        (3, float, True),
        (None, str | None, True),
        (["Cu", 3], list[str], False),
        ({"Cu": True}, dict[str, float], False),
    ],
)
def test_a_value_is_of_its_kind_or_not(value, hint, expected):
    assert fits(value, hint) is expected


def test_a_record_has_its_fields_and_nothing_below_zero_is_counted():
    right = {"name": "A", "n_spectra": 0, "sizes": [0.5, 2], "of a later version": 1}
    assert shaped(Record, right) == Record("A", 0, (0.5, 2))
    for field, value, said in (
        ("n_spectra", -1, "'n_spectra' holds a number out of range"),
        ("n_spectra", True, "'n_spectra' holds yes or no"),
        ("sizes", [math.inf], "'sizes' holds"),
        ("name", None, "'name' holds nothing"),
    ):
        with pytest.raises(ValueError, match=said):
            shaped(Record, {**right, field: value})
    with pytest.raises(ValueError, match="'name' is missing"):
        shaped(Record, {"n_spectra": 0})

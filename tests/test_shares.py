"""Shares that arithmetic made, and shares that only look like none or all."""

import math

import pytest

from spectra_core.shares import percent


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (sum([0.1] * 10), "100"),  # 0.9999999999999999
        (1.0 - math.ulp(1.0), "100"),
        (math.fsum([0.1, 0.2, -0.3]), "under 0.1"),  # what is no rounding of all is no nothing
        (0.0, "0"),
        (1.0, "100"),
        (3743 / 3744, "over 99.9"),
        (1 / 3744, "0.03"),
        (1.0004, "over 100"),
        (1.1, "110"),
    ],
)
def test_none_and_all_are_said_of_none_and_all_alone(share, said):
    assert percent(share, 2 if said == "0.03" else 0) == f"{said}\N{NO-BREAK SPACE}%"

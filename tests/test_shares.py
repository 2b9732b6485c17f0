"""Numbers in words are never 0, 1, none or all unless they are."""

import math

import pandas as pd
import pytest

from spectra_core.evaluation.errors.sentences import change_sentence
from spectra_core.report.page import _cell
from spectra_core.shares import digits_below_one, percents
from ui import tables
from ui.text import significant

BELOW_ONE = [1.0 - 10.0**-power for power in range(1, 7)]


def read(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}%", ""))


@pytest.mark.parametrize("number", [1e-6, 0.004, 0.0499, 0.05, 0.949, 9.96, 99.49, 99.97, 99.9999, 250.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_change_reads_as_none_or_all_only_where_it_is(number, sign):
    said = read(percents(sign * number, sign=True))
    assert math.copysign(1.0, said) == sign
    assert said != 0
    assert abs(said) != 100
    assert said == pytest.approx(sign * number, rel=0.5 if number < 0.1 else 0.02, abs=0.05)


def test_no_change_and_all_of_it_are_said_so():
    assert (read(percents(0.0)), read(percents(1e-14)), read(percents(100.0))) == (0.0, 0.0, 100.0)
    assert percents(math.nan) == "not defined"


def test_an_interval_that_leaves_out_no_change_does_not_read_as_if_it_ended_there():
    said = change_sentence({"effect": -8.86, "low": -33.1, "high": -0.04})
    assert said.endswith("to \N{MINUS SIGN}0.04\N{NO-BREAK SPACE}%)")


@pytest.mark.parametrize("number", BELOW_ONE)
def test_a_number_below_1_does_not_read_as_1_on_pages_in_tables_and_reports(number):
    for n_digits in (2, 3):
        assert float(f"{number:.{digits_below_one(number, n_digits)}g}") < 1
        assert float(significant(number, n_digits)) < 1
    assert read(_cell(number)) < 1
    assert read(_cell(-number)) > -1
    shown = tables.columns(pd.DataFrame({"r2": [0.5, 1.0 - 1e-15, number]}))["r2"]["type_config"]["format"]
    assert float(shown % number) < 1


def test_what_is_1_but_for_arithmetic_reads_as_1():
    for number in (1.0, 1.0 - 2**-53):
        assert (significant(number), _cell(number)) == ("1.0", "1")
        assert tables.columns(pd.DataFrame({"r2": [number]}))["r2"]["type_config"]["format"] == "%.3g"

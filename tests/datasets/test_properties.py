"""What holds whatever the numbers are: order means nothing, conversions turn back, decisions do what numpy would."""

import math
from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.datasets import Recipe, understand
from spectra_core.datasets.conversions import AXIS_GOALS, concentration_factor, converted_axis, converted_signal
from spectra_core.datasets.ions import AMOUNT_UNITS, MASS_UNITS, USUAL_CHARGE, molar_mass, named_target
from spectra_core.datasets.numbers import is_missing, parse_number

N = 9
WORDS = ("Copper", "Nickel")
SEEDS = range(3)


def frame(seed: int) -> pd.DataFrame:
    """A table of spectra with ids, two targets and a batch; no two rows alike."""
    rng = np.random.default_rng(seed)
    signal = pd.DataFrame(rng.random((N, 12)).round(4), columns=[f"{at} nm" for at in range(400, 412)])
    targets = pd.DataFrame(rng.uniform(1, 9, (N, 2)).round(2), columns=list(WORDS))
    batch = pd.Series([f"batch {k}" for k in rng.permutation(N) % 4], name="batch")
    return pd.concat([pd.Series([f"s{k}" for k in rng.permutation(N)], name="sample"), targets, batch, signal], axis=1)


def understood(table: pd.DataFrame, others: dict[str, pd.DataFrame] | None = None, **decisions):
    files = {"spectra.csv": table, **(others or {})}
    contents = {name: one.to_csv(index=False).encode() for name, one in files.items()}
    return understand(contents, Recipe(**decisions))


def by_id(spectra) -> pd.DataFrame:
    """Signal, targets and group of every spectrum under its id; groups by the smallest id in them."""
    ids = spectra.samples["id"]
    groups = ids.groupby(spectra.groups).transform("min")
    signal = pd.DataFrame(spectra.signal, columns=spectra.axis.positions)
    table = pd.concat([signal, spectra.targets[sorted(spectra.target_names)], groups.rename("group")], axis=1)
    return table.set_index(ids).sort_index()


@pytest.mark.parametrize("seed", SEEDS)
class TestOrderMeansNothing:
    def test_of_rows(self, seed):
        table = frame(seed)
        turned = table.sample(frac=1, random_state=seed)
        pd.testing.assert_frame_equal(by_id(understood(table).build()), by_id(understood(turned).build()))

    def test_of_columns_beside_the_spectra(self, seed):
        table = frame(seed)
        expected = by_id(understood(table).build())
        channels = list(table.columns[4:])
        for order in list(permutations(table.columns[:4]))[seed::7]:
            pd.testing.assert_frame_equal(by_id(understood(table[[*order, *channels]]).build()), expected)
            pd.testing.assert_frame_equal(by_id(understood(table[[*channels, *order]]).build()), expected)

    def test_of_rows_in_a_table_that_is_joined_by_id(self, seed):
        table = frame(seed)
        alone = table[["sample", *WORDS]].sample(frac=1, random_state=seed)
        joined = understood(table.drop(columns=list(WORDS)), {"concentrations.csv": alone})
        pd.testing.assert_frame_equal(by_id(joined.build()), by_id(understood(table).build()))


@pytest.mark.parametrize("seed", SEEDS)
class TestDecisions:
    def test_written_down_leave_nothing_to_guess_and_give_the_same_set(self, seed):
        first = understood(frame(seed))
        again = understood(frame(seed), **vars(first.recipe_used()))
        assert (
            again.build().fingerprint == first.build().with_meta(provenance=again.build().meta.provenance).fingerprint
        )
        assert not [point for point in again.assumed if point.key.startswith("column")]

    def test_spectra_are_left_out_by_id_and_by_number_alike(self, seed):
        table = frame(seed)
        rows = np.random.default_rng(seed).choice(N, 3, replace=False)
        by_name = understood(table, leave_out_spectra=tuple(table["sample"].iloc[rows])).build()
        by_number = understood(table, leave_out_spectra=tuple(int(row) + 1 for row in rows)).build()
        expected = np.delete(table.iloc[:, 4:].to_numpy(), rows, axis=0)
        assert_array_equal(by_name.signal, expected)
        assert_array_equal(by_number.signal, expected)

    def test_channels_are_left_out_with_both_ends_of_a_range(self, seed):
        low, high = sorted(np.random.default_rng(seed).choice(range(401, 411), 2, replace=False))
        built = understood(frame(seed), leave_out_channels=((low, high),)).build()
        expected = [at for at in range(400, 412) if not low <= at <= high]
        assert_array_equal(built.axis.positions, expected)
        assert_array_equal(built.signal, frame(seed)[[f"{at} nm" for at in expected]].to_numpy())

    def test_gaps_are_filled_on_the_line_between_their_neighbours(self, seed):
        table, rng = frame(seed), np.random.default_rng(seed)
        signal = table.iloc[:, 4:].to_numpy()
        holes = np.zeros(signal.shape, dtype=bool)
        for row in rng.choice(N, 4, replace=False):
            holes[row, rng.choice(range(1, 11), 3, replace=False)] = True
        table.iloc[:, 4:] = np.where(holes, np.nan, signal)
        built = understood(table, gaps="interpolate").build()
        at = np.arange(400.0, 412.0)
        expected = [np.interp(at, at[~gone], row[~gone]) for row, gone in zip(signal, holes, strict=True)]
        assert_allclose(built.signal, expected, rtol=1e-12)

    def test_channels_at_one_position_are_averaged_or_the_first_is_taken(self, seed):
        table = frame(seed)
        double = table.rename(columns={"405 nm": "404 nm"})
        contents = {"a.csv": double.to_csv(index=False).encode()}
        mean, first = (understand(contents, Recipe(repeated_channels=how)).build() for how in ("mean", "first"))
        signal = table.iloc[:, 4:].to_numpy()
        assert_allclose(mean.signal[:, 4], signal[:, 4:6].mean(axis=1))
        assert_array_equal(first.signal, np.delete(signal, 5, axis=1))


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(".,"), st.sampled_from(["e", "E", "d", "D"]))
def test_a_number_is_read_as_it_was_written(value, decimal, exponent):
    text = repr(value).replace(".", decimal).replace("e", exponent)
    for cell in (text, f" {text} ", text.replace("-", "\u2212"), text if text.startswith("-") else f"+{text}"):
        assert parse_number(cell, decimal) == value
    assert not is_missing(text)


IN_WORDS = {1: ("{}+", "{}^+", "{}1+"), 2: ("{}2+", "{}^2+", "{}++", "{} 2+", "{}(II)"), 3: ("{}3+", "{}+3", "{}(III)")}


@pytest.mark.parametrize(("formula", "charge"), USUAL_CHARGE.items())
def test_an_ion_is_known_however_its_charge_is_written(formula, charge):
    ways = (
        IN_WORDS[abs(charge)] if charge > 0 else [way.replace("+", "-") for way in IN_WORDS[-charge] if "(" not in way]
    )
    for way, around in product(ways, ("{}", "[{}]", "c({}) (mM)", "conc_{}")):
        found = named_target(around.format(way.format(formula)))
        assert (found.formula, found.charge, found.stated) == (formula, charge, True), around.format(
            way.format(formula)
        )
        assert found.molar_mass == molar_mass(formula)
        assert found.unit == ("mmol/L" if "mM" in around else "")


@pytest.mark.parametrize(("unit", "goal"), list(product(AXIS_GOALS, AXIS_GOALS)))
def test_an_axis_that_was_converted_turns_back_and_stays_monotonic(unit, goal):
    positions = np.linspace(0.5, 9000.0, 40)
    there = converted_axis(positions, unit, goal)
    assert_allclose(converted_axis(there, goal, unit), positions, rtol=1e-13)
    steps = np.diff(there)
    assert (steps > 0).all() or (steps < 0).all()


@pytest.mark.parametrize(("unit", "goal"), list(product({**AMOUNT_UNITS, **MASS_UNITS}, repeat=2)))
def test_a_concentration_that_was_converted_turns_back_and_goes_any_way_round(unit, goal):
    there = concentration_factor(unit, goal, 63.546, "Cu")
    assert there * concentration_factor(goal, unit, 63.546, "Cu") == pytest.approx(1.0, rel=1e-12)
    for between in (*AMOUNT_UNITS, *MASS_UNITS):
        round_about = concentration_factor(unit, between, 63.546, "Cu") * concentration_factor(
            between, goal, 63.546, "Cu"
        )
        assert round_about == pytest.approx(there, rel=1e-12)
    # One mole of it weighs 63.546 g.
    if (unit, goal) == ("mol/L", "g/L"):
        assert there == pytest.approx(63.546)


@given(st.floats(-2.0, 6.0))
def test_absorbance_and_transmittance_turn_into_each_other(absorbance):
    signal = np.array([[absorbance]])
    passed = converted_signal(signal, "Absorbance", "", "Transmittance")
    assert passed[0, 0] == pytest.approx(math.exp(-absorbance * math.log(10.0)), rel=1e-12)
    assert converted_signal(passed, "Transmittance", "", "Absorbance")[0, 0] == pytest.approx(absorbance, abs=1e-12)
    assert converted_signal(100 * passed, "Transmittance", "%", "Absorbance")[0, 0] == pytest.approx(
        absorbance, abs=1e-12
    )

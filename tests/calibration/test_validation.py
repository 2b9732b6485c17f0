"""Reference values that come later: matched by id, and what they say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from spectra_core.calibration import calibrate, interval_calibration, validate
from spectra_core.datasets.references import read_references
from spectra_core.errors import ReadError, SpectraError
from spectra_core.spectra import SpectraSet, Target
from tests.conftest import beer_lambert_set

TARGETS = (Target("Cu2+", "mol/L"), Target("Ni2+", "mol/L"))


@pytest.fixture(scope="module")
def made():
    return calibrate(beer_lambert_set(100), regressor="ridge", targets=["Cu2+", "Ni2+"])


@pytest.fixture(scope="module")
def fresh():
    spectra = beer_lambert_set(50, seed=4)
    samples = pd.DataFrame({"id": [f"S{row}" for row in range(50)]})
    info, meta = spectra.target_info, spectra.meta
    return SpectraSet(spectra.axis, spectra.signal, spectra.targets, target_info=info, samples=samples, meta=meta)


def test_values_are_matched_by_id_in_any_order_and_gaps_stay_out(made, fresh):
    table = fresh.targets[["Cu2+", "Ni2+"]].assign(id=fresh.samples["id"])
    table.loc[[3, 4], "Cu2+"] = np.nan
    later = pd.concat([table.sample(frac=1, random_state=0), pd.DataFrame({"id": ["nobody"], "Cu2+": [1.0]})])
    found = validate(made, fresh, later)
    assert list(found.errors["n"]) == [48, 50]
    assert found.unmatched == ("nobody",)
    read = made.read(fresh)
    error = (read["value"] - fresh.with_targets(["Cu2+", "Ni2+"]).target_values.ravel())[read["target"] == "Ni2+"]
    of_nickel = found.errors.set_index("target").loc["Ni2+"]
    assert_allclose(of_nickel["rmsep"], np.sqrt((error**2).mean()))
    assert_allclose([of_nickel["bias"], of_nickel["sep"]], [error.mean(), error.std(ddof=1)])
    assert_allclose(of_nickel["bias_p"], stats.ttest_1samp(error, 0).pvalue)


def test_a_drift_in_measuring_order_is_found_and_none_where_there_is_none(made, fresh):
    drifting = fresh.with_targets(["Cu2+", "Ni2+"])
    later = drifting.targets.assign(id=fresh.samples["id"])
    later["Cu2+"] -= 0.001 * np.arange(50)  # readings rise by 0.1 per 100 spectra against these
    errors = validate(made, fresh, later).errors.set_index("target")
    assert_allclose(errors.loc["Cu2+", "drift"], 0.1, rtol=0.05)
    assert errors.loc["Cu2+", "drift_p"] < 1e-6
    assert errors.loc["Ni2+", "drift_p"] > 0.001


def test_coverage_is_counted_and_curves_rise(made, fresh):
    found = validate(made, fresh).coverage.set_index(["target", "level"])
    for level in (0.8, 0.95):
        read = made.read(fresh, level)
        rows = read[read["target"] == "Cu2+"].reset_index()
        inside = (rows["low"] <= fresh.targets["Cu2+"]) & (fresh.targets["Cu2+"] <= rows["high"])
        assert_allclose(found.loc[("Cu2+", level), "covered"], inside.mean())
    curve = interval_calibration(made)
    for _, rows in curve.groupby("target"):
        assert (np.abs(rows["covered"] - rows["level"]) < 0.05).all()
        assert rows["covered"].is_monotonic_increasing
        assert rows["width"].is_monotonic_increasing


def test_the_curve_judges_the_largest_third_among_itself_too_as_reading_does(made):
    level, errors = 0.9, made.errors[0]
    scores, place = np.abs(errors.residuals) / errors.size(errors.residuals, errors.place), errors.place
    third = place >= np.quantile(place, 2 / 3)
    # Errors of the largest third that are twice as large as its size tells are covered all the same.
    residuals = np.where(third, 2.0, 1.0) * errors.residuals
    worse = replace(made)
    worse.__dict__["errors"] = (replace(errors, residuals=residuals), *made.errors[1:])
    scores = np.where(third, 2.0, 1.0) * scores

    def reach(rows):
        known = np.sort(scores[rows])
        return known[int(np.ceil(level * (len(known) + 1) - 1e-9)) - 1]

    inside = []
    for row in range(len(scores)):
        others = made.fold != made.fold[row]
        ends = [reach(others), reach(others & third)] if third[row] else [reach(others)]
        inside.append(scores[row] <= max(ends))
    curve = interval_calibration(worse).set_index(["target", "level"]).loc[("Cu2+", level)]
    assert_allclose(curve["covered"], np.mean(inside))
    assert curve["covered_largest"] > 0.8


def test_crps_is_smaller_than_that_of_a_value_without_its_spread(made, fresh):
    found = validate(made, fresh)
    absolute = found.residuals.groupby("target")["error"].apply(lambda error: error.abs().mean())
    assert (found.errors.set_index("target")["crps"] < absolute).all()


def test_ids_that_do_not_tell_are_refused(made, fresh):
    other = fresh.targets.assign(id=[f"x{row}" for row in range(50)])
    with pytest.raises(SpectraError, match=r"ids are like 'x0', 'x1', 'x2', those of the spectra like 'S0'"):
        validate(made, fresh, other)
    with pytest.raises(SpectraError, match="The id 'S0' has several reference values"):
        validate(made, fresh, pd.DataFrame({"id": ["S0", "S0"], "Cu2+": [0.1, 0.2]}))


def test_labels_of_the_spectra_themselves_need_no_ids_but_the_same_units(made, fresh):
    samples = pd.DataFrame({"id": ["same"] * 50})
    info, meta = fresh.target_info, fresh.meta
    alike = SpectraSet(fresh.axis, fresh.signal, fresh.targets, target_info=info, samples=samples, meta=meta)
    assert_allclose(validate(made, alike).errors["rmsep"], validate(made, fresh).errors["rmsep"])
    grams = [replace(one, unit="mg/L") for one in info]
    other = SpectraSet(fresh.axis, fresh.signal, fresh.targets, target_info=grams, samples=samples, meta=meta)
    with pytest.raises(SpectraError, match="Cu2\\+ is given in mg/L"):
        validate(made, other)
    with pytest.raises(SpectraError, match="has none of the calibrated targets"):
        validate(made, fresh.with_targets(["NO3-"]))
    with pytest.raises(SpectraError, match="need a column 'id'"):
        validate(made, fresh, fresh.targets)


def test_few_calibration_samples_are_validated_at_the_levels_they_allow(fresh):
    few = calibrate(beer_lambert_set(8), regressor="ridge", targets=["Cu2+"])
    found = validate(few, fresh)
    assert list(found.coverage["level"]) == [0.8]
    assert_allclose(found.errors["width"], (few.read(fresh, 0.8)["high"] - few.read(fresh, 0.8)["low"]).mean())


class TestATableOfReferences:
    def test_is_read_by_the_names_of_the_targets_with_or_without_units(self):
        found = read_references({"lab.csv": b"sample;Cu2+ [mol/L];Ni2+;pH\nS1;0,01;0,02;7\nS2;;0,04;7,1\n"}, TARGETS)
        expected = pd.DataFrame({"id": ["S1", "S2"], "Cu2+": [0.01, np.nan], "Ni2+": [0.02, 0.04]})
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (b"sample,Cu2+ [mg/L]\nS1,1\nS2,2\n", "given in mg/L, but the calibration reads Cu2\\+, mol/L"),
            (b"sample,pH\nS1,1\nS2,2\n", "No column is named as a calibrated target"),
            (b"Cu2+,Ni2+\n0.1,0.2\n0.2,0.3\n", "no column is named so"),
            (b"sample,Cu2+\nS1,0.1\nS2,lost\nS3,0.3\nS4,0.3\nS5,0.3\n", "where values are expected: S2, lost"),
            (b"sample,Cu2+\nS1,0.1\nS2,0.3\nS3,0.3\nS4,<0.01\nS5,0.3\n", "'<0.01', which is no number"),
        ],
    )
    def test_that_cannot_be_used_is_refused_in_a_sentence(self, text, said):
        with pytest.raises(ReadError, match=said):
            read_references({"lab.csv": text}, TARGETS)

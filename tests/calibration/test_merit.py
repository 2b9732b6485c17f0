"""Figures of merit against formulas written down by hand."""

import csv
import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from spectra_core.calibration import calibrate, coefficient_table, figures_of_merit, regression_vectors
from spectra_core.calibration.merit import detection_limits, line_of
from spectra_core.choices import Choice
from spectra_core.datasets.formulas import table_csv
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.regressors.choice import RegressorChoice
from spectra_core.spectra import SpectralAxis, SpectraSet
from tests.conftest import BANDS, beer_lambert_set

SMOOTHED = RegressorChoice("pls", {}, (Choice("savitzky_golay", {"derivative": 1}),))


@pytest.fixture(scope="module")
def made():
    return calibrate(beer_lambert_set(80, noise=2e-3), regressor="pls", n_folds=5)


def test_errors_are_those_of_their_definitions(made):
    table = figures_of_merit(made).set_index("target")
    y, out, inside = made.train.target_values[:, 0], made.held_out[:, 0], made.fitted[:, 0]
    found, e = table.loc["Cu2+"], out - y
    sep = np.sqrt(((e - e.mean()) ** 2).sum() / 79)
    assert_allclose(found["rmsec"], np.sqrt(((inside - y) ** 2).mean()))
    assert_allclose(found["rmsecv"], np.sqrt((e**2).mean()))
    assert_allclose([found["bias"], found["sep"]], [e.mean(), sep])
    assert_allclose(found["r2"], 1 - ((inside - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    assert_allclose(found["q2"], 1 - (e**2).sum() / ((y - y.mean()) ** 2).sum())
    assert_allclose(found["rpd"], y.std(ddof=1) / sep)
    assert_allclose(found["rpiq"], (np.quantile(y, 0.75) - np.quantile(y, 0.25)) / sep)


def test_the_line_and_its_region_are_those_of_the_f_test():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, 30)
    y = 0.05 + 0.97 * x + 0.02 * rng.normal(size=30)
    line, theirs = line_of(x, y), stats.linregress(x, y)
    assert_allclose([line.slope, line.offset], [theirs.slope, theirs.intercept])
    left = ((y - theirs.intercept - theirs.slope * x) ** 2).sum()
    assert_allclose(line.p_ideal, stats.f.sf((((y - x) ** 2).sum() - left) / 2 / (left / 28), 2, 28))
    for offset, slope in line.region(0.95)[["offset", "slope"]].to_numpy()[::17]:
        more = ((y - offset - slope * x) ** 2).sum() - left
        assert_allclose(more / 2 / (left / 28), stats.f.ppf(0.95, 2, 28))


@pytest.mark.parametrize(("shift", "factor"), [(1e8, 1.0), (0.0, 1e-200), (0.0, 1e90), (2.0**50, 1.0)])
def test_the_line_is_the_same_far_from_zero_and_in_any_unit(shift, factor):
    """Dates, or traces in mol/L: y - x, and with it slope - 1 and the test, do not know where zero lies."""
    rng = np.random.default_rng(0)
    x = factor * (shift + np.round(rng.uniform(0, 100, 30)))
    y = x + factor * np.round(4 * rng.normal(size=30) - 2)  # exact in float64
    near = x / factor - shift
    line, expected = line_of(x, y), line_of(near, near + (y - x) / factor)
    assert_allclose([line.slope - 1, line.p_ideal], [expected.slope - 1, expected.p_ideal], rtol=1e-6)
    assert_allclose(line.offset / factor, expected.offset + shift - expected.slope * shift, rtol=1e-6)
    assert_allclose(line.covariance[1, 1], expected.covariance[1, 1], rtol=1e-6)
    outline = line.region()
    assert np.isfinite(outline.to_numpy()).all()


def test_signals_whose_fourth_powers_overflow_are_refused():
    spectra = beer_lambert_set(20)
    with pytest.raises(SpectraError, match="fourth powers"):
        calibrate(SpectraSet(spectra.axis, 1e99 * spectra.signal, spectra.targets), regressor="ridge", n_folds=4)


def test_one_channel_has_the_limit_of_iupac():
    rng = np.random.default_rng(4)
    y = np.linspace(0.0, 2.0, 21)
    x = 0.1 + 3.0 * y + 1e-4 * rng.normal(size=21)
    samples = pd.DataFrame({"id": [str(row) for row in range(21)]})
    one = SpectraSet(SpectralAxis(np.array([500.0])), x[:, None], pd.DataFrame({"c": y}), samples=samples)
    least, most = detection_limits(calibrate(one, regressor="pls", n_folds=5), noise=1e-4)["c"]
    slope = np.polyfit(y, x, 1)[0]
    by_hand = 3.3 * 1e-4 / slope * np.sqrt(1 + 1 / 21 + y.mean() ** 2 / ((y - y.mean()) ** 2).sum())
    assert_allclose([least, most], by_hand, rtol=1e-4)
    with_labels = detection_limits(calibrate(one, regressor="pls", n_folds=5), noise=0.0, reference_sd={"c": 0.1})
    leverage = 1 / 21 + y.mean() ** 2 / ((y - y.mean()) ** 2).sum()
    assert_allclose(with_labels["c"][0], 3.3 * 0.1 * np.sqrt(leverage))


def test_copies_named_as_replicates_are_no_noise(made):
    spectra = beer_lambert_set(40)
    rows = np.repeat(np.arange(20), 2)
    samples = pd.DataFrame({"group": rows.astype(str)})
    info, meta = spectra.target_info, spectra.meta
    twice = SpectraSet(
        spectra.axis, spectra.signal[rows], spectra.targets.iloc[rows], target_info=info, samples=samples, meta=meta
    )
    found = figures_of_merit(calibrate(twice, regressor="ridge", n_folds=4))
    assert (found["lod_most"] > 0).all()
    assert np.isfinite(found["analytical_sensitivity"]).all()


def test_sensitivity_and_selectivity_are_those_of_the_net_signal():
    positions = np.linspace(220.0, 1000.0, 50)
    pure = np.array([h * np.exp(-0.5 * ((positions - c) / w) ** 2) for c, w, h in BANDS.values()])
    rng = np.random.default_rng(1)
    targets = rng.uniform(0, 0.2, (400, 4))
    signal = targets @ pure + 1e-5 * rng.normal(size=(400, 50))
    spectra = SpectraSet(SpectralAxis(positions), signal, pd.DataFrame(targets, columns=list(BANDS)))
    table = figures_of_merit(calibrate(spectra, regressor="pls", n_folds=3), noise=1e-5).set_index("target")
    for number, name in enumerate(BANDS):
        others = np.delete(pure, number, axis=0)
        net = pure[number] - np.linalg.lstsq(others.T, pure[number], rcond=None)[0] @ others
        size = np.linalg.norm(net)  # Lorber, Anal. Chem. 1986, 58, 1167
        found = table.loc[name]
        assert_allclose(found["sensitivity"], size, rtol=0.02)
        assert_allclose(found["selectivity"], size / np.linalg.norm(pure[number]), rtol=0.02)
        assert_allclose(found["analytical_sensitivity"], size / 1e-5, rtol=0.02)


@pytest.mark.parametrize("choice", ["pls", "ridge", SMOOTHED], ids=str)
def test_coefficients_reproduce_predictions_without_this_program(choice):
    spectra, new = beer_lambert_set(60), beer_lambert_set(20, seed=9)
    made = calibrate(spectra, regressor=choice, n_folds=3)
    rows = list(csv.reader(io.StringIO(table_csv(coefficient_table(made)).decode())))
    assert rows[0] == ["channel", "Cu2+, mol/L", "Ni2+, mol/L", "SO4 2-, mol/L", "NO3-, mol/L"]
    assert rows[1][0] == "intercept"
    assert_allclose([float(row[0]) for row in rows[2:]], spectra.axis.positions)
    numbers = np.array([[float(cell) for cell in row[1:]] for row in rows[1:]])
    by_hand = numbers[0] + new.signal @ numbers[1:]
    assert_allclose(by_hand, made.parts[0].model.predict(new), rtol=1e-8, atol=1e-10)


def test_other_regressors_say_why_they_have_none_and_show_their_gradient():
    spectra = beer_lambert_set(40)
    curved = calibrate(spectra, regressor="gaussian_process", n_folds=3)
    table = figures_of_merit(curved)
    assert table["lod_most"].isna().all()
    assert table["note"].str.contains("defined for linear calibrations").all()
    with pytest.raises(ConfigError, match="Gaussian process has no coefficients"):
        coefficient_table(curved)
    assert not regression_vectors(curved)["linear"].any()
    # Clipping far above all spectra changes nothing, but is no linear step: the gradient must be ridge's own vector.
    clipped = RegressorChoice("ridge", {}, (Choice("clip", {"level": 900.0}),))
    plain, same = (calibrate(spectra, regressor=one, n_folds=3) for one in ("ridge", clipped))
    assert_allclose(regression_vectors(same)["coefficient"], regression_vectors(plain)["coefficient"], rtol=1e-6)


def test_ions_without_a_band_have_no_limit_of_detection_however_the_fit_answers():
    settings = replace(PRESETS["beer_lambert"], step=10.0)
    table = figures_of_merit(calibrate(simulate(settings, n_spectra=120, seed=0), regressor="pls")).set_index("target")
    for ion in ("Zn2+", "Li+", "NH4+"):
        assert table.loc[ion, "note"].startswith("Not seen"), ion
        assert table.loc[ion, ["lod_least", "lod_most", "sensitivity", "selectivity"]].isna().all()
    assert (table.loc[["Cu2+", "Ni2+", "NO3-"], "lod_most"] > 0).all()


def test_a_target_that_is_only_guessed_has_no_limit_of_detection():
    spectra = beer_lambert_set(60)
    guess = np.random.default_rng(0).uniform(size=60)
    blind = SpectraSet(spectra.axis, spectra.signal, pd.DataFrame({"pH": guess}))
    table = figures_of_merit(calibrate(blind, regressor="pls", n_folds=3))
    assert np.isnan(table["lod_most"][0])
    assert table["note"][0].startswith("Not seen")

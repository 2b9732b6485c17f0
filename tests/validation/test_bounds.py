"""The floor of errors: reached by the best estimator, passed by nobody."""

import numpy as np
import pandas as pd
import pytest

from spectra_core.datasets.simulator import PRESETS, SimulationSettings, identifiability, identifiability_of, simulate
from spectra_core.datasets.simulator.bounds import clean_jacobian, fisher_information, independent_salts
from spectra_core.datasets.simulator.instrument import measure, noise_sd
from spectra_core.datasets.simulator.ions import IONS, SALTS, salt_matrix
from spectra_core.datasets.simulator.optics import clean_absorbance, optics_of
from spectra_core.datasets.simulator.solutions import Solutions, speciate, with_acid
from spectra_core.errors import ConfigError
from spectra_core.store import Store

NOISE_ONLY = {
    "path_sd": 0, "wavelength_sd": 0, "slit": 0, "blank_temperature_sd": 0, "lamp_change_sd": 0, "offset_sd": 0,
    "slope_sd": 0, "stray_light": 0, "stray_light_uv": 0, "digit": 0,
}  # fmt: skip
SMALL = {"salts": ["Cu(NO3)2", "CuSO4", "Fe(NO3)3", "(NH4)2SO4"], "design": "random", "step": 10.0,
         "first_wavelength": 250.0}  # fmt: skip


def clean_at(settings: SimulationSettings, salts: np.ndarray) -> np.ndarray:
    ions = with_acid(np.atleast_2d(salts) @ salt_matrix(settings.salts), settings)
    return clean_absorbance(settings, Solutions(None, ions, speciate(settings, ions)))


def test_what_was_kept_gives_the_same_bits_as_what_is_computed(tmp_path):
    settings, memo = PRESETS["msu_like"], Store(tmp_path).memo("speciation")
    computed, looked_up = (identifiability(settings, n_points=10, memo=memo) for _ in range(2))
    pd.testing.assert_frame_equal(computed, looked_up, check_exact=True)
    pd.testing.assert_frame_equal(computed, identifiability(settings, n_points=10), check_exact=True)


def test_salts_span_seven_dimensions():
    assert len(independent_salts(list(SALTS))) == np.linalg.matrix_rank(salt_matrix(list(SALTS))) == 7


def test_derivatives_agree_with_central_differences():
    settings = SimulationSettings(**SMALL, max_concentration=0.02)
    point = np.array([0.01, 0.005, 0.002, 0.008])
    salts = independent_salts(settings.salts)
    _, jacobian = clean_jacobian(settings, point[None] @ salt_matrix(settings.salts), salts)
    rows = [settings.salts.index(salt) for salt in salts]
    for slope, row in zip(jacobian[0], rows, strict=True):
        step = np.zeros(4)
        step[row] = 1e-5
        central = (clean_at(settings, point + step) - clean_at(settings, point - step))[0] / 2e-5
        # 1e-3 of the largest: both differences are of second order
        np.testing.assert_allclose(slope, central, atol=1e-3 * np.abs(central).max())


def test_information_is_the_curvature_of_the_likelihood():
    """Brute force: F = second derivative of the mean log likelihood, nuisances integrated out by their covariance."""
    settings = SimulationSettings(**SMALL, max_concentration=0.02, speciation=False, instrument={"digit": 0.0})
    point = np.array([0.01, 0.005, 0.0002, 0.008])
    information = fisher_information(settings, point[None] @ salt_matrix(settings.salts))
    optics, instrument = optics_of(settings), settings.instrument_model
    wavelengths, clean = optics.wavelengths, clean_at(settings, point)[0]
    stray = np.exp(np.interp(wavelengths, [190, 300], np.log([1e-3, 2e-4])))

    def seen(absorbance):
        return -np.log10((10.0**-absorbance + stray) / (1 + stray))

    passed = 10.0 ** -seen(clean)
    covariance = np.diag((noise_sd(passed, wavelengths, instrument) / passed / np.log(10)) ** 2)
    nuisance = {
        instrument.path_sd: clean,
        instrument.wavelength_sd: np.gradient(clean, wavelengths),
        instrument.blank_temperature_sd: optics.water_by_temperature,
        instrument.lamp_change_sd: (wavelengths < 340).astype(float),
        instrument.slope_sd: np.linspace(-1, 1, len(wavelengths)),
    }
    shapes = [*nuisance.items(), (instrument.offset_sd, np.ones(len(wavelengths)))]
    # lamp change and offset share a size: keys of the mapping above must not have swallowed one
    assert len(shapes) == 6
    for sd, shape in shapes:
        effect = (seen(clean + 1e-6 * shape) - seen(clean - 1e-6 * shape)) / 2e-6
        covariance += sd**2 * np.outer(effect, effect)
    rows = [settings.salts.index(salt) for salt in information.salts]
    slopes = []
    for row in rows:
        step = np.zeros(4)
        step[row] = 1e-6
        slopes.append((seen(clean_at(settings, point + step)) - seen(clean_at(settings, point - step)))[0] / 2e-6)
    expected = np.array(slopes) @ np.linalg.inv(covariance) @ np.array(slopes).T
    np.testing.assert_allclose(information.fisher[0], expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max() ** 0.5)


def test_weighted_least_squares_with_the_true_model_reaches_the_plain_bound():
    """On noise alone, with PHREEQC in the loop: the spread of 300 fits is the bound, not below, not above."""
    settings = SimulationSettings(**SMALL, max_concentration=0.02, instrument=NOISE_ONLY)
    truth = np.array([0.01, 0.005, 0.0004, 0.008])
    salts = independent_salts(settings.salts)
    assert salts == settings.salts
    fisher = fisher_information(settings, truth[None] @ salt_matrix(salts)).fisher[0]
    bound = np.sqrt(np.diag(np.linalg.inv(fisher)))
    optics, instrument = optics_of(settings), settings.instrument_model
    clean = clean_at(settings, truth)
    shown = measure(np.repeat(clean, 300, axis=0), optics.wavelengths, instrument, np.random.default_rng(0))
    sd = noise_sd(10.0**-clean, optics.wavelengths, instrument) / (10.0**-clean * np.log(10))
    _, jacobian = clean_jacobian(settings, truth[None] @ salt_matrix(salts), salts)
    slopes = jacobian[0] / sd
    estimates = np.repeat(truth[None], 300, axis=0)
    for _ in range(3):  # Gauss-Newton from the truth: the noise moves estimates by far less than curvature matters
        left = (shown - clean_at(settings, np.maximum(estimates, 0.0))) / sd
        estimates = estimates + np.linalg.solve(slopes @ slopes.T, slopes @ left.T).T
    error = estimates - truth
    # 300 draws: standard deviations scatter by 4.1 %; 13 % is three times that.
    np.testing.assert_allclose(error.std(axis=0), bound, rtol=0.13)
    assert (np.abs(error.mean(axis=0)) < 4 * bound / np.sqrt(300)).all()  # without bias


@pytest.fixture(scope="module")
def linear() -> SimulationSettings:
    return PRESETS["beer_lambert"]


def test_without_light_nothing_is_known_beyond_the_design(linear):
    """A hundredfold noise leaves the prior: bounds rise to its standard deviation, known by formula."""
    blind = SimulationSettings.from_dict(
        {**linear.to_dict(), "instrument": {"dark_noise": 1e4, "shot_noise": 1e4, "shot_noise_infrared": 1e4}}
    )
    table = identifiability(blind, n_points=1000).set_index("target")
    # zinc: two salts, uniform to 0.02 mol/L each; 4 %: 4096 draws of the prior, twice
    assert table.loc["Zn2+", "prior_sd"] == pytest.approx(0.02 * np.sqrt(2 / 12), rel=0.04)
    # 6 %: the bound keeps what both halves of the solutions agree on, and never more
    np.testing.assert_allclose(table["bayesian_bound"], table["prior_sd"], rtol=0.06)
    np.testing.assert_allclose(table["expected_error"], table["prior_sd"], rtol=0.04)
    assert not table["identifiable"].any()


def test_bounds_are_ordered_and_never_above_the_prior(linear):
    for settings in (linear, PRESETS["msu_like"], PRESETS["iron"]):
        table = identifiability(settings, n_points=30)
        assert (table["bayesian_bound"] <= table["prior_sd"]).all()
        assert (table["expected_error"] <= table["prior_sd"]).all()
        # the strict bound lies below the approximation; 5 %: its expectation runs over 30 solutions
        assert (table["bayesian_bound"] <= 1.05 * table["expected_error"]).all()
        assert (table["plain_low"] <= table["plain_bound"]).all()
        assert (table["plain_bound"] <= table["plain_high"]).all()


@pytest.fixture(scope="module")
def errors_of_regressors(linear) -> pd.DataFrame:
    """Root mean square error by ion of calibrations with 4000 spectra, on 2000 fresh ones."""
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    train, test = simulate(linear, n_spectra=4000, seed=1), simulate(linear, n_spectra=2000, seed=2)
    floor = identifiability(linear, n_points=100).set_index("target")
    scaler = StandardScaler().fit(train.target_values)
    rows = {}
    for name, alpha in (("weak", 1e-4), ("medium", 1e-2), ("strong", 1.0)):
        model = Ridge(alpha, solver="svd").fit(train.signal[:, ::2], scaler.transform(train.target_values))
        error = scaler.inverse_transform(model.predict(test.signal[:, ::2])) - test.target_values
        rows[name] = np.sqrt((error**2).mean(axis=0))
    return pd.DataFrame(rows, index=list(train.target_names)).join(floor)


def test_no_calibration_beats_the_bayesian_bound(errors_of_regressors):
    best = errors_of_regressors[["weak", "medium", "strong"]].min(axis=1)
    assert (best >= errors_of_regressors["bayesian_bound"]).all()


def test_calibrations_come_near_the_expected_error_where_the_model_is_linear(errors_of_regressors):
    """Ions that show: ridge on 4000 spectra gets within a factor of three; ions that hide: within a tenth."""
    best = errors_of_regressors[["weak", "medium", "strong"]].min(axis=1)
    ratio = best / errors_of_regressors["expected_error"]
    hidden = ["Li+", "NH4+", "Zn2+", "SO4 2-"]
    assert (ratio > 0.9).all()
    assert (ratio[hidden] < 1.15).all()


def test_colourless_ions_are_marked_and_coloured_ones_are_not():
    table = identifiability(PRESETS["dilute"], n_points=60).set_index("target")["identifiable"]
    assert table[["Cu2+", "Ni2+", "Fe3+"]].all()
    assert not table[["Li+", "NH4+"]].any()


def test_a_set_knows_its_own_floor(linear, mixtures):
    spectra = simulate(linear, n_spectra=5, seed=0)
    pd.testing.assert_frame_equal(identifiability_of(spectra, n_points=10), identifiability(linear, n_points=10))
    assert identifiability_of(mixtures) is None


class Kept(dict):
    """A memo that computes for as long as it may."""

    is_full = False

    def arrays(self, key, compute):
        if key not in self:
            assert not self.is_full
            self[key] = compute()
        return self[key]


def test_equilibria_of_a_floor_are_looked_up_where_they_are_kept():
    spectra, memo = simulate(SimulationSettings(**SMALL), n_spectra=5, seed=0), Kept()
    first = identifiability_of(spectra, n_points=4, memo=memo)
    assert memo
    memo.is_full = True
    pd.testing.assert_frame_equal(identifiability_of(spectra, n_points=4, memo=memo), first)


def test_an_instrument_without_noise_has_no_bound(linear):
    silent = {"dark_noise": 0, "shot_noise": 0, "shot_noise_infrared": 0, "flicker_noise": 0, "digit": 0}
    with pytest.raises(ConfigError, match="without noise lets everything be known"):
        identifiability(SimulationSettings.from_dict({**linear.to_dict(), "instrument": silent}), n_points=4)


def test_ions_that_no_salt_brings_are_left_out():
    table = identifiability(SimulationSettings(salts=["CuSO4", "NiSO4"], design="random"), n_points=4)
    assert list(table["target"]) == [ion for ion in IONS if ion in {"Cu2+", "Ni2+", "SO4 2-"}]

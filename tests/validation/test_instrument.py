"""Each step of the instrument against a formula or a direct computation."""

import numpy as np
import pytest

from spectra_core.datasets.simulator import instrument as ins
from spectra_core.datasets.simulator.instrument import PERFECT, Instrument
from spectra_core.errors import ConfigError

AXIS = np.arange(190.0, 1101.0)
BAND = 1.2 * np.exp(-0.5 * ((AXIS - 500.0) / 40.0) ** 2)
MANY = 4000


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def only(**sizes: float) -> Instrument:
    return Instrument(**{**{name: getattr(PERFECT, name) for name in PERFECT.__dataclass_fields__}, **sizes})


def test_a_perfect_instrument_shows_the_truth():
    np.testing.assert_allclose(ins.measure(BAND[None], AXIS, PERFECT, rng()), BAND[None], atol=1e-12)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"path_sd": 0.003}, 0.003 * BAND),
        ({"wavelength_sd": 0.05}, 0.05 * np.abs(np.gradient(BAND, AXIS))),
        ({"offset_sd": 0.001}, np.full(len(AXIS), 0.001)),
        ({"slope_sd": 0.001}, 0.001 * np.abs(np.linspace(-1, 1, len(AXIS)))),
        ({"lamp_change_sd": 0.001}, 0.001 * (AXIS < 340)),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_nuisance_has_its_stated_size(sizes, expected):
    shown = ins.measure(np.repeat(BAND[None], MANY, axis=0), AXIS, only(**sizes), rng())
    # standard deviations of 4000 draws scatter by 1.1 %; 5 % is more than four times that
    np.testing.assert_allclose(shown.std(axis=0), expected, rtol=0.05, atol=1e-9)


def test_a_blank_of_another_temperature_shows_water():
    slope = np.linspace(0, 1e-3, len(AXIS))
    shown = ins.measure(
        np.zeros((MANY, len(AXIS))), AXIS, only(blank_temperature_sd=0.7), rng(), water_by_temperature=slope
    )
    np.testing.assert_allclose(shown.std(axis=0), 0.7 * slope, rtol=0.05, atol=1e-12)


def test_the_slit_averages_transmittance_over_a_triangle():
    fine = np.arange(400.0, 600.001, 0.01)
    true = 2.0 * np.exp(-0.5 * ((fine - 500.0) / 15.0) ** 2)  # sharper than any band here
    weight = np.maximum(1 - np.abs(np.arange(-1.0, 1.001, 0.01)), 0)  # full width at half maximum 1 nm
    averaged = -np.log10(np.convolve(10.0**-true, weight / weight.sum(), mode="same"))
    coarse = np.arange(410.0, 590.5, 1.0)
    index = np.round((coarse - 400.0) * 100).astype(int)
    shown = ins.pass_slit(true[index][None], coarse, only(slit=1.0))[0]
    np.testing.assert_allclose(shown, averaged[index], atol=2e-5)
    assert np.abs(true[index] - averaged[index]).max() > 3e-4  # there is something to get right


def test_stray_light_makes_a_plateau_in_the_deep_ultraviolet():
    shown = ins.measure(np.full((50, len(AXIS)), 8.0), AXIS, Instrument(), rng())
    plateau = np.median(shown, axis=0)
    assert plateau[0] == pytest.approx(3.0, abs=0.05)  # -log10 of 1e-3 at 190 nm
    assert plateau[AXIS == 300.0][0] == pytest.approx(3.7, abs=0.1)  # -log10 of 2e-4
    assert (np.diff(plateau[:110:10]) > 0).all()


def test_noise_per_channel_is_recovered_from_replicates():
    """Offset and rounding off, nuisances off: the spread of replicates is sigma_T / (T ln 10)."""
    instrument = only(dark_noise=5e-5, shot_noise=3e-4, shot_noise_infrared=2e-3, flicker_noise=2e-4)
    shown = ins.measure(np.repeat(BAND[None], MANY, axis=0), AXIS, instrument, rng())
    passed = 10.0**-BAND
    shot = np.exp(np.interp(AXIS, [650, 1000], np.log([3e-4, 2e-3])))
    expected = np.sqrt(5e-5**2 + shot**2 * passed + (2e-4 * passed) ** 2) / (passed * np.log(10))
    np.testing.assert_allclose(shown.std(axis=0), expected, rtol=0.06)


def test_noise_has_the_size_that_was_measured_on_a_real_instrument():
    instrument = only(dark_noise=5e-5, shot_noise=3e-4, shot_noise_infrared=2e-3, flicker_noise=2e-4)
    milli = 1e3 * ins.measure(np.zeros((MANY, len(AXIS))), AXIS, instrument, rng()).std(axis=0)
    visible, infrared = milli[(AXIS >= 300) & (AXIS <= 620)], milli[(AXIS >= 1000) & (AXIS <= 1055)]
    assert (visible > 0.12).all()
    assert (visible < 0.5).all()
    assert (infrared > 0.8).all()
    assert (infrared < 1.0).all()


def test_the_display_rounds_and_stops_counting():
    shown = ins.measure(np.full((1, len(AXIS)), 7.0), AXIS, only(digit=0.001, max_absorbance=5.0), rng())
    assert (shown == 5.0).all()
    shown = ins.measure(BAND[None], AXIS, only(digit=0.001), rng())
    np.testing.assert_allclose(shown * 1000, np.round(shown * 1000), atol=1e-9)
    assert np.abs(shown - BAND).max() <= 0.0005 + 1e-12


def test_saturated_is_where_more_light_strays_than_passes():
    instrument = only(stray_light=1e-3, stray_light_uv=1e-3)
    mask = ins.saturated(np.array([[2.9, 3.1]]), np.array([400.0, 401.0]), instrument)
    assert mask.tolist() == [[False, True]]


@pytest.mark.parametrize("value", [-1e-3, float("nan"), True, "wide"])
def test_a_size_that_is_none_is_refused(value):
    with pytest.raises(ConfigError, match="path_sd must be a number from 0 to 1000"):
        Instrument(path_sd=value)

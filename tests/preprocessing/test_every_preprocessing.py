"""Every preprocessing against its formula, another library, or a spectrum whose answer is known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.choices import Choice
from spectra_core.errors import ConfigError, NotFittedError, SpectraError
from spectra_core.experiment import RegressorChoice
from spectra_core.preprocessing import PREPROCESSINGS
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.choice import build_regressor, regressor_from_json, regressor_title
from spectra_core.spectra import SpectralAxis, SpectraSet
from tests.conftest import beer_lambert_set


@pytest.fixture(scope="module")
def halves(mixtures):
    return mixtures.take(np.arange(40)), mixtures.take(np.arange(40, 60))


@pytest.mark.parametrize("name", PREPROCESSINGS)
class TestEveryPreprocessing:
    def test_learns_from_training_spectra_only(self, name, halves):
        train, test = halves
        fitted = PREPROCESSINGS[name]().fit(train)
        alone = fitted.transform(test.take([3])).signal
        together = fitted.transform(test).signal
        assert_allclose(alone[0], together[3], rtol=1e-12, atol=1e-14)

    def test_keeps_targets_axis_number_and_precision(self, name, halves):
        train, _ = halves
        single = SpectraSet(
            train.axis,
            train.signal.astype(np.float32),
            train.targets,
            target_info=train.target_info,
            meta=train.meta,
        )
        out = PREPROCESSINGS[name]().fit(single).transform(single)
        assert (len(out), out.axis, out.signal.dtype) == (len(train), train.axis, np.float32)
        assert_array_equal(out.target_values, train.target_values)

    def test_comes_back_from_its_arrays(self, name, halves):
        train, test = halves
        fitted = PREPROCESSINGS[name]().fit(train)
        again = PREPROCESSINGS[name]().from_arrays(fitted.to_arrays(), train.frame)
        assert_array_equal(again.transform(test).signal, fitted.transform(test).signal)

    def test_before_a_fit_is_a_sentence(self, name, mixtures):
        with pytest.raises(NotFittedError, match="is not fitted"):
            PREPROCESSINGS[name]().transform(mixtures)

    def test_spectra_on_another_axis_are_refused(self, name, mixtures):
        fitted = PREPROCESSINGS[name]().fit(mixtures)
        with pytest.raises(SpectraError):
            fitted.transform(beer_lambert_set(n_channels=40))

    def test_a_regressor_after_it_survives_storage(self, name, halves):
        train, test = halves
        choice = RegressorChoice("ridge", {}, (Choice(name),))
        fitted = build_regressor(choice).fit(train)
        again = build_regressor(choice).from_arrays(fitted.to_arrays(), train.frame)
        assert_array_equal(again.predict(test), fitted.predict(test))


def with_signal(mixtures, signal):
    return SpectraSet(mixtures.axis, signal, mixtures.targets, target_info=mixtures.target_info, meta=mixtures.meta)


def transformed(name, spectra, **options):
    return PREPROCESSINGS[name](**options).fit(spectra).transform(spectra)


def test_clip_moves_nothing_but_what_is_above_the_level(mixtures):
    out = transformed("clip", mixtures, level=0.5).signal
    assert_array_equal(out, np.where(mixtures.signal > 0.5, 0.5, mixtures.signal))


def test_absorbance_2_lets_a_hundredth_of_the_light_pass(mixtures):
    spectra = with_signal(mixtures, np.full(mixtures.signal.shape, 2.0))
    out = transformed("transmittance", spectra)
    assert_allclose(out.signal, 0.01, rtol=1e-12)
    assert out.meta.quantity == "Transmittance"


def test_snv_gives_mean_0_and_standard_deviation_1_and_forgets_offset_and_size(mixtures):
    out = transformed("snv", mixtures).signal
    assert_allclose(out.mean(axis=1), 0.0, atol=1e-12)
    assert_allclose(out.std(axis=1, ddof=1), 1.0, rtol=1e-12)
    assert_allclose(transformed("snv", with_signal(mixtures, 3.0 * mixtures.signal + 0.2)).signal, out, atol=1e-9)


def test_msc_returns_every_copy_of_the_mean_spectrum_moved_and_scaled_to_the_mean(mixtures):
    shape = mixtures.signal.mean(axis=0)
    size = np.linspace(0.5, 1.5, len(mixtures))[:, None]  # the mean of all sizes is 1, of all offsets 0
    signal = size * shape + np.linspace(-0.1, 0.1, len(mixtures))[:, None]
    out = transformed("msc", with_signal(mixtures, signal)).signal
    assert_allclose(out, np.tile(shape, (len(mixtures), 1)), rtol=1e-9, atol=1e-12)


def test_derivative_of_a_parabola_is_its_slope_everywhere(mixtures):
    position = mixtures.axis.positions
    signal = np.tile(2e-6 * position**2 + 1e-3 * position, (len(mixtures), 1))
    out = transformed("savitzky_golay", with_signal(mixtures, signal)).signal
    assert_allclose(out[0], 4e-6 * position + 1e-3, rtol=1e-9)


def test_falling_axis_gives_the_same_derivative_as_the_rising_one(mixtures):
    turned = SpectraSet(SpectralAxis(mixtures.axis.positions[::-1]), mixtures.signal[:, ::-1])
    bare = SpectraSet(mixtures.axis, mixtures.signal)
    rising, falling = (transformed("savitzky_golay", one).signal for one in (bare, turned))
    assert_allclose(falling[:, ::-1], rising, rtol=1e-9, atol=1e-15)


def test_a_constant_spectrum_is_no_division_by_zero(mixtures):
    signal = mixtures.signal.copy()
    signal[5] = 0.3
    spectra = with_signal(mixtures, signal)
    for name in ("snv", "msc"):
        assert np.isfinite(transformed(name, spectra).signal).all()


def test_uneven_channels_are_refused_for_derivatives(mixtures):
    positions = mixtures.axis.positions.copy()
    positions[-1] += 5.0
    spectra = SpectraSet(SpectralAxis(positions), mixtures.signal)
    with pytest.raises(SpectraError, match=r"needs channels at even distances.*Resample the spectra onto an even grid"):
        PREPROCESSINGS["savitzky_golay"]().fit(spectra)


def test_clipping_transmittance_is_refused(mixtures):
    with pytest.raises(SpectraError, match="computed from absorbance, but these spectra hold Transmittance"):
        PREPROCESSINGS["clip"]().fit(transformed("transmittance", mixtures))


def test_a_polynomial_of_more_orders_than_its_window_tells_is_refused():
    with pytest.raises(ConfigError, match="order lies from the derivative"):
        PREPROCESSINGS["savitzky_golay"](order=11)
    with pytest.raises(ConfigError, match="from 3 to 9999 in steps of 2, got 4"):
        PREPROCESSINGS["savitzky_golay"](window=4)


def test_corrections_of_scatter_warn_that_they_destroy_concentrations():
    assert "concentration" in PREPROCESSINGS["snv"].caution
    assert "concentration" in PREPROCESSINGS["msc"].caution


def test_preprocessing_by_hand_and_in_a_choice_give_the_same_predictions(halves):
    train, test = halves
    fitted = build_regressor(RegressorChoice("pls", {}, (Choice("clip", {"level": 0.8}), Choice("snv")))).fit(train)
    clip = PREPROCESSINGS["clip"](level=0.8).fit(train)
    snv = PREPROCESSINGS["snv"]().fit(clip.transform(train))
    by_hand = REGRESSORS["pls"]().fit(snv.transform(clip.transform(train)))
    assert_array_equal(fitted.predict(test), by_hand.predict(snv.transform(clip.transform(test))))


def test_choice_with_preprocessing_survives_json_and_one_without_is_a_plain_choice():
    choice = RegressorChoice("pls", {"scale_channels": True}, (Choice("clip", {"level": 2.5}),))
    assert regressor_from_json(choice.to_json()) == choice
    assert regressor_title(choice) == "PLS after Clipped absorbance (level 2.5)"
    assert regressor_from_json({"name": "pls", "options": {}, "preprocessing": []}) == Choice("pls")


def test_unknown_preprocessing_is_named_and_the_known_ones_are_listed():
    with pytest.raises(ConfigError, match=r"Unknown preprocessing 'snvv'\. Known preprocessings: clip, msc, "):
        build_regressor(RegressorChoice("pls", {}, (Choice("snvv"),)))

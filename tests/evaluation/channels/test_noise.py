"""The noise estimate against its closed form, scipy's Savitzky-Golay filter, and known noise."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import savgol_filter

from spectra_core.errors import SpectraError
from spectra_core.evaluation.channels import noise
from spectra_core.spectra import SpectralAxis, SpectraSet

REGULAR = SpectralAxis(np.arange(40.0) + 200)
IRREGULAR = SpectralAxis(np.cumsum(np.random.default_rng(0).uniform(0.2, 2.0, 40))[::-1], "Wavenumber", "1/cm")


def _smooth(axis, n_spectra, rng):
    """Broad bands of varying height: curvature over five channels is far below the noise used here."""
    t = (axis.positions - axis.positions.min()) / np.ptp(axis.positions)
    return rng.uniform(0.5, 1.5, (n_spectra, 1)) * np.exp(-0.5 * ((t - 0.5) / 0.4) ** 2)


@pytest.mark.parametrize("axis", [REGULAR, IRREGULAR], ids=["regular", "irregular and falling"])
def test_any_cubic_leaves_no_residual(axis):
    x = (axis.positions - axis.positions.mean()) / 10
    cubic = np.vstack([np.polyval(c, x) for c in np.random.default_rng(1).normal(size=(6, 4))])
    assert_allclose(noise.local_residual(cubic, axis), 0.0, atol=1e-12 * np.abs(cubic).max())


def test_on_a_regular_axis_it_is_the_scaled_savitzky_golay_residual():
    signal = np.random.default_rng(2).normal(size=(3, 40))
    left = signal - savgol_filter(signal, 5, 3, axis=1)
    # The centre residual of that filter is 3/35 (1, -4, 6, -4, 1): length 3/35 sqrt(70).
    expected = left[:, 2:-2] / (3 / 35 * np.sqrt(70))
    assert_allclose(noise.local_residual(signal, REGULAR)[:, 2:-2], expected, atol=1e-12)


@pytest.mark.parametrize("axis", [REGULAR, IRREGULAR], ids=["regular", "irregular"])
def test_known_white_noise_is_found_under_broad_bands(axis):
    rng = np.random.default_rng(4)
    level = np.linspace(0.001, 0.003, 40)
    signal = _smooth(axis, 4000, rng) + level * rng.standard_normal((4000, 40))
    # Five channels share a window, so the estimate averages the level over it: 10 % of its slope at the ends.
    assert_allclose(noise.noise_level(SpectraSet(axis, signal)), level, rtol=0.12)


def test_halved_noise_gives_a_headline_of_one_half_and_fresh_noise_of_one():
    rng = np.random.default_rng(5)

    def draw(level, n_spectra):
        return SpectraSet(REGULAR, _smooth(REGULAR, n_spectra, rng) + level * rng.standard_normal((n_spectra, 40)))

    sets = {"training": draw(0.01, 900), "held-out": draw(0.01, 300), "generated": draw(0.005, 900)}
    summary = noise.noise_summary(noise.noise_fidelity(sets)).set_index("role")
    # A standard deviation from n spectra has a relative error of about 1/sqrt(2 n): 4 % at 300.
    assert_allclose(summary["ratio"][["generated", "held-out"]], [0.5, 1.0], rtol=0.05)
    assert_allclose(summary["share_alike"][["generated", "held-out"]], [0.0, 1.0])


def test_a_channel_without_noise_in_training_has_no_ratio():
    quiet = SpectraSet(REGULAR, np.zeros((5, 40)))
    loud = SpectraSet(REGULAR, np.random.default_rng(0).normal(size=(5, 40)))
    table = noise.noise_fidelity({"training": quiet, "generated": loud})
    assert table["ratio"].isna().all()
    assert noise.noise_summary(table)["n_channels"].item() == 0


def test_replicate_noise_is_the_pooled_standard_deviation_within_groups():
    rng = np.random.default_rng(6)
    signal = rng.normal(size=(7, 40))
    samples = pd.DataFrame({"group": ["a", "a", "a", "b", "b", "c", "c"]})
    # The two spectra of "c" differ in their target: they are the same sample series, not replicates.
    targets = pd.DataFrame({"ion": [1, 1, 1, 2, 2, 3, 4]})
    found = noise.replicate_noise(SpectraSet(REGULAR, signal, targets, samples=samples))
    squares = 2 * signal[:3].var(axis=0, ddof=1) + signal[3:5].var(axis=0, ddof=1)
    assert_allclose(found, np.sqrt(squares / 3))
    assert noise.replicate_noise(SpectraSet(REGULAR, signal, targets)) is None
    # One pair alone is enough; groups of one spectrum each tell nothing.
    few = SpectraSet(REGULAR, signal[:3], samples=pd.DataFrame({"group": ["a", "b", "a"]}))
    assert_allclose(noise.replicate_noise(few), signal[[0, 2]].std(axis=0, ddof=1))
    assert noise.replicate_noise(few.take([0, 1])) is None


def test_where_the_axis_has_its_zero_changes_nothing():
    signal = np.random.default_rng(0).normal(size=(20, 40))
    centred = SpectralAxis(np.arange(40.0) - 20.0, "Raman shift", "1/cm")
    found = noise.noise_level(SpectraSet(centred, signal))
    assert_allclose(found, noise.noise_level(SpectraSet(REGULAR, signal)), rtol=1e-12)


def test_summary_holds_quantiles_over_the_channels_of_a_known_ratio():
    table = pd.DataFrame({"role": "generated", "ratio": np.linspace(0.5, 1.5, 101)})
    row = noise.noise_summary(table).iloc[0]
    # 0.8 to 1.25 are 46 of 101 even steps of a hundredth.
    assert row[["q05", "ratio", "q95"]].tolist() == pytest.approx([0.55, 1.0, 1.45])
    assert (row["share_alike"], row["n_channels"]) == (pytest.approx(46 / 101), 101)


def test_noise_given_back_brings_the_headline_to_one_and_says_so():
    rng = np.random.default_rng(7)
    experimental = SpectraSet(REGULAR, _smooth(REGULAR, 900, rng) + 0.01 * rng.standard_normal((900, 40)))
    smooth = SpectraSet(REGULAR, _smooth(REGULAR, 900, rng) + 0.002 * rng.standard_normal((900, 40)))
    noisy = noise.with_noise(smooth, experimental, np.random.default_rng(0))
    summary = noise.noise_summary(noise.noise_fidelity({"training": experimental, "generated": noisy}))
    assert_allclose(summary["ratio"], 1.0, rtol=0.03)
    assert noisy.meta.provenance["noise_given_back"] == experimental.fingerprint
    same = noise.with_noise(experimental, experimental, np.random.default_rng(0))
    assert_array_equal(same.signal, experimental.signal)


def test_noise_given_to_each_grows_with_the_signal_as_that_of_experimental_spectra():
    rng = np.random.default_rng(7)
    level = np.tile(rng.permutation(np.repeat([0.0, 1.0], 300))[:, None], 40)
    experimental = SpectraSet(REGULAR, level + (0.01 + 0.09 * level) * rng.standard_normal((600, 40)))
    smooth = SpectraSet(REGULAR, level + 1e-3 * rng.standard_normal((600, 40)))
    noisy = noise.with_noise_by_signal(smooth, experimental, np.random.default_rng(0)).signal - level
    assert_allclose([noisy[level == at].std() for at in (0.0, 1.0)], [0.01, 0.1], rtol=0.05)


def test_four_channels_are_too_few_to_read_noise_from():
    axis = SpectralAxis(np.arange(4.0))
    with pytest.raises(SpectraError, match="5 neighbouring channels, but the spectra have 4"):
        noise.noise_level(SpectraSet(axis, np.ones((3, 4))))


def test_sharp_structure_that_all_spectra_share_is_not_noise():
    noisy = 0.01 * np.random.default_rng(8).standard_normal((400, 40))
    spike = np.zeros(40)
    spike[20] = 1.0
    expected = noise.noise_level(SpectraSet(REGULAR, noisy))
    assert_allclose(noise.noise_level(SpectraSet(REGULAR, noisy + spike)), expected, rtol=0.01)


def test_noise_does_not_depend_on_how_many_channels_are_measured_at_once(monkeypatch):
    spectra = SpectraSet(SpectralAxis(np.arange(20.0)), np.random.default_rng(0).normal(size=(31, 20)))
    together = noise.noise_level(spectra)
    monkeypatch.setattr(noise, "BLOCK_VALUES", 1)
    assert_allclose(noise.noise_level(spectra), together, rtol=1e-13)

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.generators import Jitter, Mixing
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet
from tests.conftest import beer_lambert_set


@pytest.mark.parametrize("noise", [1e-3, 2e-2])
def test_jitter_adds_the_noise_of_the_data(noise):
    spectra = beer_lambert_set(n_spectra=200, noise=noise)
    jitter = Jitter(level=2.0).fit(spectra)
    made = jitter.generate(2000, np.random.default_rng(0))
    rows = made.samples["parent"].astype(int).to_numpy() - 1
    added = made.signal - spectra.signal[rows]
    assert added.std() == pytest.approx(2 * noise, rel=0.03)
    # Per channel: 200 spectra give the noise to 5 %, three standard errors are 15 %.
    assert_allclose(added.std(axis=0), 2 * noise, rtol=0.2)
    assert_array_equal(made.target_values, spectra.target_values[rows])


def test_jitter_of_level_zero_repeats_the_spectra(mixtures):
    made = Jitter(level=0.0).fit(mixtures).generate(60, np.random.default_rng(0))
    rows = made.samples["parent"].astype(int).to_numpy() - 1
    assert_array_equal(made.signal, mixtures.signal[rows])
    assert sorted(rows) == list(range(60))


def test_mixtures_of_beer_lambert_spectra_obey_beer_lambert():
    clean = beer_lambert_set(noise=0.0)
    made = Mixing(saturation=None).fit(clean).generate(200, np.random.default_rng(0))
    absorptivity = np.linalg.lstsq(clean.target_values, clean.signal, rcond=None)[0]
    assert_allclose(made.signal, made.target_values @ absorptivity, atol=1e-12)
    assert ((made.target_values >= 0) & (made.target_values <= clean.target_values.max(axis=0))).all()


def pair(one, other, quantity="Absorbance"):
    """Two flat spectra, each twice, since four spectra are the fewest; ids 1 and 3 are equal, so are 2 and 4."""
    signal = np.outer([one, other, one, other], np.ones(3)) * [1.0, 0.5, 0.1]
    return SpectraSet(
        SpectralAxis(np.arange(3.0)),
        signal,
        pd.DataFrame({"c": [one, other, one, other]}),
        meta=SetMeta(quantity=quantity),
    )


def test_saturated_channels_are_those_of_the_main_parent():
    made = Mixing(saturation=2.0).fit(pair(4.0, 0.0)).generate(400, np.random.default_rng(0))
    main = np.where(made.samples["parent"].str[0].isin(["1", "3"]), 4.0, 0.0)
    assert_array_equal(made.signal[:, 0], main)
    # The second channel reaches 2.0, saturation too; the third, at most 0.4, is mixed as the labels are.
    assert_array_equal(made.signal[:, 1], main * 0.5)
    assert_allclose(made.signal[:, 2], made.target_values[:, 0] * 0.1, atol=1e-12)
    mixed = (made.target_values[:, 0] > 0) & (made.target_values[:, 0] < 4)
    assert mixed.sum() > 200
    assert (np.abs(made.target_values[:, 0] - main) <= 2.0).all()  # the main parent's share is at least one half


def test_mixing_fades_out_over_half_an_absorbance_below_saturation():
    made = Mixing(saturation=2.0).fit(pair(1.75, 0.0)).generate(400, np.random.default_rng(0))
    main = np.where(made.samples["parent"].str[0].isin(["1", "3"]), 1.75, 0.0)
    full = made.target_values[:, 0]
    assert_allclose(made.signal[:, 0], main + 0.5 * (full - main), atol=1e-12)


def test_other_quantities_know_no_saturation():
    made = Mixing(saturation=2.0).fit(pair(4.0, 0.0, "Intensity")).generate(50, np.random.default_rng(0))
    assert_allclose(made.signal[:, 0], made.target_values[:, 0], atol=1e-12)


def test_a_spectrum_is_never_mixed_with_itself(mixtures):
    made = Mixing().fit(mixtures).generate(500, np.random.default_rng(0))
    one, other = zip(*made.samples["parent"].str.split(" + ", regex=False), strict=True)
    assert all(a != b for a, b in zip(one, other, strict=True))

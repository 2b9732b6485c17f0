"""Nuisances are measured where they were planted, and made as they were asked for."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.generators import Nuisances
from spectra_core.spectra import SpectralAxis, SpectraSet
from tests.conftest import beer_lambert_set

NONE = Nuisances(offset=0.0, slope=0.0, gain=0.0, shift=0.0, noise=0.0)


def changed(spectra, signal):
    return SpectraSet(spectra.axis, signal, spectra.targets, target_info=spectra.target_info)


def planted(kind, size):
    """Spectra with one nuisance of a known size, and hardly any noise."""
    spectra = beer_lambert_set(300, 80, noise=1e-4)
    drawn = size * np.random.default_rng(7).standard_normal((300, 1))
    line = np.linspace(-1.0, 1.0, 80)
    slope = np.gradient(spectra.signal, spectra.axis.positions, axis=1)
    added = {"offset": drawn, "slope": drawn * line, "gain": drawn * spectra.signal, "shift": -drawn * slope}
    return changed(spectra, spectra.signal + added[kind])


@pytest.mark.parametrize(("kind", "size"), [("offset", 0.02), ("slope", 0.03), ("gain", 0.05), ("shift", 2.0)])
def test_a_planted_nuisance_is_measured_in_its_unit(kind, size):
    fitted = Nuisances().fit(planted(kind, size))
    # 300 draws give a standard deviation to 4 %, and the regression on targets takes a little of gains and shifts.
    assert fitted.units_[kind] == pytest.approx(size, rel=0.15)


@pytest.mark.parametrize("kind", ["offset", "slope", "gain"])
def test_each_nuisance_changes_spectra_in_its_own_way(kind):
    spectra = planted("offset", 0.02)
    fitted = replace(NONE, **{kind: 2.0}).fit(spectra)
    made = fitted.generate(600, np.random.default_rng(0))
    rows = made.samples["parent"].astype(int).to_numpy() - 1
    assert_array_equal(made.target_values, spectra.target_values[rows])
    added, clean = made.signal - spectra.signal[rows], fitted.clean_[rows]
    patterns = {"offset": np.ones_like(clean), "slope": np.linspace(-1.0, 1.0, 80) + 0.0 * clean, "gain": clean}
    pattern = patterns[kind]
    factor = (added * pattern).sum(axis=1) / (pattern**2).sum(axis=1)
    assert_allclose(added, factor[:, None] * pattern, atol=1e-9)
    assert factor.std() == pytest.approx(2.0 * fitted.units_[kind], rel=0.1)


@pytest.mark.parametrize("rising", [True, False])
def test_shifts_are_along_the_axis_whichever_way_it_runs(rising):
    """A wide band is found again where it was moved to, by its centre of mass."""
    positions = np.linspace(400.0, 600.0, 101)[:: 1 if rising else -1]
    rng = np.random.default_rng(1)
    heights, moved = rng.uniform(0.5, 1.5, 200), 3.0 * rng.standard_normal(200)
    signal = heights[:, None] * np.exp(-0.5 * ((positions - 500.0 - moved[:, None]) / 20.0) ** 2)
    signal += 1e-5 * rng.standard_normal(signal.shape)
    spectra = SpectraSet(SpectralAxis(positions), signal, pd.DataFrame({"c": heights}))
    fitted = replace(NONE, shift=1.0).fit(spectra)
    assert fitted.units_["shift"] == pytest.approx(3.0, rel=0.15)
    made = fitted.generate(2000, np.random.default_rng(0))
    rows = made.samples["parent"].astype(int).to_numpy() - 1
    centre = [(one * positions).sum(axis=1) / one.sum(axis=1) for one in (made.signal, signal[rows])]
    assert (centre[0] - centre[1]).std() == pytest.approx(fitted.units_["shift"], rel=0.1)
    assert abs((centre[0] - centre[1]).mean()) < 0.3


def test_targets_that_explain_all_leave_no_unit_but_the_noise():
    fitted = Nuisances().fit(beer_lambert_set(4, 20))
    assert set(fitted.units_.values()) == {0.0}
    assert (fitted.noise_ >= 0).all()


def test_spectra_without_targets_or_of_one_channel_are_changed_too():
    spectra = beer_lambert_set(20, 10)
    for some in (SpectraSet(spectra.axis, spectra.signal), SpectraSet(SpectralAxis([5.0]), spectra.signal[:, :1])):
        made = Nuisances().fit(some).generate(40, np.random.default_rng(0))
        assert np.isfinite(made.signal).all()


def test_level_zero_repeats_the_spectra():
    spectra = beer_lambert_set(30, 20)
    made = NONE.fit(spectra).generate(30, np.random.default_rng(0))
    rows = made.samples["parent"].astype(int).to_numpy() - 1
    assert_allclose(made.signal, spectra.signal[rows], atol=1e-12)

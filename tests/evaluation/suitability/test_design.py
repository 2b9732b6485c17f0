"""Dependent targets, repeats and idle channels of sets built to have them."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from spectra_core.evaluation.suitability import design
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet, Target
from tests.conftest import beer_lambert_set


def _with_targets(targets, info=None):
    return SpectraSet(SpectralAxis(np.arange(3.0)), np.ones((len(targets), 3)), targets, target_info=info)


def _relations(spectra):
    table = design.target_dependence(spectra)
    return {row.target: row.relation for row in table.itertuples() if row.relation}


RNG = np.random.default_rng(0)
CU, NI, CR = RNG.uniform(0, 0.1, (3, 40))


def test_nitrate_of_three_nitrates_is_named_even_when_rounded():
    nitrate = np.round(2 * CU + 2 * NI + 3 * CR, 4)
    spectra = _with_targets(pd.DataFrame({"Cu": CU, "Ni": NI, "Cr": CR, "NO3": nitrate}))
    assert _relations(spectra) == {"NO3": "NO3 = 2 Cu + 2 Ni + 3 Cr"}
    assert design.target_rank(design.target_dependence(spectra)) == 3


def test_anions_are_written_in_cations_whatever_the_order_of_columns():
    targets = pd.DataFrame({"SO4": CU + NI, "Cl": CR, "Cu": CU, "Ni": NI})
    info = [Target("SO4", charge=-2), Target("Cl", charge=-1), Target("Cu", charge=2), Target("Ni", charge=2)]
    assert _relations(_with_targets(targets, info)) == {"SO4": "SO4 = Cu + Ni"}


@pytest.mark.parametrize(
    ("values", "relation"),
    [
        (0.3 - CU, "x = -Cu + 0.3"),
        (CU / 2 - 0.137 * NI, "x = 1/2 Cu - 0.137 Ni"),
        (np.full(40, 0.25), "x = 0.25"),
        (np.zeros(40), "x = 0"),
    ],
    ids=["closure", "fraction and difference", "constant", "zero"],
)
def test_relation_is_written_as_a_chemist_would(values, relation):
    assert _relations(_with_targets(pd.DataFrame({"Cu": CU, "Ni": NI, "x": values}))) == {"x": relation}


def test_one_percent_of_scatter_makes_a_target_independent():
    blurred = CU * (1 + 0.01 * RNG.standard_normal(40))
    assert _relations(_with_targets(pd.DataFrame({"Cu": CU, "x": blurred}))) == {}


def test_as_many_spectra_as_unknowns_show_no_dependence():
    spectra = _with_targets(pd.DataFrame({"a": [1.0, 2.0], "b": [5.0, 1.0]}))
    assert _relations(spectra) == {}


def test_balanced_mixtures_of_three_salts_have_rank_three():
    dependence = design.target_dependence(beer_lambert_set())
    assert design.target_rank(dependence) == 3
    # Charge balance 2 Cu + 2 Ni = 2 SO4 + NO3, solved for the last anion.
    assert dependence["relation"].iloc[-1] == "NO3- = 2 Cu2+ + 2 Ni2+ - 2 SO4 2-"


def test_a_set_without_targets_has_an_empty_table():
    spectra = SpectraSet(SpectralAxis(np.arange(3.0)), np.ones((4, 3)))
    assert design.target_dependence(spectra).empty
    assert np.isnan(design.repeats(spectra)["n_mixtures"].item())


def test_repeats_count_groups_duplicates_and_mixtures():
    signal = np.arange(15.0).reshape(5, 3)
    signal[4] = signal[0]
    samples = pd.DataFrame({"group": ["a", "a", "b", "c", "d"]})
    targets = pd.DataFrame({"ion": [1, 1, 2, 2, 1]})
    row = design.repeats(SpectraSet(SpectralAxis(np.arange(3.0)), signal, targets, samples=samples)).iloc[0]
    # Rows 0, 1 (group a) and 4 (duplicate of 0) belong together.
    assert list(row) == [5, 3, 3, 1, 2]


def test_idle_saturated_and_negative_channels_are_told_apart_for_absorbance_only():
    signal = np.array([[0.5, 3.5, -0.1], [0.5, 1.0, 0.2]])
    table = design.channel_check(SpectraSet(SpectralAxis(np.arange(3.0)), signal))
    assert_array_equal(table["constant"], [True, False, False])
    assert_array_equal(table["share_saturated"], [0, 0.5, 0])
    assert_array_equal(table["share_negative"], [0, 0, 0.5])
    intensity = SpectraSet(SpectralAxis(np.arange(3.0)), signal, meta=SetMeta(quantity="Intensity"))
    assert design.channel_check(intensity)["share_saturated"].isna().all()


@pytest.mark.skipif("SPECTRA_REFERENCE_DATA" not in os.environ, reason="SPECTRA_REFERENCE_DATA is not set")
def test_nitrate_of_the_published_carbon_dots_set_is_named():
    path = Path(os.environ["SPECTRA_REFERENCE_DATA"]) / "real" / "carbon_dots_cu_ni_cr_no3_ex350.csv.gz"
    targets = pd.read_csv(path, usecols=["Cu", "Ni", "Cr", "NO3"])
    # The data's own description says so: four labels on three dimensions.
    assert _relations(_with_targets(targets)) == {"NO3": "NO3 = 2 Cu + 2 Ni + 3 Cr"}

"""The salts of a published data set, found from its labels alone."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.conditions import CONDITIONS
from spectra_core.conditions.salts import salt_basis
from spectra_core.spectra import SpectralAxis, SpectraSet

FOLDER = os.environ.get("SPECTRA_REFERENCE_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="SPECTRA_REFERENCE_DATA is not set: no reference data to read")


@pytest.fixture(scope="module")
def carbon_dots() -> SpectraSet:
    assert FOLDER is not None
    table = pd.read_csv(Path(FOLDER) / "real" / "carbon_dots_cu_ni_cr_no3_ex350.csv.gz", nrows=1000)
    targets = table[["Cu", "Ni", "Cr", "NO3"]]
    return SpectraSet(SpectralAxis(np.arange(2.0)), np.ones((len(targets), 2)), targets)


def test_nitrate_is_found_to_balance_copper_nickel_and_chromium(carbon_dots):
    basis = salt_basis(carbon_dots)
    assert basis.relations == ("NO3 = 2 Cu + 2 Ni + 3 Cr",)
    assert_array_equal(basis.matrix, [[1, 0, 0, 2], [0, 1, 0, 2], [0, 0, 1, 3]])
    assert_allclose(basis.upper, 4.95)


@pytest.mark.parametrize("name", sorted(set(CONDITIONS) - {"independent_uniform"}))
def test_drawn_sets_balance_nitrate(name, carbon_dots):
    sets = CONDITIONS[name]().draw(carbon_dots, 300, np.random.default_rng(0))
    assert_allclose(sets["NO3"], 2 * sets["Cu"] + 2 * sets["Ni"] + 3 * sets["Cr"], atol=1e-12)

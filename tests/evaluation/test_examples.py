"""Chosen spectra span the set."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spectra_core.errors import SpectraError
from spectra_core.evaluation.examples import examples, spectra_rows
from spectra_core.spectra import SpectralAxis, SpectraSet

STRENGTH = np.array([3.0, 0.0, 4.0, 1.0, 2.0])
SPECTRA = SpectraSet(SpectralAxis(np.arange(2.0)), np.outer(STRENGTH, [1.0, 2.0]))


def test_examples_run_from_the_weakest_to_the_strongest_spectrum():
    table = examples({"training": SPECTRA}, n_spectra=3)
    assert_array_equal(table["sample"], [1, 1, 4, 4, 2, 2])
    assert_array_equal(table["signal"], [0, 0, 2, 4, 4, 8])
    assert_array_equal(table["id"], ["2", "2", "5", "5", "3", "3"])


def test_a_small_set_is_shown_whole():
    assert examples({"generated": SPECTRA}, n_spectra=50)["sample"].nunique() == 5
    assert examples({"generated": SPECTRA}, n_spectra=1)["sample"].nunique() == 1


def test_no_chosen_spectra_are_refused():
    with pytest.raises(SpectraError, match="No spectra are chosen"):
        spectra_rows({"training": SPECTRA}, {"training": np.array([], dtype=np.int64)})

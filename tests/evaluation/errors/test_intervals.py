"""Scores of intervals and ensembles against their definitions."""

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose

from spectra_core.evaluation.errors.intervals import crps, interval_measures


def test_crps_is_its_double_sum_and_that_of_a_normal_distribution():
    rng = np.random.default_rng(0)
    observed, members = rng.normal(size=5), rng.normal(size=(5, 13))
    for y, x, score in zip(observed, members, crps(observed, members), strict=True):
        pairs = np.mean([abs(one - other) for one in x for other in x])
        assert_allclose(score, np.mean(np.abs(x - y)) - pairs / 2)
    many = np.sort(rng.normal(size=(1, 40_000)))
    # Gneiting & Raftery 2007, eq. 22: at its centre a standard normal distribution scores (sqrt 2 - 1) / sqrt pi.
    assert_allclose(crps(np.zeros(1), many), (np.sqrt(2) - 1) / np.sqrt(np.pi), rtol=0.02)


def test_an_interval_pays_for_its_width_and_for_what_it_misses():
    table = pd.DataFrame({"target": "a", "low": [0.0, 0.0], "high": [2.0, 4.0], "reference": [1.0, 5.0]})
    row = interval_measures(table, 0.9).iloc[0]
    assert (row["n"], row["covered"], row["width"]) == (2, 0.5, 3.0)
    assert_allclose(row["score"], (2.0 + 4.0 + 2 / 0.1 * 1.0) / 2)

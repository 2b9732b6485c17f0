"""Spectra on one grid: values against straight lines and cubics, and what lies outside is refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spectra_core.datasets.resampling import resampled
from spectra_core.errors import ReadError

POSITIONS = np.array([400.0, 401.0, 403.0, 406.0, 410.0])
GOAL = np.array([400.0, 402.0, 405.5, 410.0])


@pytest.mark.parametrize("turned", [False, True], ids=["rising", "falling"])
@pytest.mark.parametrize(
    ("method", "curve"), [("linear", lambda x: 2 * x - 700), ("cubic", lambda x: (x - 404) ** 3 - 5 * (x - 404))]
)
def test_a_curve_of_the_methods_own_kind_comes_back_exactly(method, curve, turned):
    positions = POSITIONS[::-1] if turned else POSITIONS
    signal = np.stack([curve(positions), -curve(positions)])
    assert_allclose(resampled(signal, positions, GOAL, method), [curve(GOAL), -curve(GOAL)], atol=1e-9)


@pytest.mark.parametrize("goal", [[399.999, 405.0], [405.0, 410.001], [410.5, 411.0], [405.0, 390.0]])
@pytest.mark.parametrize("turned", [False, True], ids=["rising", "falling"])
@pytest.mark.parametrize("method", ["linear", "cubic"])
def test_positions_beyond_either_end_are_refused(goal, turned, method):
    positions = POSITIONS[::-1] if turned else POSITIONS
    with pytest.raises(ReadError, match="leaves the range 400 to 410 of the spectra"):
        resampled(np.ones((1, 5)), positions, np.array(goal), method)


@pytest.mark.parametrize("positions", [[1.0, 2.0, 2.0, 3.0], [1.0, 3.0, 2.0, 4.0], [2.0, 1.0, 3.0, 4.0]])
def test_an_axis_that_repeats_or_turns_back_is_refused(positions):
    with pytest.raises(ReadError, match="must rise or fall steadily"):
        resampled(np.ones((1, 4)), np.array(positions), np.array([2.5]))

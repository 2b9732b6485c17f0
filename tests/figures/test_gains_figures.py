import numpy as np
import pandas as pd
from numpy.testing import assert_allclose

from spectra_core.figures.gains import dose_response, error_by_density, learning_curves
from spectra_core.figures.theme import BLUE, ORANGE

KINDS = {"Step-matched": "step_matched", "VAE": "generated"}


def test_learning_curves_have_one_line_per_arm_and_panel_in_the_colour_of_its_kind():
    summary = pd.DataFrame(
        [
            {"arm": arm, "target": target, "n_train": n, "rmsep_mean": 1.0 / n, "rmsep_sd": np.nan}
            for arm in KINDS
            for target in ("Cu", "Ni")
            for n in (400, 100)
        ]
    )
    figure = learning_curves(summary, arm_kinds=KINDS, units={"Cu": "mol/L"})
    assert [(trace.name, trace.line.color) for trace in figure.data[:2]] == [("Step-matched", BLUE), ("VAE", ORANGE)]
    assert len(figure.data) == 4
    assert list(figure.data[0].x) == [100, 400]
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]
    assert figure.layout.yaxis.title.text == "RMSEP, mol/L"
    assert figure.layout.xaxis.title.text == "Experimental<br>spectra"


def test_dose_response_shows_effect_and_interval_in_percent():
    rows = pd.DataFrame(
        {
            "family": "VAE",
            "target": "Cu",
            "ratio": [2.0, 0.5],
            "effect": [10.0, -2.0],
            "low": [5.0, -6.0],
            "high": [20.0, 1.0],
        }
    )
    trace = dose_response(rows, kinds={"VAE": "generated"}, smallest_effect=5.0).data[0]
    assert list(trace.x) == [0.5, 2.0]
    assert_allclose(trace.y, [-2.0, 10.0])
    assert_allclose(trace.error_y.array, [3.0, 10.0])
    assert_allclose(trace.error_y.arrayminus, [4.0, 5.0])


def test_density_axis_says_what_zero_is():
    binned = pd.DataFrame({"arm": "VAE", "centre": [0.5, -1.0], "rmsep": [1.0, 2.0]})
    figure = error_by_density(binned, arm_kinds={"VAE": "generated"}, target="Cu", unit="mol/L")
    assert list(figure.data[0].x) == [-1.0, 0.5]
    assert "0: as at the median" in figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text == "RMSEP, mol/L"

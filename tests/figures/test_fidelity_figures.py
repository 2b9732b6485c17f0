"""Figures of metrics, physics and labels: what the tables say must be what is drawn."""

import numpy as np
import pandas as pd
import pytest

from spectra_core.figures.fidelity import VERDICT_COLOUR, bench_matrix, metric_distances
from spectra_core.figures.physics import (
    labels_and_readings,
    offending_shares,
    spectrum_and_mixture,
    suspicious_labels,
)
from spectra_core.figures.theme import ROLE_COLOUR, alt_text

TITLES = {"precision": "Precision", "mmd": "MMD", "noise": "Noise ratio"}


def judged(verdicts, separations):
    n = len(verdicts)
    return pd.DataFrame(
        {
            "metric": list(TITLES)[:n],
            "value": 0.5,
            "floor": 0.6,
            "floor_low": 0.55,
            "floor_high": 0.65,
            "separation": separations,
            "verdict": verdicts,
        }
    )


def test_better_lies_to_the_right_whatever_the_direction_of_the_metric():
    table = judged(["beyond real"] * 3, [5.0, -5.0, 5.0])
    figure = metric_distances(table, titles=TITLES, better={"precision": "higher", "mmd": "lower", "noise": "one"})
    (drawn,) = [trace for trace in figure.data if len(trace.x)]
    assert dict(zip(drawn.y, np.sign(drawn.x), strict=True)) == {"Precision": 1, "MMD": 1, "Noise ratio": -1}


def test_every_verdict_has_its_colour_and_infinite_distances_stay_on_the_figure():
    table = judged(["as real", "worse than real", "not defined"], [0.0, np.inf, np.nan])
    figure = metric_distances(table, titles=TITLES, better={"precision": "higher", "mmd": "lower", "noise": "one"})
    colours = {trace.name: trace.marker.color for trace in figure.data if len(trace.x)}
    assert colours == {name: VERDICT_COLOUR[name] for name in ("as real", "worse than real")}
    low, high = figure.layout.xaxis.range
    assert all(low <= x <= high for trace in figure.data for x in trace.x)
    assert "1 as real, 1 worse than real, 0 beyond real" in alt_text(figure)


def test_values_that_lie_near_1_do_not_read_as_1():
    table = judged(["worse than real"], [3.0]).assign(value=0.99962, floor_high=0.9998, floor_low=0.5)
    figure = metric_distances(table, titles=TITLES, better={"precision": "higher"})
    (drawn,) = [trace for trace in figure.data if len(trace.x)]
    assert list(drawn.customdata[0]) == ["0.9996", "0.6", "0.5", "0.9998"]


def test_what_is_as_real_lies_at_the_edge_of_a_floor_without_width():
    table = judged(["as real", "worse than real"], [-np.inf, -np.inf])
    figure = metric_distances(table, titles=TITLES, better={"precision": "higher", "mmd": "higher"})
    drawn = {trace.name: trace.x[0] for trace in figure.data if len(trace.x)}
    band = figure.layout.shapes[0]
    assert drawn["as real"] == band.x0
    assert drawn["worse than real"] < 2 * band.x0


def test_matrix_says_in_words_what_its_colours_say():
    bench = pd.DataFrame(
        [
            {"defect": defect, "metric": metric, "value": 1.0, "floor_low": 0.0, "floor_high": 2.0, "verdict": verdict}
            for defect, metric, verdict in (
                ("copies", "precision", "as real"),
                ("copies", "mmd", "beyond real"),
                ("shift", "precision", "worse than real"),
                ("shift", "mmd", "not defined"),
            )
        ]
    )
    figure = bench_matrix(bench, metric_titles=TITLES, defect_titles={"copies": "Copies", "shift": "Shift"})
    cells = figure.data[0]
    # The first metric is drawn at the top, which is the last row.
    assert [list(row) for row in cells.text] == [["beyond", "n/a"], ["·", "worse"]]
    assert [list(row) for row in cells.z] == [[1, 0], [0, 2]]
    assert "Copies by 0, Shift by 1" in alt_text(figure)


def test_offending_shares_are_in_per_cent_per_role():
    summary = pd.DataFrame(
        {
            "check": ["q", "q"],
            "title": "Q over its limit",
            "role": ["training", "generated"],
            "limit": 1.0,
            "offenders": [1, 20],
            "share": [0.01, 0.2],
            "median": 0.3,
        }
    )
    figure = offending_shares(summary, confidence=0.99)
    assert {bar.name: (bar.x[0], bar.marker.color) for bar in figure.data} == {
        "Experimental": (1.0, ROLE_COLOUR["training"]),
        "Generated": (20.0, ROLE_COLOUR["generated"]),
    }
    assert figure.layout.xaxis.title.text == "Spectra beyond the limit, %"


@pytest.mark.parametrize(("label", "reversed_axis"), [("Wavelength, nm", True), ("Wavenumber, 1/cm", "reversed")])
def test_residual_is_drawn_in_noise_units_along_the_axis_as_the_field_does(label, reversed_axis):
    table = pd.DataFrame(
        {"position": [1.0, 2.0], "spectrum": [1.0, 2.0], "mixture": [0.9, 2.0], "residual_in_noise": [7.0, 0.0]}
    )
    figure = spectrum_and_mixture(table, role="generated", axis_label=label, signal_label="Absorbance")
    assert {trace.name: list(trace.y) for trace in figure.data}["Residual"] == [7.0, 0.0]
    assert figure.layout.xaxis.autorange == reversed_axis
    band = figure.layout.shapes[0]
    assert (band.y0, band.y1, band.yref) == (-1.96, 1.96, "y2")
    assert "differ by up to 7 noise units" in alt_text(figure)


def test_labels_of_one_target_are_drawn_and_large_sets_thinned():
    n = 5000
    table = pd.DataFrame(
        {
            "role": "generated",
            "id": "a",
            "target": np.tile(["Cu", "Ni"], n),
            "asked": np.arange(2.0 * n),
            "predicted": np.arange(2.0 * n) + 1,
        }
    )
    figure = labels_and_readings(
        table, target="Cu", label="Cu, mM", reading="predicted", reading_label="read by the teacher"
    )
    drawn = next(trace for trace in figure.data if trace.name == "Generated (1\u202f000 of 5\u202f000 drawn)")
    assert len(drawn.x) == 1000
    assert set(drawn.x % 2) == {0}
    assert figure.layout.yaxis.title.text == "Cu, mM, read by the teacher"


def test_every_suspicious_label_is_drawn_however_many_fit():
    n = 5000
    table = pd.DataFrame(
        {
            "id": "a",
            "target": "Cu",
            "label": 1.0,
            "expected": np.arange(float(n)),
            "suspicious": np.arange(n) % 100 == 7,
        }
    )
    figure = suspicious_labels(table, target="Cu", label="Cu, mM")
    drawn = {trace.name: len(trace.x) for trace in figure.data}
    assert drawn["suspicious"] == 50
    assert drawn["not suspicious (990 of 4\u202f950 drawn)"] == 990
    assert "50 of 5000 labels" in alt_text(figure)

"""Figures of a calibration: what is drawn is what the table holds."""

import numpy as np
import pandas as pd
import pytest

from spectra_core.figures import calibration as figures
from spectra_core.figures.theme import ROLE_COLOUR, VERMILION, alt_text


def test_held_out_values_stand_over_references_with_their_line_and_region():
    predictions = pd.DataFrame({"id": ["a", "b"], "reference": [1.0, 2.0], "held_out": [1.1, 2.1]})
    region = pd.DataFrame({"slope": [0.9, 1.1], "offset": [0.0, 0.2]})
    figure = figures.predicted_with_region(predictions, region, slope=1.0, offset=0.1, target_label="Cu2+, mol/L")
    points, _, line, outline, ideal = figure.data
    assert list(points.y) == [1.1, 2.1]
    assert list(line.y) == [1.1, 2.1]
    assert (list(outline.x), list(ideal.x), list(ideal.y)) == ([0.9, 1.1], [1.0], [0.0])


def test_a_vector_says_whether_it_is_one():
    vector = pd.DataFrame({"position": [400.0, 410.0], "coefficient": [0.1, -3.0], "linear": False})
    figure = figures.regression_vector(vector, axis_label="Wavelength, nm", target_label="c", signal_label="A")
    assert figure.layout.yaxis.title.text.startswith("Gradient at the mean spectrum")
    assert "largest at 410" in alt_text(figure)


def test_the_title_at_the_side_takes_lines_where_it_is_longer_than_the_figure_is_high():
    vector = pd.DataFrame({"position": [400.0, 410.0], "coefficient": [0.1, -3.0], "linear": False})
    label = "Protein of the dry matter, %"
    figure = figures.regression_vector(
        vector, axis_label="Wavelength, nm", target_label=label, signal_label="Absorbance"
    )
    lines = figure.layout.yaxis.title.text.split("<br>")
    assert " ".join(lines) == f"Gradient at the mean spectrum, {label} per Absorbance"
    assert max(map(len, lines)) <= 44  # of 320 px, 7 for a letter


def test_coverage_is_drawn_per_target_beside_what_was_promised():
    curve = pd.DataFrame({"target": ["a", "a"], "level": [0.8, 0.9], "covered": [0.82, 0.88]})
    promised, covered = figures.coverage_curve(curve, {"a": "A"}).data
    assert list(promised.x) == list(promised.y)
    assert list(covered.y) == [0.82, 0.88]


def test_the_difference_is_that_from_the_nearest_spectrum():
    table = pd.DataFrame({"position": [1.0, 2.0], "unknown": [0.5, 0.7], "near": [0.4, 0.7], "far": [0.0, 0.0]})
    figure = figures.beside_nearest(table, axis_label="x", signal_label="A")
    assert [trace.name for trace in figure.data] == ["near", "far", "unknown", "Difference from the nearest"]
    np.testing.assert_allclose(figure.data[-1].y, [0.1, 0.0], atol=1e-15)
    drawn = {trace.name: trace.line.color for trace in figure.data}
    assert drawn["unknown"] == ROLE_COLOUR["held-out"]  # what no model has seen
    assert drawn["near"] == ROLE_COLOUR["experimental"]


def test_flagged_readings_stand_out_and_intervals_reach_their_ends():
    rows = pd.DataFrame({"id": ["a", "b"], "value": [1.0, 2.0], "low": [0.5, 1.0], "high": [1.25, 4.0]})
    rows["flags"] = ["", "Q residual"]
    plain, flagged = figures.readings(rows, target_label="c", limits=(0.0, 3.0)).data
    assert (list(plain.error_y.array), list(plain.error_y.arrayminus)) == ([0.25], [0.5])
    assert (list(flagged.x), flagged.marker.color) == ([2], VERMILION)


def test_the_trend_rises_by_the_drift_per_100_spectra():
    residuals = pd.DataFrame({"id": ["a", "b"], "order": [1, 51], "error": [0.0, 0.1]})
    trend = figures.errors_in_order(residuals, target_label="c", drift=0.2).data[1]
    assert trend.y[1] - trend.y[0] == pytest.approx(0.1)

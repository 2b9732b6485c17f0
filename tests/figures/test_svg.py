"""A picture shows each number where its axis says, and each text letter by letter."""

import re

import plotly.graph_objects as go
import pytest

from spectra_core.figures.svg import svg
from spectra_core.figures.theme import styled


def placed(text):
    """Return where markers stand."""
    return [tuple(map(float, place)) for place in re.findall(r'translate\(([\d.-]+) ([\d.-]+)\)"><path', text)]


def test_markers_stand_where_the_axes_say():
    figure = go.Figure(go.Scatter(x=[0, 5, 10], y=[1, 10, 100], mode="markers"))
    figure.update_xaxes(range=[0, 10]).update_yaxes(type="log", range=[0, 2])
    styled(figure, height=420).update_layout(margin={"l": 100, "r": 100, "t": 20, "b": 100})
    assert placed(svg(figure, 900)) == [(100, 320), (450, 170), (800, 20)]


def test_what_runs_from_high_to_low_does_so():
    figure = go.Figure(go.Scatter(x=[0, 10], y=[0, 1], mode="markers")).update_xaxes(autorange="reversed")
    (left, _), (right, _) = placed(svg(styled(figure)))
    assert left > right


def test_bars_reach_as_far_as_the_errors():
    error = {"type": "data", "array": [2.0], "arrayminus": [1.0]}
    figure = go.Figure(go.Scatter(x=[5], y=[0], mode="markers", error_x=error)).update_xaxes(range=[0, 10])
    styled(figure).update_layout(margin={"l": 0, "r": 0})
    assert re.search(r"M400\.0 [\d.]+H700\.0", svg(figure, 1000))


def test_names_are_text_and_ions_are_typeset():
    name = "<script> & NO3-"
    figure = styled(go.Figure([go.Scatter(x=[1], y=[name], mode="markers", name=name, showlegend=True)]))
    text = svg(figure)
    assert "<script" not in text
    assert text.count(">&lt;script&gt; &amp; NO₃⁻<") == 2  # at the axis and in the legend


def test_bars_lie_between_nothing_and_their_value():
    figure = go.Figure([go.Bar(x=[2.0], y=["a"], orientation="h"), go.Bar(x=[5.0], y=["a"], orientation="h")])
    styled(figure.update_xaxes(range=[0, 10])).update_layout(margin={"l": 0, "r": 0})
    widths = re.findall(r'<rect x="0.0" [^>]*width="([\d.]+)"', svg(figure, 1000))
    assert [float(width) for width in widths] == [200, 500]


def test_what_is_not_drawn_is_refused():
    with pytest.raises(ValueError, match="'histogram'"):
        svg(styled(go.Figure(go.Histogram(x=[1, 2]))))

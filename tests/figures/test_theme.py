"""Colours keep their meaning and can be seen on both pages."""

from itertools import combinations

import numpy as np
import plotly.graph_objects as go
import pytest

from spectra_core.figures import theme


def _luminance(colour):
    """Relative luminance of WCAG 2.1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, two):
    high, low = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", ["#FFFFFF", "#0E1117"], ids=["light", "dark"])
@pytest.mark.parametrize("colour", sorted({*theme.ROLE_COLOUR.values(), *theme.TARGET_COLOURS}))
def test_every_colour_stands_out_three_to_one_from_the_page(colour, page):
    assert _contrast(colour, page) >= 3.0


def test_styled_figure_is_transparent_keeps_its_alt_text_and_sets_no_font_colour():
    figure = theme.styled(go.Figure(), alt="An empty figure.")
    assert theme.alt_text(figure) == "An empty figure."
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.font.color is None


def test_numbers_on_axes_never_take_prefixes_of_units():
    figure = theme.styled(go.Figure(go.Scatter(x=[0, 1], y=[0, 1])))
    assert figure.layout.xaxis.exponentformat == figure.layout.yaxis.exponentformat == "power"


def test_every_axis_of_a_matrix_of_pairs_looks_like_the_first():
    figure = theme.styled_pairs(theme.styled(go.Figure()), 3)
    axes = [figure.layout[f"{side}axis{number}"] for side in "xy" for number in ("", "2", "3")]
    assert {(axis.ticks, axis.gridcolor, axis.nticks) for axis in axes} == {("outside", theme.GRID, 4)}


def test_a_figure_never_styled_has_no_alt_text():
    assert theme.alt_text(go.Figure()) == ""


# Machado, Oliveira & Fernandes (IEEE Trans Vis Comput Graph 2009), full severity, on linear RGB.
DEFICIENCIES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def _lab_as_seen(colour, matrix):
    """CIE L*a*b* (D65) of a colour as a person with a colour vision deficiency sees it."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(matrix) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ seen / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# Colours that lie on one figure and must be told apart.
TOGETHER = {
    "training, held-out, generated": ("training", "held-out", "generated"),
    "generated, difference, its floor": ("generated", "difference", "held-out"),
    "generated, oracle": ("generated", "oracle", "training"),
    "warning beside training": ("training", "warning", "held-out"),
}


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("roles", TOGETHER.values(), ids=TOGETHER)
def test_colours_of_one_figure_stay_apart_for_colour_blind_people(roles, deficiency):
    seen = [_lab_as_seen(theme.ROLE_COLOUR[role], DEFICIENCIES[deficiency]) for role in roles]
    distances = [float(np.linalg.norm(one - two)) for one, two in combinations(seen, 2)]
    # 2.3 is just noticeable side by side; thin lines want several times that.
    assert min(distances) > 12


def test_what_two_roles_of_one_hue_would_hide_is_told_by_marker_and_dash():
    for table in (theme.ROLE_SYMBOL, theme.ROLE_DASH):
        shown = [table[role] for role in ("training", "held-out", "generated", "oracle")]
        assert len(set(shown)) == len(shown)


def test_names_that_typeset_alike_stay_two_categories():
    names = ["Cu2+", "Cu+2", "Cu²⁺", "NO3-"]
    figure = theme.styled(go.Figure(go.Bar(x=names, y=[1, 2, 3, 4])))
    assert len(set(figure.data[0].x)) == 4
    assert figure.data[0].x[0] == "Cu²⁺"
    assert figure.data[0].x[3] == "NO₃⁻"

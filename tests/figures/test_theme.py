"""Colours keep their meaning and can be seen on both pages."""

from itertools import combinations

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


def test_no_two_targets_among_the_first_seventy_share_colour_and_marker():
    names = [f"ion {i}" for i in range(70)]
    marks = list(zip(theme.target_colours(names).values(), theme.target_symbols(names).values(), strict=True))
    assert all(one != two for one, two in combinations(marks, 2))


def test_styled_figure_is_transparent_keeps_its_alt_text_and_sets_no_font_colour():
    figure = theme.styled(go.Figure(), alt="An empty figure.")
    assert theme.alt_text(figure) == "An empty figure."
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.font.color is None


def test_a_figure_never_styled_has_no_alt_text():
    assert theme.alt_text(go.Figure()) == ""

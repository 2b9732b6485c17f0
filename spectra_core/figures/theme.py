"""What colours mean, and what every figure shares.

Backgrounds are transparent and text has no colour of its own, so that a figure sits on a light and on a dark
page; the page's theme gives the rest.
"""

from collections.abc import Mapping, Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from spectra_core.figures.names import show_names, typeset

# Hues of Okabe & Ito (2008, "Color universal design"), which colour-blind people can tell apart. Orange is darkened
# until it stands out at 3:1 from a white and from a near-black page (WCAG 2.1, 1.4.11); their purple, which
# deuteranopes take for grey, is moved towards violet.
BLUE = "#0072B2"
GREY = "#7F7F7F"
ORANGE = "#CC8400"
PURPLE = "#A870A2"
GREEN = "#009E73"
VERMILION = "#D55E00"
SKY = "#3A9BD0"
OLIVE = "#968B00"

ROLE_COLOUR: dict[str, str] = {
    "training": BLUE,
    "experimental": BLUE,
    "held-out": GREY,
    "unknown": GREY,
    "generated": ORANGE,
    "difference": PURPLE,
    "oracle": GREEN,
    "warning": VERMILION,
}
"""One meaning a colour, on every page; grey is what no model has seen."""

ROLE_SYMBOL: dict[str, str] = {
    "training": "circle",
    "experimental": "circle",
    "held-out": "square",
    "generated": "diamond-open",
    "oracle": "triangle-up",
}
"""Marker per role: nothing is told by colour alone; generated ones are open, so that they hide no measured one."""

ROLE_DASH: dict[str, str] = {
    "training": "solid",
    "experimental": "solid",
    "held-out": "dot",
    "generated": "dash",
    "oracle": "dashdot",
}
"""Line style per role: nothing is told by colour alone."""

TARGET_COLOURS: tuple[str, ...] = (BLUE, VERMILION, GREEN, PURPLE, OLIVE, SKY, "#8C564B", GREY, "#6A5ACD", ORANGE)
"""Colours of targets, in the order of the set's columns; they repeat from the eleventh on."""

TARGET_SYMBOLS: tuple[str, ...] = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
"""Markers of targets; with the colours they give 70 different marks before one repeats."""

CONTINUOUS_SCALE = "Cividis"
"""Scale of values without a middle; made for colour-blind readers (Nuñez et al., PLoS ONE 2018)."""

DIVERGING_SCALE = ((0.0, "rgba(0,114,178,0.8)"), (0.5, "rgba(127,127,127,0)"), (1.0, "rgba(213,94,0,0.8)"))
"""Scale of images around zero, blue to vermilion: nothing there, so that the middle is the page, light or dark, and its
ends let the page through, so that large areas do not glow on a dark one."""

MARKER_SCALE = ((0.0, BLUE), (0.5, GREY), (1.0, VERMILION))
"""Scale of markers around zero: its middle can be seen on a light and on a dark page, which white could not."""

GRID = "rgba(127,127,127,0.22)"
AXIS: dict[str, object] = {
    "gridcolor": GRID,
    "zeroline": False,
    "showline": False,
    "ticks": "outside",
    "tickcolor": GRID,
    # A thousandth is no "m" and a thousand no "k" where a unit with a prefix of its own stands beside it.
    "exponentformat": "power",
}
"""What all axes share."""
TITLE_SIZE = 13
"""Letters of panel titles, in pixels."""
HEIGHT = 420
"""Height in pixels of a figure with one panel, and of each strip added to it."""

FIELD_RUNS_DOWN = frozenset({"Wavenumber"})
"""Quantities drawn from high to low where the field does so."""


def target_colours(names: Sequence[str]) -> dict[str, str]:
    """Return the colour of every target, decided by its place in the set.

    >>> target_colours(["Cu2+", "Ni2+"])
    {'Cu2+': '#0072B2', 'Ni2+': '#D55E00'}
    """
    return {name: TARGET_COLOURS[i % len(TARGET_COLOURS)] for i, name in enumerate(names)}


def thousands(number: int) -> str:
    """Return a number with a narrow space after every three digits: a comma is a decimal sign to many.

    >>> thousands(3744)
    '3\u202f744'
    """
    return f"{number:,}".replace(",", "\u202f")


def transparent(colour: str, opacity: float) -> str:
    """Return `colour` (as "#RRGGBB") with `opacity` from 0 to 1.

    >>> transparent("#0072B2", 0.25)
    'rgba(0,114,178,0.25)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def styled(figure: go.Figure, *, alt: str = "", height: int = HEIGHT) -> go.Figure:
    """Give `figure` what all figures share, and the text that stands for it where it cannot be seen.

    Parameters
    ----------
    figure
        Changed in place and returned.
    alt
        What a person who cannot see the figure should know; `alt_text` reads it back.
    height
        In pixels; fixed, so that the page does not jump when a control moves.
    """
    figure.update_layout(
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 64, "r": 24, "t": 40, "b": 56},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0.0, "title_text": ""},
        # One revision for ever: a rerun with new data keeps the zoom a person chose.
        uirevision="kept",
        meta={"alt": typeset(alt)},
        # Its box would be half black: the opposite of a transparent page.
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": GREY, "activecolor": BLUE},
    )
    figure.update_xaxes(AXIS)
    figure.update_yaxes(AXIS)
    show_names(figure)
    return figure.update_annotations(font_size=TITLE_SIZE)


def styled_pairs(figure: go.Figure, n_targets: int) -> go.Figure:
    """Give all axes of a matrix of pairs what `styled` gives to those that stand in the layout: only the first pair.

    Parameters
    ----------
    n_targets
        Rows and columns of the matrix.
    """
    axis = {**AXIS, "nticks": 4}
    names = ["" if number == 1 else str(number) for number in range(1, n_targets + 1)]
    return figure.update_layout({f"{side}axis{name}": axis for side in "xy" for name in names})


def pair_of_targets(
    points: Mapping[str, pd.DataFrame], labels: Sequence[str], markers: Mapping[str, dict[str, object]]
) -> go.Figure:
    """Draw two targets against each other: plotly draws no matrix of a single pair.

    Parameters
    ----------
    points
        Two columns by the name in the legend.
    labels
        Titles of the axes.
    markers
        By the same names.
    """
    figure = go.Figure()
    for name, rows in points.items():
        first, second = (rows.iloc[:, place].to_numpy(dtype=np.float32) for place in (0, 1))
        figure.add_scatter(x=first, y=second, name=name, mode="markers", marker=markers[name])
    return figure.update_xaxes(title_text=labels[0]).update_yaxes(title_text=labels[1])


def wrapped(label: str, width: int, most_lines: int = 3) -> str:
    """Break a label into lines of at most `width` characters; too long a name is cut short, its unit is kept.

    >>> wrapped("Cu2+, mol/L", 14), wrapped("Sulfate of all salts and acid, mol/L", 12)
    ('Cu²⁺, mol/L', 'Sulfate of<br>all salts …<br>mol/L')

    What follows the last comma is no unit where it is longer than a line, or there is one line only.

    >>> wrapped("Sulfate, total of all added salts and acid", 16), wrapped("Noise jitter, network", 14, 1)
    ('Sulfate, total<br>of all added<br>salts and acid', 'Noise jitter …')
    """
    label = typeset(label)
    lines = wrap(label, width)
    if len(lines) <= most_lines:
        return "<br>".join(lines)
    name, _, unit = label.rpartition(", ")
    if not name or len(unit) > width or most_lines == 1:
        name, unit = label, ""
    kept = wrap(name, width)[: most_lines - bool(unit)]
    kept[-1] = f"{kept[-1][: width - 2]} …"
    return "<br>".join([*kept, *([unit] if unit else [])])


def alt_text(figure: go.Figure) -> str:
    """Return the text given to `styled`, empty where there is none."""
    meta = figure.layout.meta or {}
    return str(meta.get("alt", ""))


def role_name(role: str) -> str:
    """Return what a legend calls a role: the spectra a generator was trained on are the experimental ones.

    >>> role_name("training"), role_name("held-out")
    ('Experimental', 'Held-out')
    """
    said = role.replace("training", "experimental", 1)
    return said[:1].upper() + said[1:]


def runs_down(axis_label: str) -> bool:
    """Whether the field draws this spectral axis from high to low.

    >>> runs_down("Wavenumber, 1/cm"), runs_down("Wavelength, nm")
    (True, False)
    """
    return axis_label.partition(",")[0] in FIELD_RUNS_DOWN


def difference_label(signal_label: str) -> str:
    """Return the title of an axis of differences between signals, in the signal's unit.

    >>> difference_label("Reflectance, %"), difference_label("Absorbance")
    ('Difference, %', 'Difference')
    """
    _, comma, unit = signal_label.partition(",")
    return f"Difference{comma}{unit}"

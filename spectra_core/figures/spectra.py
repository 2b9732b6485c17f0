"""Figures of many spectra at once."""

from collections.abc import Mapping
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spectra_core.figures.image import density_pixels, difference_pixels, grid_limits, lay_image
from spectra_core.figures.theme import (
    HEIGHT,
    ROLE_COLOUR,
    ROLE_DASH,
    VERMILION,
    role_name,
    runs_down,
    styled,
    transparent,
)

FEW = 10
"""So many spectra, and fewer, are told apart as lines; a density of them would show single pixels."""
MOST_LINES = 200
"""Single spectra in one figure; more are drawn as density."""


def density(
    histograms: Mapping[str, pd.DataFrame],
    *,
    axis_label: str,
    signal_label: str,
    saturation: float | None = None,
    reverse: bool | None = None,
) -> go.Figure:
    """Draw all spectra of every role as a density, one panel a role on shared axes.

    Parameters
    ----------
    histograms
        Counts per role: index signal, columns positions, as from `signal_histograms`.
    axis_label, signal_label
        Titles of the axes, with units.
    saturation
        Signal above which the detector sees too little light; shaded where the data reach it.
    reverse
        Draw the axis from high to low; None does so for wavenumbers.
    """
    roles = list(histograms)
    figure = make_subplots(
        rows=len(roles), cols=1, shared_xaxes=True, vertical_spacing=0.1 / len(roles), subplot_titles=_titles(roles)
    )
    for panel, role in enumerate(roles, start=1):
        _add_density(figure, histograms[role], ROLE_COLOUR[role], panel, _reversed(axis_label, reverse))
        figure.update_yaxes(title_text=signal_label, row=panel, col=1)
        if saturation is not None:
            _shade_saturation(figure, histograms[role], saturation, panel)
    figure.update_xaxes(title_text=axis_label, row=len(roles), col=1)
    numbers = ", ".join(f"{_n_spectra(histograms[role])} {role_name(role).lower()} spectra" for role in roles)
    height = HEIGHT if len(roles) == 1 else 110 + 240 * len(roles)
    return styled(figure, alt=f"Density of {numbers}: {signal_label} against {axis_label}.", height=height)


def density_comparison(
    histograms: Mapping[str, pd.DataFrame],
    *,
    axis_label: str,
    signal_label: str,
    reference: str = "training",
    reverse: bool | None = None,
) -> go.Figure:
    """Draw experimental and generated spectra as densities, and the difference of their shares, on shared axes.

    In the third panel orange says that generated spectra pass here more often than the others, blue (grey for held-out
    ones) that they pass less often.
    """
    shown = {reference: histograms[reference], "generated": histograms["generated"]}
    names = {reference: role_name(reference)}
    figure = make_subplots(
        rows=3,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.06,
        subplot_titles=[
            f"{names[reference]} ({_n_spectra(shown[reference])} spectra)",
            f"Generated ({_n_spectra(shown['generated'])} spectra)",
            "Difference: orange, more often among generated spectra;<br>"
            f"{'grey' if reference == 'held-out' else 'blue'}, more often among {names[reference].lower()} ones",
        ],
    )
    turned = _reversed(axis_label, reverse)
    for panel, role in enumerate(shown, start=1):
        _add_density(figure, shown[role], ROLE_COLOUR[role], panel, turned)
    difference = shown["generated"] / _n_spectra(shown["generated"]) - shown[reference] / _n_spectra(shown[reference])
    pixels = difference_pixels(difference, ROLE_COLOUR["generated"], ROLE_COLOUR[reference])
    lay_image(figure, pixels, x=_x_span(difference), y=_y_span(difference), reverse=turned, panel=3)
    _add_corners(figure, difference, 3)
    figure.update_xaxes(title_text=axis_label, row=3, col=1)
    figure.update_yaxes(title_text=signal_label)
    return styled(
        figure,
        alt=f"Densities of experimental and generated spectra and their difference: {signal_label} over {axis_label}.",
        height=820,
    )


def quantile_fan(
    statistics: pd.DataFrame, *, axis_label: str, signal_label: str, reverse: bool | None = None
) -> go.Figure:
    """Draw median, middle half and middle 90 % of the signal against the axis, one colour per role."""
    figure = go.Figure()
    for role, rows in statistics.groupby("role", sort=False):
        _add_band(figure, rows, str(role), ("q05", "q95"), 0.16)
        _add_band(figure, rows, str(role), ("q25", "q75"), 0.30)
        figure.add_scatter(
            x=rows["position"],
            y=rows["median"].astype(np.float32),
            name=role_name(str(role)),
            legendgroup=str(role),
            line={"color": ROLE_COLOUR[str(role)], "dash": ROLE_DASH[str(role)], "width": 2},
            hovertemplate="%{x}: median %{y:.4g}",
        )
    figure.update_xaxes(title_text=axis_label, autorange=_autorange(axis_label, reverse))
    figure.update_yaxes(title_text=signal_label)
    return styled(figure, alt=f"Median and quantile bands of {signal_label} against {axis_label} per role.")


def single_spectra(
    spectra: pd.DataFrame, *, axis_label: str, signal_label: str, reverse: bool | None = None
) -> go.Figure:
    """Draw chosen spectra as lines, at most 200 in all.

    Parameters
    ----------
    spectra
        Row per (role, id, position) with ``signal``.
    """
    figure = go.Figure()
    groups = list(spectra.groupby(["role", "sample"], sort=False))[:MOST_LINES]
    named: set[str] = set()
    for (name, _), rows in groups:
        role = str(name)
        figure.add_scatter(
            x=rows["position"].to_numpy(),
            y=rows["signal"].to_numpy(dtype=np.float32),
            name=role_name(role),
            legendgroup=role,
            showlegend=role not in named,
            mode="lines",
            line={"color": transparent(ROLE_COLOUR[role], 0.75), "dash": ROLE_DASH[role], "width": 1.2},
            hovertemplate=f"{escape(str(rows['id'].iloc[0]))}<br>%{{x}}: %{{y:.4g}}",
        )
        named.add(role)
    figure.update_xaxes(title_text=axis_label, autorange=_autorange(axis_label, reverse))
    figure.update_yaxes(title_text=signal_label)
    return styled(figure, alt=f"{len(groups)} single spectra: {signal_label} against {axis_label}.")


def _add_density(figure: go.Figure, histogram: pd.DataFrame, colour: str, panel: int, turned: bool) -> None:
    pixels = density_pixels(histogram, colour)
    lay_image(figure, pixels, x=_x_span(histogram), y=_y_span(histogram), reverse=turned, panel=panel)
    _add_corners(figure, histogram, panel)


def _add_corners(figure: go.Figure, histogram: pd.DataFrame, panel: int) -> None:
    """Two invisible points: a panel without a trace would not be drawn."""
    figure.add_scatter(
        x=_x_span(histogram),
        y=_y_span(histogram),
        mode="markers",
        opacity=0,
        hoverinfo="skip",
        showlegend=False,
        row=panel,
        col=1,
    )


def _add_band(figure: go.Figure, rows: pd.DataFrame, role: str, names: tuple[str, str], opacity: float) -> None:
    for name, fill in zip(names, (None, "tonexty"), strict=True):
        figure.add_scatter(
            x=rows["position"],
            y=rows[name].astype(np.float32),
            mode="lines",
            # A thin edge: on a dark page the fill alone is pale.
            line={"width": 0.8, "color": transparent(ROLE_COLOUR[role], 0.6), "dash": ROLE_DASH[role]},
            fill=fill,
            fillcolor=transparent(ROLE_COLOUR[role], opacity),
            legendgroup=role,
            showlegend=False,
            hoverinfo="skip",
        )


def _shade_saturation(figure: go.Figure, histogram: pd.DataFrame, saturation: float, panel: int) -> None:
    top = _y_span(histogram)[1]
    if top <= saturation:
        return
    figure.add_hrect(
        y0=saturation,
        y1=top,
        fillcolor=transparent(VERMILION, 0.10),
        line={"color": VERMILION, "width": 1, "dash": "dot"},
        annotation_text=f"saturated above {saturation:g}",
        annotation_position="top right",
        row=panel,
        col=1,
    )


def _titles(roles: list[str]) -> list[str] | None:
    return None if len(roles) == 1 else [role_name(role) for role in roles]


def _reversed(axis_label: str, reverse: bool | None) -> bool:
    return runs_down(axis_label) if reverse is None else reverse


def _autorange(axis_label: str, reverse: bool | None) -> bool | str:
    return "reversed" if _reversed(axis_label, reverse) else True


def _n_spectra(histogram: pd.DataFrame) -> int:
    return int(histogram.iloc[:, 0].sum())


def _x_span(histogram: pd.DataFrame) -> tuple[float, float]:
    return grid_limits(histogram.columns.to_numpy(dtype=np.float64))


def _y_span(histogram: pd.DataFrame) -> tuple[float, float]:
    centres = histogram.index.to_numpy(dtype=np.float64)
    half = (centres[1] - centres[0]) / 2 if len(centres) > 1 else 0.5
    return float(centres[0] - half), float(centres[-1] + half)

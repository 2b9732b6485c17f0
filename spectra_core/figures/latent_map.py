"""Figure of a map: one marker a spectrum."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from spectra_core.figures.theme import (
    CONTINUOUS_SCALE,
    GREY,
    MARKER_SCALE,
    ROLE_COLOUR,
    ROLE_SYMBOL,
    role_name,
    styled,
    transparent,
)
from spectra_core.shares import percent

METHODS = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE"}
"""What kinds of maps are called."""
MOST_SVG_POINTS = 1000
"""Beyond so many markers WebGL draws faster."""
MOST_POINTS = 20_000
"""Markers in one figure; of larger tables every k-th row is drawn."""


def map_scatter(
    table: pd.DataFrame,
    *,
    x_label: str,
    y_label: str,
    colour: str | None = None,
    colour_label: str = "",
    around_zero: bool = False,
    highlight: pd.DataFrame | None = None,
) -> go.Figure:
    """Draw a map of spectra, coloured by role or by a column.

    Parameters
    ----------
    table
        As from `latent_map`; ``customdata`` of every marker is its row (role, sample, id).
    x_label, y_label
        Titles of the axes.
    colour
        Column whose values colour the markers; None colours by role.
    colour_label
        Title of the colour scale, with unit.
    around_zero
        Whether zero is the middle of the scale, as for errors; one in fifty values may lie beyond its ends.
    highlight
        Rows of `table` to ring.
    """
    shown = table.iloc[:: -(-len(table) // MOST_POINTS)] if len(table) > MOST_POINTS else table
    scatter = go.Scattergl if len(shown) > MOST_SVG_POINTS else go.Scatter
    figure = go.Figure()
    for role, rows in shown.groupby("role", sort=False):
        figure.add_trace(
            scatter(
                x=rows["x"].to_numpy(dtype=np.float32),
                y=rows["y"].to_numpy(dtype=np.float32),
                name=role_name(str(role)),
                mode="markers",
                marker=_marker(rows, str(role), colour),
                showlegend=colour is None,
                customdata=rows[["role", "sample", "id"]].to_numpy(dtype=object),
                hovertemplate=f"{role_name(str(role))}, %{{customdata[2]}}<extra></extra>"
                if colour is None
                else f"{role_name(str(role))}, %{{customdata[2]}}: %{{marker.color:.4g}}<extra></extra>",
            )
        )
        if colour is not None:
            # Markers of many colours have none in the legend: grey ones stand for their shape.
            symbol = {"symbol": ROLE_SYMBOL[str(role)], "size": 8, "color": GREY}
            figure.add_scatter(x=[None], y=[None], mode="markers", name=role_name(str(role)), marker=symbol)
    if highlight is not None:
        figure.add_scatter(
            x=highlight["x"],
            y=highlight["y"],
            mode="markers",
            name="Selected",
            marker={"symbol": "circle-open", "size": 14, "line": {"width": 2.5}, "color": ROLE_COLOUR["warning"]},
            hoverinfo="skip",
        )
    figure.update_xaxes(title_text=x_label)
    figure.update_yaxes(title_text=y_label)
    if colour is not None:
        axis: dict[str, object] = {
            "colorscale": CONTINUOUS_SCALE,
            "colorbar": {"title": {"text": colour_label or colour, "side": "right"}, "thickness": 12},
        }
        if around_zero:
            end = float(table[colour].abs().quantile(0.98)) or 1.0
            axis |= {"colorscale": MARKER_SCALE, "cmin": -end, "cmax": end}
        figure.update_layout(coloraxis=axis)
    counts = ", ".join(
        f"{n} {role_name(str(role)).lower()}" for role, n in table["role"].value_counts(sort=False).items()
    )
    return styled(figure, alt=f"Map of {counts} spectra, {x_label} against {y_label}.", height=560)


def map_axes(table: pd.DataFrame, method: str, *, latent: bool) -> tuple[str, str]:
    """Return the titles of both axes of a map.

    Parameters
    ----------
    table
        As from `latent_map`.
    method
        One of `METHODS`.
    latent
        Whether it shows latent space, not channels.
    """
    if method != "pca":
        return f"{METHODS[method]} 1, no unit", f"{METHODS[method]} 2, no unit"
    unit = "units of the prior" if latent else "unit of the signal"
    shares = table[["share_x", "share_y"]].iloc[0]
    first, second = (
        f"Score on PC {n}, {unit} ({percent(share)} of the variance)" for n, share in enumerate(shares, start=1)
    )
    return first, second


def _marker(rows: pd.DataFrame, role: str, colour: str | None) -> dict[str, object]:
    marker: dict[str, object] = {"size": 6, "symbol": ROLE_SYMBOL[role]}
    if colour is None:
        return {**marker, "color": transparent(ROLE_COLOUR[role], 0.75)}
    return {**marker, "color": rows[colour].to_numpy(dtype=np.float32), "coloraxis": "coloraxis", "opacity": 0.75}

"""Figures of differences along the spectral axis."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spectra_core.figures.theme import (
    DIVERGING_SCALE,
    PURPLE,
    ROLE_COLOUR,
    ROLE_DASH,
    role_name,
    runs_down,
    styled,
    transparent,
)
from spectra_core.shares import rounded

SIGNIFICANT = 0.05
SMALLEST_P = 1e-16
"""p-values below this are drawn at it: they say no more."""


def difference_strips(
    differences: pd.DataFrame,
    noise: pd.DataFrame,
    statistics: pd.DataFrame,
    *,
    axis_label: str,
    signal_label: str,
    reference: str = "training",
    reverse: bool | None = None,
) -> go.Figure:
    """Draw what changes channel by channel: mean, spread, skewness, noise and distribution, one strip each.

    Parameters
    ----------
    differences
        As from `channel_differences`; held-out against training is drawn in grey as the floor.
    noise
        As from `noise_fidelity`.
    statistics
        As from `channel_statistics`.
    reference
        What generated spectra are compared with: "training" or "held-out".
    """
    called = role_name(reference).lower()
    figure = make_subplots(
        rows=5,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.05,
        row_heights=[0.28, 0.18, 0.18, 0.18, 0.18],
        subplot_titles=[
            f"Difference of means, generated \u2212 {called}, with 95 % interval",
            f"Ratio of standard deviations, generated to {called}, with 95 % interval",
            "Skewness",
            "Ratio of noise to that of the training set",
            "Adjusted p-value of the Kolmogorov-Smirnov test",
        ],
    )
    asked = differences[(differences["role"] == "generated") & (differences["reference"] == reference)]
    floor = differences[(differences["role"] == "held-out") & (differences["reference"] == "training")]
    for role, rows in (("held-out", floor), ("generated", asked)):
        if rows.empty:
            continue
        _add_difference(figure, rows, role)
        _add_interval(figure, rows, ("sd_ratio_lower", "sd_ratio_upper"), ROLE_COLOUR[role], 2)
        _add_line(figure, rows["position"], rows["sd_ratio"], role, 2)
        p = -np.log10(rows["ks_p_adjusted"].clip(lower=SMALLEST_P))
        _add_line(figure, rows["position"], p, role, 5)
        ratio = noise[noise["role"] == role]
        _add_line(figure, ratio["position"], ratio["ratio"], role, 4)
    for role in dict.fromkeys((reference, "generated")):
        rows = statistics[statistics["role"] == role]
        _add_line(figure, rows["position"], rows["skew"], role, 3)
    for row, level in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 1.0), (5, -np.log10(SIGNIFICANT))):
        figure.add_hline(y=level, line={"color": "rgba(127,127,127,0.7)", "width": 1, "dash": "dot"}, row=row, col=1)
    turned = runs_down(axis_label) if reverse is None else reverse
    figure.update_xaxes(autorange="reversed" if turned else True)
    figure.update_xaxes(title_text=axis_label, row=5, col=1)
    for row, title in enumerate((signal_label, "Ratio", "Skewness", "Ratio", "\u2212log₁₀ p"), start=1):
        figure.update_yaxes(title_text=title, row=row, col=1)
    for row in (2, 4, 5):
        figure.update_yaxes(rangemode="tozero", row=row, col=1)
    return styled(
        figure,
        alt=f"Differences between generated and {called} spectra along {axis_label}: mean, spread, "
        "skewness, noise, p-value.",
        height=1040,
    ).update_layout(legend_y=1.035)


def correlation_images(correlation: pd.DataFrame, *, axis_label: str, reverse: bool | None = None) -> go.Figure:
    """Draw the correlation between channels as an image per role, side by side.

    Parameters
    ----------
    correlation
        As from `channel_correlation`, of one to three roles.
    reverse
        Draw both axes from high to low; None does so for wavenumbers.
    """
    roles = list(dict.fromkeys(correlation["role"]))
    names = [role_name(role) for role in roles]
    figure = make_subplots(
        rows=1,
        cols=len(roles),
        shared_yaxes=True,
        horizontal_spacing=0.03,
        subplot_titles=names,
    )
    for column, role in enumerate(roles, start=1):
        rows = correlation[correlation["role"] == role]
        matrix = rows.pivot(index="position", columns="other_position", values="correlation")
        figure.add_heatmap(
            x=matrix.columns.to_numpy(),
            y=matrix.index.to_numpy(),
            z=matrix.to_numpy(dtype=np.float32),
            text=[[rounded(one) for one in row] for row in matrix.to_numpy()],
            coloraxis="coloraxis",
            hovertemplate="%{x} and %{y}: %{text}<extra></extra>",
            row=1,
            col=column,
        )
        figure.update_xaxes(title_text=axis_label, row=1, col=column)
    figure.update_yaxes(title_text=axis_label, row=1, col=1)
    if runs_down(axis_label) if reverse is None else reverse:
        figure.update_xaxes(autorange="reversed")
        figure.update_yaxes(autorange="reversed")
    styled(figure, alt=f"Correlation between channels for {', '.join(names).lower()}.", height=440)
    return figure.update_layout(
        coloraxis={
            "colorscale": DIVERGING_SCALE,
            "cmin": -1,
            "cmax": 1,
            "colorbar": {"title": {"text": "Correlation"}, "thickness": 12},
        }
    )


def _add_difference(figure: go.Figure, rows: pd.DataFrame, role: str) -> None:
    colour = PURPLE if role == "generated" else ROLE_COLOUR[role]
    _add_interval(figure, rows, ("lower", "upper"), colour, 1)
    figure.add_scatter(
        x=rows["position"],
        y=rows["mean_difference"].astype(np.float32),
        mode="lines",
        line={"color": colour, "dash": ROLE_DASH[role], "width": 1.6},
        name="Difference, generated" if role == "generated" else "Difference, held-out (floor)",
        hovertemplate="%{x}: %{y:.4g}",
        row=1,
        col=1,
    )


def _add_interval(figure: go.Figure, rows: pd.DataFrame, names: tuple[str, str], colour: str, row: int) -> None:
    for name, fill in zip(names, (None, "tonexty"), strict=True):
        figure.add_scatter(
            x=rows["position"],
            y=rows[name].astype(np.float32),
            mode="lines",
            line={"width": 0},
            fill=fill,
            fillcolor=transparent(colour, 0.28),
            showlegend=False,
            hoverinfo="skip",
            row=row,
            col=1,
        )


def _add_line(figure: go.Figure, x: pd.Series, y: pd.Series, role: str, row: int) -> None:
    figure.add_scatter(
        x=x,
        y=y.astype(np.float32),
        mode="lines",
        line={"color": ROLE_COLOUR[role], "dash": ROLE_DASH[role], "width": 1.4},
        name="Held-out (floor)" if role == "held-out" else role_name(role),
        legendgroup=role,
        # The training set is drawn in the third strip only: elsewhere it is the measure.
        showlegend=row == (3 if role == "training" else 2),
        hovertemplate="%{x}: %{y:.3g}",
        row=row,
        col=1,
    )

"""Figures that show whether a set is fit for calibration."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from spectra_core.figures.theme import (
    GREY,
    HEIGHT,
    ROLE_COLOUR,
    ROLE_SYMBOL,
    VERMILION,
    pair_of_targets,
    role_name,
    styled,
    styled_pairs,
    transparent,
    wrapped,
)

_BARS, _FEW = 40, 5
MOST_PAIR_POINTS = 2000
"""Markers per role in every panel of the pair plot."""


def concentration_design(targets: Mapping[str, pd.DataFrame], *, labels: Mapping[str, str]) -> go.Figure:
    """Draw every pair of targets against each other.

    Parameters
    ----------
    targets
        Concentrations per role, one column per target; at most 2000 rows of each are drawn, evenly spaced.
    labels
        Axis title with unit per target.
    """
    names = list(labels)
    markers = {
        role_name(role): {
            "color": transparent(ROLE_COLOUR[role], 0.8),
            "size": 4,
            "symbol": ROLE_SYMBOL[role],
            "line": {"width": 0},
        }
        for role in targets
    }
    alt = f"Pairs of concentrations: {', '.join(labels.values())}."
    if len(names) == 2:
        points = {
            role_name(role): table[names].iloc[:: max(1, -(-len(table) // MOST_PAIR_POINTS))]
            for role, table in targets.items()
        }
        pair = pair_of_targets(points, [wrapped(labels[name], 60) for name in names], markers)
        return styled(pair, alt=alt).update_layout(showlegend=len(targets) > 1)
    # A panel of many is narrow: names run over several lines, or into each other.
    short = {name: wrapped(label, max(7, 50 // len(names))) for name, label in labels.items()}
    figure = go.Figure()
    for role, table in targets.items():
        rows = table.iloc[:: max(1, -(-len(table) // MOST_PAIR_POINTS))]
        figure.add_trace(
            go.Splom(
                dimensions=[{"label": short[name], "values": rows[name].to_numpy(dtype=np.float32)} for name in names],
                name=role_name(role),
                marker=markers[role_name(role)],
                diagonal_visible=False,
                showupperhalf=False,
            )
        )
    height = max(HEIGHT, 120 + 120 * len(names))
    styled(figure, alt=alt, height=height)
    figure.update_layout(showlegend=len(targets) > 1, margin={"l": 96, "b": 88})
    return styled_pairs(figure, len(names))


def single_target(values: Mapping[str, pd.DataFrame], *, name: str, label: str) -> go.Figure:
    """Draw how often each concentration of the only target occurs."""
    figure = go.Figure()
    most = 0
    for role, table in values.items():
        most = max(most, int(np.histogram(table[name], bins=_BARS)[0].max()))
        figure.add_histogram(
            x=table[name].to_numpy(),
            name=role_name(role),
            marker={"color": ROLE_COLOUR[role]},
            opacity=0.75,
            nbinsx=_BARS,
        )
    figure.update_xaxes(title_text=label)
    figure.update_yaxes(title_text="Number of spectra", dtick=1 if most <= _FEW else None)  # no half spectra
    return styled(figure, alt=f"Distribution of {label}.", height=320)


def outlier_scatter(table: pd.DataFrame, *, confidence: float) -> go.Figure:
    """Draw T2 against Q, both as ratios to their limits, with the spectra set apart named.

    Parameters
    ----------
    table
        As from `outliers`.
    confidence
        Of the limits, for the axis titles.
    """
    figure = go.Figure()
    for apart, name, colour, symbol in (
        (False, "within the limits", GREY, "circle"),
        (True, "set apart", VERMILION, "diamond"),
    ):
        rows = table[table["set_apart"] == apart]
        figure.add_scatter(
            x=rows["t2_ratio"],
            y=rows["q_ratio"].fillna(0.0),
            name=name,
            mode="markers",
            marker={"color": transparent(colour, 0.75), "symbol": symbol, "size": 7},
            customdata=rows[["sample", "id"]].to_numpy(dtype=object),
            hovertemplate="%{customdata[1]}: T² %{x:.3g}, Q %{y:.3g} of their limits<extra></extra>",
        )
    line = {"color": "rgba(127,127,127,0.8)", "width": 1, "dash": "dot"}
    figure.add_hline(y=1.0, line=line)
    figure.add_vline(x=1.0, line=line)
    percent = f"{100 * confidence:g} %"
    figure.update_xaxes(title_text=f"T² / its {percent} limit", rangemode="tozero")
    figure.update_yaxes(title_text=f"Q / its {percent} limit", rangemode="tozero")
    n_apart = int(table["set_apart"].sum())
    return styled(figure, alt=f"T² against Q of {len(table)} spectra; {n_apart} are set apart.")

"""Figures of nearest spectra: the duel, and how near they are altogether."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from spectra_core.figures.panels import lines_over_difference
from spectra_core.figures.theme import ROLE_COLOUR, ROLE_DASH, role_name, styled

SAME_SOLUTION = 1.96 * np.sqrt(2.0)
"""Two measurements of one solution differ by less than this many noise units in 95 % of the channels."""


def duel(
    pair: pd.DataFrame,
    *,
    role: str,
    reference: str,
    axis_label: str,
    signal_label: str,
    reverse: bool | None = None,
) -> go.Figure:
    """Draw a spectrum and its neighbour above, and their difference in units of noise under them.

    Parameters
    ----------
    pair
        As from `pair_difference`.
    role, reference
        Roles of the spectrum and of its neighbour.
    """
    looks = {who: {"color": ROLE_COLOUR[who], "dash": ROLE_DASH[who]} for who in (role, reference)}
    named, hover = role_name(reference), "%{x}: %{y:.4g}"
    figure = lines_over_difference(
        pair,
        {
            "neighbour": {
                "name": f"{named} (neighbour)",
                "line": {**looks[reference], "width": 2.4},
                "hovertemplate": hover,
            },
            "spectrum": {"name": role_name(role), "line": {**looks[role], "width": 1.6}, "hovertemplate": hover},
        },
        {
            "y": pair["difference_in_noise"],
            "name": "Difference",
            "customdata": pair["difference"],
            "hovertemplate": "%{x}: %{y:.3g} noise units (%{customdata:.4g})",
        },
        noise=SAME_SOLUTION,
        axis_label=axis_label,
        signal_label=signal_label,
        difference_label="Difference, noise units",
        reverse=reverse,
    )
    largest = pair["difference_in_noise"].abs().max()
    return styled(
        figure,
        alt=f"A {role} and its nearest {named.lower()} spectrum; they differ by at most {largest:.3g} noise units.",
        height=560,
    )


def distance_distributions(tables: Mapping[str, pd.DataFrame], *, column: str, label: str) -> go.Figure:
    """Draw how near spectra of each role have their nearest neighbour, as cumulative shares.

    Parameters
    ----------
    tables
        As from `neighbours`, per role.
    column
        Which column: "distance_training" or "distance_ratio".
    label
        Title of the horizontal axis, with unit.
    """
    figure = go.Figure()
    for role, table in tables.items():
        values = np.sort(table[column].dropna().to_numpy())
        figure.add_scatter(
            x=values.astype(np.float32),
            y=(100 * np.arange(1, len(values) + 1) / max(len(values), 1)).astype(np.float32),
            name="Held-out (real-versus-real floor)" if role == "held-out" else role_name(role),
            mode="lines",
            line={"color": ROLE_COLOUR[role], "dash": ROLE_DASH[role], "width": 2, "shape": "hv"},
            hovertemplate="%{y:.3~f} % below %{x:.4g}",
        )
    figure.update_xaxes(title_text=label, rangemode="tozero")
    figure.update_yaxes(title_text="Share of spectra, %", range=[0, 101])
    return styled(figure, alt=f"Cumulative share of spectra against {label}.", height=360)

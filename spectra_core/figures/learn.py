"""Figures of the pages that teach."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spectra_core.figures.theme import GREY, OLIVE, ROLE_COLOUR, ROLE_DASH, SKY, runs_down, styled, transparent

_UNTOLD = ({"color": SKY, "dash": "solid"}, {"color": OLIVE, "dash": "dash"})
"""Colours that mean nothing else, for spectra whose origin is asked for."""
_NOISE = 1.96
"""Half the band that holds 95 % of the jitter of measured spectra."""


def blind_spectra(
    table: pd.DataFrame, *, generated_first: bool, told: bool, axis_label: str, signal_label: str
) -> go.Figure:
    """Draw two spectra, A and B; once the answer is told, in the colours of their roles, with their jitter under them.

    Parameters
    ----------
    table
        As from `blind_pair`.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.62, 0.38])
    roles = ("generated", "training") if generated_first else ("training", "generated")
    words = {"training": "experimental", "generated": "generated"}
    for letter, role, plain in zip("AB", roles, _UNTOLD, strict=True):
        line = {"color": ROLE_COLOUR[role], "dash": ROLE_DASH[role]} if told else plain
        name = f"{letter}, {words[role]}" if told else letter
        shared = {"x": table["position"], "mode": "lines", "legendgroup": letter}
        figure.add_scatter(**shared, y=table[role], name=name, line={**line, "width": 1.8}, row=1, col=1)
        if told:
            jitter, thin = table[f"jitter_{role}"], {**line, "width": 1.0}
            figure.add_scatter(**shared, y=jitter, name=name, showlegend=False, line=thin, row=2, col=1)
    if told:
        figure.add_hrect(y0=-_NOISE, y1=_NOISE, fillcolor=transparent(GREY, 0.2), line_width=0, row=2, col=1)
    else:
        # Plotly draws no axes where nothing is drawn, and the annotation then bends those of the spectra.
        ends = table["position"].iloc[[0, -1]]
        figure.add_scatter(x=ends, y=[0, 0], mode="lines", opacity=0, hoverinfo="skip", showlegend=False, row=2, col=1)
        figure.add_annotation(
            text="The jitter from channel to channel is shown with the answer.",
            xref="x2 domain",
            yref="y2 domain",
            x=0.5,
            y=0.5,
            showarrow=False,
        )
        figure.update_yaxes(showticklabels=False, showgrid=False, ticks="", row=2, col=1)
    figure.update_xaxes(autorange="reversed" if runs_down(axis_label) else True)
    figure.update_xaxes(title_text=axis_label, row=2, col=1)
    figure.update_yaxes(title_text=signal_label, row=1, col=1)
    figure.update_yaxes(title_text="Jitter, noise units", row=2, col=1)
    alt = f"Two spectra, A and B: {signal_label} against {axis_label}."
    if told:
        alt += f" {'A' if generated_first else 'B'} is generated."
    return styled(figure, alt=alt, height=560)


def training_steps(steps: pd.DataFrame) -> go.Figure:
    """Draw how many optimiser steps a training takes over the ratio of added rows.

    Parameters
    ----------
    steps
        Row per (ratio, way) with ``ratio``, ``way``, ``steps``.
    """
    figure = go.Figure()
    looks = {"measured": ("training", "experimental spectra alone"), "extended": ("generated", "with added rows")}
    for way, rows in steps.groupby("way", sort=False):
        role, name = looks[str(way)]
        line = {"color": ROLE_COLOUR[role], "dash": ROLE_DASH[role], "width": 2}
        figure.add_scatter(x=rows["ratio"], y=rows["steps"], mode="lines+markers", name=name, line=line)
    figure.update_xaxes(title_text="Added rows per training row").update_yaxes(
        title_text="Optimiser steps", rangemode="tozero"
    )
    return styled(figure, alt="Optimiser steps over the ratio of added rows, for as many epochs.", height=360)

"""Figures of what physics knows, and of tables it is made of."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from spectra_core.figures.theme import BLUE, GREEN, GREY, runs_down, styled

_LINES = {
    "spread": ("Spread of the spectra", GREY, "dot"),
    "physics": ("Missed by physics alone", GREEN, "dash"),
    "left_out": ("Missed by physics and residual, left out", BLUE, "solid"),
    "noise": ("Noise", GREY, "dashdot"),
}


def forward_model(errors: pd.DataFrame, *, axis_label: str, signal_label: str) -> go.Figure:
    """Draw what is missed per channel, beside spread and noise, on a logarithmic scale.

    Parameters
    ----------
    errors
        Row per channel: ``position``, ``spread``, ``physics``, ``left_out``, ``noise``.
    """
    figure = go.Figure()
    for name, (title, colour, dash) in _LINES.items():
        values = errors[name].to_numpy(dtype=np.float64)
        if np.isfinite(values).any():
            line = {"color": colour, "dash": dash, "width": 1.8}
            shown = np.where(values > 0, values, np.nan)  # a logarithm knows no zero
            figure.add_scatter(x=errors["position"], y=shown, name=title, mode="lines", line=line)
    reverse = "reversed" if runs_down(axis_label) else None
    figure.update_xaxes(title_text=axis_label, autorange=reverse)
    figure.update_yaxes(title_text=f"{signal_label}, root mean square", type="log", exponentformat="power")
    return styled(figure, alt=f"Errors of the forward model beside spread and noise, against {axis_label}.")


def molar_absorptivities(table: pd.DataFrame) -> go.Figure:
    """Draw molar absorptivities, one line a component.

    Parameters
    ----------
    table
        Row per (component, position) with ``absorptivity``.
    """
    figure = go.Figure()
    for name, rows in table.groupby("component", sort=False):
        figure.add_scatter(x=rows["position"], y=rows["absorptivity"], name=str(name), mode="lines")
    figure.update_xaxes(title_text="Wavelength, nm")
    figure.update_yaxes(title_text="Molar absorptivity, L/(mol cm)")
    return styled(figure, alt=f"Molar absorptivities of {table['component'].nunique()} components.", height=300)

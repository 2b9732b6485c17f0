"""The first look at imported spectra."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from spectra_core.figures.theme import ROLE_COLOUR, runs_down, styled, transparent

_FEW = 12  # lines that do not hide each other are drawn in full colour, which a dark page needs


def import_preview(spectra: pd.DataFrame, *, axis_label: str, signal_label: str) -> go.Figure:
    """Draw some spectra as they were understood; those left out in grey, gaps as gaps.

    Parameters
    ----------
    spectra
        Row per (spectrum, position), with columns ``spectrum`` [number], ``used`` [bool], ``position`` [axis unit] and
        ``signal``; in the order of the channels.
    """
    figure = go.Figure()
    n_drawn = spectra["spectrum"].nunique()
    opacity = 1.0 if n_drawn <= _FEW else 0.7
    for used, name, colour in (
        (True, "used", ROLE_COLOUR["experimental"]),
        (False, "left out", ROLE_COLOUR["held-out"]),
    ):
        rows = spectra[spectra["used"] == used]
        if rows.empty:
            continue
        x, y, number = [], [], []
        for spectrum, line in rows.groupby("spectrum", sort=False):
            # One trace for all lines, parted by gaps: many traces make a page slow.
            x.append(np.append(line["position"].to_numpy(), np.nan))
            y.append(np.append(line["signal"].to_numpy(dtype=np.float32), np.nan))
            number.append(np.full(len(line) + 1, spectrum))
        figure.add_scatter(
            x=np.concatenate(x),
            y=np.concatenate(y),
            customdata=np.concatenate(number),
            name=name,
            mode="lines" if len(rows) > rows["spectrum"].nunique() else "markers",
            line={"color": transparent(colour, opacity), "width": 1.2},
            hovertemplate="spectrum %{customdata}<br>%{x}: %{y:.4g}<extra></extra>",
        )
    figure.update_xaxes(title_text=axis_label, autorange="reversed" if runs_down(axis_label) else True)
    figure.update_yaxes(title_text=signal_label)
    return styled(figure, alt=f"{n_drawn} spectra as imported: {signal_label} against {axis_label}.")

"""Figures of a calibration in use: figures of merit, intervals, unknown spectra beside known ones."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spectra_core.figures.names import shown
from spectra_core.figures.theme import (
    BLUE,
    GREY,
    PURPLE,
    ROLE_COLOUR,
    VERMILION,
    difference_label,
    runs_down,
    styled,
    target_colours,
    transparent,
    wrapped,
)
from spectra_core.shares import percent

_ON_A_SIDE = 44
"""Letters of an axis title on a line: more are cut at the edge of the figure."""
_MOST_NAMED, _LONGEST_ID = 20, 12
"""So few spectra, of such short ids, are named on their axis; others are counted."""
_MOST_POINTS = 4000


def predicted_with_region(
    predictions: pd.DataFrame, region: pd.DataFrame, *, slope: float, offset: float, target_label: str
) -> go.Figure:
    """Draw held-out against reference values with their line, beside the joint confidence region of that line.

    Parameters
    ----------
    predictions
        Rows of one target: ``id``, ``reference``, ``held_out``, in the target's unit.
    region
        Outline: ``slope``, ``offset``.
    """
    figure = make_subplots(rows=1, cols=2, column_widths=[0.62, 0.38], horizontal_spacing=0.2)
    shown = predictions.iloc[:: max(1, -(-len(predictions) // _MOST_POINTS))]
    ends = np.array([predictions["reference"].min(), predictions["reference"].max()])
    figure.add_scatter(
        x=shown["reference"],
        y=shown["held_out"],
        customdata=shown["id"],
        mode="markers",
        name="Held out",
        marker={"color": BLUE, "size": 5, "opacity": 0.7},
        hovertemplate="%{customdata}<br>reference %{x:.4g}<br>held out %{y:.4g}<extra></extra>",
        row=1,
        col=1,
    )
    for name, y, dash in (("Equal", ends, "dot"), ("Line", offset + slope * ends, "solid")):
        line = {"color": GREY, "dash": dash}
        figure.add_scatter(x=ends, y=y, mode="lines", name=name, line=line, hoverinfo="skip", row=1, col=1)
    figure.add_scatter(
        x=region["slope"],
        y=region["offset"],
        mode="lines",
        fill="toself",
        fillcolor=transparent(PURPLE, 0.2),
        line={"color": PURPLE},
        name="95 % region",
        hoverinfo="skip",
        row=1,
        col=2,
    )
    figure.add_scatter(
        x=[1.0],
        y=[0.0],
        mode="markers",
        name="Ideal",
        marker={"color": GREY, "symbol": "x", "size": 10},
        hovertemplate="slope 1, offset 0<extra></extra>",
        row=1,
        col=2,
    )
    figure.update_xaxes(title_text=wrapped(f"Reference, {target_label}", _ON_A_SIDE), row=1, col=1)
    figure.update_yaxes(title_text=wrapped(f"Held out, {target_label}", _ON_A_SIDE), row=1, col=1)
    figure.update_xaxes(title_text="Slope", row=1, col=2)
    figure.update_yaxes(title_text=wrapped(f"Offset, {target_label}", _ON_A_SIDE), row=1, col=2)
    alt = f"{len(predictions)} held-out predictions against references of {target_label}: slope {slope:.3g}, "
    return styled(figure, alt=f"{alt}offset {offset:.3g}; the 95 % region of slope and offset beside it.")


def regression_vector(vector: pd.DataFrame, *, axis_label: str, target_label: str, signal_label: str) -> go.Figure:
    """Draw how the prediction of one target changes with every channel.

    Parameters
    ----------
    vector
        Rows of one target: ``position``, ``coefficient``, ``linear``.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=vector["position"],
        y=vector["coefficient"],
        mode="lines",
        line={"color": BLUE, "width": 1.5},
        hovertemplate="%{x:g}<br>%{y:.4g}<extra></extra>",
    )
    figure.add_hline(y=0.0, line={"color": GREY, "width": 1, "dash": "dot"})
    what = "Coefficient" if bool(vector["linear"].iloc[0]) else "Gradient at the mean spectrum"
    figure.update_layout(
        xaxis_title=axis_label, yaxis_title=wrapped(f"{what}, {target_label} per {signal_label}", _ON_A_SIDE)
    )
    if runs_down(axis_label):
        figure.update_xaxes(autorange="reversed")
    peak = vector["position"].iloc[int(vector["coefficient"].abs().argmax())]
    return styled(figure, alt=f"{what} of {target_label} over {axis_label}; largest at {peak:g}.", height=320)


def coverage_curve(curve: pd.DataFrame, labels: Mapping[str, str]) -> go.Figure:
    """Draw the share of labels inside intervals against the share that was promised.

    Parameters
    ----------
    curve
        ``target``, ``level``, ``covered`` and, where known, ``covered_largest``.
    labels
        What targets are called.
    """
    figure = go.Figure()
    colours = target_colours(list(labels))
    figure.add_scatter(
        x=[0.5, 1.0], y=[0.5, 1.0], mode="lines", name="As promised", line={"color": GREY, "dash": "dot"}
    )
    for name, rows in curve.groupby("target", sort=False):
        figure.add_scatter(
            x=rows["level"],
            y=rows["covered"],
            mode="lines+markers",
            name=labels[str(name)],
            line={"color": colours[str(name)], "width": 1.5},
            customdata=[percent(share, 1) for share in rows["covered"]],
            hovertemplate="promised %{x:.0%}<br>covered %{customdata}<extra>" + labels[str(name)] + "</extra>",
        )
    figure.update_layout(xaxis_title="Promised", yaxis_title="Covered")
    figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(tickformat=".0%")
    at = curve["covered"].to_numpy()[np.isclose(curve["level"], 0.9)]
    alt = f"Coverage of intervals for {len(labels)} targets; at 90 %: {percent(at.min())} to {percent(at.max())}."
    return styled(figure, alt=alt)


def beside_nearest(spectra: pd.DataFrame, *, axis_label: str, signal_label: str) -> go.Figure:
    """Draw an unknown spectrum over the calibration spectra nearest to it, and its difference from the nearest one.

    Parameters
    ----------
    spectra
        ``position`` and one column per spectrum: first the unknown one, then the nearest, the nearest first.
    """
    unknown, *known = [str(name) for name in spectra.columns[1:]]
    figure = make_subplots(rows=2, cols=1, row_heights=[0.7, 0.3], shared_xaxes=True, vertical_spacing=0.06)
    for number, name in enumerate(known):
        line = {"color": BLUE, "width": 1.2, "dash": ("solid", "dash", "dot")[min(number, 2)]}
        figure.add_scatter(
            x=spectra["position"], y=spectra.iloc[:, 2 + number], mode="lines", name=name, line=line, row=1, col=1
        )
    figure.add_scatter(
        x=spectra["position"],
        y=spectra.iloc[:, 1],
        mode="lines",
        name=unknown,
        line={"color": ROLE_COLOUR["unknown"], "width": 2.5},
        row=1,
        col=1,
    )
    difference = spectra.iloc[:, 1] - spectra.iloc[:, 2]
    line = {"color": PURPLE, "width": 1.2}
    figure.add_scatter(
        x=spectra["position"], y=difference, mode="lines", name="Difference from the nearest", line=line, row=2, col=1
    )
    figure.update_yaxes(title_text=signal_label, row=1, col=1)
    figure.update_yaxes(title_text=difference_label(signal_label), row=2, col=1)
    figure.update_xaxes(title_text=axis_label, row=2, col=1)
    if runs_down(axis_label):
        figure.update_xaxes(autorange="reversed")
    largest = float(difference.abs().max())
    return styled(figure, alt=f"{unknown} beside {', '.join(known)}; largest difference {largest:.3g}.", height=460)


def readings(rows: pd.DataFrame, *, target_label: str, limits: tuple[float, float]) -> go.Figure:
    """Draw values with their intervals, in the order of the spectra; flagged ones stand out.

    Parameters
    ----------
    rows
        Readings of one target: ``id``, ``value``, ``low``, ``high``, ``flags``.
    limits
        Least and greatest label of the calibration.
    """
    figure = go.Figure()
    numbered = rows.assign(number=range(1, len(rows) + 1)).iloc[:: max(1, -(-len(rows) // _MOST_POINTS))]
    for name, some, colour, symbol in (
        ("No flag", numbered[numbered["flags"] == ""], BLUE, "circle"),
        ("Flagged", numbered[numbered["flags"] != ""], VERMILION, "diamond"),
    ):
        figure.add_scatter(
            x=some["number"],
            y=some["value"],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": some["high"] - some["value"],
                "arrayminus": some["value"] - some["low"],
                "width": 0,
                "thickness": 1,
            },
            mode="markers",
            name=name,
            marker={"color": colour, "size": 6, "symbol": symbol},
            customdata=some[["id", "low", "high", "flags"]],
            hovertemplate="%{customdata[0]}<br>%{y:.4g} (%{customdata[1]:.4g} to %{customdata[2]:.4g})"
            "<br>%{customdata[3]}<extra></extra>",
        )
    figure.add_hrect(y0=limits[0], y1=limits[1], fillcolor=transparent(GREY, 0.12), line_width=0)
    ids = [shown(str(one)) for one in numbered["id"]]
    if len(ids) <= _MOST_NAMED and max(map(len, ids), default=0) <= _LONGEST_ID:
        figure.update_xaxes(tickvals=list(numbered["number"]), ticktext=ids)
        called = "Spectrum"
    else:
        called = "Spectrum, counted as they came"
    figure.update_layout(xaxis_title=called, yaxis_title=wrapped(target_label, _ON_A_SIDE))
    flagged = int((rows["flags"] != "").sum())
    alt = f"{len(rows)} readings of {target_label} with intervals, {flagged} flagged; the calibrated range is shaded."
    return styled(figure, alt=alt)


def errors_in_order(residuals: pd.DataFrame, *, target_label: str, drift: float) -> go.Figure:
    """Draw errors of one target in measuring order, with their trend.

    Parameters
    ----------
    residuals
        ``id``, ``order``, ``error``.
    drift
        Change of the error per 100 spectra.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=residuals["order"],
        y=residuals["error"],
        customdata=residuals["id"],
        mode="markers",
        name="Reading minus reference",
        marker={"color": PURPLE, "size": 6},
        hovertemplate="%{customdata}<br>%{y:.4g}<extra></extra>",
    )
    ends = np.array([residuals["order"].min(), residuals["order"].max()], dtype=float)
    middle = residuals["error"].median() + drift / 100 * (ends - residuals["order"].median())
    figure.add_scatter(x=ends, y=middle, mode="lines", name="Trend", line={"color": PURPLE}, hoverinfo="skip")
    figure.add_hline(y=0.0, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_layout(
        xaxis_title="Place in measuring order", yaxis_title=wrapped(f"Error, {target_label}", _ON_A_SIDE)
    )
    alt = f"{len(residuals)} errors of {target_label} in measuring order; trend {drift:.3g} per 100 spectra."
    return styled(figure, alt=alt, height=340)

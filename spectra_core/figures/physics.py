"""Figures of spectra that could not have been measured, and of labels that do not fit."""

from functools import partial

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from spectra_core.figures.panels import lines_over_difference
from spectra_core.figures.theme import (
    GREEN,
    GREY,
    ROLE_COLOUR,
    ROLE_DASH,
    ROLE_SYMBOL,
    VERMILION,
    role_name,
    styled,
    thousands,
    transparent,
    wrapped,
)
from spectra_core.shares import percent

MOST_POINTS = 1000
"""Markers per role: more hide each other and keep a browser busy. Evenly spaced rows are drawn; the legend says so."""


def offending_shares(summary: pd.DataFrame, *, confidence: float) -> go.Figure:
    """Draw the share of spectra beyond the limit of every check, one bar per role.

    Parameters
    ----------
    summary
        As from `physics_summary`.
    confidence
        Share of real spectra that keep each limit, drawn as a line.
    """
    figure = go.Figure()
    for role, rows in summary.groupby("role", sort=False):
        figure.add_bar(
            x=100 * rows["share"],
            y=rows["title"],
            name=role_name(str(role)),
            orientation="h",
            marker={
                "color": ROLE_COLOUR[str(role)],
                # On the full colour: dots or strokes alone are faint.
                "pattern": {
                    "shape": {"training": "", "held-out": "."}.get(str(role), "/"),
                    "fillmode": "overlay",
                    "fgcolor": "rgba(255,255,255,0.75)",
                    "size": 7,
                    "solidity": 0.25,
                },
            },
            customdata=rows.assign(said=rows["share"].map(partial(percent, n_decimals=1)))[
                ["offenders", "limit", "median", "said"]
            ].to_numpy(),
            hovertemplate="%{y}: %{customdata[0]} spectra, %{customdata[3]}; limit %{customdata[1]:.3g}, "
            "median %{customdata[2]:.3g}",
        )
    figure.add_vline(x=100 * (1 - confidence), line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="Spectra beyond the limit, %", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    n_checks = summary["check"].nunique()
    styled(figure, alt=f"Share of spectra beyond the limit of {n_checks} checks, per role.", height=110 + 62 * n_checks)
    return figure.update_layout(barmode="group", margin={"l": 290})


def spectrum_and_mixture(
    table: pd.DataFrame, *, role: str, axis_label: str, signal_label: str, reverse: bool | None = None
) -> go.Figure:
    """Draw a spectrum on the nearest mixture of pure components, and what is left in units of noise.

    Parameters
    ----------
    table
        As from `mixture_residual`.
    """
    named = role_name(role)
    figure = lines_over_difference(
        table,
        {
            "mixture": {"name": "Nearest mixture", "line": {"color": GREEN, "dash": "dashdot", "width": 1.8}},
            "spectrum": {"name": named, "line": {"color": ROLE_COLOUR[role], "dash": ROLE_DASH[role], "width": 1.8}},
        },
        {"y": table["residual_in_noise"], "name": "Residual"},
        noise=1.96,
        axis_label=axis_label,
        signal_label=signal_label,
        difference_label="Residual, noise units",
        reverse=reverse,
    )
    worst = table["residual_in_noise"].abs().max()
    return styled(
        figure,
        alt=f"{named} spectrum and its nearest mixture; they differ by up to {worst:.3g} noise units.",
        height=520,
    )


def labels_and_readings(table: pd.DataFrame, *, target: str, label: str, reading: str, reading_label: str) -> go.Figure:
    """Draw what a teacher reads from spectra against what their labels say, one marker per spectrum.

    Parameters
    ----------
    table
        As from `label_honesty`.
    target, label
        Which target, and its axis title with unit.
    reading, reading_label
        Column with the reading, and how it was read.
    """
    figure = go.Figure()
    rows = table[table["target"] == target]
    low, high = float(rows["asked"].min()), float(rows["asked"].max())
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        name="Honest",
        line={"color": GREY, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
    for role, part in rows.groupby("role", sort=False):
        shown, name = _thinned(part, role_name(str(role)))
        figure.add_scatter(
            x=shown["asked"].astype(np.float32),
            y=shown[reading].astype(np.float32),
            name=name,
            mode="markers",
            marker={
                "color": transparent(ROLE_COLOUR[str(role)], 0.75),
                "symbol": ROLE_SYMBOL[str(role)],
                "size": 6,
            },
            customdata=shown["id"],
            hovertemplate="%{customdata}: label %{x:.4g}, read %{y:.4g}",
        )
    figure.update_xaxes(title_text=f"{label}, on the label")
    figure.update_yaxes(title_text=wrapped(f"{label}, {reading_label}", 44))
    return styled(figure, alt=f"{label}: reading against label, {len(rows)} spectra.")


def suspicious_labels(table: pd.DataFrame, *, target: str, label: str, readable: bool = True) -> go.Figure:
    """Draw what the other spectra say of every label against the label itself, suspicious ones marked.

    Parameters
    ----------
    table
        As from `label_errors`.
    readable
        Whether the spectra tell the target well enough for its labels to be judged.
    """
    figure = go.Figure()
    rows = table[table["target"] == target]
    low, high = float(rows["label"].min()), float(rows["label"].max())
    dotted = {"color": GREY, "width": 1, "dash": "dot"}
    figure.add_scatter(x=[low, high], y=[low, high], mode="lines", name="agreement", line=dotted)
    for wrong, name, colour, symbol in (
        # Beside the line, or off it as far as spectra like it: that the label fits would be too much to say.
        (False, "not suspicious" if readable else "not judged", GREY, "circle"),
        (True, "suspicious", VERMILION, "diamond"),
    ):
        part = rows[rows["suspicious"] == wrong]
        shown, said = (part, name) if wrong else _thinned(part, name)
        figure.add_scatter(
            x=shown["label"],
            y=shown["expected"],
            name=said,
            mode="markers",
            marker={"color": transparent(colour, 0.75), "symbol": symbol, "size": 8 if wrong else 6},
            customdata=shown["id"],
            hovertemplate="%{customdata}: label %{x:.4g}, expected %{y:.4g}<extra></extra>",
        )
    figure.update_xaxes(title_text=f"{label}, on the label")
    figure.update_yaxes(title_text=wrapped(f"{label}, from the other spectra", 44))
    n_wrong = int(rows["suspicious"].sum())
    judged = f"{n_wrong} of {len(rows)} labels are suspicious" if readable else f"{len(rows)} labels, none judged"
    return styled(figure, alt=f"{label}: {judged}.")


def _thinned(rows: pd.DataFrame, name: str) -> tuple[pd.DataFrame, str]:
    """Return the rows to draw, and a name that says how many of them these are."""
    if len(rows) <= MOST_POINTS:
        return rows, name
    shown = rows.iloc[:: -(-len(rows) // MOST_POINTS)]
    return shown, f"{name} ({thousands(len(shown))} of {thousands(len(rows))} drawn)"

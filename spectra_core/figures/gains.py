"""Figures of what augmentation is worth: by training size, by ratio, by density."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from spectra_core.figures.panels import Panels
from spectra_core.figures.regression import KIND_COLOUR, error_title
from spectra_core.figures.theme import GREY, styled, thousands, transparent

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_PANEL_HEIGHT = 190
_SPACING = 0.125
"""Between panels, share of the width: numbers and title of the vertical axis stand there."""


def learning_curves(summary: pd.DataFrame, *, arm_kinds: Mapping[str, str], units: Mapping[str, str]) -> go.Figure:
    """Draw RMSEP over the number of training spectra, one panel per target, one line per arm.

    Parameters
    ----------
    summary
        Rows of one regressor: ``arm``, ``target``, ``n_train``, ``rmsep_mean``, ``rmsep_sd`` in the target's unit.
    arm_kinds
        Kind of every arm to draw.
    units
        Unit per target.
    """
    targets = list(dict.fromkeys(summary["target"]))
    panels = Panels(targets, panel_height=_PANEL_HEIGHT, horizontal_spacing=_SPACING)
    figure = panels.figure
    # The first and the last: in narrow panels numbers between them lie over each other.
    ends = sorted({int(summary["n_train"].min()), int(summary["n_train"].max())})
    said = [thousands(number) for number in ends]
    for target, place in zip(targets, panels.places, strict=True):
        for arm, line in line_styles(arm_kinds).items():
            rows = summary[(summary["target"] == target) & (summary["arm"] == arm)].sort_values("n_train")
            _add_line(
                figure,
                rows["n_train"],
                rows["rmsep_mean"],
                (rows["rmsep_sd"].fillna(0.0), None),
                name=arm,
                line=line,
                place=place,
            )
        title = error_title(units.get(target, ""))
        figure.update_yaxes(title_text=title, type="log", nticks=5, row=place[0], col=place[1])
        figure.update_xaxes(
            title_text="Experimental<br>spectra", type="log", tickvals=ends, ticktext=said, row=place[0], col=place[1]
        )
    return panels.styled(alt=f"Learning curves of {len(arm_kinds)} arms for {len(targets)} targets")


def dose_response(comparisons: pd.DataFrame, *, kinds: Mapping[str, str], smallest_effect: float) -> go.Figure:
    """Draw the change of RMSEP over the ratio of added to measured rows, one panel per target.

    Parameters
    ----------
    comparisons
        Rows of one regressor: ``family`` (an arm whatever its ratio), ``target``, ``ratio``, ``effect``, ``low``,
        ``high`` (per cent of the error of the step-matched arm of that ratio).
    kinds
        Kind of every family.
    smallest_effect
        Per cent; changes within it are shaded.
    """
    targets = list(dict.fromkeys(comparisons["target"]))
    panels = Panels(targets, panel_height=_PANEL_HEIGHT, horizontal_spacing=_SPACING)
    figure = panels.figure
    for target, place in zip(targets, panels.places, strict=True):
        for family, line in line_styles(kinds).items():
            rows = comparisons[(comparisons["target"] == target) & (comparisons["family"] == family)]
            rows = rows.sort_values("ratio")
            _add_line(
                figure,
                rows["ratio"],
                rows["effect"],
                (rows["high"] - rows["effect"], rows["effect"] - rows["low"]),
                name=family,
                line=line,
                place=place,
            )
        figure.update_xaxes(title_text="Added rows per training row", type="log", row=place[0], col=place[1])
    # All at once: plotly adds shapes one by one in a time that grows with those already there.
    figure.update_layout(shapes=[shape for panel in range(len(targets)) for shape in _nothing(panel, smallest_effect)])
    for row in range(1, panels.places[-1][0] + 1):
        figure.update_yaxes(title_text="Change of RMSEP, %", row=row, col=1)
    return panels.styled(alt=f"Change of error over the ratio of added rows for {len(targets)} targets")


def error_by_density(binned: pd.DataFrame, *, arm_kinds: Mapping[str, str], target: str, unit: str) -> go.Figure:
    """Draw RMSEP over bins of the density of training spectra, one line per arm.

    Parameters
    ----------
    binned
        Rows of one target and one regressor: ``arm``, ``centre`` (log10 density, 0 is usual) and ``rmsep``.
    target, unit
        Name of the target and its unit; the unit is empty where it is not known.
    """
    figure = go.Figure()
    for arm, line in line_styles(arm_kinds).items():
        rows = binned[binned["arm"] == arm].sort_values("centre")
        figure.add_scatter(x=rows["centre"], y=rows["rmsep"], mode="lines+markers", name=arm, line=line)
    figure.update_xaxes(title_text="log₁₀ of the density of training spectra (0: as at the median one)")
    figure.update_yaxes(title_text=error_title(unit), rangemode="tozero")
    styled(figure, alt=f"RMSEP of {target} by density of training spectra")
    return figure.update_layout(margin={"t": 90})


def line_styles(arm_kinds: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return colour (by kind) and dash (to tell arms of one kind apart) per arm."""
    used: dict[str, int] = {}
    styles = {}
    for arm, kind in arm_kinds.items():
        colour = KIND_COLOUR[kind]
        styles[arm] = {"color": colour, "dash": _DASHES[used.get(colour, 0) % len(_DASHES)]}
        used[colour] = used.get(colour, 0) + 1
    return styles


def _nothing(panel: int, smallest_effect: float) -> list[dict[str, Any]]:
    """Return the line where nothing changes, and the band of changes that do not matter, across one panel."""
    number = panel + 1 if panel else ""
    place = {"xref": f"x{number} domain", "yref": f"y{number}", "x0": 0, "x1": 1}
    band = {"y0": -smallest_effect, "y1": smallest_effect, "fillcolor": transparent(GREY, 0.15), "line": {"width": 0}}
    line = {"y0": 0, "y1": 0, "line": {"color": GREY, "width": 1}}
    return [{"type": "rect", **place, **band}, {"type": "line", **place, **line}]


def _add_line(
    figure: go.Figure,
    x: pd.Series,
    y: pd.Series,
    spread: tuple[pd.Series, pd.Series | None],
    *,
    name: str,
    line: Mapping[str, str],
    place: tuple[int, int],
) -> None:
    above, below = spread
    error = {"type": "data", "array": above, "thickness": 1, "width": 3}
    if below is not None:
        error["arrayminus"] = below
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        name=name,
        line=dict(line),
        error_y=error,
        legendgroup=name,
        showlegend=place == (1, 1),
        row=place[0],
        col=place[1],
    )

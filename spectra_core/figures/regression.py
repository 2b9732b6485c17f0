"""Figures of errors per target: does an arm help, and where."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spectra_core.figures.panels import Panels
from spectra_core.figures.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, styled, wrapped

KIND_COLOUR = {
    "baseline": BLUE,
    "step_matched": BLUE,
    "duplicate_rows": BLUE,
    "ensemble": BLUE,
    "generated": ORANGE,
    "oracle": GREEN,
}
"""Blue: experimental rows alone; orange: with generated rows; green: with new rows from the true simulator."""
COLOUR_NAME = {
    BLUE: "experimental spectra alone",
    ORANGE: "with generated spectra",
    GREEN: "with new spectra of the true simulator",
}
"""What the colours of arms say, for the legend."""

_REGRESSOR_SYMBOLS = ("circle", "diamond-open", "square-open", "triangle-up-open", "cross-open")
_LEVEL_STYLES = (("dot", GREY), ("dashdot", GREEN), ("dash", GREEN))
_MAX_POINTS = 4000
_ROW_HEIGHT = 30
"""Pixels of an arm, whose name may need two lines."""
_ARM_CHARACTERS = 28
"""Letters of an arm's name in one line."""


def error_per_arm(
    errors: pd.DataFrame,
    *,
    arm_kinds: Mapping[str, str],
    units: Mapping[str, str],
    levels: Mapping[str, Mapping[str, float]] | None = None,
    metric: str = "rmsep",
    metric_label: str = "RMSEP",
) -> go.Figure:
    """Draw the error of every arm in one panel per target.

    Parameters
    ----------
    errors
        Row per (arm, regressor, target, repeat, fold) with the column `metric`, in the target's unit. Where a column
        ``blown_up`` says that some did, the arm's median is marked as well.
    arm_kinds
        Kind of every arm, in drawing order from top to bottom; decides its colour.
    units
        Unit per target.
    levels
        Errors to compare with, by name, then target: what always predicting the mean gives, what no method can beat.
        The first is drawn grey and dotted, the others green; one far beyond all errors lies outside its panel.
    """
    targets = list(dict.fromkeys(errors["target"]))
    regressors = list(dict.fromkeys(errors["regressor"]))
    arms = list(reversed(list(arm_kinds)))
    panels = _arm_panels(targets, arms)
    figure = panels.figure
    for number, (target, place) in enumerate(zip(targets, panels.places, strict=True)):
        here = errors[errors["target"] == target]
        for regressor, symbol in zip(regressors, _symbols(len(regressors)), strict=True):
            rows = here[here["regressor"] == regressor]
            _add_arms(
                figure,
                rows,
                arms=arms,
                arm_kinds=arm_kinds,
                metric=metric,
                regressor=regressor,
                symbol=symbol,
                place=place,
            )
            _add_medians(figure, rows, metric=metric, regressor=regressor, place=place)
        for (name, values), (dash, colour) in zip((levels or {}).items(), _LEVEL_STYLES, strict=False):
            level = values.get(target)
            if level is not None and np.isfinite(level):
                _add_level(
                    figure,
                    level,
                    name=name,
                    dash=dash,
                    colour=colour,
                    arms=arms,
                    place=place,
                    in_legend=number == 0,
                )
        unit = units.get(target, "")
        figure.update_xaxes(
            title_text=f"{metric_label}, {unit}" if unit else metric_label,
            range=[0.0, 1.05 * _reach(here, metric, [values.get(target) for values in (levels or {}).values()])],
            row=place[0],
            col=place[1],
        )
    for regressor, symbol in zip(regressors, _symbols(len(regressors)), strict=True):
        _add_key(figure, regressor, GREY, symbol)
    if "blown_up" in errors and errors["blown_up"].any():
        _add_key(figure, "median, where a run blew up", PURPLE, "x")
    _add_kinds(figure, [arm_kinds[arm] for arm in arms[::-1]])
    return _with_arms(panels, arms, alt=f"{metric_label} of {len(arms)} arms for {len(targets)} targets")


def predicted_against_reference(
    predictions: pd.DataFrame, *, arm_kinds: Mapping[str, str], target_label: str
) -> go.Figure:
    """Draw predicted against reference values, one panel per arm, on one common scale.

    Parameters
    ----------
    predictions
        Rows of one target and one regressor: ``arm``, ``reference``, ``predicted``, in the target's unit.
    arm_kinds
        Kind of every arm to draw, from left to right; decides its colour.
    target_label
        Name of the target with its unit.
    """
    arms = list(arm_kinds)
    titles = [wrapped(arm, 96 // len(arms), 2) for arm in arms]
    figure = make_subplots(rows=1, cols=len(arms), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.04)
    values = predictions[predictions["arm"].isin(arms)]
    low, high = (
        float(np.min(values[["reference", "predicted"]].to_numpy())),
        float(np.max(values[["reference", "predicted"]].to_numpy())),
    )
    for column, (arm, kind) in enumerate(arm_kinds.items(), start=1):
        rows = values[values["arm"] == arm].iloc[:_MAX_POINTS]
        figure.add_scattergl(
            x=rows["reference"],
            y=rows["predicted"],
            mode="markers",
            marker={"color": KIND_COLOUR[kind], "size": 4, "opacity": 0.6},
            customdata=rows[["sample", "fold"]],
            hovertemplate="sample %{customdata[0]}, fold %{customdata[1]}<br>%{x:.4g} → %{y:.4g}<extra></extra>",
            showlegend=False,
            row=1,
            col=column,
        )
        figure.add_scatter(
            x=[low, high],
            y=[low, high],
            mode="lines",
            line={"color": GREY, "width": 1.5, "dash": "dash"},
            name="predicted = reference",
            showlegend=column == 1,
            hoverinfo="skip",
            row=1,
            col=column,
        )
        title = wrapped(f"{target_label}, reference", 96 // len(arms))
        figure.update_xaxes(title_text=title, nticks=6, row=1, col=column)
    figure.update_yaxes(title_text=wrapped(f"{target_label}, predicted", 44), row=1, col=1)
    styled(figure, alt=f"Predicted against reference {target_label} for {len(arms)} arms")
    return figure.update_layout(margin={"t": 90, "b": 84}, legend_y=1.17)


def error_by_concentration(
    binned: pd.DataFrame, *, arm_kinds: Mapping[str, str], target_label: str, unit: str
) -> go.Figure:
    """Draw RMSEP over bins of the reference concentration, one line per arm.

    Parameters
    ----------
    binned
        Rows of one target and one regressor: ``arm``, ``centre`` and ``rmsep`` in the target's unit.
    target_label
        Name of the target with its unit.
    unit
        Of the target; empty where it is not known.
    """
    figure = go.Figure()
    dashes = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
    used: dict[str, int] = {}
    for arm, kind in arm_kinds.items():
        rows = binned[binned["arm"] == arm].sort_values("centre")
        colour = KIND_COLOUR[kind]
        dash = dashes[used.get(colour, 0) % len(dashes)]
        used[colour] = used.get(colour, 0) + 1
        figure.add_scatter(
            x=rows["centre"], y=rows["rmsep"], mode="lines+markers", name=arm, line={"color": colour, "dash": dash}
        )
    figure.update_xaxes(title_text=f"{target_label}, reference")
    figure.update_yaxes(title_text=error_title(unit), rangemode="tozero")
    styled(figure, alt=f"RMSEP by concentration of {target_label}")
    return figure.update_layout(margin={"t": 90})


def error_title(unit: str) -> str:
    """Return the title of an axis of errors; errors of a target without a known unit are in the target's own.

    >>> error_title("mol/L"), error_title("")
    ('RMSEP, mol/L', 'RMSEP, as the target')
    """
    return f"RMSEP, {unit or 'as the target'}"


def _arm_panels(targets: Sequence[str], arms: Sequence[str]) -> Panels:
    return Panels(targets, panel_height=_ROW_HEIGHT * max(len(arms), 1), shared_yaxes=True, horizontal_spacing=0.03)


def _with_arms(panels: Panels, arms: Sequence[str], *, alt: str) -> go.Figure:
    """Name the arms on the vertical axes, from bottom to top, and style the figure."""
    names = [wrapped(arm, _ARM_CHARACTERS, 2) for arm in arms]
    panels.figure.update_yaxes(categoryorder="array", categoryarray=arms, tickvals=list(arms), ticktext=names)
    longest = max((len(line) for name in names for line in name.split("<br>")), default=0)
    return panels.styled(alt=alt, left=24 + 7 * longest)


def _add_kinds(figure: go.Figure, kinds: Sequence[str]) -> None:
    """Add to the legend what the colours of the arms say."""
    for colour in dict.fromkeys(KIND_COLOUR[kind] for kind in kinds):
        _add_key(figure, COLOUR_NAME[colour], colour, "circle")


def _add_key(figure: go.Figure, name: str, colour: str, symbol: str, size: int = 9) -> None:
    """Add an entry to the legend that stands for a marker's shape, or its colour."""
    marker = {"color": colour, "symbol": symbol, "size": size, "line": {"width": 2 if "open" in symbol else 0}}
    figure.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=marker, row=1, col=1)


def _add_arms(
    figure: go.Figure,
    rows: pd.DataFrame,
    *,
    arms: Sequence[str],
    arm_kinds: Mapping[str, str],
    metric: str,
    regressor: str,
    symbol: str,
    place: tuple[int, int],
) -> None:
    summary = rows.groupby("arm")[metric].agg(["mean", "std"]).reindex(list(arms)).dropna(subset=["mean"])
    colours = [KIND_COLOUR[arm_kinds[str(arm)]] for arm in summary.index]
    figure.add_scatter(
        x=summary["mean"],
        y=list(summary.index),
        mode="markers",
        marker={"color": colours, "symbol": symbol, "size": 10, "line": {"width": 2, "color": colours}},
        error_x={"type": "data", "array": summary["std"].fillna(0.0), "thickness": 1.2, "width": 3, "color": GREY},
        hovertemplate=f"%{{y}}, {regressor}: %{{x:.4g}} ± %{{error_x.array:.2g}}<extra></extra>",
        name=regressor,
        showlegend=False,
        row=place[0],
        col=place[1],
    )


def _add_medians(figure: go.Figure, rows: pd.DataFrame, *, metric: str, regressor: str, place: tuple[int, int]) -> None:
    """Mark the median of arms in which a run blew up, which their mean follows."""
    if "blown_up" not in rows:
        return
    by_arm = rows.groupby("arm", sort=False)
    count = by_arm["blown_up"].sum()
    medians = by_arm[metric].median()[count > 0]
    if medians.empty:
        return
    figure.add_scatter(
        x=medians,
        y=list(medians.index),
        mode="markers",
        marker={"color": PURPLE, "symbol": "x", "size": 9},
        customdata=count[count > 0],
        hovertemplate=f"%{{y}}, {regressor}: %{{customdata}} runs blew up; median %{{x:.4g}}<extra></extra>",
        showlegend=False,
        row=place[0],
        col=place[1],
    )


def _reach(rows: pd.DataFrame, metric: str, levels: Sequence[float | None]) -> float:
    """Return how far an axis of errors goes: to every fold, and to levels unless they are far beyond."""
    reach = float(rows[metric].max())
    near = [level for level in levels if level is not None and np.isfinite(level) and level <= 2.0 * reach]
    return max([reach, *near])


def _add_level(
    figure: go.Figure,
    level: float,
    *,
    name: str,
    dash: str,
    colour: str,
    arms: Sequence[str],
    place: tuple[int, int],
    in_legend: bool,
) -> None:
    figure.add_scatter(
        x=[level, level],
        y=[arms[0], arms[-1]],
        mode="lines",
        line={"color": colour, "dash": dash, "width": 1.5},
        name=name,
        legendgroup=name,
        showlegend=in_legend,
        hovertemplate=f"{name}: {level:.4g}<extra></extra>",
        row=place[0],
        col=place[1],
    )


def _symbols(n: int) -> list[str]:
    return [_REGRESSOR_SYMBOLS[i % len(_REGRESSOR_SYMBOLS)] for i in range(n)]

"""What every arm does to the error of every target: effects with their intervals, arm by arm."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from spectra_core.figures.names import shown
from spectra_core.figures.regression import COLOUR_NAME, KIND_COLOUR
from spectra_core.figures.theme import GREY, styled, transparent, wrapped
from spectra_core.shares import percents

VERDICT_SYMBOL = {
    "improved": "triangle-left",
    "worse": "triangle-right",
    "same": "square",
    "cannot tell": "circle-open",
    "looked at afterwards": "line-ns-open",
}
"""Markers of verdicts; colours are those of the arms."""
ALL_TARGETS = "all"
_TICKS = np.array([-95, -90, -75, -50, -25, -10, 0, 10, 25, 50, 100, 200, 400, 900, 1900])
"""Changes, in per cent, that an axis of logarithms names."""
_FEWEST_APART = 0.09
"""Least distance of two named changes, as a share of the axis."""
_ROW_HEIGHT, _AROUND = 22, 150
"""Pixels of a row, and of what stands above and below."""
_LEAST_REACH = 0.25
"""Half the axis spans at least so much of a logarithm, so that small effects look small."""


def forest(
    comparisons: pd.DataFrame,
    *,
    arm_kinds: Mapping[str, str],
    target_labels: Mapping[str, str],
    smallest_effect: float,
    reference: str,
) -> go.Figure:
    """Draw the change of error against the reference with its 95 % interval, a row per target, grouped by arm.

    Parameters
    ----------
    comparisons
        Row per (arm, target) of one regressor with ``effect``, ``low``, ``high`` (per cent of the reference's error,
        below 0 is better), ``verdict`` and ``flagged``; the target "all" is the mean over declared ones.
    arm_kinds
        Kind of every arm, in drawing order from top to bottom; decides its colour.
    target_labels
        What targets are called in the figure.
    smallest_effect
        Per cent; changes within it are shaded.
    reference
        Name of the arm that is compared with.
    """
    labels, rows = _rows(comparisons, list(arm_kinds), target_labels)
    figure = go.Figure()
    for colour in dict.fromkeys(KIND_COLOUR[kind] for kind in arm_kinds.values()):
        own = [row for row in rows if KIND_COLOUR[arm_kinds[row["arm"]]] == colour]
        if own:
            figure.add_trace(_markers(pd.DataFrame(own), colour))
    for verdict, symbol in VERDICT_SYMBOL.items():
        if verdict in set(comparisons["verdict"]):
            marker = {"color": GREY, "symbol": symbol, "size": 10, "line_width": 2}
            figure.add_scatter(x=[None], y=[None], mode="markers", name=verdict, marker=marker)
    margin = np.log1p(smallest_effect / 100.0)
    figure.add_vrect(x0=-margin, x1=margin, fillcolor=transparent(GREY, 0.15), line_width=0)
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    styled(figure, alt=_alt(comparisons, reference), height=_AROUND + _ROW_HEIGHT * len(labels))
    ends = np.abs(np.concatenate([_log(comparisons[name]) for name in ("effect", "low", "high")]))
    reach = max(_LEAST_REACH, float(np.nanmax(ends, initial=0.0)))
    named = _apart([tick for tick in _TICKS if abs(np.log1p(tick / 100)) <= 1.05 * reach], 2.1 * reach)
    figure.update_xaxes(
        title_text=f"Change of RMSEP against {shown(reference)}, %",
        range=[-1.05 * reach, 1.05 * reach],
        tickvals=[np.log1p(tick / 100) for tick in named],
        ticktext=[f"{tick:+d}".replace("-", "\N{MINUS SIGN}") if tick else "0" for tick in named],
    )
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.5, -0.5], automargin=True, ticks=""
    )
    return figure.update_layout(margin_t=90, hovermode="closest")


def _rows(
    comparisons: pd.DataFrame, arms: list[str], target_labels: Mapping[str, str]
) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the labels of all rows of the axis, headings among them, and the comparisons with their place."""
    labels: list[str] = []
    rows: list[dict[str, Any]] = []
    for arm in arms:
        own = comparisons[comparisons["arm"] == arm]
        if own.empty:
            continue
        # A long name takes several rows of headings: there is room for it in every window.
        labels += [f"<b>{shown(line)}</b>" for line in wrapped(arm, 44, 3).split("<br>")]
        own = pd.concat([own[own["target"] == ALL_TARGETS], own[own["target"] != ALL_TARGETS]])
        for record in own.to_dict("records"):
            rows.append({**{str(name): value for name, value in record.items()}, "place": len(labels)})
            name = str(record["target"])
            labels.append("all declared targets" if name == ALL_TARGETS else shown(target_labels.get(name, name)))
    return labels, rows


def _markers(rows: pd.DataFrame, colour: str) -> go.Scatter:
    effect, low, high = (_log(rows[name]) for name in ("effect", "low", "high"))
    words = [
        f"{percents(row['effect'], sign=True)} ({percents(row['low'], sign=True)} to "
        f"{percents(row['high'], sign=True)})<br>{row['verdict']}"
        + (f"<br>folds with a run that blew up: {row['flagged']}" if row["flagged"] else "")
        for _, row in rows.iterrows()
    ]
    return go.Scatter(
        x=effect,
        y=rows["place"],
        mode="markers",
        name=COLOUR_NAME[colour],
        marker={
            "color": colour,
            "symbol": [VERDICT_SYMBOL[verdict] for verdict in rows["verdict"]],
            "size": [12 if target == ALL_TARGETS else 9 for target in rows["target"]],
            "line": {"width": 2, "color": colour},
        },
        error_x={
            "type": "data",
            "array": high - effect,
            "arrayminus": effect - low,
            "thickness": 1.5,
            "width": 3,
            "color": colour,
        },
        text=words,
        hovertemplate="%{text}<extra></extra>",
    )


def _log(percent: pd.Series) -> pd.Series:
    return pd.Series(np.log1p(percent.astype(float).clip(lower=-99.999) / 100.0))


def _apart(ticks: list[int], span: float) -> list[int]:
    """Return the changes that can be named without running into each other, 0 among them, the same either side."""
    kept = [0]
    for tick in sorted(ticks, key=lambda tick: abs(np.log1p(tick / 100))):
        if all(abs(np.log1p(tick / 100) - np.log1p(other / 100)) >= _FEWEST_APART * span for other in kept):
            kept.append(tick)
    return sorted(kept)


def _alt(comparisons: pd.DataFrame, reference: str) -> str:
    counts = comparisons["verdict"].value_counts()
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return f"Change of error against {reference} by arm and target, with 95 % intervals: {words}."

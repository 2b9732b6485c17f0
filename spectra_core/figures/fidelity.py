"""Figures of metrics beside their real-versus-real floors, and of which metric sees which defect."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from spectra_core.figures.theme import GREY, PURPLE, VERMILION, styled, transparent
from spectra_core.shares import rounded

VERDICT_COLOUR = {"as real": GREY, "worse than real": VERMILION, "beyond real": PURPLE, "not told apart": GREY}
VERDICT_SYMBOL = {
    "as real": "circle",
    "worse than real": "x",
    "beyond real": "diamond",
    "not told apart": "circle-open",
}
VERDICT_MARK = {"as real": "·", "worse than real": "worse", "beyond real": "beyond", "not defined": "n/a"}
"""What a cell of the matrix says: nothing is told by colour alone."""
# Purple and vermilion, darkened until white words stand out from them at 5:1.
_DARK_PURPLE, _DARK_VERMILION = "#9C4A78", "#B84F00"
_MOST = 1000.0
"""Half widths of the floor; farther away is drawn there."""
_TICKS = (-1000, -100, -10, -1, 0, 1, 10, 100, 1000)


def metric_distances(judgement: pd.DataFrame, *, titles: Mapping[str, str], better: Mapping[str, str]) -> go.Figure:
    """Draw how far every metric lies from its floor, all on one scale, the better side to the right.

    Parameters
    ----------
    judgement
        As from `beside_the_band`.
    titles
        Name of every metric.
    better
        "higher", "lower", "one" or "half" per metric; for the last two, both sides are worse and lie to the left.
    """
    figure = go.Figure()
    rows = judgement[judgement["verdict"].isin(VERDICT_COLOUR)].iloc[::-1]
    signs = rows["metric"].map({name: 1.0 if side == "higher" else -1.0 for name, side in better.items()})
    either = rows["metric"].map({name: side in ("one", "half") for name, side in better.items()})
    # From a floor of no width everything is infinitely far; what is not apart all the same lies at its edge.
    near = rows["verdict"].isin(["as real", "not told apart"])
    edge = np.sign(rows["separation"]).where(near & np.isinf(rows["separation"]))
    separation = edge.fillna(rows["separation"])
    distance = (signs * separation.where(~either, separation.abs())).clip(-_MOST, _MOST)
    figure.add_vrect(x0=float(_scaled(-1)), x1=float(_scaled(1)), fillcolor=transparent(GREY, 0.2), line_width=0)
    for verdict, colour in VERDICT_COLOUR.items():
        part = rows["verdict"] == verdict
        figure.add_scatter(
            x=_scaled(distance[part]),
            y=rows.loc[part, "metric"].map(titles),
            name=verdict,
            mode="markers",
            marker={"color": colour, "symbol": VERDICT_SYMBOL[verdict], "size": 11},
            customdata=rows.loc[part, ["value", "floor", "floor_low", "floor_high"]].map(rounded).to_numpy(),
            hovertemplate="%{y}: %{customdata[0]}; floor %{customdata[1]} "
            "(%{customdata[2]} to %{customdata[3]})<extra></extra>",
        )
    figure.update_xaxes(
        title_text="Distance from the middle of the floor,<br>half widths of its range (better to the right)",
        tickvals=_scaled(np.array(_TICKS, dtype=float)),
        ticktext=[f"{tick:g}".replace("-", "\u2212") for tick in _TICKS],
        range=[float(_scaled(-2 * _MOST)), float(_scaled(2 * _MOST))],
    )
    figure.update_yaxes(categoryorder="array", categoryarray=list(rows["metric"].map(titles)))
    counts = rows["verdict"].value_counts()
    said = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICT_COLOUR)
    styled(figure, alt=f"Distance of {len(rows)} metrics from their real-versus-real floor: {said}.", height=560)
    return figure.update_layout(margin={"l": 190})


def bench_matrix(
    bench: pd.DataFrame, *, metric_titles: Mapping[str, str], defect_titles: Mapping[str, str]
) -> go.Figure:
    """Draw which metric sees which defect, one cell each.

    Parameters
    ----------
    bench
        As from `metric_bench`.
    metric_titles, defect_titles
        Names, in the order of rows from above and of columns from the left.
    """
    metrics = [name for name in metric_titles if name in set(bench["metric"])]
    defects = [name for name in defect_titles if name in set(bench["defect"])]
    verdicts = bench.pivot(index="metric", columns="defect", values="verdict").loc[metrics[::-1], defects]
    levels = {"not defined": 0.0, "as real": 0.0, "beyond real": 1.0, "worse than real": 2.0}
    details = np.stack(
        [
            bench.pivot(index="metric", columns="defect", values=column)
            .loc[metrics[::-1], defects]
            .map(rounded)
            .to_numpy()
            for column in ("value", "floor_low", "floor_high")
        ],
        axis=-1,
    )
    scale = [(0.0, transparent(GREY, 0.12)), (0.5, _DARK_PURPLE), (1.0, _DARK_VERMILION)]
    figure = go.Figure(
        go.Heatmap(
            z=verdicts.replace(levels).astype(float).to_numpy(),
            x=[defect_titles[name] for name in defects],
            y=[metric_titles[name] for name in metrics[::-1]],
            text=verdicts.replace(VERDICT_MARK).to_numpy(),
            texttemplate="%{text}",
            customdata=details,
            hovertemplate="%{x}, %{y}: %{customdata[0]}; floor %{customdata[1]} to %{customdata[2]}<extra></extra>",
            colorscale=scale,
            zmin=0,
            zmax=2,
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    figure.update_xaxes(
        side="top",
        title_text="What is wrong with the spectra",
        tickvals=[defect_titles[name] for name in defects],
        tickangle=-45,  # beside each other they would overlap in a narrow window
    )
    figure.update_yaxes(title_text="Metric")
    seen = bench.loc[bench["verdict"] == "worse than real"].groupby("defect").size()
    said = ", ".join(f"{defect_titles[name]} by {seen.get(name, 0)}" for name in defects)
    styled(
        figure, alt=f"Number of {len(metrics)} metrics that see each defect: {said}.", height=130 + 28 * len(metrics)
    )
    # Lines through the cells would cross out their words.
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False)
    return figure.update_layout(margin={"l": 210, "t": 130, "r": 70, "b": 24})


def _scaled(distance: object) -> np.ndarray:
    """Linear within the floor, logarithmic outside."""
    return np.asarray(np.arcsinh(np.asarray(distance, dtype=np.float64)))

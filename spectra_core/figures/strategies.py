"""Where drawn points fall relative to the data, and the spectra that come of them."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spectra_core.figures.theme import (
    GREY,
    ROLE_COLOUR,
    ROLE_DASH,
    ROLE_SYMBOL,
    pair_of_targets,
    runs_down,
    styled,
    styled_pairs,
    thousands,
    transparent,
    wrapped,
)
from spectra_core.shares import percent

ROLE_NAME = {"training": "Experimental", "generated": "Generated"}

MAX_MARKERS = 3000
"""Points drawn per role: more only hide each other. Evenly spaced rows are shown, and the legend says so."""

MAX_PAIR_TARGETS = 4
"""Targets in one matrix of pairs; beyond, its panels are too small to read."""

_N_COLUMNS = 4
_N_PANELS = 3


def drawn_points(latent_map: pd.DataFrame) -> go.Figure:
    """Draw latent points over the training spectra, on the two leading principal components.

    Parameters
    ----------
    latent_map
        Table of `spectra_core.evaluation.latent.strategies.drawn_latent_map`.
    """
    figure = go.Figure()
    for role, rows in latent_map.groupby("role", sort=False):
        name = str(role)
        shown, label = _thinned(rows, ROLE_NAME[name])
        figure.add_scattergl(
            x=shown["x"],
            y=shown["y"],
            customdata=shown[["sample", "nearest"]],
            name=label,
            mode="markers",
            marker={"color": ROLE_COLOUR[name], "symbol": ROLE_SYMBOL[name], "size": 6, "opacity": 0.7},
            hovertemplate="Row %{customdata[0]}<br>nearest experimental spectrum at %{customdata[1]:.3g}"
            f"<extra>{ROLE_NAME[name]}</extra>",
        )
    first = latent_map.iloc[0]
    figure.update_layout(
        xaxis_title=f"Component 1 ({percent(first['share_x'])} of the variance), prior units",
        yaxis_title=f"Component 2 ({percent(first['share_y'])}), prior units",
    )
    counts = latent_map["role"].value_counts()
    return styled(
        figure,
        alt=f"Map of the latent space with {counts.get('training', 0)} experimental spectra "
        f"and {counts.get('generated', 0)} drawn points.",
    )


def strategy_panels(points: pd.DataFrame) -> go.Figure:
    """Draw where the points of every latent strategy fall over the training spectra, one panel each on shared axes.

    Parameters
    ----------
    points
        Table of `spectra_core.evaluation.latent.strategies.strategy_points`.
    """
    data = points[points["strategy"] == ""]
    strategies = list(points.loc[points["strategy"] != ""].groupby(["strategy", "title"], sort=False))
    n_columns = min(_N_PANELS, len(strategies))
    n_rows = -(-len(strategies) // n_columns)
    figure = make_subplots(
        rows=n_rows,
        cols=n_columns,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.03,
        vertical_spacing=0.12,
        subplot_titles=[str(title) for (_, title), _ in strategies],
    )
    for place, (_, rows) in enumerate(strategies):
        row, column = divmod(place, n_columns)
        for role, shown in (("training", data), ("generated", rows)):
            figure.add_scattergl(
                x=shown["x"].astype("float32"),
                y=shown["y"].astype("float32"),
                name=ROLE_NAME[role],
                legendgroup=role,
                showlegend=place == 0,
                mode="markers",
                marker={"color": ROLE_COLOUR[role], "symbol": ROLE_SYMBOL[role], "size": 4, "opacity": 0.7},
                hoverinfo="skip",
                row=row + 1,
                col=column + 1,
            )
    share_x, share_y = points["share_x"].iloc[0], points["share_y"].iloc[0]
    middle = (n_columns + 1) // 2
    figure.update_xaxes(title_text=f"Component 1 ({percent(share_x)}), prior units", row=n_rows, col=middle)
    for row in range(1, n_rows + 1):
        figure.update_yaxes(title_text=f"Component 2 ({percent(share_y)}),<br>prior units", row=row, col=1)
    alt = f"Points of {len(strategies)} latent strategies over {len(data)} training spectra, one panel each."
    return styled(figure, alt=alt, height=130 + 230 * n_rows).update_layout(legend_y=1.08)


def concentration_pairs(points: pd.DataFrame, target_labels: Mapping[str, str]) -> go.Figure:
    """Draw every pair of up to four targets, drawn concentration sets under those of the data: dots leave rims free.

    Parameters
    ----------
    points
        Table of `spectra_core.evaluation.labels.concentration_strategies.concentration_points`.
    target_labels
        Targets to show, with their labels including units; two to four.
    """
    figure = go.Figure()
    names = list(target_labels)[:MAX_PAIR_TARGETS]
    shown_points: dict[str, pd.DataFrame] = {}
    markers: dict[str, dict[str, object]] = {}
    for rank, (role, rows) in reversed(list(enumerate(points.groupby("role", sort=False), start=1))):
        shown, label = _thinned(rows, ROLE_NAME[str(role)])
        shown_points[label] = shown[[f"target {name}" for name in names]]
        markers[label] = {
            "color": ROLE_COLOUR[str(role)],
            "symbol": ROLE_SYMBOL[str(role)],
            "size": 4,
            "opacity": 0.7,
        }
        figure.add_splom(
            dimensions=[
                {"label": wrapped(target_labels[name], 32), "values": shown[f"target {name}"]} for name in names
            ],
            name=label,
            showupperhalf=False,
            diagonal_visible=False,
            marker=markers[label],
            legendrank=rank,
        )
    alt = f"Pairs of concentrations of {', '.join(names)}, drawn and experimental."
    if len(names) == 2:
        pair = pair_of_targets(shown_points, [wrapped(target_labels[name], 60) for name in names], markers)
        for trace in pair.data:
            trace.legendrank = figure.data[list(shown_points).index(trace.name)].legendrank
        return styled(pair, alt=alt)
    height = 180 + 130 * (len(names) - 1)
    styled(figure, alt=alt, height=height)
    return styled_pairs(figure, len(names))


def concentration_marginals(marginals: pd.DataFrame, target_labels: Mapping[str, str]) -> go.Figure:
    """Draw how often every target takes which values, in the data and among the drawn sets.

    Parameters
    ----------
    marginals
        Table of `spectra_core.evaluation.labels.concentration_strategies.concentration_marginals`.
    target_labels
        Labels with units, by target name.
    """
    names = list(dict.fromkeys(marginals["target"]))
    n_columns = min(_N_COLUMNS, len(names))
    n_rows = -(-len(names) // n_columns)
    figure = make_subplots(
        rows=n_rows, cols=n_columns, horizontal_spacing=0.06, vertical_spacing=min(0.24, 0.6 / n_rows)
    )
    for place, name in enumerate(names):
        row, column = divmod(place, n_columns)
        for role, rows in marginals[marginals["target"] == name].groupby("role", sort=False):
            _add_steps(figure, rows, str(role), first=place == 0, row=row + 1, column=column + 1)
        figure.update_xaxes(
            title_text=wrapped(target_labels[name], 32), nticks=4, tickangle=0, row=row + 1, col=column + 1
        )
        figure.update_yaxes(tickformat=".0%", rangemode="tozero", row=row + 1, col=column + 1)
    for row in range(n_rows):
        figure.update_yaxes(title_text="Share of concentration sets", row=row + 1, col=1)
    return styled(figure, alt=f"Distribution of {', '.join(names)}, drawn and experimental.", height=80 + 210 * n_rows)


def charge_balance(residuals: pd.DataFrame) -> go.Figure:
    """Draw the charge that concentration sets leave unbalanced, one box per role.

    Parameters
    ----------
    residuals
        Table of `spectra_core.evaluation.labels.concentration_strategies.charge_residuals`.
    """
    figure = _boxes(residuals, "residual")
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title_text="Charge left over,<br>Σ z·c, mol/L")
    worst = residuals.groupby("role")["residual"].agg(lambda values: values.abs().max())
    alt = "; ".join(f"{ROLE_NAME[str(role)].lower()} up to {value:.2g} mol/L" for role, value in worst.items())
    return styled(figure, alt=f"Unbalanced charge: {alt}.", height=230)


def distance_to_data(distances: pd.DataFrame) -> go.Figure:
    """Draw how far concentration sets lie outside the convex hull of the data, one box per role.

    Parameters
    ----------
    distances
        Table of `spectra_core.evaluation.labels.concentration_strategies.hull_distances`.
    """
    figure = _boxes(distances, "distance")
    figure.update_xaxes(title_text="Distance outside the data's hull,<br>standard deviations", rangemode="tozero")
    inside = distances.groupby("role")["inside"].mean()
    alt = "; ".join(f"{ROLE_NAME[str(role)].lower()} {percent(share)} inside" for role, share in inside.items())
    return styled(figure, alt=f"Distance to the data's hull: {alt}.", height=230)


def drawn_spectra(statistics: pd.DataFrame, examples: pd.DataFrame, *, axis_label: str, signal_label: str) -> go.Figure:
    """Draw mean and 5 to 95 % band of experimental and generated spectra, and a few generated ones.

    Parameters
    ----------
    statistics
        Table of `spectra_core.evaluation.channels.statistics.channel_statistics`.
    examples
        Table of `spectra_core.evaluation.examples.examples`, generated spectra only.
    """
    figure = go.Figure()
    for role, rows in statistics.groupby("role", sort=False):
        _add_band(figure, rows, str(role))
    for place, (sample, rows) in enumerate(examples.groupby("sample", sort=False)):
        figure.add_scatter(
            x=rows["position"],
            y=rows["signal"],
            name="Single generated spectra",
            legendgroup="examples",
            showlegend=place == 0,
            mode="lines",
            line={"color": transparent(ROLE_COLOUR["generated"], 0.55), "width": 1},
            hovertemplate=f"Generated spectrum {sample}<br>%{{x:g}}: %{{y:.4g}}<extra></extra>",
        )
    figure.update_layout(xaxis_title=axis_label, yaxis_title=signal_label)
    if runs_down(axis_label):
        figure.update_xaxes(autorange="reversed")
    return styled(figure, alt="Mean and 5 to 95 % band of experimental and generated spectra.")


def _thinned(rows: pd.DataFrame, name: str) -> tuple[pd.DataFrame, str]:
    if len(rows) <= MAX_MARKERS:
        return rows, f"{name} ({thousands(len(rows))})"
    step = -(-len(rows) // MAX_MARKERS)
    shown = rows.iloc[::step]
    return shown, f"{name} ({thousands(len(shown))} of {thousands(len(rows))} shown)"


def _add_steps(figure: go.Figure, rows: pd.DataFrame, role: str, *, first: bool, row: int, column: int) -> None:
    """Add one histogram as a filled line with steps, closed at both ends."""
    figure.add_scatter(
        x=[*rows["low"], rows["high"].iloc[-1]],
        y=[*rows["share"], rows["share"].iloc[-1]],
        name=ROLE_NAME[role],
        legendgroup=role,
        showlegend=first,
        mode="lines",
        line={"color": ROLE_COLOUR[role], "dash": ROLE_DASH[role], "width": 1.6, "shape": "hv"},
        fill="tozeroy",
        fillcolor=transparent(ROLE_COLOUR[role], 0.12),
        customdata=[percent(share, 1) for share in [*rows["share"], rows["share"].iloc[-1]]],
        hovertemplate="from %{x:.4g}: %{customdata}<extra>" + ROLE_NAME[role] + "</extra>",
        row=row,
        col=column,
    )


def _boxes(table: pd.DataFrame, column: str) -> go.Figure:
    figure = go.Figure()
    for role, rows in table.groupby("role", sort=False):
        name = str(role)
        figure.add_box(
            x=rows[column],
            name=ROLE_NAME[name],
            orientation="h",
            boxpoints="outliers",
            marker={"color": ROLE_COLOUR[name], "symbol": ROLE_SYMBOL[name], "size": 4},
            line={"width": 1.5},
            showlegend=False,
        )
    figure.update_yaxes(autorange="reversed")
    return figure


def _add_band(figure: go.Figure, rows: pd.DataFrame, role: str) -> None:
    colour, name = ROLE_COLOUR[role], ROLE_NAME[role]
    edges: Sequence[tuple[str, str | None]] = (("q95", None), ("q05", "tonexty"))
    for quantile, fill in edges:
        figure.add_scatter(
            x=rows["position"],
            y=rows[quantile],
            name=f"{name}, 5 to 95 %",
            legendgroup=f"{role} band",
            showlegend=fill is not None,
            mode="lines",
            # A thin edge: on a dark page the fill alone is pale.
            line={"width": 0.8, "color": transparent(colour, 0.6), "dash": ROLE_DASH[role]},
            fill=fill,
            fillcolor=transparent(colour, 0.2),
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=rows["position"],
        y=rows["mean"],
        name=f"{name}, mean",
        mode="lines",
        line={"color": colour, "dash": ROLE_DASH[role], "width": 2},
        hovertemplate="%{x:g}: %{y:.4g}<extra>" + name + "</extra>",
    )

"""Does it learn: training curves, information per latent dimension, reconstructions."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spectra_core.figures.theme import BLUE, GREY, PURPLE, ROLE_COLOUR, difference_label, runs_down, styled

LOSS_PARTS: dict[str, tuple[str, str, str]] = {
    "loss": ("Loss", GREY, "solid"),
    "reconstruction": ("Reconstruction", BLUE, "solid"),
    "kl": ("KL divergence", PURPLE, "solid"),
    "validation_loss": ("Loss, held out", GREY, "dot"),
    "validation_reconstruction": ("Reconstruction, held out", BLUE, "dot"),
    "validation_kl": ("KL divergence, held out", PURPLE, "dot"),
}
"""Name, colour and dash of the parts of the loss: one colour a part, dotted for spectra not trained on."""
LIVE_PARTS: dict[str, tuple[str, str]] = {
    "reconstruction": ("Reconstruction", BLUE),
    "kl": ("KL divergence", PURPLE),
    "validation_reconstruction": ("Reconstruction, held out", GREY),
}
"""Name and colour of what is drawn while training runs; three curves can be told apart without dashes."""
_COUNTED = 20
"""Latent dimensions up to which every one has its number on the axis."""
_SUMS = {"loss": {"reconstruction", "kl"}, "validation_loss": {"validation_reconstruction", "validation_kl"}}
"""Columns that only add up others; hidden until a click in the legend where those are there."""


def training_curve(history: pd.DataFrame) -> go.Figure:
    """Draw every part of the loss against the epoch, on a logarithmic scale.

    Parameters
    ----------
    history
        One row per epoch: ``epoch`` and the loss parts, all positive.
    """
    figure = go.Figure()
    parts = [str(column) for column in history.columns if column != "epoch"]
    for part in parts:
        name, colour, dash = LOSS_PARTS.get(part, (part.replace("_", " ").capitalize(), GREY, "dashdot"))
        figure.add_scatter(
            x=history["epoch"],
            y=history[part],
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="%{y:.4g}",
            visible="legendonly" if part in _SUMS and _SUMS[part] <= set(parts) else True,
        )
    figure.update_layout(hovermode="x unified", xaxis_title="Epoch", yaxis_title="Loss, standardised units")
    figure.update_yaxes(type="log", dtick="D2", tickformat="~g")
    last = history.iloc[-1]
    reached = ", ".join(f"{LOSS_PARTS.get(part, (part,))[0].lower()} {last[part]:.3g}" for part in parts)
    return styled(figure, alt=f"Training curve over {len(history)} epochs; in the last one: {reached}.", height=340)


def information_by_dimension(dimensions: pd.DataFrame) -> go.Figure:
    """Draw the KL divergence of every latent dimension as bars, most informative first.

    Parameters
    ----------
    dimensions
        Table of `spectra_core.evaluation.latent.learning.latent_dimensions`.
    """
    figure = go.Figure()
    place = pd.Series(range(1, len(dimensions) + 1), index=dimensions.index)
    for name, mask, colour, pattern in (
        ("Active", dimensions["active"], BLUE, ""),
        ("Inactive (its mean hardly varies)", ~dimensions["active"], GREY, "/"),
    ):
        rows = dimensions[mask]
        figure.add_bar(
            x=place[mask],
            y=rows["kl"],
            customdata=rows[["dimension", "variance_of_mean"]],
            name=name,
            marker={"color": colour, "pattern": {"shape": pattern}},
            hovertemplate="Dimension %{customdata[0]}<br>KL %{y:.3g} nats<br>"
            "variance of the mean %{customdata[1]:.3g}<extra></extra>",
        )
    figure.update_layout(
        xaxis_title="Latent dimensions, most informative first",
        yaxis_title="KL divergence, nats",
        bargap=0.15,
        barmode="overlay",
    )
    figure.update_yaxes(rangemode="tozero")
    if len(dimensions) <= _COUNTED:
        figure.update_xaxes(dtick=1)
    n_active = int(dimensions["active"].sum())
    return styled(figure, alt=f"{n_active} of {len(dimensions)} latent dimensions are active.", height=340)


def reconstruction_panels(table: pd.DataFrame, *, axis_label: str, signal_label: str) -> go.Figure:
    """Draw five spectra with their reconstruction, side by side on shared axes, and the differences under them.

    Parameters
    ----------
    table
        Table of `spectra_core.evaluation.latent.learning.reconstructions`.
    """
    ranks = list(dict.fromkeys(table["rank"]))
    firsts = table.groupby("rank", sort=False).first()
    titles = [f"{rank.capitalize()}<br>RMSE {firsts.loc[rank, 'rmse']:#.2g}" for rank in ranks]
    figure = make_subplots(
        rows=2,
        cols=len(ranks),
        shared_xaxes="all",
        shared_yaxes="rows",
        row_heights=[0.68, 0.32],
        vertical_spacing=0.06,
        horizontal_spacing=0.015,
        subplot_titles=titles,
    )
    for column, rank in enumerate(ranks, start=1):
        rows = table[table["rank"] == rank]
        _add_pair(figure, rows, column)
        figure.add_scatter(
            x=rows["position"],
            y=rows["difference"],
            name="Difference",
            legendgroup="difference",
            showlegend=column == 1,
            mode="lines",
            line={"color": ROLE_COLOUR["difference"], "width": 1.2},
            row=2,
            col=column,
        )
    figure.update_xaxes(title_text=axis_label, row=2, col=(len(ranks) + 1) // 2)
    figure.update_yaxes(title_text=signal_label, row=1, col=1)
    styled(figure, alt=f"Spectra and reconstructions from best to worst: {', '.join(map(str, ranks))}.", height=440)
    figure.update_layout(legend={"y": 1.16}, margin={"t": 96})
    # Few ticks: those of neighbouring panels must not run into each other.
    figure.update_xaxes(nticks=3)
    figure.update_yaxes(title_text=difference_label(signal_label), zeroline=True, zerolinecolor=GREY, row=2, col=1)
    if runs_down(axis_label):
        figure.update_xaxes(autorange="reversed")
    return figure


def _add_pair(figure: go.Figure, rows: pd.DataFrame, column: int) -> None:
    for part, name, colour, dash in (
        ("spectrum", "Experimental", ROLE_COLOUR["experimental"], "solid"),
        ("reconstruction", "Reconstruction", ROLE_COLOUR["generated"], "dash"),
    ):
        figure.add_scatter(
            x=rows["position"],
            y=rows[part],
            name=name,
            legendgroup=part,
            showlegend=column == 1,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 1.6},
            hovertemplate=f"{rows['sample'].iloc[0]}<br>%{{x:g}}: %{{y:.4g}}<extra>{name}</extra>",
            row=1,
            col=column,
        )

"""Figure of a walk through latent space: the spectrum at every step, and where the walk leaves the data."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from spectra_core.figures.theme import (
    BLUE,
    GREY,
    MARKER_SCALE,
    ROLE_COLOUR,
    VERMILION,
    runs_down,
    styled,
    transparent,
)

MOST_FAINT = 9
"""Steps that stay visible as thin lines, so that the whole walk is seen at once."""


def walk_figure(
    steps: pd.DataFrame,
    spectra: pd.DataFrame,
    *,
    way_label: str,
    axis_label: str,
    signal_label: str,
    range_of_data: pd.DataFrame,
    limit: float,
    reverse: bool | None = None,
) -> go.Figure:
    """Draw the spectrum at one step of a walk, with a slider over all of them; under it, how near the data are.

    Parameters
    ----------
    steps, spectra
        As from `walk_along` or `walk_between`.
    way_label
        What ``at`` measures, with unit.
    range_of_data
        Training spectra: ``position``, ``minimum``, ``maximum`` per channel, as from `channel_statistics`.
    limit
        Distance beyond which a step is remote, as from `remote_from`.
    """
    figure = make_subplots(rows=2, cols=1, vertical_spacing=0.16, row_heights=[0.7, 0.3])
    signal = _rounded(spectra["signal"].to_numpy()).reshape(len(steps), -1)
    position = spectra["position"].to_numpy()[: signal.shape[1]]
    first = int(steps["at"].abs().to_numpy().argmin())
    _add_range(figure, range_of_data)
    _add_whole_walk(figure, steps, position, signal)
    figure.add_scatter(
        x=position, y=signal[first], name="at this step", line={"color": ROLE_COLOUR["generated"], "width": 3}
    )
    moving_line = len(figure.data) - 1
    _add_distances(figure, steps, limit)
    heights = steps["nearest"].fillna(0.0).tolist()
    figure.add_scatter(
        x=steps["at"],
        y=heights,
        mode="markers",
        marker={"color": ROLE_COLOUR["generated"], "symbol": "diamond", "size": _sizes(len(steps), first)},
        showlegend=False,
        hoverinfo="skip",
        row=2,
        col=1,
    )
    moving_marker = len(figure.data) - 1
    # Steps are shown and hidden in the browser: dragging the slider asks nothing of the server.
    figure.update_layout(
        sliders=[
            {
                "active": first,
                "bgcolor": GREY,
                "bordercolor": GREY,
                "currentvalue": {"prefix": f"{way_label}: "},
                "pad": {"t": 16},
                "steps": [
                    {
                        "label": _said(steps["at"].iloc[step]),
                        "method": "restyle",
                        "args": [
                            {"y": [signal[step].tolist(), heights], "marker.size": [None, _sizes(len(steps), step)]},
                            [moving_line, moving_marker],
                        ],
                    }
                    for step in range(len(steps))
                ],
            }
        ]
    )
    turned = runs_down(axis_label) if reverse is None else reverse
    figure.update_xaxes(title_text=axis_label, autorange="reversed" if turned else True, row=1, col=1)
    # The slider under the panel is its axis: title and numbers stand there.
    figure.update_xaxes(range=[steps["at"].min(), steps["at"].max()], showticklabels=False, row=2, col=1)
    # Ranges stand still while the spectrum moves.
    low = min(float(signal.min()), float(range_of_data["minimum"].min()))
    high = max(float(signal.max()), float(range_of_data["maximum"].max()))
    margin = 0.04 * (high - low or 1.0)
    figure.update_yaxes(title_text=signal_label, range=[low - margin, high + margin], row=1, col=1)
    figure.update_yaxes(title_text="Nearest data,<br>prior units", rangemode="tozero", row=2, col=1)
    figure.update_layout(legend_traceorder="normal")
    n_left = int((steps["remote"] | steps["outside_range"]).sum())
    return styled(
        figure,
        alt=f"Decoded spectra at {len(steps)} steps over {way_label.lower()}, {_said(steps['at'].iloc[0])} to "
        f"{_said(steps['at'].iloc[-1])}; at {n_left} of them the walk has left the data.",
        height=680,
    )


def _said(at: float) -> str:
    """Say a place on the walk, with a minus as axes have it.

    >>> _said(-0.8), _said(4.0)
    ('−0.8', '4')
    """
    return f"{at:.3g}".replace("-", "\N{MINUS SIGN}")


def _add_range(figure: go.Figure, range_of_data: pd.DataFrame) -> None:
    for column, fill in (("minimum", None), ("maximum", "tonexty")):
        figure.add_scatter(
            x=range_of_data["position"],
            y=range_of_data[column].astype(np.float32),
            mode="lines",
            # A thin edge: on a dark page the fill alone is pale.
            line={"width": 0.8, "color": transparent(BLUE, 0.6)},
            fill=fill,
            fillcolor=transparent(BLUE, 0.16),
            name="range of the training spectra",
            showlegend=fill is not None,
            hoverinfo="skip",
            row=1,
            col=1,
        )


def _add_whole_walk(figure: go.Figure, steps: pd.DataFrame, position: np.ndarray, signal: np.ndarray) -> None:
    shown = np.unique(np.linspace(0, len(steps) - 1, min(MOST_FAINT, len(steps))).round().astype(int))
    colours = sample_colorscale([list(stop) for stop in MARKER_SCALE], list(np.linspace(0.0, 1.0, len(shown))))
    ends = {shown[0]: ("first", steps["at"].iloc[0]), shown[-1]: ("last", steps["at"].iloc[-1])}
    names = {step: f"{which} step, {_said(at)}" for step, (which, at) in ends.items()}
    for step, colour in zip(shown, colours, strict=True):
        figure.add_scatter(
            x=position,
            y=signal[step],
            mode="lines",
            line={"width": 1, "color": colour},
            opacity=0.8,
            name=names.get(step, ""),
            showlegend=step in names,
            hovertemplate=f"at {_said(steps['at'].iloc[step])}: %{{x:g}}, %{{y:.4g}}<extra></extra>",
            row=1,
            col=1,
        )


def _add_distances(figure: go.Figure, steps: pd.DataFrame, limit: float) -> None:
    figure.add_scatter(
        x=steps["at"],
        y=steps["nearest"],
        mode="lines",
        line={"color": GREY, "width": 2},
        name="distance to the nearest training spectrum",
        customdata=100 * steps["channels_outside"],
        hovertemplate="at %{x:.3g}: %{y:.3g} prior units; %{customdata:.1f} % of the channels beyond every "
        "training spectrum<extra></extra>",
        row=2,
        col=1,
    )
    # After the line: plotly shades no panel that is still empty.
    for low, high in _stretches(steps):
        figure.add_vrect(x0=low, x1=high, fillcolor=transparent(VERMILION, 0.12), line_width=0, row=2, col=1)
    if np.isfinite(limit):
        figure.add_hline(y=limit, line={"color": VERMILION, "width": 1, "dash": "dot"}, row=2, col=1)


def _stretches(steps: pd.DataFrame) -> list[tuple[float, float]]:
    """From where to where the walk is beyond the data, half a step to either side."""
    left = (steps["remote"] | steps["outside_range"]).to_numpy()
    at = steps["at"].to_numpy()
    half = (at[1] - at[0]) / 2
    edges = np.flatnonzero(np.diff(np.concatenate([[False], left, [False]]).astype(int)))
    return [(float(at[begin] - half), float(at[end - 1] + half)) for begin, end in edges.reshape(-1, 2)]


def _rounded(signal: np.ndarray) -> np.ndarray:
    """Round to a ten-thousandth of the range: more digits than a screen shows would only make the figure heavy."""
    size = float(np.ptp(signal)) or 1.0
    return np.asarray(np.round(signal.astype(np.float64), 4 - int(np.floor(np.log10(size)))))


def _sizes(n_steps: int, step: int) -> list[int]:
    """Sizes of the markers of all steps: only the one at `step` is seen."""
    return [12 if number == step else 0 for number in range(n_steps)]

"""Panels that several figures share: one a target, whose names may be long; and lines over their difference."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spectra_core.figures.theme import GREY, PURPLE, TITLE_SIZE, runs_down, styled, transparent, wrapped

MOST_COLUMNS = 4
_CHARACTERS = 72
"""Characters that the titles of one row hold together in a window 1280 pixels wide."""
_UNDER = 84
"""Pixels under a panel, for the numbers and the title of its axis."""
_LEGEND = 88
"""Pixels above all panels, for two lines of legend."""


class Panels:
    """A figure with one panel per target, in rows of up to four.

    Parameters
    ----------
    targets
        Titles of the panels; long ones run over several lines.
    panel_height
        In pixels.
    shared_yaxes
        Whether the panels of a row share their vertical axis.
    horizontal_spacing
        Between panels, share of the width.
    """

    def __init__(
        self, targets: Sequence[str], *, panel_height: float, shared_yaxes: bool = False, horizontal_spacing: float
    ) -> None:
        self.n_columns = min(MOST_COLUMNS, len(targets))
        n_rows = -(-len(targets) // self.n_columns)
        titles = [wrapped(target, _CHARACTERS // self.n_columns) for target in targets]
        self._title_height = 8 + round(1.25 * TITLE_SIZE) * max(title.count("<br>") + 1 for title in titles)
        gap = _UNDER + self._title_height
        self._inner = n_rows * (panel_height + gap) - gap
        self.figure = make_subplots(
            rows=n_rows,
            cols=self.n_columns,
            subplot_titles=titles,
            shared_yaxes=shared_yaxes,
            horizontal_spacing=horizontal_spacing,
            vertical_spacing=gap / self._inner if n_rows > 1 else 0,
        )
        self.places = [(number // self.n_columns + 1, number % self.n_columns + 1) for number in range(len(targets))]

    def styled(self, *, alt: str, left: int = 64) -> go.Figure:
        """Return the figure with what all figures share, tall enough for its panels, and the legend above the titles.

        Parameters
        ----------
        left
            Margin for the names on the vertical axis, in pixels.
        """
        top = _LEGEND + self._title_height
        styled(self.figure, alt=alt, height=round(self._inner + top + _UNDER))
        # Panels are narrow: few numbers, or they run into each other.
        self.figure.update_xaxes(nticks=4, tickangle=0)
        return self.figure.update_layout(
            margin={"l": left, "t": top, "b": _UNDER}, legend_y=1.0 + self._title_height / self._inner
        )


def lines_over_difference(
    table: pd.DataFrame,
    lines: Mapping[str, Mapping[str, Any]],
    difference: Mapping[str, Any],
    *,
    noise: float,
    axis_label: str,
    signal_label: str,
    difference_label: str,
    reverse: bool | None,
) -> go.Figure:
    """Draw columns of a table as lines, and their difference in units of noise under them.

    Parameters
    ----------
    table
        Row per ``position``, with the columns named in `lines`, and ``y`` of `difference`.
    lines
        How each column is drawn.
    difference
        How the difference is drawn.
    noise
        Half the height of the shaded band that noise alone would fill.
    reverse
        Draw the axis from high to low; None does so where the field does.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.62, 0.38])
    for column, how in lines.items():
        figure.add_scatter(x=table["position"], y=table[column], mode="lines", row=1, col=1, **how)
    line = {"color": PURPLE, "width": 1.4}
    figure.add_scatter(x=table["position"], mode="lines", line=line, row=2, col=1, **difference)
    # After the line: plotly shades no panel that is still empty.
    figure.add_hrect(y0=-noise, y1=noise, fillcolor=transparent(GREY, 0.2), line_width=0, row=2, col=1)
    turned = runs_down(axis_label) if reverse is None else reverse
    figure.update_xaxes(autorange="reversed" if turned else True)
    figure.update_xaxes(title_text=axis_label, row=2, col=1)
    figure.update_yaxes(title_text=signal_label, row=1, col=1)
    return figure.update_yaxes(title_text=difference_label, row=2, col=1)

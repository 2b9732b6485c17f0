"""Figures on a page: over its width, with the words that stand for them, and a button that keeps them as a file."""

from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st

from spectra_core.figures.theme import alt_text

FORMATS = {"png": "PNG", "svg": "SVG"}
"""What the camera above every figure can write, in the browser alone."""


def show_figure(
    figure: go.Figure, *, key: str, on_select: Literal["ignore", "rerun"] = "ignore", **options: Any
) -> Any:
    """Draw a figure; with ``on_select="rerun"`` return what is selected on it, as `st.plotly_chart` does."""
    kind = st.session_state.get("figure_format") or "png"
    saving = {"format": kind, "filename": key, "scale": 1 if kind == "svg" else 2}
    config = {"displaylogo": False, "toImageButtonOptions": saving}
    return st.plotly_chart(figure, key=key, alt=alt_text(figure), config=config, on_select=on_select, **options)


def pick_format() -> None:
    """Let the visitor choose, for all pages, what the camera above a figure writes."""
    st.segmented_control(
        "Figures as files",
        list(FORMATS),
        default="png",
        required=True,
        format_func=FORMATS.__getitem__,
        key="figure_format",
        persist_state="session",
        help="What the camera above a figure saves: pixels at twice the size of the screen, or lines that stay sharp.",
    )

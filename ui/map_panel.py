"""The map of spectra: which space, which colour, and what a selection on it holds."""

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd
import streamlit as st

from spectra_core.figures.latent_map import map_scatter
from spectra_core.figures.spectra import single_spectra
from spectra_core.figures.theme import alt_text
from ui import state
from ui.comparison import Compared, offer_tables, show_figure

if TYPE_CHECKING:
    from spectra_core.store import StoredModel, StoredResult

MOST_SHOWN = 60
"""Selected spectra that are drawn; the table holds all."""
_AXES = {"UMAP": ("UMAP 1, no unit", "UMAP 2, no unit"), "t-SNE": ("t-SNE 1, no unit", "t-SNE 2, no unit")}


def pick_space(model: "StoredModel | None") -> str:
    """Let the visitor map the latent space or the channels; return "latent" or "channels"."""
    if model is None or not hasattr(model.model, "encode"):
        return "channels"
    words = {"latent": f"Latent space of {model.record.title}", "channels": "Channels"}
    chosen: str | None = st.segmented_control(
        "Space",
        list(words),
        default="latent",
        required=True,
        format_func=lambda name: words[name],
        key="map_space",
        persist_state="session",
    )
    return chosen or "latent"


def pick_colour(found: Compared) -> str | None:
    """Let the visitor colour by role or by a target; return the target's name, or None for the role."""
    if not found.same_targets:
        return None
    by_role = "Role"
    chosen: str = st.selectbox(
        "Colour", [by_role, *found.sets["training"].target_names], key="map_colour", persist_state="session"
    )
    return None if chosen == by_role else chosen


def neighbour_map(found: Compared, model: "StoredModel | None", method: str) -> tuple[pd.DataFrame, float]:
    """Return a finished UMAP or t-SNE with its trustworthiness, or offer to draw it and stop."""
    arguments: dict[str, Any] = {
        "set": state.chosen("set"),
        "generated": state.chosen("generated"),
        "model": None if model is None else model.record.id,
        "method": method,
        "seed": 0,
    }
    finished = _finished_map(arguments)
    if finished is None:
        _offer_to_draw(arguments, found.sets["generated"].meta.name)
    return _by_role_rows(finished.tables["map"], found), float(finished.document["trustworthiness"])


def show(found: Compared, table: pd.DataFrame, colour: str | None, *, method: str, space: str) -> None:
    """Draw the map in a fragment of its own, with what is selected on it below."""
    x_label, y_label = _axes(table, method, space)
    labels = {info.name: info.label for info in found.sets["training"].target_info}
    figure = map_scatter(
        table,
        x_label=x_label,
        y_label=y_label,
        colour=None if colour is None else f"target {colour}",
        colour_label="" if colour is None else labels[colour],
    )

    @st.fragment
    def drawn() -> None:
        event = st.plotly_chart(
            figure,
            key=f"map_{method}_{space}",
            on_select="rerun",
            selection_mode=("box", "lasso"),
            alt=alt_text(figure),
            config={"displaylogo": False},
        )
        points = event["selection"]["points"]
        if points:
            _show_selected(found, table, points)
        else:
            st.caption("Draw a box or a lasso around markers to see their spectra.")

    drawn()


def _show_selected(found: Compared, table: pd.DataFrame, points: list[Any]) -> None:
    from spectra_core.evaluation.examples import spectra_rows

    wanted = pd.DataFrame([point["customdata"][:2] for point in points], columns=["role", "sample"])
    rows = wanted.astype({"sample": int}).drop_duplicates().merge(table, on=["role", "sample"])
    st.subheader(f"{len(rows)} selected spectra")
    drawn = rows.iloc[:: -(-len(rows) // MOST_SHOWN)]
    if len(drawn) < len(rows):
        st.caption(f"{len(drawn)} of them are drawn, evenly spaced.")
    chosen = {str(role): part["sample"].to_numpy(np.int64) for role, part in drawn.groupby("role", sort=False)}
    training = found.sets["training"]
    lines = spectra_rows(found.sets, chosen)
    figure = single_spectra(lines, axis_label=training.axis.label, signal_label=training.meta.signal_label)
    show_figure(figure, key="selected_spectra")
    st.dataframe(rows.drop(columns=["share_x", "share_y"]), hide_index=True, key="selected_rows")
    offer_tables({"selected_spectra": rows})


def _finished_map(arguments: dict[str, Any]) -> "StoredResult | None":
    """Return the latest map that was drawn of just this."""
    for record in reversed(state.store().results("map")):
        result = state.store().load_result(record.id)
        if result.document.get("arguments") == arguments:
            return result
    return None


def _offer_to_draw(arguments: dict[str, Any], name: str) -> NoReturn:
    waiting = [
        record
        for record in state.jobs().records()
        if record.is_active and record.task == "map" and record.arguments == arguments
    ]
    if waiting:
        from ui import job_panel

        job_panel.show(waiting[-1].id)
    else:
        st.info("This map is not drawn yet. It takes from seconds to a minute and runs in the background.")
        if st.button("Draw the map", type="primary", icon=":material/bubble_chart:"):
            method = {"umap": "UMAP", "tsne": "t-SNE"}[arguments["method"]]
            state.start_job("map", arguments, f"Draw the {method} of {name}")
    st.stop()


def _axes(table: pd.DataFrame, method: str, space: str) -> tuple[str, str]:
    if method != "PCA":
        return _AXES[method]
    unit = "units of the prior" if space == "latent" else "unit of the signal"
    shares = (table["share_x"].iloc[0], table["share_y"].iloc[0])
    first, second = (
        f"Score on PC {n}, {unit} ({share:.0%} of the variance)" for n, share in enumerate(shares, start=1)
    )
    return first, second


def _by_role_rows(table: pd.DataFrame, found: Compared) -> pd.DataFrame:
    """Turn rows of the whole experimental set into rows of each role's set."""
    numbered = table.copy()
    for role, rows in found.rows.items():
        place = {row: i for i, row in enumerate(rows)}
        here = numbered["role"] == role
        numbered.loc[here, "sample"] = numbered.loc[here, "sample"].map(place)
    return numbered.dropna(subset=["sample"]).astype({"sample": int})

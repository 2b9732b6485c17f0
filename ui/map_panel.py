"""The map of spectra: which space, which colour, and what a selection on it holds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from spectra_core.evaluation.latent import map_colours, maps
from spectra_core.evaluation.latent.maps import (
    NEIGHBOURS,
    PERPLEXITY,
    fitting_neighbours,
    fitting_perplexity,
    require_neighbours,
)
from spectra_core.evaluation.sampling import sampled_rows
from spectra_core.figures.latent_map import METHODS, map_axes, map_scatter
from spectra_core.figures.spectra import single_spectra
from spectra_core.figures.theme import role_name
from spectra_core.spectra import SpectraSet
from spectra_core.store.results import unkept_result
from spectra_core.training.versions import versions
from ui import cache, state, studies, tables, targets, umap_warm
from ui.comparison import Compared
from ui.exports import offer_tables
from ui.figures import show_figure
from ui.models import has_latent_space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spectra_core.store import StoredModel, StoredResult

MOST_MARKERS = 800
"""Markers of a role that are drawn at first: a browser without a graphics card draws so many at once."""
MOST_SHOWN = 60
"""Selected spectra that are drawn; the table holds all."""
_METHODS = {title: name for name, title in METHODS.items()}


def pick_space(model: "StoredModel | None") -> str:
    """Let the visitor map the latent space or the channels; return "latent" or "channels"."""
    if model is None or not hasattr(model.model, "encode"):
        return "channels"
    words = {"latent": "Latent space", "channels": "Channels"}
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


@dataclass(frozen=True)
class Colour:
    """What the markers of the map are coloured by.

    Parameters
    ----------
    kind
        "role", "target", "label error", "reconstruction error" or "density".
    target
        Whose concentration or label error.
    """

    kind: str
    target: str = ""


def _pick_colour(found: Compared, model: "StoredModel | None") -> Colour:
    """Let the visitor choose what the markers are coloured by, out of what the sets and the generator allow."""
    kinds = {"role": "Role", "density": "Density of the data"}
    if found.same_targets:
        kinds |= {"target": "Concentration", "label error": "Error of the label"}
    if model is not None and has_latent_space(model) and (found.same_targets or not model.model.needs_conditions):
        kinds["reconstruction error"] = "Error of the reconstruction"
    kind: str = st.selectbox(
        "Colour",
        list(kinds),
        format_func=kinds.__getitem__,
        key="map_colour",
        persist_state="session",
        width=230,
        help="Density: of training spectra around each spectrum, in their leading principal components. Error of the "
        "label: what the label says beyond what the spectrum says, read by ridge regression that did not see it. "
        "Error of the reconstruction: encoded and decoded again.",
    )
    if kind not in ("target", "label error"):
        return Colour(kind)
    names = targets.names(found.sets["training"].target_info)
    target: str = st.selectbox(
        "Target", list(names), format_func=names.__getitem__, key="map_target", persist_state="session", width=160
    )
    return Colour(kind, target)


def _coloured(
    found: Compared, table: pd.DataFrame, colour: Colour, model: "StoredModel | None"
) -> tuple[pd.DataFrame, str, str]:
    """Return the table of a map with the column to colour by, the name of that column, "" for the role, and its label.

    Parameters
    ----------
    table
        As from `latent_map`.
    """
    training = found.sets["training"]
    labels = targets.labels(training.target_info)
    if colour.kind == "role":
        return table, "", ""
    if colour.kind == "target":
        return table, f"target {colour.target}", labels[colour.target]
    values = cache.table(colour_values, found.sets, colour.kind, colour.target, model)
    name, label = {
        "density": ("density", "log₁₀ of density, usual = 0"),
        "label error": (f"label error {colour.target}", f"Label \u2212 reading: {labels.get(colour.target, '')}"),
        "reconstruction error": ("reconstruction error", f"RMSE, {training.meta.signal_label.lower()}"),
    }[colour.kind]
    return table.merge(values.rename(columns={"value": name}), on=["role", "sample"], how="left"), name, label


def colour_values(sets: dict[str, SpectraSet], kind: str, target: str, model: "StoredModel | None") -> pd.DataFrame:
    """Return "density", "label error" of a target, or "reconstruction error" of every spectrum."""
    if kind == "density":
        return map_colours.density_colour(sets)
    if kind == "label error":
        return map_colours.label_error_colour(sets, target)
    assert model is not None
    return map_colours.reconstruction_colour(sets, model.model)


def draw_map(sets: dict[str, SpectraSet], model: "StoredModel | None", method: str) -> tuple[pd.DataFrame, float]:
    """Return the map by "PCA" or "UMAP", as `evaluation.latent.maps` draws them, and its trustworthiness."""
    generator = None if model is None else model.model
    table = (maps.umap_map if method == "UMAP" else maps.latent_map)(sets, generator)
    return table, maps.trustworthiness(table, sets, generator)


def umap(found: Compared, model: "StoredModel | None") -> tuple[pd.DataFrame, float] | None:
    """Return UMAP's map with its trustworthiness; None, with a sentence, while umap-learn still compiles."""
    if not umap_warm.is_warm():
        _wait_until_warm()
        return None
    drawn = cache.table(draw_map, found.sets, model, "UMAP")
    n_spectra = len(drawn[0])
    used = fitting_neighbours(n_spectra)
    few = f", for there are {n_spectra} spectra only" if used < NEIGHBOURS else ""
    st.caption(f"Laid out by the {used} nearest neighbours of each spectrum{few}.")
    return drawn


@st.fragment(run_every=1.0)
def _wait_until_warm() -> None:
    if umap_warm.is_warm():
        st.rerun()
    st.info(
        "UMAP is being made ready, once after each start of the app. The PCA map stands here until then.",
        icon=":material/hourglass_top:",
    )


def tsne(found: Compared, model: "StoredModel | None") -> tuple[pd.DataFrame, float] | None:
    """Return a finished t-SNE with its trustworthiness; None, with an offer to draw it, while there is none."""
    arguments = _arguments(model, "t-SNE")
    finished = _finished_map(arguments)
    if finished is None:
        require_neighbours(found.sets, None if model is None else model.model)
        _offer_to_draw(arguments, found.sets["generated"].meta.name)
        return None
    table = _by_role_rows(finished.tables["map"], found)
    used = fitting_perplexity(len(table))
    few = f", for there are {len(table)} spectra only" if used < PERPLEXITY else ""
    st.caption(f"Laid out with a perplexity of {used:.2g}{few}.")
    return table, float(finished.document["trustworthiness"])


def as_result(
    found: Compared, model: "StoredModel | None", method: str, drawn: tuple[pd.DataFrame, float]
) -> "StoredResult":
    """Return a map with its trustworthiness as the job that draws maps keeps them."""
    table, trust = drawn
    document = {
        "arguments": _arguments(model, method),
        "n_spectra": {role: len(rows) for role, rows in found.all_rows.items()},
        "n_shown": {role: len(spectra) for role, spectra in found.sets.items()},
        "trustworthiness": trust,
        "versions": versions(),
    }
    return unkept_result("map", f"Map of {found.sets['training'].meta.name}", document, {"map": table})


def _arguments(model: "StoredModel | None", method: str) -> dict[str, Any]:
    return {
        "set": state.chosen("set"),
        "generated": state.chosen("generated"),
        "model": None if model is None else model.record.id,
        "method": _METHODS[method],
        "seed": 0,
    }


def show(found: Compared, table: pd.DataFrame, model: "StoredModel | None", *, method: str, space: str) -> None:
    """Draw the map in a fragment of its own, with what it is coloured by and what is selected on it."""
    x_label, y_label = map_axes(table, _METHODS[method], latent=space == "latent")

    @st.fragment
    def drawn() -> None:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            colour = _pick_colour(found, model)
            markers, part = _pick_markers(table)
        coloured, column, colour_label = _coloured(found, table, colour, model)
        figure = cache.drawn(
            map_scatter,
            coloured.iloc[markers],
            x_label=x_label,
            y_label=y_label,
            colour=column or None,
            colour_label=colour_label,
            around_zero=colour.kind == "label error",
        )
        event = show_figure(figure, key=f"map_{method}_{space}", on_select="rerun", selection_mode=("box", "lasso"))
        if part:
            st.caption(part)
        points = event["selection"]["points"]
        if points:
            _show_selected(found, coloured, points)
        else:
            st.caption("Draw a box or a lasso around markers to see their spectra.")
        offer_tables({"latent_map": coloured})

    drawn()


def _pick_markers(table: pd.DataFrame) -> tuple["NDArray[np.int64]", str]:
    """Return which rows of the map are drawn, and which part that is, for the page; "" where all are.

    Parameters
    ----------
    table
        As from `latent_map`.
    """
    every = np.arange(len(table))
    places = {str(role): every[table["role"] == role] for role in table["role"].unique()}
    chosen = {role: rows[sampled_rows(len(rows), role, MOST_MARKERS)] for role, rows in places.items()}
    cut = [
        f"{len(rows)} of {len(places[role])} {role}" for role, rows in chosen.items() if len(rows) < len(places[role])
    ]
    if not cut or st.toggle(
        "Draw every spectrum",
        key="map_every",
        persist_state="session",
        help="All markers take a browser without a graphics card more than a second after every click.",
    ):
        return every, ""
    return np.concatenate(
        list(chosen.values())
    ), f"A random part is drawn, the same at every visit: {', '.join(cut)} spectra. The table as a file holds all."


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
    figure = cache.drawn(single_spectra, lines, axis_label=training.axis.label, signal_label=training.meta.signal_label)
    show_figure(figure, key="selected_spectra")
    listed = rows.drop(columns=["share_x", "share_y"]).assign(role=rows["role"].map(role_name))
    st.dataframe(
        listed, hide_index=True, key="selected_rows", placeholder=tables.NONE, column_config=tables.columns(listed)
    )
    offer_tables({"selected_spectra": rows})


def _finished_map(arguments: dict[str, Any]) -> "StoredResult | None":
    """Return the latest map that was drawn of just this."""
    for result in studies.kept_results("map"):
        if result.document["arguments"] == arguments:
            return result
    return None


def _offer_to_draw(arguments: dict[str, Any], name: str) -> None:
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
            state.start_job("map", arguments, f"Draw the t-SNE of {name}")


def _by_role_rows(table: pd.DataFrame, found: Compared) -> pd.DataFrame:
    """Turn rows of the whole experimental set into rows of each role's set."""
    numbered = table.copy()
    for role, rows in found.rows.items():
        place = {row: i for i, row in enumerate(rows)}
        here = numbered["role"] == role
        numbered.loc[here, "sample"] = numbered.loc[here, "sample"].map(place)
    return numbered.dropna(subset=["sample"]).astype({"sample": int})

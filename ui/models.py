"""Stored generators on the page: which is being trained, what it is judged on, its summary, all of them as a list."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from spectra_core.evaluation.latent import learning
from spectra_core.figures.theme import thousands
from spectra_core.generators import GENERATORS
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from ui import cache, deleting, state, tables
from ui.exports import card_export
from ui.text import plain, significant

if TYPE_CHECKING:
    from spectra_core.jobs import JobRecord
    from spectra_core.spectra.latent import LatentPosterior
    from spectra_core.store import StoredModel

_MOST_SIBLINGS = 5
_FEWEST_JUDGED = 5
"""Held-out spectra below this number are too few to show; the training spectra stand in."""


def unfinished_training(fingerprint: str) -> "JobRecord | None":
    """Return the last training on a set, whoever started it, unless it finished: it runs, or it can be resumed."""
    trainings = [
        record
        for record in state.jobs().records()
        if record.task == "train" and record.arguments.get("set") == fingerprint and "generator" in record.arguments
    ]
    return trainings[-1] if trainings and trainings[-1].state != "finished" else None


def training_part(found: "StoredModel", spectra: SpectraSet) -> SpectraSet:
    """Return the spectra a generator was trained on, where `spectra` is its set; else all of `spectra`."""
    held_out = found.record.held_out_rows if found.record.trained_on == spectra.fingerprint else ()
    kept = np.delete(np.arange(len(spectra)), list(held_out))
    return spectra if len(kept) == len(spectra) else cache.shared(SpectraSet.take, spectra, kept)


def encoded(found: "StoredModel", spectra: SpectraSet) -> "LatentPosterior":
    """Return the posterior of every spectrum, computed once."""
    return cache.shared(encode, found, spectra)


def encode(found: "StoredModel", spectra: SpectraSet) -> "LatentPosterior":
    """Return the posterior of every spectrum."""
    posterior: LatentPosterior = found.model.encode(spectra)
    return posterior


def dimensions(found: "StoredModel", spectra: SpectraSet) -> pd.DataFrame:
    """Return `latent_dimensions` of the spectra that a generator was trained on: on every page the same."""
    return cache.table(learning.latent_dimensions, encoded(found, training_part(found, spectra)))


def reconstruct(found: "StoredModel", spectra: SpectraSet) -> pd.DataFrame:
    """Return `evaluation.latent.learning.reconstructions`."""
    return learning.reconstructions(found.model, spectra)


def has_latent_space(found: "StoredModel") -> bool:
    """Whether a stored generator encodes spectra to latent points."""
    return hasattr(found.model, "encode")


def judged_on(found: "StoredModel", spectra: SpectraSet) -> tuple[SpectraSet, str]:
    """Return the spectra a generator is judged on, and what to call them on a page: if enough, held-out ones."""
    record = found.record
    if record.trained_on != spectra.fingerprint:
        return spectra, f"spectra of “{plain(spectra.meta.name)}”"
    if len(record.held_out_rows) < _FEWEST_JUDGED:
        return spectra, "training spectra"
    return cache.shared(SpectraSet.take, spectra, np.asarray(record.held_out_rows)), "held-out spectra"


def verdict(found: "StoredModel", seen: SpectraSet, spectra: SpectraSet, words: str) -> str:
    """Say whether a generator has learned, from what `judged_on` returned."""
    share = cache.shared(_rebuilt_share, found, seen, training_part(found, spectra))
    return f"**{learning.learned_sentence(found.history, share, words)}**"


def _rebuilt_share(found: "StoredModel", seen: SpectraSet, training: SpectraSet) -> float:
    return learning.rebuilt_share(found.model, seen, training)


def show_summary(found: "StoredModel", dimensions: pd.DataFrame, rebuilt: pd.DataFrame | None, words: str) -> None:
    """Show what a generator has learned in three numbers, and what they were measured on."""
    columns = st.columns(4)
    n_parameters = found.record.n_parameters
    columns[0].metric("Parameters", "exact fit" if n_parameters is None else thousands(n_parameters))
    columns[1].metric("Active latent dimensions", f"{int(dimensions['active'].sum())} of {len(dimensions)}")
    columns[2].metric("Information", f"{significant(dimensions['kl'].sum())} nats", help="Sum of the KL divergences.")
    if rebuilt is not None:
        median = rebuilt.loc[rebuilt["rank"] == "median", "rmse"].iloc[0]
        columns[3].metric("Median reconstruction RMSE", significant(median), help=f"Over all channels; {words}.")


def say_if_far(found: "StoredModel") -> None:
    """Warn where a training ended far from kept ones that differ from it by the seed alone."""
    record, others = found.record, []
    if "reconstruction" not in found.history:
        return  # a network with a loss of its own
    for other in state.records("model").values():
        same = (other.member, other.configuration, other.trained_on) == (
            *(record.member, record.configuration, record.trained_on),
        )
        if same and other.id != record.id:
            others.append(cache.shared(Store.load_model, state.store(), other.id))
    ends = [float(one.history["reconstruction"].iloc[-1]) for one in (found, *others[-_MOST_SIBLINGS:])]
    if learning.far_from_siblings(ends)[0]:
        st.warning(
            f"This training ended far from {len(ends) - 1} others with the same options on the same set: its "
            f"reconstruction error is {significant(ends[0])}, their median {significant(float(np.median(ends[1:])))}. "
            "Train again with another seed.",
            icon=":material/crisis_alert:",
        )


def show_stored() -> None:
    """List all stored generators with where they come from; export, import, delete."""
    st.subheader("Stored generators")
    records = list(state.records("model").values())
    if records:
        rows = [_row(record) for record in reversed(records)]
        st.dataframe(pd.DataFrame(rows), hide_index=True, placeholder=tables.NONE)
    else:
        st.caption("None yet.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = state.chosen("model")
        if chosen is not None:
            record = state.records("model")[chosen]
            st.download_button(
                "Download the chosen one",
                data=partial(state.store().export_model, chosen),
                file_name=f"{record.member}-{chosen[:8]}.safetensors",
                icon=":material/download:",
                on_click="ignore",
            )
            card_export(chosen, f"card-{record.member}-{chosen[:8]}")
            deleting.offer_delete("models", chosen, record.name, stays="Generated sets stay.")
        with st.popover("Upload a model file", icon=":material/upload:"):
            _upload()
    deleting.show()


def _upload() -> None:
    uploaded = st.file_uploader("A generator exported here (.safetensors)", type=["safetensors"])
    if uploaded is not None and st.button("Take it in hand", type="primary"):
        state.choose_model(state.store().import_model(uploaded.getvalue()))


def _row(record: Any) -> dict[str, Any]:
    return {
        "Name": record.name,
        "Trained on": record.trained_on_name,
        "Held out": len(record.held_out_rows),
        "Seed": record.seed,
        "Parameters": None if record.n_parameters is None else thousands(record.n_parameters),
        "Kept": record.created[:16].replace("T", " "),
        "Options": tables.options_in_words(GENERATORS.get(record.member), record.configuration),
        "Versions": ", ".join(f"{name} {version}" for name, version in record.versions.items()),
        "Id": record.id[:12],
    }

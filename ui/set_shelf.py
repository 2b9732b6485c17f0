"""The sets in the store: take in hand, rename, export, delete."""

from functools import partial

import pandas as pd
import streamlit as st

from spectra_core.datasets import export
from spectra_core.datasets.public import PUBLIC, load_public
from spectra_core.datasets.writers import WRITERS
from spectra_core.figures.names import ion_labels
from spectra_core.spectra import SpectraSet
from spectra_core.store import SetRecord, Store
from ui import cache, deleting, demo, state
from ui.menu import ROOT
from ui.text import counted


def offer_built_in() -> None:
    """Offer sets that need no file: the demo, sets of optional packages, and the simulator."""
    with st.container(horizontal=True, vertical_alignment="center"):
        demo.offer_set()
        for name, public in PUBLIC.items():
            if public.installed and st.button(f"Load “{public.title}”", key=f"public_{name}", help=public.explanation):
                state.choose_experimental(state.keep_set(load_public(name)))
        if (ROOT / "pages/data/simulate.py").is_file():
            st.page_link("pages/data/simulate.py", label="Simulate a set", icon=":material/science:")


def show() -> None:
    """List the sets in the store with what can be done to each."""
    records = state.store().sets()
    if not records:
        st.caption("The store holds no sets yet.")
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "name": record.name,
                    "origin": record.origin,
                    "signal": record.quantity,
                    "spectra": record.n_spectra,
                    "channels": record.n_channels,
                    "targets": ", ".join(ion_labels(record.target_names).values()),
                    "kept, UTC": record.created[:16].replace("T", " "),
                }
                for record in records
            ]
        ),
        hide_index=True,
        key="kept_sets",
        column_config={
            "name": st.column_config.Column("Name", width="medium"),
            "origin": st.column_config.Column("Origin", width=80),
            "signal": st.column_config.Column("Signal", width=90),
            "spectra": st.column_config.Column("Spectra", width=64),
            "channels": st.column_config.Column("Channels", width=70),
            "targets": st.column_config.Column("Targets", width=150),
            "kept, UTC": st.column_config.Column("Kept, UTC", width=125),
        },
    )
    by_key = {record.fingerprint: record for record in records}
    in_hand = state.chosen("set")
    keys = list(by_key)
    # A picker for each set in hand: another one in hand is picked here, too, and none where none is.
    picked = st.selectbox(
        "Set",
        keys,
        index=keys.index(in_hand) if in_hand in by_key else None,
        format_func=lambda key: f"{by_key[key].name} ({key[:6]})",
        key=f"kept_set_{(in_hand or '')[:12]}",
        placeholder="Choose a set",
        width=420,
    )
    if picked is not None:
        _manage(by_key[picked])


def keep_and_use(spectra: SpectraSet) -> None:
    """Keep a set that was made from the one in hand, take it in hand, and say so."""
    kept = state.keep_set(spectra)
    state.notify(
        f"{counted(len(spectra), 'spectrum is', 'spectra are')} kept as a new set and in hand. The former set stays."
    )
    state.choose_experimental(kept)


def _manage(record: SetRecord) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Use", key="use_set", icon=":material/check:"):
            if record.origin == "generated":
                state.choose(generated=record.fingerprint)
            state.choose_experimental(record.fingerprint)
        with st.popover("Export", icon=":material/download:"):
            st.caption(f"Every file says that the spectra are {record.origin}, and reads back equal.")
            for form, writer in WRITERS.items():
                st.download_button(
                    writer.title,
                    partial(cache.table, written, state.store(), record.fingerprint, record.name, form),
                    # Of two large files of one name Streamlit may give the other one: it looks at a part of each.
                    f"{_file_name(record.name)}-{record.fingerprint[:8]}{writer.extension}",
                    writer.mime,
                    help=writer.explanation,
                    key=f"export_{form}",
                    on_click="ignore",
                )
        if not state.store().is_shared("sets", record.fingerprint):
            _offer_words(record)
        deleting.offer_delete(
            "sets", record.fingerprint, record.name, stays="Generators trained on it, and results, stay."
        )


def _offer_words(record: SetRecord) -> None:
    with st.popover("Rename", icon=":material/edit:"), st.form("rename_set", border=False):
        name = st.text_input("New name", record.name)
        if st.form_submit_button("Rename") and name.strip() and name != record.name:
            state.store().rename_set(record.fingerprint, name.strip())
            st.rerun()
    with st.popover("Licence", icon=":material/gavel:"), st.form("state_licence", border=False):
        licence = st.text_input("Licence of the data", record.licence, help="Reports and model cards say it.")
        if st.form_submit_button("State it") and licence != record.licence:
            state.store().state_licence(record.fingerprint, licence)
            st.rerun()


def written(store: Store, fingerprint: str, name: str, form: str) -> bytes:
    """Write a kept set as a file; `name` is what it is called now."""
    return export(store.load_set(fingerprint).with_meta(name=name), form)


def _file_name(name: str) -> str:
    """Return letters and digits of a name, which could hold anything."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).strip("_")
    return kept[:60] or "spectra"

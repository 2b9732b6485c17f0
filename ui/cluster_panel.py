"""The workers of a cluster, where one is used, and what they do."""

import streamlit as st

from spectra_core.cluster import overview, scheduler_address
from spectra_core.errors import SpectraCoreError
from ui.text import plain, sentence


def show() -> None:
    """Show the workers of the configured scheduler, refreshed by themselves; nothing where none is configured."""
    try:
        address = scheduler_address()
    except SpectraCoreError as error:
        st.warning(sentence(error), icon=":material/lan:")
        return
    if address is not None:
        st.subheader("Cluster")
        st.fragment(_panel, run_every=3)(address)


def _panel(address: str) -> None:
    try:
        workers = overview(address).workers
    except SpectraCoreError as error:
        st.warning(sentence(error), icon=":material/lan:")
        return
    shown = plain(address)
    n_busy = int((workers["works_on"] != "").sum())
    if workers.empty:
        st.info(f"The scheduler at {shown} has no workers yet. Experiments wait for them.", icon=":material/lan:")
        return
    st.caption(
        f"Experiments run on the cluster at {shown}: {len(workers)} workers with {int(workers['threads'].sum())} "
        f"threads, {n_busy} of them busy."
    )
    st.dataframe(
        workers.drop(columns=["worker", "memory_limit"]).assign(memory=workers["memory"] / 2**20),
        hide_index=True,
        column_config={
            "name": "Worker",
            "threads": "Threads",
            "cpu": st.column_config.NumberColumn("Processor", format="%.0f %%"),
            "memory": st.column_config.NumberColumn("Memory", format="%.0f MiB"),
            "works_on": "Works on",
        },
        alt=f"{len(workers)} workers of the cluster, {n_busy} of them busy.",
    )

"""Compiling in the background, once per server, so that the first visitor's click does not wait for it."""

import streamlit as st


def begin() -> None:
    """Start it where a server runs; tests of pages have none."""
    from streamlit.runtime import Runtime, exists, get_instance

    if exists() and type(get_instance()) is Runtime:
        _begin_once()


@st.cache_resource(show_spinner=False)
def _begin_once() -> int:
    from spectra_core.jobs.processes import start_aside

    return start_aside("spectra_core.jobs.compiling_ahead")

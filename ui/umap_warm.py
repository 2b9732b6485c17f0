"""UMAP made ready in the background: umap-learn loads for seconds in every process, and compiles once."""

import logging
from threading import Thread

import streamlit as st

from ui import garbage


def begin() -> None:
    """Begin where a server runs, at its first visitor; tests of pages have none."""
    from streamlit.runtime import Runtime, exists, get_instance

    if exists() and type(get_instance()) is Runtime:
        _compiling()


def is_warm() -> bool:
    """Whether a map can be drawn at once; asking begins it."""
    return not _compiling().is_alive()


@st.cache_resource(show_spinner=False)
def _compiling() -> Thread:
    thread = Thread(target=_compile, name="umap", daemon=True)
    thread.start()
    return thread


def _compile() -> None:
    from spectra_core.evaluation.latent.maps import compile_umap

    try:
        compile_umap()
    except Exception:  # whoever asks for a map meets it again, on the page
        logging.getLogger(__name__).exception("UMAP could not be made ready")
    garbage.SPARED.everything()

"""Spectra that this visitor reads with a calibration: for the session, since they are no data set to work with."""

import streamlit as st

from spectra_core.spectra import SpectraSet

_UNKNOWN = "unknown_spectra"
"""Session key."""


def unknown() -> SpectraSet | None:
    """Return the spectra that were uploaded to be read, or None."""
    spectra: SpectraSet | None = st.session_state.get(_UNKNOWN)
    return spectra


def set_unknown(spectra: SpectraSet | None) -> None:
    """Remember spectra to be read, in place of those before."""
    st.session_state[_UNKNOWN] = spectra

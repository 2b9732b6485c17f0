"""The demo: a data set in one click, the whole pipeline in another."""

import streamlit as st

from ui import state

DEMO_SET = {"preset": "demo", "n_spectra": 400, "seed": 0, "settings": {}}
"""Arguments of the task "simulate" that make the demo set."""


def button() -> None:
    """Offer the demo set: one click starts the job that makes it."""
    if st.button("Load the demo", type="primary", icon=":material/play_arrow:"):
        state.jobs().submit("simulate", dict(DEMO_SET), "Simulate the demo set")

"""Experiments under way on a page: the job, and the page runs again when there is more to see."""

import streamlit as st

from ui import job_panel, state, studies

SECONDS = 2.0
"""Between two looks for what a running experiment has found so far."""


def show() -> bool:
    """Show the experiment under way or the last one that did not finish; return whether one is under way.

    After the quickest regressor and each repeat the result so far replaces the one before: then the page runs again.
    """
    job_panel.latest("study")
    under_way = is_under_way()
    if under_way:
        st.fragment(_watch, run_every=SECONDS)(_known())
    return under_way


def is_under_way() -> bool:
    """Return whether an experiment waits or runs."""
    return any(record.is_active for record in state.jobs().records() if record.task == "study")


def _watch(known: tuple[str, ...]) -> None:
    if _known() != known:
        st.rerun()


def _known() -> tuple[str, ...]:
    return tuple(record.id for record in studies.studies())

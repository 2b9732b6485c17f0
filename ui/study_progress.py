"""Experiments under way on a page: the job, and the page runs again when there is more to see."""

import streamlit as st

from ui import job_panel, state, studies

SECONDS = 2.0
"""Between two looks for what a running experiment has found so far."""


def show() -> bool:
    """Show the experiment under way or the last one that did not finish; return whether one on these data is under way.

    After the quickest regressor and each repeat the result so far replaces the one before: then the page runs again.
    """
    job_panel.latest("study")
    under_way = is_under_way(state.chosen("set"))
    if under_way:
        st.fragment(_watch, run_every=SECONDS)(_known())
    return under_way


def is_under_way(data: str | None) -> bool:
    """Return whether an experiment on a set waits or runs."""
    studies_of_it = [one for one in state.jobs().records() if one.task == "study" and one.arguments.get("set") == data]
    return any(record.is_active for record in studies_of_it)


def _watch(known: tuple[str, ...]) -> None:
    if _known() != known:
        st.rerun()


def _known() -> tuple[str, ...]:
    return tuple(record.id for record in studies.studies())

"""Widgets that another page fills: among them the experiment that is to be changed and run."""

from collections.abc import Iterable
from typing import Any, NoReturn

import streamlit as st

EXPERIMENT_TEXT, EXPERIMENT_WAY = "experiment_text", "experiment_way"
"""Widget keys of the page that designs an experiment, which another page may fill: its JSON, and how it is designed."""
_SUBJECTS = "subjects"
"""Session key: what the widgets on a page were about, by widget key."""
BY_CHOICES, FROM_JSON = "By choices", "From an experiment (JSON)"


def set_widget(key: str, value: Any) -> None:
    """Set the widget of a page from the callback of another, before the page runs again."""
    st.session_state[key] = value


def set_widget_for(key: str, subject: str, value: Any) -> None:
    """Set a widget anew where it last stood on a page about another subject; else it keeps what it shows."""
    before = st.session_state.setdefault(_SUBJECTS, {})
    if before.get(key, subject) != subject:
        st.session_state[key] = value
    before[key] = subject


def say_if_link_is_dead(key: str, known: Iterable[str], what: str) -> None:
    """Say that a link asks a picker that stands in the address for what is not there, before another is shown."""
    asked = st.query_params.get(key)
    if key not in st.session_state and asked and asked not in set(known):
        st.info(f"The link names {what} that is not in this store.", icon=":material/info:")


def unless_set(key: str, default: Any) -> Any:
    """Return the default of a widget, or None where the widget has a value, which a default would contradict."""
    return None if key in st.session_state else default


def take_experiment(text: str) -> None:
    """Have an experiment, as JSON, ready to be changed and run; a callback on the page that designs one."""
    st.session_state[EXPERIMENT_TEXT] = text
    st.session_state[EXPERIMENT_WAY] = FROM_JSON


def start_experiment_from(text: str) -> NoReturn:
    """Take an experiment, as JSON, to the page that designs one."""
    take_experiment(text)
    st.switch_page("pages/calibration/experiment.py")

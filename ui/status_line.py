"""The slim line on top of every page: data set, model, generated set, running jobs."""

from collections import Counter
from datetime import datetime
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from spectra_core.choices import SHORT_TITLES
from ui import deleting, state
from ui.boundary import error_boundary
from ui.menu import ROOT

_LONGEST_NAME = 60
"""Characters that a picker shows in a wide window; in a narrow one the browser cuts them where the room ends."""
_JOBS_PAGE = "pages/start/jobs.py"


def show() -> DeltaGenerator:
    """Show what is in hand, each as a picker over what the store holds, and notices; return where these stand."""
    columns = st.columns([4, 4, 4, 1.6], vertical_alignment="center", gap="small")
    with columns[0]:
        _picker("set", "Data set", ":material/table_chart:", "No data set yet")
    with columns[1]:
        _picker("model", "Model", ":material/model_training:", "No model yet")
    with columns[2]:
        _picker("generated", "Generated set", ":material/scatter_plot:", "No generated set yet")
    with columns[3]:
        # Asked again only while something runs: an idle page costs nothing.
        waiting = any(record.is_active for record in state.jobs().records())
        st.fragment(_running_jobs, run_every=2 if waiting else None)()
    record = state.records("set").get(state.chosen("set") or "")
    if record is not None and record.origin == "simulated":
        # Said on every page, whatever the set is called.
        st.caption(":material/science: The data set in hand is simulated, not measured.")
    place = st.container()
    for notice, warning in state.notices():
        state.draw_notice(place, notice, warning=warning)
    deleting.offer_undo()
    return place


def _picker(kind: str, label: str, icon: str, nothing: str) -> None:
    names = _short_names(state.records(kind))
    st.selectbox(
        label,
        list(names),
        index=None,
        required=True,
        key=state.picker_key(kind),
        format_func=lambda identifier: names.get(identifier, identifier),
        placeholder=nothing if not names else f"Choose a {label.lower()}",
        label_visibility="collapsed",
        icon=icon,
        on_change=state.choose_from_picker,
        args=(kind,),
    )


def _short_names(records: dict[str, Any]) -> dict[str, str]:
    """Return names that fit a slim line and tell everything apart.

    A model that nobody has named is called after its kind and time: its data set stands beside it.
    """
    names = {}
    for identifier, record in records.items():
        given = getattr(record, "title", None)
        if given is not None and record.name == f"{given} on {record.trained_on_name}":
            when = datetime.fromisoformat(record.created).astimezone()
            names[identifier] = f"{SHORT_TITLES.get(record.member, given)}, {when:%d %b %H:%M}"
        else:
            names[identifier] = record.name
    names = {identifier: _shortened(name) for identifier, name in names.items()}
    repeated = {name for name, count in Counter(names.values()).items() if count > 1}
    return {
        identifier: f"{name} ({identifier[:4]})" if name in repeated else name for identifier, name in names.items()
    }


def _shortened(name: str) -> str:
    """Cut a name that a picker cannot show.

    >>> _shortened("Carbon dots with copper, nickel and chromium, measured again in the spring")
    'Carbon dots with copper, nickel and chromium, measured again…'
    """
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip(" ,") + "…"


def _running_jobs() -> None:
    with error_boundary("Status line"):
        _count_jobs()


def _count_jobs() -> None:
    if state.followed_job_ended():
        st.rerun()
    active = [record for record in state.jobs().records() if record.is_active]
    words = f"{len(active)} job{'' if len(active) == 1 else 's'}" if active else "No jobs"
    if (ROOT / _JOBS_PAGE).is_file():
        st.page_link(_JOBS_PAGE, label=words, icon=":material/hourglass_top:" if active else ":material/done_all:")
    else:
        st.caption(words)

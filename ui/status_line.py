"""The slim line on top of every page: data set, model, generated set, running jobs."""

from typing import Any

import streamlit as st

from ui import state
from ui.menu import ROOT

_JOBS_PAGE = "pages/start/jobs.py"


def show() -> None:
    """Show what is in hand, each as a picker over what the store holds, and the notices of this run."""
    sets = state.store().sets()
    experimental = {r.fingerprint: r.name for r in sets if r.origin != "generated"}
    generated = {r.fingerprint: r.name for r in sets if r.origin == "generated"}
    models = {r.id: r.name for r in state.store().models() if r.registry == "generator"}
    columns = st.columns([3, 3, 3, 2], vertical_alignment="center", gap="small")
    with columns[0]:
        _picker("set", "Data set", experimental, ":material/table_chart:", "No data set yet")
    with columns[1]:
        _picker("model", "Model", models, ":material/model_training:", "No model yet")
    with columns[2]:
        _picker("generated", "Generated set", generated, ":material/scatter_plot:", "No generated set yet")
    with columns[3]:
        _running_jobs()
    for sentence in state.notices():
        st.info(sentence, icon=":material/info:")


def _picker(kind: str, label: str, names: dict[str, str], icon: str, nothing: str) -> None:
    st.selectbox(
        label,
        list(names),
        index=None,
        key=state.picker_key(kind),
        format_func=lambda identifier: names.get(identifier, identifier),
        placeholder=nothing if not names else f"Choose a {label.lower()}",
        label_visibility="collapsed",
        icon=icon,
        on_change=state.choose_from_picker,
        args=(kind,),
    )


@st.fragment(run_every=2)
def _running_jobs() -> None:
    active: list[Any] = [r for r in state.jobs().records() if r.state in ("queued", "running")]
    words = f"{len(active)} job{'s' if len(active) != 1 else ''} running" if active else "No jobs running"
    if (ROOT / _JOBS_PAGE).is_file():
        st.page_link(_JOBS_PAGE, label=words, icon=":material/hourglass_top:" if active else ":material/done:")
    else:
        st.caption(words)

"""The beginning of every run: choices, store and URL are brought together."""

import streamlit as st

from ui import cache
from ui.state.choices import URL_LENGTH, WORDS, chosen, has_begun, list_records, put_down, records, take
from ui.state.followed import follow, followed_id, followed_job
from ui.state.import_under_way import import_draft, resume_import
from ui.state.notice_board import notify
from ui.state.unknown import resume_unknown, unknown_key
from ui.state.workspace import begin_workspace

_JOB, _DRAFT, _UNKNOWN = "job", "import", "unknown"
"""Names of the followed job, of the import under way and of the spectra to be read in the URL."""


def begin_run() -> None:
    """Bring choices, store and URL together; app.py calls this once before every page."""
    cache.greet()
    begin_workspace()
    list_records()
    if not has_begun():
        follow(st.query_params.get(_JOB))
        resume_import(st.query_params.get(_DRAFT))
        resume_unknown(st.query_params.get(_UNKNOWN))
        asked = {kind: st.query_params[kind] for kind in WORDS if kind in st.query_params}
        take({kind: _found(kind, beginning) for kind, beginning in asked.items()})
    for kind, words in WORDS.items():
        if chosen(kind) is not None and chosen(kind) not in records(kind):
            notify(f"The {words} you had chosen is no longer in the store.")
            put_down(kind)
    _adopt_finished_job()
    _mirror_in_url()


def _found(kind: str, beginning: str) -> str | None:
    """Return the identifier in the store that begins with what the URL asks for."""
    fitting = [identifier for identifier in records(kind) if identifier.startswith(beginning)]
    if beginning and len(fitting) == 1:
        return fitting[0]
    notify(f"The link names a {WORDS[kind]} that is not in this store, so none is chosen.")
    return None


def _adopt_finished_job() -> None:
    """Take in hand what the followed job made, or say why it made nothing.

    A run can be overtaken by another at every access to the session. So the job is forgotten last: a run that got
    only half-way is repeated by the next one.
    """
    record = followed_job()
    if record is None or record.is_active:
        return
    if record.state == "finished":
        list_records()  # the job may have ended after the store was listed
        result = record.result or {}
        take({kind: result[kind] for kind in WORDS if result.get(kind) in records(kind)})
        notify(f"Finished: {record.title}.")
    elif record.error:
        notify(f"{record.title}: {record.state}. {record.error}", warning=True)
    follow(None)


def _mirror_in_url() -> None:
    shown = {kind: (chosen(kind) or "")[:URL_LENGTH] for kind in WORDS}
    shown[_JOB] = followed_id() or ""
    draft = import_draft()
    shown[_DRAFT] = "" if draft is None else (draft.key or "")[:URL_LENGTH]
    shown[_UNKNOWN] = (unknown_key() or "")[:URL_LENGTH]
    # Sent in every run, changed or not: a run that is overtaken by another may not reach the browser. The browser
    # leaves its address alone where nothing differs. New values first, so that an address read in between still says
    # where to find what a finished job made.
    st.query_params.update({name: value for name, value in shown.items() if value})
    for name, value in shown.items():
        if not value:
            st.query_params.pop(name, None)

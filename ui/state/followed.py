"""The job whose outcome this visitor waits for."""

from typing import TYPE_CHECKING, Any, NoReturn

import streamlit as st

from spectra_core.errors import StoreError
from ui.state.data_folder import jobs

if TYPE_CHECKING:
    from spectra_core.jobs import JobRecord

_FOLLOWED = "followed_job"
"""Session key: a job's id."""


def start_job(task: str, arguments: dict[str, Any], title: str) -> NoReturn:
    """Start a job and run the page again; when it ends, what it made is taken in hand on whatever page one is."""
    follow(jobs().submit(task, arguments, title))
    st.rerun()


def follow(job_id: str | None) -> None:
    """Wait for the outcome of a job, or of none."""
    st.session_state[_FOLLOWED] = job_id


def followed_id() -> str | None:
    """Return the identifier of the job that is waited for, or None."""
    job_id: str | None = st.session_state.get(_FOLLOWED)
    return job_id


def followed_job() -> "JobRecord | None":
    """Return the job whose outcome this visitor waits for, or None."""
    job_id = followed_id()
    if job_id is None:
        return None
    try:
        return jobs().record(job_id)
    except StoreError:  # the link names a job that is no longer listed
        follow(None)
        return None


def followed_job_ended() -> bool:
    """Whether the followed job is over, so that the page should run again."""
    record = followed_job()
    return record is not None and not record.is_active

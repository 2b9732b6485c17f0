"""A process that waits for the next job, kept while there are visitors; and what to say when the server ends."""

import atexit
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from spectra_core.errors import SpectraCoreError
from ui import state

if TYPE_CHECKING:
    from spectra_core.jobs import Jobs


def begin() -> None:
    """Keep it where a server runs, which tests of pages have none of; for a class it would be one for every visitor."""
    if has_server() and not state.is_class():
        _promise_last_words()
        state.jobs().keep_ready()


def has_server() -> bool:
    """Whether a server runs, and this is no test of a page."""
    from streamlit.runtime import Runtime, exists, get_instance

    return exists() and type(get_instance()) is Runtime


@st.cache_resource(show_spinner=False)
def _promise_last_words() -> None:
    atexit.register(say_what_goes_on, state.jobs())


def say_what_goes_on(jobs: "Jobs") -> None:
    """Say in the terminal of a server that ends which jobs go on without it, and how to stop them."""
    with suppress(SpectraCoreError, OSError):
        for record in jobs.records():
            if record.state == "running":
                sys.stderr.write(
                    f"“{record.title}” goes on without the app and is found again when the app is started: "
                    f"stop it there on the page Jobs, or with: kill {jobs.process_of(record.id)}\n"
                )

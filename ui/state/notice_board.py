"""Sentences that are shown once, under the status line."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.text import sentence

NOTICE_SECONDS = 3.0
"""How long a notice stays after it was first shown, however often the page runs."""
_NOTICES = "notices"
"""Session key: sentences to show once."""

_PLACE: ContextVar[DeltaGenerator | None] = ContextVar("where warnings are drawn", default=None)


@dataclass
class _Notice:
    """A sentence to show, and when (monotonic clock) it was first shown."""

    sentence: str
    warning: bool
    first_shown: float | None = None


def notify(words: str, *, warning: bool = False) -> None:
    """Show a sentence under the status line of the next run; a warning in this one, too, once its page has begun."""
    st.session_state.setdefault(_NOTICES, []).append(_Notice(words, warning))
    place = _PLACE.get()
    if warning and place is not None:
        draw_notice(place, words, warning=True)


@contextmanager
def warned_in(place: DeltaGenerator) -> Iterator[None]:
    """Draw warnings that come up meanwhile at `place`: the page they are about may stop at any moment."""
    token = _PLACE.set(place)
    try:
        yield
    finally:
        _PLACE.reset(token)


def draw_notice(place: DeltaGenerator, notice: str, *, warning: bool) -> None:
    """Draw one sentence."""
    if warning:
        place.warning(sentence(notice), icon=":material/warning:")
    else:
        place.info(sentence(notice), icon=":material/info:")


def notices() -> list[tuple[str, bool]]:
    """Return the sentences to show in this run, each with whether it is a warning.

    A run may be overtaken before the browser has drawn it, so a sentence stays for the runs of a few seconds.
    """
    now = time.monotonic()
    waiting: list[_Notice] = st.session_state.get(_NOTICES, [])
    kept = [one for one in waiting if one.first_shown is None or now - one.first_shown < NOTICE_SECONDS]
    for one in kept:
        one.first_shown = one.first_shown or now
    st.session_state[_NOTICES] = kept
    return list(dict.fromkeys((one.sentence, one.warning) for one in kept))

"""What this visitor deleted last: named, so that one click brings it back."""

from dataclasses import dataclass

import streamlit as st

from spectra_core.errors import SpectraCoreError
from ui.state.choices import WORDS, chosen, list_records, put_down, take
from ui.state.data_folder import store
from ui.state.notice_board import notify

_DELETED = "deleted"
"""Session key: what was deleted last."""


@dataclass(frozen=True)
class Deleted:
    """What was put into the bin.

    Parameters
    ----------
    shelf, key, name
        As the store calls it: "sets", "models", "calibrations" or "results".
    hands
        What it was chosen as: "set", "model", "generated".
    """

    shelf: str
    key: str
    name: str
    hands: tuple[str, ...] = ()


def delete(shelf: str, key: str, name: str) -> None:
    """Put one thing into the bin and out of hand; a callback."""
    remove = {
        "sets": store().delete_set,
        "models": store().delete_model,
        "calibrations": store().delete_calibration,
        "results": store().delete_result,
    }
    try:
        remove[shelf](key)
    except SpectraCoreError as error:  # another visitor was faster, or the disk cannot be written
        notify(str(error), warning=True)
        return
    hands = tuple(kind for kind in WORDS if chosen(kind) == key)
    for kind in hands:
        put_down(kind)
    st.session_state[_DELETED] = Deleted(shelf, key, name, hands)


def restore(deleted: Deleted) -> None:
    """Bring back what was deleted, into the hand it was in unless something else is there now; a callback."""
    try:
        store().restore(deleted.shelf, deleted.key)
    except SpectraCoreError as error:
        notify(str(error), warning=True)
    else:
        notify(f"“{deleted.name}” is back.")
        list_records()
        take({kind: deleted.key for kind in deleted.hands if chosen(kind) is None})
    last = last_deleted()
    if last is not None and last.key == deleted.key:
        forget_deleted()


def empty_bin() -> None:
    """Delete for good what is in the bin; a callback."""
    try:
        store().empty_bin()
    except SpectraCoreError as error:
        notify(str(error), warning=True)
    forget_deleted()


def last_deleted() -> Deleted | None:
    """Return what was deleted last and can be undone, or None."""
    deleted: Deleted | None = st.session_state.get(_DELETED)
    return deleted


def forget_deleted() -> None:
    """Offer no undo any more; a callback."""
    st.session_state[_DELETED] = None

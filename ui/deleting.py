"""Deleting what is named, undoing it at once, and the bin where it lies for a while."""

from datetime import datetime

import pandas as pd
import streamlit as st

from spectra_core.store.staging import KEPT
from ui import state
from ui.text import counted, plain, size

KINDS = {"sets": "Set", "models": "Generator", "calibrations": "Calibration", "results": "Result"}
"""What can be restored: the store's word and a person's."""
SHARED = "On the shelf of the class: everybody sees it, its teacher alone changes it."
_PARTS = {
    "sets": "sets",
    "models": "generators",
    "calibrations": "calibrations",
    "results": "results",
    "uploads": "uploaded files",
    "memo": "intermediate results",
    "jobs": "jobs",
    "bin": "the bin",
    "workspaces": "workspaces",
}


def offer_delete(shelf: str, key: str, name: str, *, stays: str) -> None:
    """Offer to put one thing into the bin, unless it lies on the shelf of a class.

    Parameters
    ----------
    shelf, key, name
        As the store calls it.
    stays
        What is not deleted with it, in a sentence.
    """
    if state.store().is_shared(shelf, key):
        st.caption(f":material/group: {SHARED}", width="content")
        return
    # Widgets of this one thing alone: a second click on a button of the first must not hit the next.
    with st.popover("Delete", icon=":material/delete:", key=f"ask_delete_{key}"):
        st.write(f"Delete “{plain(name)}”? It stays in the bin for {KEPT.days} days. {stays}")
        st.button("Delete", key=f"delete_{key}", type="primary", on_click=state.delete, args=(shelf, key, name))


def offer_undo() -> None:
    """Say what was deleted last, with a button that brings it back."""
    deleted = state.last_deleted()
    if deleted is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="deleted"):
        st.markdown(f":material/delete: Deleted “{plain(deleted.name)}”.", width="content")
        st.button(
            "Undo", key="undo_delete", icon=":material/undo:", on_click=state.restore, args=(deleted,), type="tertiary"
        )
        st.button("Close", key="close_undo", on_click=state.forget_deleted, type="tertiary")


def show() -> None:
    """List what was deleted, the latest first, to be restored or forgotten; and what takes how much of the disk."""
    binned = [one for one in reversed(state.store().binned()) if one.kind in KINDS]
    panel = st.expander(f"Bin ({len(binned)})", icon=":material/delete:", key="bin", on_change="rerun")
    if not panel.open:
        return
    with panel:
        if not binned:
            st.caption(f"Nothing was deleted in the last {KEPT.days} days.")
        else:
            names = {
                f"{one.kind}/{one.key}/{one.deleted}": state.Deleted(one.kind, one.key, one.name) for one in binned
            }
            ends = [datetime.fromisoformat(one.deleted) + KEPT for one in binned]
            st.dataframe(
                pd.DataFrame(
                    {
                        "Name": [one.name for one in binned],
                        "Kind": [KINDS[one.kind] for one in binned],
                        "Deleted, UTC": [one.deleted[:16].replace("T", " ") for one in binned],
                        "Kept until, UTC": [f"{end:%Y-%m-%d}" for end in ends],
                    }
                ),
                hide_index=True,
                key="binned",
                alt=f"{counted(len(binned), 'thing')} in the bin, the latest first.",
            )
            with st.container(horizontal=True, vertical_alignment="bottom"):
                picked = st.selectbox(
                    "Deleted", list(names), format_func=lambda one: names[one].name, key="binned_one", width=420
                )
                if picked is not None:
                    st.button(
                        "Restore", key="restore", icon=":material/undo:", on_click=state.restore, args=(names[picked],)
                    )
                with st.popover("Empty the bin", icon=":material/delete_forever:", key=f"ask_empty_{len(binned)}"):
                    st.write(
                        f"Delete {counted(len(binned), 'thing')} for good? "
                        f"The bin is {'your own' if state.is_class() else 'the same for everybody here'}."
                    )
                    st.button("Empty the bin", key="empty_bin", type="primary", on_click=state.empty_bin)
        st.caption(_use_of_disk())


def _use_of_disk() -> str:
    use = state.store().disk_use()
    if use.free is None:
        return "Nothing is kept yet."
    parts = [f"{words} {size(use.parts[part])}" for part, words in _PARTS.items() if use.parts.get(part)]
    return (
        f"The data folder takes {size(sum(use.parts.values()))}: {', '.join(parts)}. "
        f"{size(use.free)} of the disk are free."
    )

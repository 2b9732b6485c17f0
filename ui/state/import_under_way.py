"""Files that this visitor is importing; kept in the store, so that a reload brings them back."""

from dataclasses import dataclass, replace

import streamlit as st

from spectra_core.errors import StoreError
from ui import cache
from ui.state.data_folder import store
from ui.state.notice_board import notify
from ui.state.workspace import home

_IMPORT, _IMPORT_ROUND = "import", "import_round"
"""Session keys: the import under way, and how many were ended."""


@dataclass(frozen=True)
class ImportDraft:
    """Files that are being imported; kept in the store, so that a reload brings them back.

    Parameters
    ----------
    uploads
        Keys of the kept uploads.
    recipe
        What was decided about them, as JSON.
    seen
        What the upload widget calls the files that are kept already: they arrive one after the other.
    key
        Of the draft in the store.
    """

    uploads: tuple[str, ...] = ()
    recipe: str = "{}"
    seen: tuple[str, ...] = ()
    key: str | None = None


def import_draft() -> ImportDraft | None:
    """Return the files that are being imported, or None."""
    draft: ImportDraft | None = st.session_state.get(_IMPORT)
    return draft


def set_import_draft(draft: ImportDraft) -> None:
    """Keep what is being imported, and what was decided about it so far."""
    st.session_state[_IMPORT] = replace(draft, key=store().save_draft(draft.uploads, draft.recipe, draft.key))


def end_import() -> None:
    """Forget the files that are being imported, and empty the upload widget."""
    draft = import_draft()
    if draft is None:
        return
    st.session_state[_IMPORT] = None
    st.session_state[_IMPORT_ROUND] = import_round() + 1
    cache.forget_understanding(home(), draft.uploads, draft.recipe)
    if draft.key is not None:
        store().delete_draft(draft.key)


def import_round() -> int:
    """Return how many imports were ended: part of the upload widget's key."""
    return int(st.session_state.get(_IMPORT_ROUND, 0))


def resume_import(beginning: str | None) -> None:
    """Take up the import under way that the URL names, if any."""
    st.session_state[_IMPORT] = _kept_import(beginning)


def _kept_import(beginning: str | None) -> ImportDraft | None:
    if not beginning:
        return None
    try:
        kept = store().load_draft(beginning)
    except StoreError as error:
        notify(str(error))
        return None
    return ImportDraft(kept.uploads, kept.recipe, key=kept.key)

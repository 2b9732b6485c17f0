"""Spectra that this visitor reads with a calibration; their files are kept in the store, so that a reload brings them.

They are no data set to work with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from spectra_core.errors import SpectraCoreError, SpectraError, StoreError
from spectra_core.spectra import SpectraSet
from ui.state.data_folder import store
from ui.state.notice_board import notify

_UNKNOWN, _ROUND = "unknown_spectra", "unknown_round"
"""Session keys: the spectra, and how often others were taken or they were forgotten."""


@dataclass(frozen=True)
class _Unknown:
    """Spectra to be read: where their files are kept, if they are, and what they hold, once they were read."""

    key: str | None
    spectra: SpectraSet | None = None


def unknown() -> SpectraSet | None:
    """Return the spectra that were brought to be read, or None; after a reload their kept files are read again."""
    kept: _Unknown | None = st.session_state.get(_UNKNOWN)
    if kept is not None and kept.spectra is None and kept.key is not None:
        try:
            with st.spinner("Reading the files"):
                kept = replace(kept, spectra=_read_kept(kept.key))
        except SpectraCoreError as error:
            notify(f"The unknown spectra cannot be read again: {error}", warning=True)
            kept = None
        st.session_state[_UNKNOWN] = kept
    return None if kept is None else kept.spectra


def take_unknown(files: Sequence[tuple[str, bytes]]) -> None:
    """Read files, by name, of spectra to be read, in place of those before, and keep them until they are forgotten.

    Raises
    ------
    SpectraCoreError
        When they cannot be read; then there are none.
    """
    from spectra_core.datasets import read

    _forget()
    names = [name for name, _ in files]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SpectraError(
            f"Two of these files are called {twice!r}, and spectra are known by their files. Rename one of them."
        )
    found = _Unknown(None, read(dict(files), targets=()))
    try:
        found = replace(found, key=store().save_draft([store().save_upload(*one) for one in files], "{}"))
    except StoreError as error:
        notify(f"These spectra are read, but a reload of the page will forget them: {error}", warning=True)
    st.session_state[_UNKNOWN] = found
    st.session_state[_ROUND] = unknown_round() + 1


def forget_unknown() -> None:
    """Forget the spectra to be read, and their files, and empty the upload widget."""
    _forget()
    st.session_state[_ROUND] = unknown_round() + 1


def unknown_round() -> int:
    """Return how often spectra to be read were taken or forgotten: part of the upload widget's key."""
    return int(st.session_state.get(_ROUND, 0))


def unknown_key() -> str | None:
    """Return where the files of the spectra to be read are kept, for the URL; None where there are none."""
    kept: _Unknown | None = st.session_state.get(_UNKNOWN)
    return None if kept is None else kept.key


def resume_unknown(beginning: str | None) -> None:
    """Take up the spectra to be read that the URL names, if any; they are read when a page asks for them."""
    if not beginning:
        return
    try:
        st.session_state[_UNKNOWN] = _Unknown(store().load_draft(beginning).key)
    except StoreError:
        notify("The unknown spectra of this link are no longer kept. Give their files again on Read.")


def _read_kept(key: str) -> SpectraSet:
    from spectra_core.datasets import read

    files = store().upload_files(store().load_draft(key).uploads)
    return read({name: path.read_bytes() for name, path in files.items()}, targets=())


def _forget() -> None:
    key = unknown_key()
    st.session_state[_UNKNOWN] = None
    if key is not None:
        store().delete_draft(key)

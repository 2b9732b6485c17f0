"""What this visitor has in hand: data set, model, generated set."""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import streamlit as st

from spectra_core.errors import SpectraCoreError
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.store import Store, StoredModel
from spectra_core.store.model_checks import member_class
from ui import cache
from ui.state.data_folder import store
from ui.state.notice_board import notify

WORDS: dict[str, str] = {"set": "data set", "model": "model", "generated": "generated set"}
"""What can be in hand: its name here and in the URL, and as a person says it."""
URL_LENGTH = 12
"""Characters of an identifier in the URL: 48 bits of a fingerprint, unique in any store."""

_Content = TypeVar("_Content")
_CHOSEN, _RECORDS = "chosen", "records"
"""Session keys: identifiers by kind, what the store listed in this run."""


def experimental() -> SpectraSet | None:
    """Return the chosen data set, or None."""
    return _loaded("set", _spectra)


def generated() -> SpectraSet | None:
    """Return the chosen generated set, or None."""
    return _loaded("generated", _spectra)


def model() -> StoredModel | None:
    """Return the chosen generator with its record, or None."""
    return _loaded("model", lambda model_id: cache.shared(Store.load_model, store(), model_id))


def chosen(kind: str) -> str | None:
    """Return the identifier of the chosen "set", "model" or "generated", or None."""
    choices: dict[str, str | None] = st.session_state.setdefault(_CHOSEN, {})
    return choices.get(kind)


def records(kind: str) -> dict[str, Any]:
    """Return the store's records of "set", "model" or "generated" by identifier, as of the beginning of this run."""
    if _RECORDS not in st.session_state:
        list_records()
    listed: dict[str, dict[str, Any]] = st.session_state[_RECORDS]
    return listed[kind]


def list_records() -> None:
    """Ask the store anew what it holds."""
    st.session_state[_RECORDS] = _listed()


def has_begun() -> bool:
    """Whether this session has made its first choices, those of the URL."""
    return _CHOSEN in st.session_state


def choose_experimental(fingerprint: str | None) -> NoReturn:
    """Take a data set in hand and run the page again; what came from another set is put down, saying so."""
    choose(set=fingerprint)


def choose_generated(fingerprint: str | None) -> NoReturn:
    """Take a generated set in hand and run the page again."""
    choose(generated=fingerprint)


def choose_model(model_id: str | None) -> NoReturn:
    """Take a stored generator in hand and run the page again."""
    choose(model=model_id)


def choose(**changes: str | None) -> NoReturn:
    """Change several choices at once and run the page again; works in the page, a callback and a fragment.

    Parameters
    ----------
    changes
        Identifiers by kind: ``set=``, ``model=``, ``generated=``; None puts the thing down.
    """
    take(changes)
    st.rerun()


def choose_from_picker(kind: str) -> None:
    """Take in hand what the picker of `kind` shows; nothing, where the one that changed is of an earlier choice."""
    shown = st.session_state.get(_picker(kind))
    if shown is not None:
        choose(**{kind: shown})


def picker_key(kind: str) -> str:
    """Return the widget key of the picker of `kind`, set to what is chosen before the widget is made."""
    st.session_state[_picker(kind)] = chosen(kind)
    return _picker(kind)


def _picker(kind: str) -> str:
    """Return the key of the picker of `kind`.

    It changes with the choice: a browser that still shows the picker of an earlier choice, because the run that made
    the present one was overtaken, must not be taken for a visitor who wants the earlier one back.
    """
    return f"picker_{kind}_{(chosen(kind) or '')[:URL_LENGTH]}"


def put_down(kind: str) -> None:
    """Choose none of `kind`."""
    st.session_state[_CHOSEN][kind] = None


def take(changes: dict[str, str | None]) -> None:
    """Change choices, and put down model and generated set that do not fit the data set in hand, saying so.

    The page is not run again.
    """
    before = {kind: chosen(kind) for kind in WORDS}
    st.session_state[_CHOSEN] = {**before, **changes}
    if set(changes) - set(WORDS):
        raise KeyError(f"Only {', '.join(WORDS)} can be chosen, got {', '.join(changes)}.")
    spectra = experimental()
    for kind in ("model", "generated"):
        if spectra is None or _fits(kind, spectra.frame):
            continue
        if changes.get(kind) is None:
            notify(f"The {WORDS[kind]} came from another data set, so it was put down.")
            put_down(kind)
        else:
            notify(
                f"This {WORDS[kind]} does not belong to {spectra.meta.name}: axis or targets differ. "
                "Choose its data set first."
            )
            st.session_state[_CHOSEN][kind] = None if "set" in changes else before[kind]


def _fits(kind: str, frame: Frame) -> bool:
    """Whether what is chosen of `kind` has the axis, the signal and, where it has any, the targets of `frame`."""
    if kind == "model":
        theirs = _loaded("model", lambda model_id: cache.shared(Store.load_frame, store(), model_id))
    else:
        spectra = generated()
        theirs = None if spectra is None else spectra.frame
    if theirs is None:
        return True
    names = theirs.target_names
    if kind == "model":
        model_id = chosen("model") or ""
        if model_id not in records("model"):
            list_records()  # it came since this run began
        record = records("model").get(model_id)
        # A generator that is not asked for concentrations makes spectra, whatever was known of its training set.
        names = names if record is not None and member_class("generator", record.member).needs_conditions else ()
    same_signal = (theirs.axis, theirs.quantity, theirs.unit) == (frame.axis, frame.quantity, frame.unit)
    return same_signal and names in ((), frame.target_names)


def _spectra(fingerprint: str) -> SpectraSet:
    record = records("set").get(fingerprint) or records("generated").get(fingerprint)
    return cache.shared(_load_set, store(), fingerprint, "" if record is None else record.name)


def _load_set(where: Store, fingerprint: str, name: str) -> SpectraSet:  # noqa: ARG001  # the name is part of the key
    return where.load_set(fingerprint)


def _loaded(kind: str, load: Callable[[str], _Content]) -> _Content | None:
    identifier = chosen(kind)
    if identifier is None:
        return None
    try:
        return load(identifier)
    except SpectraCoreError as error:
        # Damaged or deleted meanwhile: say so once and go on without it, rather than stop every page.
        put_down(kind)
        notify(f"The {WORDS[kind]} you had chosen cannot be used: {error}", warning=True)
        return None


def _listed() -> dict[str, dict[str, Any]]:
    sets = store().sets()
    return {
        "set": {record.fingerprint: record for record in sets if record.origin != "generated"},
        "model": {record.id: record for record in store().models() if record.registry == "generator"},
        "generated": {record.fingerprint: record for record in sets if record.origin == "generated"},
    }

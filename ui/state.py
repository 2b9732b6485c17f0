"""What this visitor has chosen: data set, model, generated set.

The only place that names session-state keys. The choices live in the session and are mirrored in the URL, so
that they survive a page switch, a reload and a shared link; the content itself lives in the store.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar

import streamlit as st

from spectra_core.errors import SpectraCoreError
from spectra_core.spectra import Frame, SpectraSet
from ui import cache
from ui.menu import ROOT

if TYPE_CHECKING:
    from spectra_core.jobs import Jobs

    from spectra_core.store import Store, StoredModel

_Content = TypeVar("_Content")

_CHOSEN = "chosen"
"""Session key of the choices by kind."""
_NOTICES = "notices"
"""Session key of sentences to show once."""
_URL_LENGTH = 12
"""Characters of an identifier in the URL: 48 bits of a fingerprint, unique in any store."""


@dataclass(frozen=True)
class _Kind:
    """One thing that can be in hand; its name in the URL is its key in `_KINDS`."""

    words: str
    identifiers: Callable[[], list[str]]


_KINDS: dict[str, _Kind] = {
    "set": _Kind("data set", lambda: [r.fingerprint for r in store().sets() if r.origin != "generated"]),
    "model": _Kind("model", lambda: [r.id for r in store().models() if r.registry == "generator"]),
    "generated": _Kind("generated set", lambda: [r.fingerprint for r in store().sets() if r.origin == "generated"]),
}


def store() -> "Store":
    """Return the store of the user data folder."""
    return cache.store(cache.home())


def jobs() -> "Jobs":
    """Return the jobs of the user data folder."""
    return cache.jobs(cache.home())


def experimental() -> SpectraSet | None:
    """Return the chosen data set, or None."""
    return _loaded("set", cache.spectra_set)


def generated() -> SpectraSet | None:
    """Return the chosen generated set, or None."""
    return _loaded("generated", cache.spectra_set)


def model() -> "StoredModel | None":
    """Return the chosen generator with its record, or None."""
    return _loaded("model", cache.stored_model)


def chosen(kind: str) -> str | None:
    """Return the identifier of the chosen "set", "model" or "generated", or None."""
    return _choices().get(kind)


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
    before = dict(_choices())
    for kind, identifier in changes.items():
        _KINDS[kind]  # a typing error here is a bug, found at once
        _choices()[kind] = identifier
    _keep_what_fits(before, changes)
    st.rerun()


def picker_key(kind: str) -> str:
    """Return the widget key of the picker of `kind`, set to what is chosen before the widget is made."""
    key = f"picker_{kind}"
    st.session_state[key] = chosen(kind)
    return key


def choose_from_picker(kind: str) -> NoReturn:
    """Take in hand what the picker of `kind` shows."""
    choose(**{kind: st.session_state[f"picker_{kind}"]})


def notify(sentence: str) -> None:
    """Show a sentence under the status line of the next run."""
    st.session_state.setdefault(_NOTICES, []).append(sentence)


def notices() -> list[str]:
    """Return the sentences to show in this run, and forget them."""
    waiting: list[str] = st.session_state.pop(_NOTICES, [])
    return waiting


def begin_run() -> None:
    """Take the choices from the URL of a new session, drop what the store no longer has, mirror them to the URL."""
    if _CHOSEN not in st.session_state:
        st.session_state[_CHOSEN] = {}
        for kind in _KINDS:
            if (asked := st.query_params.get(kind)) is not None:
                _choices()[kind] = _found(kind, asked)
        _keep_what_fits({}, _choices())
    for kind, about in _KINDS.items():
        identifier = _choices().get(kind)
        if identifier is not None and identifier not in about.identifiers():
            notify(f"The {about.words} you had chosen is no longer in the store.")
            _choices()[kind] = None
    _mirror_in_url()


def require_experimental() -> SpectraSet:
    """Return the chosen data set; where there is none, say so, offer the nearest way to get one, and stop."""
    spectra = experimental()
    if spectra is None:
        _stop_with(
            "No spectra yet.",
            "This page needs a data set. Load the demo with one click, or bring your own.",
            ("pages/data/dataset.py", "Upload a file"),
            ("pages/data/simulate.py", "Simulate a set"),
        )
    return spectra


def require_model() -> "StoredModel":
    """Return the chosen generator; where there is none, say so, offer the nearest way to get one, and stop."""
    found = model()
    if found is None:
        require_experimental()
        _stop_with(
            "No generator yet.",
            "This page needs a trained generator. Train one on your data set, or choose a stored one above.",
            ("pages/generation/train.py", "Train a generator"),
        )
    return found


def require_generated() -> SpectraSet:
    """Return the chosen generated set; where there is none, say so, offer the nearest way to get one, and stop."""
    spectra = generated()
    if spectra is None:
        require_model()
        _stop_with(
            "No generated spectra yet.",
            "This page compares generated with experimental spectra. Generate some, or choose a stored set above.",
            ("pages/generation/sample.py", "Generate spectra"),
        )
    return spectra


def _stop_with(missing: str, what_to_do: str, *ways: tuple[str, str]) -> NoReturn:
    from ui import demo  # imports this module

    st.info(f"{missing} {what_to_do}", icon=":material/info:")
    with st.container(horizontal=True, vertical_alignment="center"):
        demo.button()
        for path, label in ways:
            if (ROOT / path).is_file():
                st.page_link(path, label=label, icon=":material/arrow_forward:")
    st.stop()


def _choices() -> dict[str, str | None]:
    choices: dict[str, str | None] = st.session_state.setdefault(_CHOSEN, {})
    return choices


def _loaded(kind: str, load: "Callable[[str, str], _Content]") -> "_Content | None":
    identifier = chosen(kind)
    if identifier is None:
        return None
    try:
        return load(cache.home(), identifier)
    except SpectraCoreError as error:
        # Damaged on disk: say so once and go on without it, rather than stop every page.
        _choices()[kind] = None
        st.warning(f"The {_KINDS[kind].words} you had chosen cannot be read: {error}")
        return None


def _found(kind: str, asked: str) -> str | None:
    """Return the identifier in the store that starts with what the URL asks for."""
    fitting = [identifier for identifier in _KINDS[kind].identifiers() if identifier.startswith(asked)]
    if asked and len(fitting) == 1:
        return fitting[0]
    notify(f"The link names a {_KINDS[kind].words} that is not in this store, so none is chosen.")
    return None


def _mirror_in_url() -> None:
    for kind in _KINDS:
        identifier = _choices().get(kind)
        short = None if identifier is None else identifier[:_URL_LENGTH]
        if short is None:
            st.query_params.pop(kind, None)
        elif st.query_params.get(kind) != short:
            st.query_params[kind] = short


def _keep_what_fits(before: dict[str, str | None], changes: dict[str, str | None]) -> None:
    """Put down model and generated set that do not fit the data set in hand, saying so."""
    spectra = experimental()
    if spectra is None:
        return
    for kind, frame in (("model", _model_frame), ("generated", _generated_frame)):
        theirs = frame() if chosen(kind) is not None else None
        if theirs is None or _fits(theirs, spectra.frame):
            continue
        if changes.get(kind) is not None:
            reason = f"The {_KINDS[kind].words} does not belong to “{spectra.meta.name}”: axis or targets differ."
            notify(f"{reason} Choose its data set first.")
            earlier = before.get(kind)
            _choices()[kind] = earlier if "set" not in changes and earlier != chosen(kind) else None
        else:
            notify(f"The {_KINDS[kind].words} came from another data set, so it was put down.")
            _choices()[kind] = None


def _model_frame() -> Frame | None:
    found = model()
    return None if found is None else found.model.frame_


def _generated_frame() -> Frame | None:
    found = generated()
    return None if found is None else found.frame


def _fits(one: Frame, other: Frame) -> bool:
    """Whether two frames agree in axis, signal and the names of their targets."""
    return (one.axis, one.quantity, one.unit, one.target_names) == (
        other.axis,
        other.quantity,
        other.unit,
        other.target_names,
    )

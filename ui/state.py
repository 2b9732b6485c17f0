"""What this visitor has chosen: data set, model, generated set, and the job whose outcome is awaited.

The only place that names session-state keys. The choices live in the session and are mirrored in the URL, so
that they survive a page switch, a reload and a shared link; the content itself lives in the store.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import streamlit as st

from spectra_core.errors import SpectraCoreError, StoreError
from spectra_core.spectra import Frame, SpectraSet
from ui import cache

if TYPE_CHECKING:
    from spectra_core.jobs import JobRecord, Jobs
    from spectra_core.store import Store, StoredModel

WORDS: dict[str, str] = {"set": "data set", "model": "model", "generated": "generated set"}
"""What can be in hand: its name here and in the URL, and as a person says it."""

_Content = TypeVar("_Content")
_CHOSEN, _RECORDS, _NOTICES, _FOLLOWED = "chosen", "records", "notices", "followed_job"
"""Session keys: identifiers by kind, what the store listed in this run, sentences to show once, a job's id."""
_IMPORT, _IMPORT_ROUND = "import", "import_round"
"""Session keys: the import under way, and how many were ended."""
_JOB, _DRAFT = "job", "import"
"""Names of the followed job and of the import under way in the URL."""
EXPERIMENT_TEXT, EXPERIMENT_WAY = "experiment_text", "experiment_way"
"""Widget keys of the page that designs an experiment, which another page may fill: its JSON, and how it is designed."""
BY_CHOICES, FROM_JSON = "By choices", "From an experiment (JSON)"
NOTICE_SECONDS = 3.0
"""How long a notice stays after it was first shown, however often the page runs."""
_URL_LENGTH = 12
"""Characters of an identifier in the URL: 48 bits of a fingerprint, unique in any store."""


@dataclass
class _Notice:
    """A sentence to show, and when (monotonic clock) it was first shown."""

    sentence: str
    warning: bool
    first_shown: float | None = None


def store() -> "Store":
    """Return the store of the user data folder."""
    return cache.store(cache.home())


def jobs() -> "Jobs":
    """Return the jobs of the user data folder."""
    return cache.jobs(cache.home())


def experimental() -> SpectraSet | None:
    """Return the chosen data set, or None."""
    return _loaded("set", _spectra)


def generated() -> SpectraSet | None:
    """Return the chosen generated set, or None."""
    return _loaded("generated", _spectra)


def model() -> "StoredModel | None":
    """Return the chosen generator with its record, or None."""
    return _loaded("model", lambda model_id: cache.stored_model(cache.home(), model_id))


def chosen(kind: str) -> str | None:
    """Return the identifier of the chosen "set", "model" or "generated", or None."""
    choices: dict[str, str | None] = st.session_state.setdefault(_CHOSEN, {})
    return choices.get(kind)


def records(kind: str) -> dict[str, Any]:
    """Return the store's records of "set", "model" or "generated" by identifier, as of the beginning of this run."""
    if _RECORDS not in st.session_state:
        st.session_state[_RECORDS] = _listed()
    listed: dict[str, dict[str, Any]] = st.session_state[_RECORDS]
    return listed[kind]


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
    _take(changes)
    st.rerun()


def choose_from_picker(kind: str) -> NoReturn:
    """Take in hand what the picker of `kind` shows."""
    choose(**{kind: st.session_state[_picker(kind)]})


def picker_key(kind: str) -> str:
    """Return the widget key of the picker of `kind`, set to what is chosen before the widget is made."""
    st.session_state[_picker(kind)] = chosen(kind)
    return _picker(kind)


def set_widget(key: str, value: Any) -> None:
    """Set the widget of a page from the callback of another, before the page runs again."""
    st.session_state[key] = value


def unless_set(key: str, default: Any) -> Any:
    """Return the default of a widget, or None where the widget has a value, which a default would contradict."""
    return None if key in st.session_state else default


def take_experiment(text: str) -> None:
    """Have an experiment, as JSON, ready to be changed and run; a callback on the page that designs one."""
    st.session_state[EXPERIMENT_TEXT] = text
    st.session_state[EXPERIMENT_WAY] = FROM_JSON


def start_experiment_from(text: str) -> NoReturn:
    """Take an experiment, as JSON, to the page that designs one."""
    take_experiment(text)
    st.switch_page("pages/regression/experiment.py")


def notify(sentence: str, *, warning: bool = False) -> None:
    """Show a sentence under the status line of the next run."""
    st.session_state.setdefault(_NOTICES, []).append(_Notice(sentence, warning))


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


def start_job(task: str, arguments: dict[str, Any], title: str) -> NoReturn:
    """Start a job and run the page again; when it ends, what it made is taken in hand on whatever page one is."""
    st.session_state[_FOLLOWED] = jobs().submit(task, arguments, title)
    st.rerun()


def followed_job() -> "JobRecord | None":
    """Return the job whose outcome this visitor waits for, or None."""
    job_id = st.session_state.get(_FOLLOWED)
    if job_id is None:
        return None
    try:
        return jobs().record(job_id)
    except StoreError:  # the link names a job that is no longer listed
        st.session_state[_FOLLOWED] = None
        return None


def followed_job_ended() -> bool:
    """Whether the followed job is over, so that the page should run again."""
    record = followed_job()
    return record is not None and not record.is_active


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
    cache.forget_understanding(cache.home(), draft.uploads, draft.recipe)
    if draft.key is not None:
        store().delete_draft(draft.key)


def import_round() -> int:
    """Return how many imports were ended: part of the upload widget's key."""
    return int(st.session_state.get(_IMPORT_ROUND, 0))


def begin_run() -> None:
    """Bring choices, store and URL together; app.py calls this once before every page."""
    st.session_state[_RECORDS] = _listed()
    if _CHOSEN not in st.session_state:
        st.session_state[_FOLLOWED] = st.query_params.get(_JOB)
        st.session_state[_IMPORT] = _kept_import(st.query_params.get(_DRAFT))
        asked = {kind: st.query_params[kind] for kind in WORDS if kind in st.query_params}
        _take({kind: _found(kind, beginning) for kind, beginning in asked.items()})
    for kind, words in WORDS.items():
        if chosen(kind) is not None and chosen(kind) not in records(kind):
            notify(f"The {words} you had chosen is no longer in the store.")
            _put_down(kind)
    _adopt_finished_job()
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
            offer_demo=True,
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


def _stop_with(missing: str, what_to_do: str, *ways: tuple[str, str], offer_demo: bool = False) -> NoReturn:
    from ui import demo  # imports this module

    st.info(f"{missing} {what_to_do}", icon=":material/info:")
    with st.container(horizontal=True, vertical_alignment="center"):
        if offer_demo:
            demo.offer_set()
        for path, label in ways:
            st.page_link(path, label=label, icon=":material/arrow_forward:")
    st.stop()


def _picker(kind: str) -> str:
    """Return the key of the picker of `kind`.

    It changes with the choice: a browser that still shows the picker of an earlier choice, because the run that made
    the present one was overtaken, must not be taken for a visitor who wants the earlier one back.
    """
    return f"picker_{kind}_{(chosen(kind) or '')[:_URL_LENGTH]}"


def _put_down(kind: str) -> None:
    st.session_state[_CHOSEN][kind] = None


def _take(changes: dict[str, str | None]) -> None:
    """Change choices, and put down model and generated set that do not fit the data set in hand, saying so."""
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
            _put_down(kind)
        else:
            notify(
                f"This {WORDS[kind]} does not belong to {spectra.meta.name}: axis or targets differ. "
                "Choose its data set first."
            )
            st.session_state[_CHOSEN][kind] = None if "set" in changes else before[kind]


def _fits(kind: str, frame: Frame) -> bool:
    """Whether what is chosen of `kind` has the axis, the signal and, where it has any, the targets of `frame`."""
    if kind == "model":
        found = model()
        # A generator that is not asked for concentrations makes spectra, whatever was known of its training set.
        names = () if found is None or not found.model.needs_conditions else found.model.frame_.target_names
        theirs = None if found is None else found.model.frame_
    else:
        spectra = generated()
        names = () if spectra is None else spectra.target_names
        theirs = None if spectra is None else spectra.frame
    if theirs is None:
        return True
    same_signal = (theirs.axis, theirs.quantity, theirs.unit) == (frame.axis, frame.quantity, frame.unit)
    return same_signal and names in ((), frame.target_names)


def _spectra(fingerprint: str) -> SpectraSet:
    record = records("set").get(fingerprint) or records("generated").get(fingerprint)
    return cache.spectra_set(cache.home(), fingerprint, "" if record is None else record.name)


def _loaded(kind: str, load: Callable[[str], _Content]) -> _Content | None:
    identifier = chosen(kind)
    if identifier is None:
        return None
    try:
        return load(identifier)
    except SpectraCoreError as error:
        # Damaged or deleted meanwhile: say so once and go on without it, rather than stop every page.
        _put_down(kind)
        notify(f"The {WORDS[kind]} you had chosen cannot be used: {error}", warning=True)
        return None


def _listed() -> dict[str, dict[str, Any]]:
    sets = store().sets()
    return {
        "set": {record.fingerprint: record for record in sets if record.origin != "generated"},
        "model": {record.id: record for record in store().models() if record.registry == "generator"},
        "generated": {record.fingerprint: record for record in sets if record.origin == "generated"},
    }


def _found(kind: str, beginning: str) -> str | None:
    """Return the identifier in the store that begins with what the URL asks for."""
    fitting = [identifier for identifier in records(kind) if identifier.startswith(beginning)]
    if beginning and len(fitting) == 1:
        return fitting[0]
    notify(f"The link names a {WORDS[kind]} that is not in this store, so none is chosen.")
    return None


def _kept_import(beginning: str | None) -> ImportDraft | None:
    """Return the import under way that the URL names."""
    if not beginning:
        return None
    try:
        kept = store().load_draft(beginning)
    except StoreError as error:
        notify(str(error))
        return None
    return ImportDraft(kept.uploads, kept.recipe, key=kept.key)


def _adopt_finished_job() -> None:
    """Take in hand what the followed job made, or say why it made nothing.

    A run can be overtaken by another at every access to the session. So the job is forgotten last: a run that got
    only half-way is repeated by the next one.
    """
    record = followed_job()
    if record is None or record.is_active:
        return
    if record.state == "finished":
        st.session_state[_RECORDS] = _listed()  # the job may have ended after the store was listed
        result = record.result or {}
        _take({kind: result[kind] for kind in WORDS if result.get(kind) in records(kind)})
        notify(f"Finished: {record.title}.")
    elif record.error:
        notify(f"{record.title}: {record.state}. {record.error}", warning=True)
    st.session_state[_FOLLOWED] = None


def _mirror_in_url() -> None:
    shown = {kind: (chosen(kind) or "")[:_URL_LENGTH] for kind in WORDS}
    shown[_JOB] = st.session_state.get(_FOLLOWED) or ""
    draft = import_draft()
    shown[_DRAFT] = "" if draft is None else (draft.key or "")[:_URL_LENGTH]
    # Sent in every run, changed or not: a run that is overtaken by another may not reach the browser. The browser
    # leaves its address alone where nothing differs. New values first, so that an address read in between still says
    # where to find what a finished job made.
    st.query_params.update({name: value for name, value in shown.items() if value})
    for name, value in shown.items():
        if not value:
            st.query_params.pop(name, None)

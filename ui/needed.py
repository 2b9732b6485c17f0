"""What a page needs in hand; where it lacks, the nearest way to get it."""

from typing import TYPE_CHECKING, NoReturn

import numpy as np
import streamlit as st

from spectra_core.datasets.questions import listed
from spectra_core.evaluation.suitability.sentences import FEW_INDEPENDENT
from spectra_core.preprocessing.magnitudes import LARGEST
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.spectra_set import without
from ui import cache, demo, set_shelf, state, tables
from ui.text import plain

if TYPE_CHECKING:
    from spectra_core.store import StoredModel


def require_experimental() -> SpectraSet:
    """Return the chosen data set; where there is none, say so, offer the nearest way to get one, and stop."""
    spectra = state.experimental()
    if spectra is None:
        _stop_with(
            "No data set in hand." if state.records("set") else "No spectra yet.",
            f"This page needs one. {'Choose a kept one above, load' if state.records('set') else 'Load'} the demo with "
            "one click, or bring your own.",
            ("pages/data/dataset.py", "Upload a file"),
            ("pages/data/simulate.py", "Simulate a set"),
            offer_demo=True,
        )
    _require_computable(spectra)
    return spectra


def _require_computable(spectra: SpectraSet) -> None:
    """Name spectra with numbers so large that nothing can be computed with them, offer the others, and stop."""
    beyond = cache.shared(_rows_beyond, spectra)
    if not beyond:
        return
    names = tables.names_of(list(spectra.samples["id"]))
    named = plain(listed([names[row] for row in beyond]))
    st.warning(
        f"Nothing can be computed with numbers beyond {LARGEST:g}, which these spectra hold: {named}. "
        "Bring a corrected file, or leave them out.",
        icon=":material/warning:",
    )
    if len(beyond) < len(spectra) and st.button(f"Keep the other {len(spectra) - len(beyond)} as a new set"):
        set_shelf.keep_and_use(without(spectra, list(beyond)))
    st.stop()


def _rows_beyond(spectra: SpectraSet) -> tuple[int, ...]:
    values = np.hstack([spectra.signal, spectra.target_values])
    return tuple(np.flatnonzero((np.abs(values) > LARGEST).any(axis=1)).tolist())


def say_if_few(spectra: SpectraSet) -> None:
    """Say before any work what a set of few independent spectra cannot do."""
    n_independent = len(set(spectra.groups.tolist()))
    if n_independent == 1:
        st.warning(
            f"All {len(spectra)} spectra belong to one group, such as replicates of one sample, and stay together: "
            "none can be held out, so nothing made from them can be tested. Bring spectra of more samples.",
            icon=":material/warning:",
        )
    elif n_independent < FEW_INDEPENDENT:
        st.warning(
            f"{n_independent} independent spectra are few: a generator may only repeat them, and an experiment can "
            "tell large effects alone. Read what follows with that in mind, or bring more.",
            icon=":material/warning:",
        )


def require_model() -> "StoredModel":
    """Return the chosen generator; where there is none, say so, offer the nearest way to get one, and stop."""
    found = state.model()
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
    spectra = state.generated()
    if spectra is None:
        require_model()
        _stop_with(
            "No generated spectra yet.",
            "This page compares generated with experimental spectra. Generate some, or choose a stored set above.",
            ("pages/generation/sample.py", "Generate spectra"),
        )
    return spectra


def require_both() -> None:
    """Where experimental or generated spectra are missing, say so, offer the demo, which makes both, and stop."""
    if state.experimental() is not None and state.generated() is not None:
        return
    missing = "No spectra yet." if state.experimental() is None else "No generated spectra yet."
    stored = ", or choose stored ones above" if state.records("set") and state.records("generated") else ""
    st.info(
        f"{missing} This page shows generated beside experimental ones; the demo makes both{stored}.",
        icon=":material/info:",
    )
    demo.offer_pipeline()
    st.stop()


def _stop_with(missing: str, what_to_do: str, *ways: tuple[str, str], offer_demo: bool = False) -> NoReturn:
    st.info(f"{missing} {what_to_do}", icon=":material/info:")
    with st.container(horizontal=True, vertical_alignment="center"):
        if offer_demo:
            demo.offer_set()
        for path, label in ways:
            st.page_link(path, label=label, icon=":material/arrow_forward:")
    st.stop()

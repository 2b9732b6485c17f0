"""Which finished experiment a page shows."""

import streamlit as st

from spectra_core.spectra import SpectraSet
from spectra_core.store import ResultRecord, Store, StoredResult
from ui import cache, needed, state
from ui.text import counted


def require_study() -> StoredResult:
    """Return the finished experiment a visitor picks; where there is none, say so, offer to run one, and stop.

    The newest one on the data set in hand comes first.
    """
    in_hand = state.experimental()
    records = sorted(
        state.store().results("study"), key=lambda record: (not _is_about(record, in_hand), -record.sequence)
    )
    if not records:
        needed.require_experimental()
        st.info("No experiment yet. This page shows the errors of a finished one.", icon=":material/info:")
        st.page_link("pages/regression/experiment.py", label="Run an experiment", icon=":material/arrow_forward:")
        st.stop()
    by_id = {record.id: record for record in records}
    ids = list(by_id)
    picked = st.selectbox(
        "Experiment",
        ids,
        format_func=lambda key: f"{by_id[key].name} · {by_id[key].created[:16].replace('T', ' ')} UTC",
        key="study",
        bind="query-params",
    )
    result = cache.shared(Store.load_result, state.store(), picked)
    experiment, data = result.document["experiment"], result.document["data"]
    kind = "simulated" if data["origin"] == "simulated" else data["origin"]
    st.caption(
        f"{data['n_spectra']} {kind} spectra “{data['name']}”, {counted(experiment['n_folds'], 'fold')}, "
        f"{counted(experiment['n_repeats'], 'repetition')}, seed {experiment['seed']}."
    )
    if in_hand is not None and in_hand.fingerprint != data["fingerprint"]:
        st.info(f"This experiment is about “{data['name']}”, not about the data set in hand.", icon=":material/info:")
    return result


def _is_about(record: ResultRecord, spectra: SpectraSet | None) -> bool:
    """Whether an experiment was made on these spectra."""
    if spectra is None:
        return False
    document = cache.shared(Store.load_result, state.store(), record.id).document
    return bool(document["data"]["fingerprint"] == spectra.fingerprint)

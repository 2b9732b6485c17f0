"""Which finished experiment a page shows."""

import streamlit as st

from spectra_core.store import Store, StoredResult
from ui import cache, deleting, needed, own_way, state, studies, study_progress
from ui.text import counted, plain


def require_study() -> StoredResult:
    """Return the finished experiment a visitor picks; where there is none, say so, offer to run one, and stop.

    On the data set in hand the newest one with the way that the generated set in hand was made is picked first, else
    the newest; one on other data only when asked for.
    """
    in_hand = state.experimental()
    of_it = [] if in_hand is None else studies.studies_of(in_hand)
    way = own_way.in_hand()
    of_it.sort(key=lambda record: not studies.holds(record, way))
    by_id = {record.id: record for record in [*of_it, *studies.studies()]}
    if not by_id:
        needed.require_experimental()
    under_way = study_progress.show()
    if in_hand is not None and not of_it and under_way:
        st.info("The first errors are shown here after the first repetition.", icon=":material/hourglass_top:")
        if not by_id:
            st.stop()
    elif in_hand is not None and not of_it:
        st.info(f"No experiment on “{plain(in_hand.meta.name)}” yet.", icon=":material/info:")
        st.page_link("pages/calibration/experiment.py", label="Run an experiment", icon=":material/arrow_forward:")
        if not by_id:
            st.stop()
    ids = list(by_id)
    first = 0 if of_it or in_hand is None else None
    called = {key: f"{one.name} · {one.created[:16].replace('T', ' ')} UTC" for key, one in by_id.items()}
    state.say_if_link_is_dead("study", called.values(), "an experiment")
    state.set_widget_for("study", "" if in_hand is None else in_hand.fingerprint, None if first is None else ids[first])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            "Experiment",
            ids,
            index=first,
            format_func=called.__getitem__,
            key="study",
            bind="query-params",
            placeholder="Look at an experiment on other data",
        )
        if picked is not None:
            deleting.offer_delete("results", picked, by_id[picked].name, stays="Its data set stays.")
    if picked is None:
        st.stop()
    result = cache.shared(Store.load_result, state.store(), picked)
    experiment, data = result.document["experiment"], result.document["data"]
    name = plain(data["name"])
    kind = "simulated" if data["origin"] == "simulated" else data["origin"]
    st.caption(
        f"{data['n_spectra']} {kind} spectra “{name}”, {counted(experiment['n_folds'], 'fold')}, "
        f"{counted(experiment['n_repeats'], 'repetition')}, seed {experiment['seed']}."
    )
    if in_hand is not None and in_hand.fingerprint != data["fingerprint"]:
        st.info(f"This experiment is about “{name}”, not about the data set in hand.", icon=":material/info:")
    return result

import streamlit as st

from spectra_core.evaluation.channels.sentences import reach_sentence
from spectra_core.figures.spectra import quantile_fan
from ui import cache, comparison, demo, state, studies, study_panels
from ui.figures import show_figure
from ui.text import plain

st.write(
    "A generator learns your spectra and makes new ones. You see how the new ones differ from the experimental ones, "
    "and whether they improve a calibration, target by target."
)

demo.show_pipeline()
experimental, generated = state.experimental(), state.generated()
if experimental is not None and generated is None:
    with st.container(horizontal=True):
        st.page_link("pages/data/explore.py", label="Is it fit for calibration?", icon=":material/arrow_forward:")
        st.page_link("pages/calibration/advice.py", label="What would help?", icon=":material/arrow_forward:")
demo.offer_pipeline()
newest = None if experimental is None else next(studies.results_of(experimental), None)
if newest is not None and (said := study_panels.in_short(newest)):
    st.subheader("Do generated spectra lower the errors?")
    st.markdown(said)
    with st.container(horizontal=True):
        st.page_link("pages/calibration/errors.py", label="Target by target", icon=":material/arrow_forward:")
        st.page_link("pages/calibration/advice.py", label="What would help?", icon=":material/arrow_forward:")

if experimental is not None and generated is not None:
    st.subheader("Do generated spectra look like the experimental ones?")
    sets = {"training": experimental, "generated": generated}
    statistics = comparison.channel_statistics(sets)
    show_figure(
        cache.drawn(
            quantile_fan, statistics, axis_label=experimental.axis.label, signal_label=experimental.meta.signal_label
        ),
        key="overview_fan",
    )
    st.caption(
        f"Median, middle half and middle 90 % of {len(experimental)} experimental spectra "
        f"(“{plain(experimental.meta.name)}”) and {len(generated)} generated ones (“{plain(generated.meta.name)}”). "
        f"{reach_sentence(comparison.signal_reach(sets))}"
    )

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
Each box is a step; it fills when something is in hand, and the links under it lead to the pages where the step is
done. The line on top says on every page what is in hand, and lets you choose among everything in the store. What you
have chosen stands in the address: a reload keeps it. Long work goes on when the page is closed.

The question behind it all: spectra with known concentrations are expensive. Does extending a training set with
generated spectra lower the error of a calibration, for which targets, by how much, and why?
"""
    )

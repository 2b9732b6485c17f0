import streamlit as st

from spectra_core.errors import SpectraCoreError
from spectra_core.experiment.advice import require_advisable
from spectra_core.jobs.tasks import default_workers
from ui import advice_panel, job_panel, needed, state
from ui.text import sentence
from ui.widgets import pick_seed

st.write(
    "Tries within the time you give what may lower the errors of a calibration of your spectra: other regressors and "
    "preprocessings, generated rows, labels that do not fit set aside, replicates averaged, more spectra. Each is "
    "judged on spectra left out, and so is the choice among them."
)
spectra = needed.require_experimental()
needed.say_if_few(spectra)
try:
    require_advisable(spectra)
except SpectraCoreError as error:
    st.warning(sentence(error), icon=":material/warning:")
    st.stop()

left, middle, right = st.columns([3, 1, 1], vertical_alignment="bottom")
with left:
    reference = advice_panel.pick_reference(spectra)
with middle:
    minutes = st.number_input(
        "Minutes",
        min_value=0.5,
        max_value=240.0,
        value=3.0,
        step=1.0,
        format="%g",
        key="advice_minutes",
        persist_state="session",
    )
with right:
    seed = pick_seed("advice_seed")
if st.button("Find out what helps", type="primary", icon=":material/troubleshoot:"):
    arguments = {"set": spectra.fingerprint, "minutes": minutes, "reference": reference, "seed": seed}
    state.start_job("advise", {**arguments, "workers": default_workers()}, f"Advice on {spectra.meta.name}")
st.caption("It goes on when this page is closed. What does not fit into the time is left out, and named.")
job_panel.latest("advise")

found = advice_panel.newest(spectra)
if found is not None:
    advice_panel.show(found, spectra)

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **Effect**: change of the error on left-out spectra against what you use now, with its 95 % interval; below 0 is
  better. The **verdict** is that of an experiment that declares all remedies: a chance of 5 % of any false one.
- **Promised error**: for the first remedy, the error of choosing as well, by folds around the whole choice (nested
  cross-validation): what you should measure on new spectra of the same kind. For the others, their own.
- **No spectrum tells it**: nothing explains a tenth of that target's variance. It takes no part in the choice.
- **More spectra**: what the last doubling of your spectra brought. Nobody can foretell the next one from one set.
- Folds and figures follow from the seed; which remedies are tried follows from how fast this computer is now.
"""
    )

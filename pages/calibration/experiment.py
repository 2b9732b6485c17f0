import json

import streamlit as st

from spectra_core.errors import SpectraCoreError
from spectra_core.experiment import Experiment
from spectra_core.experiment.cautions import cautions
from spectra_core.experiment.run import runnable
from spectra_core.jobs.tasks import default_workers
from ui import experiment_panel, needed, question_panel, state, studies, study_progress, time_said
from ui.text import counted, sentence

st.write(
    "An experiment trains regressors on every kind of training set and compares their errors on the same held-out "
    "spectra, fold by fold. Everything, generators and scaling too, is fitted inside the training fold."
)
spectra = needed.require_experimental()
needed.say_if_few(spectra)
if not spectra.n_targets:
    st.info("These spectra have no targets, whose errors an experiment compares.", icon=":material/info:")
    st.page_link("pages/data/dataset.py", label="Bring them with targets", icon=":material/arrow_forward:")
    st.stop()

way = st.segmented_control(
    "Design",
    [state.BY_CHOICES, state.FROM_JSON],
    default=state.unless_set(state.EXPERIMENT_WAY, state.BY_CHOICES),
    key=state.EXPERIMENT_WAY,
    persist_state="session",
    label_visibility="collapsed",
)
experiment: Experiment | None = None
try:
    experiment = experiment_panel.from_text(spectra) if way == state.FROM_JSON else experiment_panel.by_choices(spectra)
    if experiment is not None:
        runnable(experiment, spectra)
except SpectraCoreError as error:
    experiment = None
    st.warning(sentence(error), icon=":material/warning:")

if experiment is not None:
    for caution in cautions(experiment, spectra):
        st.warning(sentence(caution), icon=":material/warning:")
    question_panel.show_power(experiment, spectra)
    n_fits = len(experiment.arms) * len(experiment.regressors) * len(experiment.n_train) * experiment.n_splits
    n_workers = default_workers()
    st.caption(
        f"{counted(len(experiment.arms), 'arm')}; {n_fits} fits of {counted(spectra.n_targets, 'target')}; "
        f"{time_said.words(experiment, spectra, n_workers)} with {counted(n_workers, 'worker')} beside what "
        "this computer does now. It goes on when this page is closed, and finished fits are never repeated."
    )
    start, save = st.columns([1, 3], vertical_alignment="center")
    if start.button("Run the experiment", type="primary", icon=":material/play_arrow:"):
        state.start_job(
            "study",
            {"set": spectra.fingerprint, "experiment": json.loads(experiment.to_json())},
            f"Experiment on {spectra.meta.name}",
        )
    with save.container(horizontal=True):
        st.download_button(
            "Experiment (JSON)",
            experiment.to_json(),
            "experiment.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        if way != state.FROM_JSON:
            st.button(
                "Change it as text",
                type="tertiary",
                icon=":material/edit:",
                on_click=state.take_experiment,
                args=(experiment.to_json(),),
            )

study_progress.show()
if studies.studies_of(spectra):
    st.page_link("pages/calibration/errors.py", label="See the errors found so far", icon=":material/arrow_forward:")

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **Baseline**: regressors trained on the training fold as it is. **Step-matched**: the same rows, trained for as many
  optimiser steps as an extended set gets; all other arms are judged against it. **Duplicate rows**: every row twice.
- **VAE**: spectra decoded from latent points, labelled by the baseline's regressors. **cVAE**: spectra decoded for
  chosen concentrations. Concentrations drawn independently of each other describe solutions whose charges do not
  balance; the charge-balanced arms draw salts instead.
- **Oracle**: new spectra from the true simulator, the most that any generator could bring (simulated data only).
- **Ratios**: every arm that adds rows is run at each, with a step-matched arm of its own.
- **Reasons** for an arm add others that change one thing each: noise, labels, where points are drawn, the decoder.
- **Fast** training follows another path of optimisation than the study's: the same networks and losses, but principal
  components instead of channels, other learning rates and fewer epochs. It serves exploring; repeat what matters
  faithfully. How many components were used is listed with the generators of a finished experiment.
- A single run of 8 folds seldom settles small differences: repetitions narrow the intervals.
"""
    )

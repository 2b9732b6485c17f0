import json

import streamlit as st

from spectra_core.errors import ConfigError
from spectra_core.experiment import Experiment, study_experiment
from spectra_core.experiment.cost import estimated_seconds
from spectra_core.experiment.presets import STUDY_ARMS, possible_arms
from spectra_core.regressors import REGRESSORS
from ui import experiment_panel, job_panel, state

st.title("Under which conditions does it help?")
st.write(
    "An experiment trains regressors on every kind of training set and compares their errors on the same held-out "
    "spectra, fold by fold. Everything, generators and scaling too, is fitted inside the training fold."
)
spectra = state.require_experimental()

possible = possible_arms(spectra)
names = st.multiselect(
    "Training sets to compare (arms)",
    possible,
    default=[name for name in possible if name in STUDY_ARMS],
    key="experiment_arms",
    persist_state="session",
    help="Step-matched and duplicate rows are controls: they add nothing but training, so a gain must beat them.",
)
regressors = st.multiselect(
    "Regressors",
    list(REGRESSORS),
    default=["mlp", "pls"],
    format_func=lambda name: REGRESSORS[name].title,
    key="experiment_regressors",
    persist_state="session",
)
folds, repeats, epochs, seed = st.columns(4)
n_folds = folds.number_input("Folds", 2, 50, 8, key="experiment_folds", persist_state="session")
n_repeats = repeats.number_input("Repetitions", 1, 50, 1, key="experiment_repeats", persist_state="session")
n_epochs = epochs.number_input(
    "Epochs",
    1,
    10_000,
    100,
    key="experiment_epochs",
    persist_state="session",
    help="For regressors and generators alike; the study used 100.",
)
chosen_seed = seed.number_input("Seed", 0, 2**31 - 1, 0, key="experiment_seed", persist_state="session")
with st.expander("Learning curve and an arm of your own", icon=":material/tune:"):
    sizes = experiment_panel.pick_training_sizes(spectra, int(n_folds))
    own_arm = experiment_panel.pick_own_arm(int(n_epochs))

experiment: Experiment | None = None
try:
    experiment = experiment_panel.with_arm(
        study_experiment(
            names,
            regressors=regressors,
            epochs=int(n_epochs),
            n_folds=int(n_folds),
            n_repeats=int(n_repeats),
            seed=int(chosen_seed),
            n_train=sizes,
            data=spectra.fingerprint,
        ),
        own_arm,
    )
except ConfigError as error:
    st.warning(str(error), icon=":material/warning:")

if experiment is not None:
    n_fits = len(experiment.arms) * len(experiment.regressors) * len(experiment.n_train)
    seconds = estimated_seconds(experiment, spectra, experiment_panel.n_workers())
    st.caption(
        f"{n_fits * experiment.n_folds * experiment.n_repeats} fits of all {spectra.n_targets} targets; about "
        f"{job_panel.duration(seconds)} with {experiment_panel.n_workers()} worker(s) on an idle machine. "
        "It goes on when this page is closed, and finished fits are never repeated."
    )
    start, save = st.columns([1, 3], vertical_alignment="center")
    if start.button("Run the experiment", type="primary", icon=":material/play_arrow:"):
        state.start_job(
            "study",
            {"set": spectra.fingerprint, "experiment": json.loads(experiment.to_json())},
            f"Experiment on {spectra.meta.name}",
        )
    save.download_button(
        "Download the experiment (JSON)", experiment.to_json(), "experiment.json", "application/json", type="tertiary"
    )

job_panel.latest("study")
if state.store().results("study"):
    st.page_link(
        "pages/regression/errors.py", label="See the errors of finished experiments", icon=":material/arrow_forward:"
    )

with st.expander("How to read this"):
    st.markdown(
        """
- **Baseline**: regressors trained on the training fold as it is. **Step-matched**: the same rows, trained for as many
  optimiser steps as an extended set gets; all other arms are judged against it. **Duplicate rows**: every row twice.
- **VAE**: spectra decoded from latent points, labelled by the baseline's regressors. **cVAE**: spectra decoded for
  chosen concentrations. Concentrations drawn independently of each other describe solutions whose charges do not
  balance; the charge-balanced arms draw salts instead.
- **Oracle**: new spectra from the true simulator, the most that any generator could bring (simulated data only).
- A single run of 8 folds seldom settles small differences: repetitions narrow the intervals.
"""
    )

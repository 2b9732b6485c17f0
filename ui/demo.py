"""The demo: a data set in one click, the whole pipeline in another; and the pipeline as a picture."""

from dataclasses import dataclass
from html import escape
from typing import Literal

import streamlit as st

from spectra_core.choices import SHORT_TITLES
from spectra_core.figures.theme import thousands
from spectra_core.jobs.demo import DEMO_SET
from ui import job_panel, state, studies
from ui.menu import ROOT

_WHOLE = "spectra_core.jobs.demo:run_demo"
_NEXT = (
    (("pages/data/dataset.py", "Upload"), ("pages/data/simulate.py", "Simulate"), ("pages/data/explore.py", "Explore")),
    (("pages/generation/train.py", "Train"),),
    (("pages/generation/sample.py", "Sample"),),
    (("pages/comparison/spectra.py", "Spectra"), ("pages/comparison/neighbours.py", "Neighbours")),
    (("pages/calibration/experiment.py", "Experiment"), ("pages/calibration/errors.py", "Errors")),
)
"""Where every step of the pipeline is done."""
_ALONE = 16.0
"""Seconds of the whole path on a usual computer, idle."""


@dataclass(frozen=True)
class Step:
    """One box of the pipeline.

    Parameters
    ----------
    title
        What the step gives: "Generator".
    detail
        What is in hand, or what is missing; one short line.
    state
        "done" fills the box, "ready" outlines it in the accent, "waiting" in dashes.
    """

    title: str
    detail: str
    state: Literal["waiting", "ready", "done"]


def offer_set() -> None:
    """Offer the demo set: one click starts the job that makes it, and the set is in hand when it ends."""
    job = state.followed_job()
    if job is not None:
        job_panel.show(job.id)
    elif st.button("Load the demo", type=_type(), icon=":material/play_arrow:"):
        state.start_job("simulate", dict(DEMO_SET), "Simulate the demo set")


def offer_pipeline() -> None:
    """Offer the whole pipeline in one click, as long as nothing was generated."""
    job = state.followed_job()
    if job is not None:
        job_panel.show(job.id)
    elif state.chosen("generated") is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Run the demo", type=_type(), icon=":material/play_arrow:"):
                state.start_job(_WHOLE, {}, "Demo: the whole path")
            st.caption(
                "Simulates 400 spectra of eight ions in water, calibrates on them, trains a variational autoencoder, "
                "generates and labels 400 new ones, and asks whether such spectra lower the errors. Takes about "
                f"{job_panel.duration(_seconds())} beside what this computer does now."
            )


def _type() -> Literal["primary", "secondary"]:
    """Return how loud the demo is: who brought spectra has other things to do."""
    return "primary" if state.chosen("set") is None else "secondary"


def _seconds() -> float:
    from spectra_core.experiment.busy import slowdown
    from spectra_core.experiment.pace import against_usual
    from spectra_core.jobs.work import NICENESS

    return _ALONE * against_usual() * slowdown(1, NICENESS)


def show_pipeline() -> None:
    """Draw where the visitor stands: a box for every step, with the pages where it is done under it."""
    steps = pipeline_steps()
    # Words of the page rather than of a picture, which would shrink with the window.
    for column, step, links in zip(st.container(key="pipeline").columns(len(steps)), steps, _NEXT, strict=True):
        with column:
            tick = ' <span aria-label="done">✓</span>' if step.state == "done" else ""
            st.html(
                f'<div class="pipeline-step {step.state}"><b>{escape(step.title)}{tick}</b>{escape(step.detail)}</div>'
            )
            with st.container(gap=None):
                for path, label in links:
                    if (ROOT / path).is_file():
                        st.page_link(path, label=label)


def pipeline_steps() -> list[Step]:
    """Return the steps of the pipeline with what is in hand of each."""
    spectra, generated = state.experimental(), state.generated()
    found = state.records("model").get(state.chosen("model") or "")  # the model itself would load PyTorch
    studied = spectra is not None and bool(studies.studies_of(spectra))
    both = spectra is not None and generated is not None

    called = SHORT_TITLES.get(found.member, found.title) if found else None
    made = f"{thousands(len(generated))} generated" if generated is not None else None

    def step(title: str, detail: str | None, missing: str, *, ready: bool) -> Step:
        return Step(title, detail or missing, "done" if detail else "ready" if ready else "waiting")

    return [
        step("Data set", f"{thousands(len(spectra))} spectra" if spectra else None, "load or simulate", ready=True),
        step("Generator", called, "train one", ready=spectra is not None),
        step("New spectra", made, "sample", ready=found is not None),
        step("Comparison", "side by side" if both else None, "look and judge", ready=both),
        step("Calibration", "errors per target" if studied else None, "run an experiment", ready=spectra is not None),
    ]

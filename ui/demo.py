"""The demo: a data set in one click, the whole pipeline in another."""

from typing import Any, Literal

import streamlit as st

from spectra_core.figures.pipeline import Step, StepState, pipeline_diagram, pipeline_text
from ui import state

DEMO_SET: dict[str, Any] = {"preset": "demo", "n_spectra": 400, "seed": 0, "settings": {}}
"""Arguments of the task "simulate" that make the demo set."""


def offer_set() -> None:
    """Offer the demo set: one click starts the job that makes it, and the set is in hand when it ends."""
    if state.followed_job() is not None:
        st.caption("The demo is being made; this page goes on by itself when it is there.")
    elif st.button("Load the demo", type="primary", icon=":material/play_arrow:"):
        state.start_job("simulate", dict(DEMO_SET), "Simulate the demo set")


def offer_pipeline() -> None:
    """Offer the whole pipeline in one click."""
    offer_set()


def show_pipeline() -> None:
    """Draw where the visitor stands."""
    steps = pipeline_steps()
    theme: Literal["light", "dark"] = "dark" if st.context.theme.type == "dark" else "light"
    st.image(pipeline_diagram(steps, theme=theme), width="stretch", alt=pipeline_text(steps))


def pipeline_steps() -> list[Step]:
    """Return the steps of the pipeline with what is in hand of each."""
    spectra, found, generated = state.experimental(), state.model(), state.generated()
    studied = state.chosen("set") is not None and bool(state.store().results("study"))
    both = spectra is not None and generated is not None

    def step(title: str, detail: str | None, missing: str, *, ready: bool) -> Step:
        kind: StepState = "done" if detail else ("ready" if ready else "waiting")
        return Step(title, detail or missing, kind)

    return [
        step("Data set", f"{len(spectra)} spectra" if spectra else None, "load or simulate", ready=True),
        step("Generator", found.record.title if found else None, "train one", ready=spectra is not None),
        step("New spectra", f"{len(generated)} generated" if generated else None, "sample", ready=found is not None),
        step("Comparison", "side by side" if both else None, "look and judge", ready=both),
        step("Calibration", "errors per ion" if studied else None, "run an experiment", ready=spectra is not None),
    ]

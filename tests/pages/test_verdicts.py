"""The verdict of a page is a sentence on its top, above the first control, figure, metric and table."""

import re
import shutil
from collections.abc import Iterator
from itertools import dropwhile
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Widget

from spectra_core.contracts import SILENT
from spectra_core.jobs.tasks import TASKS
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set
from tests.pages.test_comparison import generated_from, healthy, opened

COUNTED = {"plotly_chart", "metric", "arrow_data_frame", "dataframe", "table"}
DEMO = {
    "data/explore": r"^\*\*(Fit|Hardly fit|Not fit)",
    "data/identify": r"Hardly identifiable|Every ion can be read",
    "generation/train": r"^\*\*Of what tells .* spectra apart",
    "comparison/spectra": r"some generated spectrum goes beyond all training ones",
    "comparison/channels": r"Their distribution differs in",
    "comparison/neighbours": r"^No copies:",
    "comparison/latent_map": r"^On this map",
    "calibration/errors": r"the mean error changes by",
    "use/calibrate": r"On left-out spectra readings err|These spectra tell no target",
}

PICKED_FIRST = {"calibration/errors"}
"""Pages whose verdict is on one of several things, which is chosen above it."""


@pytest.fixture
def demo(short_demo, store: Store) -> dict[str, str]:
    folder, made = short_demo
    shutil.copytree(folder, store.root, dirs_exist_ok=True)
    return made


def in_order(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from in_order(child)
        else:
            yield child


def said_first(app: AppTest, *, above_controls: bool = True) -> str:
    """Return the sentences of a page between its title and its first control, figure, metric or table."""
    words = []
    for element in dropwhile(lambda one: one.type != "title", in_order(app.main)):
        if element.type in COUNTED or (above_controls and isinstance(element, Widget)):
            break
        if element.type == "markdown":
            words.append(element.value)
    else:
        pytest.fail("The page has neither figure nor table.")
    return "\n".join(words)


@pytest.mark.parametrize(("page", "said"), DEMO.items())
def test_the_verdict_stands_above_what_it_is_drawn_from(page, said, demo):
    above = said_first(opened(f"pages/{page}.py", **demo), above_controls=page not in PICKED_FIRST)
    assert re.search(said, above, re.MULTILINE)


def test_the_verdict_of_metrics_stands_above_them(demo, store: Store):
    hand = {kind: demo[kind] for kind in ("set", "generated", "model")}
    TASKS["fidelity"]({**hand, "noise_given_back": False, "seed": 0}, SILENT, store)
    app = opened("pages/comparison/fidelity.py", **hand)
    assert " metrics tell" in said_first(app)


@pytest.mark.parametrize("page", ["comparison/spectra", "comparison/channels", "start/overview", "generation/sample"])
def test_spectra_beyond_all_that_was_measured_are_told_wherever_generated_ones_are_looked_at(page, store: Store):
    spectra = beer_lambert_set()
    strong = generated_from(spectra)
    signal = np.array(strong.signal)
    signal[10:17, 20] = spectra.signal.max() + 0.5
    made = SpectraSet(strong.axis, signal, strong.targets, target_info=strong.target_info, meta=strong.meta)
    hand = {"set": store.save_set(spectra), "generated": store.save_set(made)}
    if page == "generation/sample":
        from spectra_core.generators import GENERATORS

        fitted = GENERATORS["pca"](n_latent=3).fit(spectra)
        hand["model"] = store.save_model(fitted, registry="generator", member="pca", train=spectra, seed=0)
    app = healthy(opened(f"pages/{page}.py", **hand))
    told = " ".join(one.value for one in [*app.markdown, *app.caption])
    assert "the highest signal of all training spectra: " in told
    if page != "generation/sample":  # whose spectra are drawn anew
        assert "training spectra: 7 of 60 generated spectra" in told

"""The diagram of the pipeline: boxes fill with the steps, and it can be read by a machine."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from spectra_core.figures.pipeline import Step, pipeline_diagram, pipeline_text
from spectra_core.figures.theme import BLUE

STEPS = [
    Step("Data set", "400 spectra", "done"),
    Step("Generator", "train one", "ready"),
    Step("Comparison", "look and judge", "waiting"),
]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_only_finished_steps_are_filled(theme):
    boxes = ElementTree.fromstring(pipeline_diagram(STEPS, theme=theme)).findall(f"{SVG}rect")
    assert [box.get("fill") for box in boxes] == [BLUE, "none", "none"]


def test_a_waiting_step_is_told_apart_by_its_outline_and_not_by_colour_alone():
    boxes = ElementTree.fromstring(pipeline_diagram(STEPS)).findall(f"{SVG}rect")
    assert [box.get("stroke-dasharray") is not None for box in boxes] == [False, False, True]


def test_names_that_look_like_markup_stay_text():
    hostile = [Step("<script>", 'a "b" & c', "ready")]
    texts = [text.text for text in ElementTree.fromstring(pipeline_diagram(hostile)).findall(f"{SVG}text")]
    assert texts == ["<script>", 'a "b" & c']


def test_boxes_do_not_overlap():
    boxes = ElementTree.fromstring(pipeline_diagram(STEPS)).findall(f"{SVG}rect")
    edges = [(float(box.get("x")), float(box.get("x")) + float(box.get("width"))) for box in boxes]
    assert all(right < left for (_, right), (left, _) in pairwise(edges))


def test_the_text_for_those_who_cannot_see_it_names_every_step():
    assert pipeline_text(STEPS) == (
        "1. Data set: done, 400 spectra; 2. Generator: ready, train one; 3. Comparison: waiting, look and judge"
    )

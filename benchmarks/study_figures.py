"""The pictures of docs/study.md, drawn by the app's own figures and saved by a browser."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from benchmarks.study_arms import BALANCED, INDEPENDENT, READ
from spectra_core.evaluation.errors import error_summary
from spectra_core.figures.gains import learning_curves
from spectra_core.figures.regression import comparison_per_arm, error_per_arm
from tests.browser.conftest import BROWSER_OPTIONS

if TYPE_CHECKING:
    from benchmarks.study_report import Finished

WIDTH = 1240
SHOWN = (
    *("Baseline", "Step-matched", "Duplicate rows", "Ensemble of 5", "VAE, standard normal", INDEPENDENT, BALANCED),
    *(READ, "Oracle"),
)
"""Arms of the first picture."""
CURVES = ("Step-matched", "VAE, standard normal", INDEPENDENT, READ, "Oracle")


def draw(parts: Mapping[str, "Finished"], folder: Path) -> None:
    """Draw what is finished."""
    figures: dict[str, go.Figure] = {}
    if "a" in parts:
        figures["errors"] = _errors(parts["a"])
        figures["changes"] = _changes(parts["a"])
    if "c-carbon-dots" in parts:
        figures["carbon_dots"] = _changes(parts["c-carbon-dots"])
    if "b" in parts:
        figures["learning_curves"] = _curves(parts["b"])
    save(figures, folder)


def save(figures: Mapping[str, go.Figure], folder: Path) -> None:
    """Save figures as PNG, on white, as wide as the README shows them."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("SPECTRA_CHROMIUM", "/usr/bin/chromium"), args=BROWSER_OPTIONS
        )
        for name, figure in figures.items():
            height = int(figure.layout.height)
            figure.update_layout(width=WIDTH, paper_bgcolor="white", plot_bgcolor="white")
            page_file = Path(scratch) / f"{name}.html"
            page_file.write_text(figure.to_html(include_plotlyjs=True, config={"displayModeBar": False}))
            page = browser.new_page(viewport={"width": WIDTH + 16, "height": height + 16})
            page.goto(page_file.as_uri())
            page.wait_for_selector(".main-svg")
            page.wait_for_timeout(500)
            page.locator(".plotly-graph-div").screenshot(path=folder / f"{name}.png")
            page.close()
        browser.close()


def _errors(part: "Finished") -> go.Figure:
    kinds = {arm: kind for arm, kind in part.kinds.items() if arm in SHOWN}
    errors = part.tables["errors"]
    return error_per_arm(errors[errors["arm"].isin(list(kinds))], arm_kinds=kinds, units=part.units, levels=part.levels)


def _changes(part: "Finished") -> go.Figure:
    table = part.tables["comparisons"]
    return comparison_per_arm(
        table[table["regressor"] == "mlp"],
        arm_kinds=part.kinds,
        rope=part.experiment.rope,
        reference="Step-matched",
    )


def _curves(part: "Finished") -> go.Figure:
    summary = error_summary(part.tables["errors"])
    kinds = {arm: kind for arm, kind in part.kinds.items() if arm in CURVES}
    rows = summary[(summary["regressor"] == "mlp") & summary["arm"].isin(list(kinds))]
    return learning_curves(rows, arm_kinds=kinds, units=part.units)

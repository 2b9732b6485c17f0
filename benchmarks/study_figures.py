"""The pictures of docs/study.md, drawn by the app's own figures and saved by a browser."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.study_arms import ASKED, BALANCED, INDEPENDENT, READ, WAYS
from benchmarks.study_crossed import STRATEGIES, arm_of, shown
from benchmarks.study_results import Finished
from spectra_core.evaluation.errors.regression_errors import error_summary
from spectra_core.figures.forest import forest
from spectra_core.figures.gains import learning_curves
from spectra_core.figures.regression import error_per_arm
from spectra_core.figures.theme import GREY, TARGET_COLOURS, TARGET_SYMBOLS, styled, transparent
from tests.browser.conftest import BROWSER_OPTIONS

WIDTH = 1240
SHOWN = (
    *("Baseline", "Step-matched", "Duplicate rows", "Ensemble of 5", "VAE, standard normal", INDEPENDENT, BALANCED),
    *(READ, "Oracle"),
)
"""Arms of the first picture; changes are drawn of the declared ones, too."""
CURVES = ("Step-matched", "VAE, standard normal", INDEPENDENT, READ, "Oracle")


def draw(parts: Mapping[str, Finished], folder: Path) -> None:
    """Draw what is finished."""
    figures: dict[str, go.Figure] = {}
    if "a" in parts:
        figures["errors"] = _errors(parts["a"])
        figures["changes"] = _changes(parts["a"])
    if "a-crossed" in parts:
        figures["crossed"] = _crossed(parts["a-crossed"])
    if "c-carbon-dots-crossed" in parts:
        figures["carbon_dots_crossed"] = _crossed(parts["c-carbon-dots-crossed"])
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


def _errors(part: Finished) -> go.Figure:
    kinds = {arm: kind for arm, kind in part.kinds.items() if arm in SHOWN}
    errors = part.tables["errors"]
    return error_per_arm(errors[errors["arm"].isin(list(kinds))], arm_kinds=kinds, units=part.units, levels=part.levels)


def _changes(part: Finished) -> go.Figure:
    table = part.tables["comparisons"]
    return forest(
        table[(table["regressor"] == "mlp") & table["arm"].isin((*SHOWN, *ASKED))],
        arm_kinds=part.kinds,
        target_labels={},
        smallest_effect=part.experiment.question.smallest_effect,
        reference="Step-matched",
    )


def _curves(part: Finished) -> go.Figure:
    summary = error_summary(part.tables["errors"])
    kinds = {arm: kind for arm, kind in part.kinds.items() if arm in CURVES}
    rows = summary[(summary["regressor"] == "mlp") & summary["arm"].isin(list(kinds))]
    return learning_curves(rows, arm_kinds=kinds, units=part.units)


def _crossed(part: Finished) -> go.Figure:
    """Draw the change of error per way of choosing concentrations, one mark per latent strategy."""
    table = part.tables["comparisons"]
    table = table[table["regressor"] == "mlp"].set_index(["target", "arm"])
    ions = shown(part.targets)
    figure = make_subplots(rows=1, cols=len(ions), subplot_titles=ions, shared_yaxes=True, horizontal_spacing=0.03)
    for column, target in enumerate(ions, start=1):
        for number, strategy in enumerate(STRATEGIES):
            rows = table.loc[target].reindex([arm_of(way, strategy) for way in WAYS])
            effect, low, high = (rows[name] for name in ("effect", "low", "high"))
            figure.add_trace(
                go.Scatter(
                    x=effect,
                    y=[way + 0.15 * (number - (len(STRATEGIES) - 1) / 2) for way in range(len(WAYS))],
                    mode="markers",
                    name=f"z: {strategy}",
                    marker={"color": TARGET_COLOURS[number], "symbol": TARGET_SYMBOLS[number], "size": 9},
                    error_x={"array": high - effect, "arrayminus": effect - low, "thickness": 1.2, "width": 3},
                    showlegend=column == 1,
                ),
                row=1,
                col=column,
            )
        rope = part.experiment.question.smallest_effect
        figure.add_vrect(x0=-rope, x1=rope, fillcolor=transparent(GREY, 0.15), line_width=0, row=1, col=column)
        figure.add_vline(x=0, line={"color": GREY, "width": 1}, row=1, col=column)
        figure.update_xaxes(title_text="Change of RMSEP, %", row=1, col=column)
    figure.update_yaxes(tickvals=list(range(len(WAYS))), ticktext=list(WAYS), autorange="reversed")
    styled(figure, alt="Change of error per way of choosing concentrations and latent strategy", height=560)
    return figure.update_layout(margin={"l": 170, "t": 84}, legend={"y": 1.08})

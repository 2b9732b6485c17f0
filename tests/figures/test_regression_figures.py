"""Figures of errors per arm and target: colours of arms, names that may be long, numbers in words."""

import pandas as pd
import pytest

from spectra_core.figures.panels import Panels
from spectra_core.figures.regression import (
    KIND_COLOUR,
    error_by_concentration,
    error_per_arm,
    predicted_against_reference,
)
from spectra_core.figures.theme import GREY

KINDS = {"Baseline": "baseline", "VAE, drawn where spectra are rare, ratio 0.5": "generated"}
LONG = "Sulfate, total of all added salts and acid"


def legend(figure):
    return {trace.name: trace.marker.color for trace in figure.data if trace.name and trace.showlegend is not False}


def test_the_legend_says_what_the_colours_of_arms_and_the_shapes_of_regressors_mean():
    errors = pd.DataFrame(
        [
            {"arm": arm, "regressor": regressor, "target": "Cu", "repeat": 0, "fold": fold, "rmsep": 1.0 + fold}
            for arm in KINDS
            for regressor in ("PLS", "MLP")
            for fold in (0, 1)
        ]
    )
    keys = legend(error_per_arm(errors, arm_kinds=KINDS, units={"Cu": "mol/L"}))
    assert keys == {
        "PLS": GREY,
        "MLP": GREY,
        "experimental spectra alone": KIND_COLOUR["baseline"],
        "with generated spectra": KIND_COLOUR["generated"],
    }


def test_long_names_of_arms_and_targets_run_over_several_lines():
    rows = [{"arm": arm, "regressor": "pls", "target": LONG, "repeat": 0, "fold": 0, "rmsep": 1.0} for arm in KINDS]
    figure = error_per_arm(pd.DataFrame(rows), arm_kinds=KINDS, units={})
    axis = figure.layout.yaxis
    assert list(axis.tickvals) == list(KINDS)[::-1]
    assert axis.ticktext[0].replace("<br>", " ") == axis.tickvals[0]
    lines = [line for name in axis.ticktext for line in name.split("<br>")]
    assert max(map(len, lines)) <= 28
    # A letter is at most 7 pixels wide.
    assert 7 * max(map(len, lines)) <= figure.layout.margin.l < 260


def test_titles_of_four_panels_in_a_row_are_narrow_and_the_figure_grows_with_their_lines():
    short, long = (
        Panels([name] * 4, panel_height=100, horizontal_spacing=0.03).styled(alt="Panels") for name in ("Cu", LONG)
    )
    lines = long.layout.annotations[0].text.split("<br>")
    assert " ".join(lines) == LONG
    assert max(map(len, lines)) <= 18
    # The panels themselves stay as they are.
    heights = [figure.layout.height - figure.layout.margin.t - figure.layout.margin.b for figure in (short, long)]
    assert heights == [100, 100]
    assert long.layout.margin.t > short.layout.margin.t


@pytest.mark.parametrize(("n_targets", "n_rows"), [(1, 1), (4, 1), (5, 2), (20, 5)])
def test_every_target_has_a_panel_of_the_height_asked_for(n_targets, n_rows):
    panels = Panels([f"ion {number}" for number in range(n_targets)], panel_height=80, horizontal_spacing=0.03)
    figure = panels.styled(alt="Panels")
    inner = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    low, high = figure.layout.yaxis.domain
    assert (high - low) * inner == pytest.approx(80, abs=1)
    assert len(set(panels.places)) == n_targets
    assert max(row for row, _ in panels.places) == n_rows


def test_predictions_have_the_colour_of_their_arm_and_titles_keep_the_unit():
    rows = pd.DataFrame([{"arm": arm, "sample": 0, "fold": 0, "reference": 1.0, "predicted": 1.1} for arm in KINDS])
    figure = predicted_against_reference(rows, arm_kinds=KINDS, target_label=f"{LONG}, mol/L")
    drawn = [trace.marker.color for trace in figure.data if trace.mode == "markers"]
    assert drawn == [KIND_COLOUR["baseline"], KIND_COLOUR["generated"]]
    assert figure.layout.xaxis.title.text.replace("<br>", " ") == f"{LONG}, mol/L, reference"


@pytest.mark.parametrize(("unit", "title"), [("mol/L", "RMSEP, mol/L"), ("", "RMSEP, as the target")])
def test_the_unit_of_errors_is_the_targets_whatever_commas_its_name_has(unit, title):
    binned = pd.DataFrame({"arm": "Baseline", "centre": [1.0, 2.0], "rmsep": [0.1, 0.2]})
    figure = error_by_concentration(
        binned, arm_kinds={"Baseline": "baseline"}, target_label=f"{LONG}, mol/L", unit=unit
    )
    assert figure.layout.yaxis.title.text == title


def test_the_median_is_marked_where_a_run_blew_up():
    rows = [("A", 1.0), ("A", 2.0), ("A", 30.0), ("B", 1.0), ("B", 2.0), ("B", 3.0)]
    table = pd.DataFrame(rows, columns=["arm", "rmsep"]).assign(target="Cu", regressor="pls")
    table["blown_up"] = table["rmsep"] > 10
    figure = error_per_arm(table, arm_kinds={"A": "generated", "B": "baseline"}, units={"Cu": "mM"})
    crosses = [trace for trace in figure.data if trace.marker.symbol == "x" and trace.x[0] is not None]
    assert [(list(trace.x), list(trace.y)) for trace in crosses] == [([2.0], ["A"])]
    assert any("blew up" in (trace.name or "") for trace in figure.data)
    calm = error_per_arm(table.drop(columns="blown_up"), arm_kinds={"A": "generated", "B": "baseline"}, units={})
    assert not any("blew up" in (trace.name or "") for trace in calm.data)

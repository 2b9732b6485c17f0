"""Figures of the simulator: absorbers stack up, saturation is shaded, hidden ions are marked."""

import numpy as np
import pandas as pd
import pytest

from spectra_core.figures.simulator import identifiability_bars, species_bars, stacked_contributions
from spectra_core.figures.theme import alt_text


@pytest.fixture
def spectrum() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "position": np.arange(200.0, 210.0),
            "clean": np.linspace(6, 0, 10),
            "measured": np.linspace(3, 0, 10),
            "saturated": [True, True, False, False, False, True, False, False, False, False],
        }
    )


@pytest.fixture
def contributions(spectrum) -> pd.DataFrame:
    return pd.concat(
        pd.DataFrame({"absorber": name, "position": spectrum["position"], "absorbance": part * spectrum["clean"]})
        for name, part in (("Cu2+", 0.7), ("NO3-", 0.35), ("Water", -0.05))
    )


@pytest.fixture
def floors() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "target": ["Cu2+", "Li+"],
            "unit": "mol/L",
            "prior_sd": [0.2, 0.1],
            "plain_bound": [1e-4, 0.5],
            "plain_low": [5e-5, 0.3],
            "plain_high": [2e-4, 0.9],
            "expected_error": [9e-5, 0.09],
            "bayesian_bound": [1e-5, 0.01],
            "identifiable": [True, False],
        }
    )


def test_absorbers_are_stacked_and_water_is_a_line(contributions, spectrum):
    figure = stacked_contributions(contributions, spectrum, axis_label="Wavelength, nm")
    stacked = [trace.name for trace in figure.data if trace.stackgroup]
    assert stacked == ["Cu²⁺", "NO₃⁻"]
    assert {"Water", "Instrument shows"} <= {trace.name for trace in figure.data if not trace.stackgroup}
    assert figure.layout.xaxis.title.text == "Wavelength, nm"
    assert figure.layout.yaxis.title.text == "Absorbance"


def test_every_saturated_stretch_is_shaded_and_named_once(contributions, spectrum):
    figure = stacked_contributions(contributions, spectrum, axis_label="Wavelength, nm")
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(200.0, 201.0), (205.0, 205.0)]
    assert [trace.name for trace in figure.data].count("Saturated") == 1
    assert "30\N{NO-BREAK SPACE}% of channels are saturated" in alt_text(figure)


def test_species_are_bars_with_the_most_abundant_on_top():
    table = pd.DataFrame({"species": ["Li+", "Cu2+"], "concentration": [0.5, 0.01]})
    (bars,) = species_bars(table).data
    assert list(bars.y) == ["Cu²⁺", "Li⁺"]  # plotly draws from the bottom
    assert list(bars.x) == [0.01, 0.5]


def test_hidden_ions_are_marked_by_name_and_pattern(floors):
    figure = identifiability_bars(floors)
    bars = {trace.name: trace for trace in figure.data if trace.type == "bar"}
    marked = bars["Spread of the design, ion hardly identifiable"]
    assert list(marked.x) == ["Li⁺"]
    assert marked.marker.pattern.shape == "/"
    assert alt_text(figure).endswith("hardly identifiable: Li⁺.")
    plain = figure.data[-1]
    assert list(plain.y + plain.error_y.array) == [2e-4, 0.9]
    assert figure.layout.yaxis.title.text == "Error (one standard deviation), mol/L"

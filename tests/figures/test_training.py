"""Figures of the training page: one trace per statement, meaning in colours, units on axes."""

import numpy as np
import pandas as pd
import pytest

from spectra_core.figures import ROLE_COLOUR
from spectra_core.figures.training import information_by_dimension, reconstruction_panels, training_curve


@pytest.fixture
def history() -> pd.DataFrame:
    epochs = np.arange(1, 11)
    return pd.DataFrame(
        {"epoch": epochs, "reconstruction": 1 / epochs, "kl": 0.1 * epochs, "validation_loss": 2 / epochs}
    )


@pytest.fixture
def panels() -> pd.DataFrame:
    position = np.arange(200.0, 210.0)
    return pd.concat(
        pd.DataFrame(
            {
                "rank": rank,
                "sample": f"mixture {rank}",
                "position": position,
                "spectrum": 1.0,
                "reconstruction": 1.0 - error,
                "difference": error,
                "rmse": error,
            }
        )
        for rank, error in (("best", 0.001), ("median", 0.01), ("worst", 0.1))
    )


def test_every_part_of_the_loss_is_a_curve_over_the_epochs(history):
    figure = training_curve(history)
    assert [trace.name for trace in figure.data] == ["Reconstruction", "KL divergence", "Loss, held out"]
    assert list(figure.data[0].y) == list(history["reconstruction"])
    assert figure.layout.xaxis.title.text == "Epoch"
    assert figure.layout.yaxis.type == "log"


def test_a_sum_is_hidden_where_its_parts_are_shown(history):
    both = history.assign(loss=history["reconstruction"] + history["kl"])
    shown = {trace.name: trace.visible for trace in training_curve(both).data}
    assert shown["Loss"] == "legendonly"
    assert shown["Reconstruction"] is True
    assert training_curve(history[["epoch", "validation_loss"]]).data[0].visible is True


def test_held_out_curves_share_the_colour_of_their_part_and_differ_in_dash(history):
    history["validation_kl"] = 0.2 * history["epoch"]
    lines = {trace.name: trace.line for trace in training_curve(history).data}
    assert lines["KL divergence"].color == lines["KL divergence, held out"].color
    assert lines["KL divergence"].dash != lines["KL divergence, held out"].dash


def test_inactive_dimensions_are_told_apart_by_pattern():
    dimensions = pd.DataFrame(
        {
            "dimension": [3, 1, 2],
            "kl": [2.0, 0.5, 0.0],
            "variance_of_mean": [0.9, 0.4, 0.0],
            "active": [True, True, False],
        }
    )
    active, inactive = information_by_dimension(dimensions).data
    assert list(active.x) == [1, 2]
    assert list(inactive.x) == [3]
    assert active.marker.pattern.shape != inactive.marker.pattern.shape
    assert [row[0] for row in active.customdata] == [3, 1]


def test_reconstructions_keep_the_colours_of_their_roles(panels):
    figure = reconstruction_panels(panels, axis_label="Wavelength, nm", signal_label="Absorbance")
    colours = {trace.name: trace.line.color for trace in figure.data}
    assert colours == {
        "Experimental": ROLE_COLOUR["experimental"],
        "Reconstruction": ROLE_COLOUR["generated"],
        "Difference": ROLE_COLOUR["difference"],
    }
    assert len(figure.data) == 9


def test_panels_share_their_axes_and_name_them_once(panels):
    figure = reconstruction_panels(panels, axis_label="Wavelength, nm", signal_label="Absorbance")
    titles = [axis.title.text for axis in figure.select_xaxes() if axis.title.text]
    assert titles == ["Wavelength, nm"]
    assert figure.layout.yaxis2.matches == "y"
    assert figure.layout.yaxis5.matches == "y4"


def test_wavenumbers_run_from_high_to_low(panels):
    figure = reconstruction_panels(panels, axis_label="Wavenumber, 1/cm", signal_label="Absorbance")
    assert {axis.autorange for axis in figure.select_xaxes()} == {"reversed"}

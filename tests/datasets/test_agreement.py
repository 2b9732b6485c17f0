"""Axes within rounding are one, and resampling loses no channel that both axes hold."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from spectra_core.datasets import Recipe, understand
from spectra_core.datasets.resampling import even_grid, same_within_rounding
from spectra_core.errors import ConfigError, ReadError

X = np.arange(400.0, 420.0, 2.0)
Y = np.sin(X / 7.0).round(6)


def curve(x, y) -> bytes:
    lines = [f"{float(one):.10g},{float(two):.10g}" for one, two in zip(x, y, strict=True)]
    return "\n".join(["wavelength (nm),abs", *lines]).encode()


def understood(other, recipe=None):
    return understand({"one.csv": curve(X, Y), "two.csv": curve(other, 2 * Y)}, recipe)


@pytest.mark.parametrize("shift", [0.0, 1e-6, -1e-6, 1e-3, 0.019])
def test_axes_a_rounding_apart_are_one_axis(shift):
    found = understood(X + shift)
    assert found.open_questions == []
    built = found.build()
    assert built.axis.positions.tolist() == X.tolist()
    assert built.signal.tolist() == [Y.tolist(), (2 * Y).tolist()]
    assert any("taken as one" in note for note in found.table.notes) == (shift != 0.0)


@pytest.mark.parametrize("shift", [0.05, -0.05, 1.0])
def test_axes_further_apart_are_asked_about(shift):
    assert [one.kind for one in understood(X + shift).open_questions] == ["different grids"]
    assert not same_within_rounding(X, X + shift)


@pytest.mark.parametrize("method", ["linear", "cubic"])
def test_channels_at_the_ends_within_rounding_are_kept_and_others_counted(method):
    longer = np.r_[X[:-1] + 1e-6, 419.0, 421.0]
    files = {"one.csv": curve(X, Y), "two.csv": curve(longer, np.r_[Y, 0.0])}
    found = understand(files, Recipe(resample=method))
    assert found.table.positions.tolist() == X.tolist()
    short = understand({"one.csv": curve(X, Y), "two.csv": curve(X[2:-1], Y[2:-1])}, Recipe(resample=method))
    assert short.table.positions.tolist() == X[2:-1].tolist()
    assert "3 channels of the first grid lie outside" in short.table.notes[0]


def test_one_set_is_put_on_an_even_grid_on_purpose():
    built = understand({"one.csv": curve(X, Y)}, Recipe(grid=(402, 410, 0.5))).build()
    assert built.axis.positions.tolist() == np.arange(402, 410.5, 0.5).tolist()
    assert np.allclose(built.signal[0], np.interp(built.axis.positions, X, Y), rtol=0, atol=1e-12)
    cubic = understand({"one.csv": curve(X, Y)}, Recipe(grid=(402, 410, 0.5), resample="cubic")).build()
    assert np.allclose(cubic.signal[0], CubicSpline(X, Y)(cubic.axis.positions), rtol=0, atol=1e-12)
    with pytest.raises(ReadError, match="leaves the range 400 to 418"):
        understand({"one.csv": curve(X, Y)}, Recipe(grid=(390, 410, 1))).build()


@pytest.mark.parametrize("grid", [(1, 1, 1), (1, 2, 0), (0, 1e9, 1), (1, float("nan"), 1)])
def test_what_is_no_grid_is_refused(grid):
    with pytest.raises(ConfigError):
        Recipe(grid=grid)


def test_a_falling_grid_falls():
    assert even_grid((4000, 3990, 4)).tolist() == [4000, 3996, 3992]

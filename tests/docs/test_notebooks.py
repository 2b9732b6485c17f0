"""The notebooks run from the first to the last cell, and say what commands say.

Their cells are plain Python, so they are run here without Jupyter, each notebook in a fresh namespace and folder.
"""

import json
from pathlib import Path

import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from spectra_core.cli.commands import main
from tests.experiment.test_advice import quick

NOTEBOOKS = Path(__file__).parents[2] / "docs" / "notebooks"


@pytest.fixture
def executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path / "home"))

    def execute(name: str, before: str = "", instead: str = "") -> dict:
        notebook = json.loads((NOTEBOOKS / name).read_text("utf-8"))
        assert notebook["nbformat"] == 4
        known: dict = {"quick": quick}
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                assert (cell["outputs"], cell["execution_count"]) == ([], None)
                exec(compile("".join(cell["source"]).replace(before or "\0", instead), name, "exec"), known)
        return known

    return execute


def commands_in(name: str) -> list[list[str]]:
    cells = json.loads((NOTEBOOKS / name).read_text("utf-8"))["cells"]
    lines = [line for cell in cells if cell["cell_type"] == "markdown" for line in "".join(cell["source"]).splitlines()]
    return [line.split()[1:] for line in lines if line.startswith("latent-spectra ")]


def test_a_calibration_by_notebook_gives_the_digits_of_the_command_line(executed):
    by_notebook = executed("own_file.ipynb")["readings"]
    calibrate, read = commands_in("own_file.ipynb")
    assert main(calibrate) == main(read) == 0
    by_command = pd.read_csv("readings.csv", keep_default_na=False, dtype={"id": str})
    assert len(by_command) == 10 * 8
    for column in ("id", "target", "value", "low", "high", "flags"):
        assert_array_equal(by_command[column], by_notebook[column])


def test_the_advice_of_the_notebook_is_given(executed):
    """Of the ways that it tries, the two whose seconds are given; so nothing depends on how busy this computer is."""
    brief = 'pace=quick(spectra, names=("As now", "Ridge"))'
    known = executed("what_would_help.ipynb", "minutes=3.0", f"minutes=3.0, {brief}")
    assert {"As now", "Ridge"} <= set(known["found"].table["remedy"])
    assert set(known["comparisons"]["arm"]) == {"Mixing"}


def test_the_cluster_of_the_notebook_gives_the_digits_of_this_computer(executed):
    pytest.importorskip("distributed", reason="the optional package distributed is not installed")
    known = executed("cluster.ipynb")
    for name in ("errors", "comparisons"):
        pd.testing.assert_frame_equal(known["on_cluster"].tables[name], known["here"].tables[name], check_exact=True)

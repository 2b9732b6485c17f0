"""A calibration by commands gives the digits of the same by Python; what cannot be done is one sentence."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import spectra_core as sc
from spectra_core.cli.commands import main
from spectra_core.cli.shared import wide_table
from spectra_core.datasets.formulas import table_csv
from spectra_core.spectra import SpectraSet
from tests.conftest import beer_lambert_set


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A set, and unknown spectra with a column of targets that is empty but for a word, and ids that would run."""
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path / "home"))
    (tmp_path / "set.csv").write_bytes(table_csv(wide_table(beer_lambert_set(40))))
    fresh = beer_lambert_set(12, seed=3)
    samples = pd.DataFrame({"id": [f"=U{row}" for row in range(12)]})
    unknown = SpectraSet(fresh.axis, fresh.signal, samples=samples, meta=fresh.meta)
    table = wide_table(unknown)
    table.insert(1, "Cu2+", ["to do", *[""] * 11])
    (tmp_path / "unknown.csv").write_bytes(table_csv(table))
    (tmp_path / "lab.csv").write_bytes(table_csv(fresh.targets.assign(id=samples["id"])))
    return tmp_path


def run(*arguments) -> int:
    return main([str(one) for one in arguments])


def test_both_ways_give_the_same_digits_in_every_format(files, capsys):
    made = files / "calibration.zip"
    regressors = "--regressor", "pls:savitzky_golay", "--regressor", "Cu2+=ridge"
    assert run("calibrate", "--data", files / "set.csv", *regressors, "--out", made, "--seed", 3, "--folds", 5) == 0
    assert "rmsecv" in capsys.readouterr().out
    for ending in ("csv", "xlsx", "parquet"):
        out = files / f"table.{ending}"
        assert run("read", "--calibration", made, "--data", files / "unknown.csv", "--out", out, "--level", 0.8) == 0
    tables = [pd.read_csv(files / "table.csv", keep_default_na=False)]
    tables += [pd.read_excel(files / "table.xlsx", engine="calamine", keep_default_na=False)]
    tables += [pd.read_parquet(files / "table.parquet")]

    spectra = sc.read(files / "set.csv")
    choice = {name: sc.Choice("ridge") if name == "Cu2+" else _smoothed() for name in spectra.target_names}
    expected = sc.calibrate(spectra, regressor=choice, n_folds=5, seed=3)
    expected = expected.read(sc.read(files / "unknown.csv", targets=()), level=0.8)
    loaded = sc.load_calibration(made).read(sc.read(files / "unknown.csv", targets=()), level=0.8)
    for table in (*tables, loaded):
        assert list(table) == ["id", "target", "value", "low", "high", "flags"]
        for name in ("value", "low", "high"):
            assert_array_equal(table[name], expected[name])
        assert list(table["flags"]) == list(expected["flags"])
    assert tables[0]["id"][0] == "'=U0"  # no cell of a CSV runs
    assert tables[1]["id"][0] == tables[2]["id"][0] == "=U0"


def test_references_that_come_later_are_matched_by_id(files, capsys):
    made, out = files / "calibration.zip", files / "table.csv"
    run("calibrate", "--data", files / "set.csv", "--regressor", "ridge", "--out", made, "--keep")
    assert len(sc.Store().calibrations()) == 1
    data = "--calibration", made, "--data", files / "unknown.csv"
    assert run("read", *data, "--out", out, "--references", files / "lab.csv") == 0
    printed = capsys.readouterr().out
    assert "Against reference values" in printed
    assert "drift" in printed


def test_coefficients_are_written_and_only_where_there_are_some(files, capsys):
    data, more = ("--data", files / "set.csv"), ("--coefficients", files / "coefficients.csv")
    assert run("calibrate", *data, "--regressor", "ridge", "--out", files / "one.zip", *more) == 0
    assert pd.read_csv(files / "coefficients.csv").shape == (51, 5)
    assert run("calibrate", *data, "--targets", "Cu2+", "--folds", 2, "--out", files / "two.zip", *more) == 2
    assert "Gaussian process has no coefficients" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("calibrate", "--data", "set.csv", "--out", "model.pkl"), "A calibration is written as .zip"),
        (("calibrate", "--data", "set.csv", "--regressor", "Zn=pls", "--out", "c.zip"), "no target 'Zn' to choose for"),
        (("calibrate", "--data", "set.csv", "--regressor", "magic", "--out", "c.zip"), "Unknown regressor 'magic'"),
        (("read", "--calibration", "no.zip", "--data", "unknown.csv", "--out", "t.csv"), "no.zip cannot be opened"),
        (("read", "--calibration", "set.csv", "--data", "unknown.csv", "--out", "t.csv"), "no calibration file"),
        (("read", "--calibration", "set.csv", "--data", "unknown.csv", "--out", "t.html"), "Tables are written as"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(files, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(files)
    assert run(*arguments) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_another_axis_is_never_guessed(files, capsys):
    made, out = files / "calibration.zip", files / "table.csv"
    run("calibrate", "--data", files / "set.csv", "--regressor", "ridge", "--out", made)
    positions = np.linspace(210.0, 1010.0, 90)
    fresh = beer_lambert_set(5, seed=3)
    signal = np.stack([np.interp(positions, fresh.axis.positions, row) for row in fresh.signal])
    other = SpectraSet(sc.SpectralAxis(positions), signal, meta=fresh.meta)
    (files / "other.csv").write_bytes(table_csv(wide_table(other)))
    command = "read", "--calibration", made, "--data", files / "other.csv", "--out", out
    assert run(*command) == 2
    assert "Say what to do with another axis: interpolate." in capsys.readouterr().err
    assert not out.exists()
    assert run(*command, "--axis", "cut") == 2
    assert run(*command, "--axis", "interpolate") == 0
    assert len(pd.read_csv(out)) == 20


def _smoothed():
    from spectra_core.regressors.choice import RegressorChoice

    return RegressorChoice("pls", {}, (sc.Choice("savitzky_golay"),))

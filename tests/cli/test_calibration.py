"""A calibration by commands gives the digits of the same by Python; what cannot be done is one sentence."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import spectra_core as sc
from spectra_core.cli.commands import main
from spectra_core.cli.shared import wide_table
from spectra_core.datasets.formulas import table_csv
from spectra_core.regressors.choice import RegressorChoice
from spectra_core.report.calibrated import repeating
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
    assert "RMSECV" in capsys.readouterr().out
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
        assert list(table) == ["id", "target", "value", "low", "high", "unit", "flags"]
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
    said = re.search(r"(\d+) (spectrum has|spectra have) flags", printed)
    assert (said[1] == "1") == (said[2] == "spectrum has")
    assert "drift" in printed


def test_coefficients_are_written_and_only_where_there_are_some(files, capsys):
    data, more = ("--data", files / "set.csv"), ("--coefficients", files / "coefficients.csv")
    assert run("calibrate", *data, "--regressor", "ridge", "--out", files / "one.zip", *more) == 0
    assert pd.read_csv(files / "coefficients.csv").shape == (51, 5)
    assert run("calibrate", *data, "--targets", "Cu2+", "--folds", 2, "--out", files / "two.zip", *more) == 2
    assert "Gaussian process has no coefficients" in capsys.readouterr().err
    assert (files / "two.zip").exists()  # what took so long is not thrown away


def test_a_file_of_generated_spectra_trains_as_the_set_it_was_written_from(files):
    spectra = sc.read(files / "set.csv")
    jitter = sc.GENERATORS["jitter"]().fit(spectra, seed=0)
    generated = sc.generate_spectra(jitter, spectra, 80, seed=0)
    (files / "generated.csv").write_bytes(table_csv(wide_table(generated)))
    made = files / "calibration.zip"
    common = "--regressor", '{"name": "pls", "options": {"max_components": 4}}', "--folds", 4
    data = "--data", files / "set.csv", "--generated", files / "generated.csv"
    assert run("calibrate", *data, *common, "--out", made) == 0
    expected = sc.calibrate(spectra, regressor=sc.Choice("pls", {"max_components": 4}), generated=generated, n_folds=4)
    assert_array_equal(sc.load_calibration(made).held_out, expected.held_out)


def test_a_report_says_how_to_make_the_same_calibration_again(files):
    steps = (sc.Choice("savitzky_golay", {"window": 7}), sc.Choice("snv"))
    of_nitrate = RegressorChoice("ridge", {}, (sc.Choice("snv"),))
    chosen = {"Cu2+": RegressorChoice("pls", {"max_components": 3}, steps), "NO3-": of_nitrate}
    made = sc.calibrate(sc.read(files / "set.csv"), regressor=chosen, targets=["Cu2+", "NO3-"], n_folds=3, seed=5)
    command = shlex.split(repeating(made).splitlines()[0])[1:]
    command[command.index("--data") + 1] = str(files / "set.csv")
    command[command.index("--out") + 1] = str(files / "again.zip")
    assert run(*command) == 0
    assert_array_equal(sc.load_calibration(files / "again.zip").held_out, made.held_out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("calibrate", "--data", "set.csv", "--out", "model.pkl"), "A calibration is written as .zip"),
        (("calibrate", "--data", "set.csv", "--regressor", "Zn=pls", "--out", "c.zip"), "no target 'Zn' to choose for"),
        (("calibrate", "--data", "set.csv", "--regressor", "magic", "--out", "c.zip"), "Unknown regressor 'magic'"),
        (("calibrate", "--data", "set.csv", "--regressor", "{'pls'}", "--out", "c.zip"), "The regressor \"{'pls'}\""),
        (("calibrate", "--data", "set.csv", "--seed", "-1", "--out", "c.zip"), "A seed is a whole number from 0"),
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
    return RegressorChoice("pls", {}, (sc.Choice("savitzky_golay"),))

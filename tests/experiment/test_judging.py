import numpy as np
import pandas as pd
import pytest

from spectra_core.cli.commands import main
from spectra_core.datasets.formulas import table_csv
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.experiment import judge
from spectra_core.report.finding import read_table
from tests.evaluation.errors.test_verdicts import BASE, errors_table, scaled

CELLS = {(arm, t): scaled(f, 0.02) for arm, f in (("reference", 1), ("half", 0.5), ("twice", 2)) for t in ("Cu", "Ni")}


@pytest.fixture
def errors():
    return errors_table(CELLS).drop(columns="ratio")


def test_a_table_of_any_program_is_judged_arm_by_arm(errors):
    table = judge(errors.sample(frac=1.0, random_state=0))
    assert list(table) == ["arm", "regressor", "target", "effect", "low", "high", "verdict", "takes"]
    assert table.set_index(["arm", "target"])["verdict"].to_dict() == {
        (arm, target): verdict
        for arm, verdict in (("half", "improved"), ("twice", "worse"))
        for target in ("Cu", "Ni", "all")
    }
    assert (table["takes"] == "").all()
    assert (table["low"] <= table["effect"]).all()


def test_declared_comparisons_come_as_json(errors):
    table = judge(errors, {"reference": "half", "arms": ["twice"], "targets": ["Cu"], "smallest_effect": 10})
    verdicts = table.set_index(["arm", "target"])["verdict"]
    assert verdicts["twice", "Cu"] == "worse"
    assert verdicts.drop(("twice", "Cu")).eq("looked at afterwards").all()
    with pytest.raises(SpectraError, match=r"there is no 'nobody'\. The arms are: "):
        judge(errors, {"reference": "nobody"})
    for unfit, sentence in (
        ({"margin": 3}, "no field 'margin'"),
        ({"arms": 5}, "list of different names, got 5"),
        ({"targets": [["Cu"]]}, "list of different names"),
        ({"n_train": 70}, "list of different whole numbers"),
        ({"reference": ["half"]}, "reference is the name of an arm"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            judge(errors, unfit)
    with pytest.raises(SpectraError, match=r"n_train 71 was declared, but .* There are: 70\."):
        judge(errors, {"n_train": [71]})


def test_generated_rows_in_n_train_change_nothing(errors):
    counted = errors.assign(n_train=errors["n_train"] * np.where(errors["arm"] == "reference", 1, 2))
    pd.testing.assert_frame_equal(judge(counted), judge(errors))


def test_a_learning_curve_is_judged_size_by_size(errors):
    table = judge(pd.concat([errors, errors.assign(n_train=35)]))
    assert sorted(table["n_train"].unique()) == [35, 70]
    assert table.loc[table["n_train"] == 35, "verdict"].eq("looked at afterwards").all()


def test_a_standard_deviation_tells_unseen_targets_and_runs_that_blew_up(errors):
    spoiled = errors.assign(sd=errors["target"].map({"Cu": 6.0, "Ni": 1.0}))
    spoiled.loc[spoiled.index[(spoiled["arm"] == "half") & (spoiled["target"] == "Cu")][0], "rmsep"] = 99.0
    table = judge(spoiled).set_index(["arm", "target"])
    assert table.loc[("twice", "Ni"), "verdict"] == "looked at afterwards"
    assert table.loc[("half", "Cu"), "verdict"] == "cannot tell"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.drop(columns=["fold", "n_test"]), "fold, n_test are missing"),
        (lambda t: t.iloc[:0], "has no rows"),
        (lambda t: t.assign(rmsep="low"), r"'rmsep' holds positive numbers; row 1, 2, 3 and others holds 'low'"),
        (lambda t: t.assign(rmsep=-1.0), "'rmsep' holds positive numbers"),
        (lambda t: t.assign(n_test=0), "'n_test' holds positive numbers"),
        (lambda t: t.assign(arm=None), "names its arm; row 1, 2, 3 and others does not"),
        (lambda t: pd.concat([t, t.iloc[[0]]]), "several errors for Cu by pls in fold 0 of repeat 0"),
        (lambda t: t[(t["arm"] != "reference") | (t["fold"] > 0)], "but its reference 'reference' was not"),
        (lambda t: t[(t["arm"] != "half") | (t["fold"] > 0)], "has 7 of the 8 folds that its reference has"),
        (lambda t: t.assign(fold=t["fold"].where(t["fold"] > 0)), "names its fold; row 1, 9, 17 and others does not"),
        (lambda t: t.assign(target=t["target"].replace("Cu", "all")), "No target can be called 'all'"),
        (lambda t: t.assign(RMSEP=1.0), "several columns 'rmsep'"),
    ],
)
def test_tables_that_cannot_be_judged_are_refused(errors, change, sentence):
    with pytest.raises(SpectraError, match=sentence):
        judge(change(errors))


@pytest.mark.parametrize(
    ("name", "separator", "decimal", "begins"),
    [
        ("null", ",", ".", ""),
        ("NA", ";", ",", "\ufeff"),
        ("1.0", "\t", ",", ""),
        ("VAE, equalised", ";", ".", ""),
        ("=1+1", ",", ".", ""),
    ],
)
def test_a_file_is_judged_as_it_is_written(errors, tmp_path, name, separator, decimal, begins):
    renamed = errors.assign(arm=errors["arm"].replace("half", name))
    text = (
        table_csv(renamed).decode() if separator == "," else renamed.to_csv(index=False, sep=separator, decimal=decimal)
    )
    (tmp_path / "errors.csv").write_text(begins + text)
    assert main(["judge", "--errors", str(tmp_path / "errors.csv"), "--out", str(tmp_path / "out.csv")]) == 0
    out = read_table((tmp_path / "out.csv").read_bytes())
    pd.testing.assert_frame_equal(out.drop(columns="takes"), judge(renamed).drop(columns="takes"))


def test_an_error_of_nothing_is_infinitely_less():
    table = judge(errors_table({("reference", "Cu"): 0 * BASE, ("x", "Cu"): BASE, ("y", "Cu"): 0 * BASE}))
    assert table["effect"].tolist() == [np.inf, 0.0]
    assert table["verdict"].tolist() == ["worse", "same"]


def test_what_it_takes_is_said_where_nothing_can_be_told():
    table = judge(errors_table({("reference", "Cu"): BASE, ("noisy", "Cu"): scaled(0.9, 0.4)}))
    assert table["verdict"].tolist() == ["cannot tell"]
    assert "spectra would" in table["takes"][0]

import json
from dataclasses import replace

import pytest

from spectra_core.choices import Choice
from spectra_core.errors import ConfigError
from spectra_core.experiment import Arm, Experiment, run
from spectra_core.experiment.comparing import compare_experiments, design_differences, side_by_side
from tests.conftest import beer_lambert_set

ARMS = (Arm("Baseline", "baseline"), Arm("Mixing", generator=Choice("mixing")))
FIRST = Experiment(arms=ARMS, regressors=(Choice("ridge"),), n_folds=3, reference="baseline")


def study(experiment, spectra):
    result = run(experiment, spectra)
    return result.document, result.tables["errors"]


@pytest.fixture(scope="module")
def studies(mixtures):
    more = replace(FIRST, arms=(ARMS[0], replace(ARMS[1], ratio=2.0), Arm("Jitter", generator=Choice("jitter"))))
    return {"one": study(FIRST, mixtures), "other": study(more, mixtures)}


def test_differences_name_the_field_that_was_changed():
    one, other = (json.loads(each.to_json()) for each in (FIRST, replace(FIRST, seed=4)))
    assert design_differences(one, other).to_dict("records") == [{"field": "seed", "one": "0", "other": "4"}]


def test_differences_name_arms_that_differ_or_are_missing(studies):
    table = design_differences(*(document["experiment"] for document, _ in studies.values())).set_index("field")
    assert table.index.tolist() == ["arm Mixing", "arm Jitter"]
    assert '"ratio": 2.0' in table.loc["arm Mixing", "other"]
    assert table.loc["arm Jitter", "one"] == ""


def test_same_arms_on_the_same_folds_are_paired(studies):
    table = compare_experiments(studies)
    assert table["arm"].unique().tolist() == ["other: Baseline", "other: Mixing"]
    assert (table.query("arm == 'other: Baseline'")["effect"] == 0).all()
    errors = studies["one"][1].query("arm == 'Mixing' and target == 'Cu2+'")["rmsep"].mean()
    assert table.query("arm == 'other: Mixing' and target == 'Cu2+'")["reference_error"].item() == pytest.approx(errors)


def test_other_folds_are_not_paired(studies, mixtures):
    assert compare_experiments({"one": studies["one"], "x": study(replace(FIRST, seed=5), mixtures)}).empty


def test_summary_holds_every_arm_of_every_experiment(studies):
    counts = side_by_side(studies).groupby("experiment")["arm"].nunique()
    assert counts.to_dict() == {"one": 2, "other": 3}


def test_experiments_on_different_data_are_refused(studies):
    elsewhere = {"one": studies["one"], "far": study(FIRST, beer_lambert_set(30, seed=9))}
    with pytest.raises(ConfigError, match="'one', 'far' are about different sets"):
        side_by_side(elsewhere)

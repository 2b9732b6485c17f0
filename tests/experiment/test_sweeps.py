from dataclasses import replace

import numpy as np
import pytest

from spectra_core.choices import Choice
from spectra_core.conditions import CONDITIONS
from spectra_core.contracts import NO_MEMO, SILENT
from spectra_core.errors import ConfigError
from spectra_core.experiment import PRESET_ARMS, Arm, Experiment, run
from spectra_core.experiment.fold import Fold, OnceMemo
from spectra_core.experiment.presets import possible_arms, study_experiment
from spectra_core.experiment.sweeps import at_ratios, at_strategies, doses, sweep_ratio, sweep_strategies
from spectra_core.samplers import SAMPLERS
from spectra_core.spectra import SetMeta, SpectraSet

MIXING = Arm("Mixing", generator=Choice("mixing"))
CONTROLS = (Arm("Baseline", "baseline"), Arm("Step-matched", "step_matched"), Arm("Ensemble", "ensemble"))
MLP = Choice("mlp", {"epochs": 2})
INDEPENDENT = "cVAE, independent concentrations"


def test_only_arms_that_add_rows_are_multiplied():
    swept = sweep_ratio(Experiment(arms=(*CONTROLS, MIXING)), [0.5, 2.0])
    assert [arm.name for arm in swept.arms] == [
        "Baseline",
        "Step-matched, ratio 0.5",
        "Step-matched, ratio 2",
        "Ensemble",
        "Mixing, ratio 0.5",
        "Mixing, ratio 2",
    ]
    assert Experiment.from_json(swept.to_json()) == swept


def test_every_arm_is_compared_with_the_step_matched_arm_of_its_own_ratio():
    swept = sweep_ratio(Experiment(arms=(*CONTROLS, MIXING)), [0.5, 2.0])
    assert swept.references() == {
        "Baseline": "Step-matched, ratio 0.5",
        "Step-matched, ratio 2": "Step-matched, ratio 0.5",
        "Ensemble": "Step-matched, ratio 0.5",
        "Mixing, ratio 0.5": "Step-matched, ratio 0.5",
        "Mixing, ratio 2": "Step-matched, ratio 2",
    }


def test_with_one_reference_all_are_compared_with_it_whatever_their_ratio():
    arms = (*CONTROLS, Arm("Mixing", generator=Choice("mixing"), ratio=3.0))
    assert set(Experiment(arms=arms).references().values()) == {"Step-matched"}


def test_one_ratio_changes_no_name():
    assert [(arm.name, arm.ratio) for arm in at_ratios([MIXING], [4.0])] == [("Mixing", 4.0)]


def test_a_ready_made_arm_of_more_rows_brings_its_own_control_which_a_sweep_replaces():
    experiment = study_experiment(["Step-matched", "Nuisances"], regressors=["pls"])
    assert experiment.references()["Nuisances"] == "Step-matched, ratio 4"
    assert experiment.arm("Step-matched, ratio 4").ratio == 4.0
    swept = [arm.name for arm in sweep_ratio(experiment, [1.0, 2.0]).arms]
    assert swept == [f"{name}, ratio {ratio}" for name in ("Step-matched", "Nuisances") for ratio in (1, 2)]


class TestStrategies:
    @pytest.mark.parametrize(
        ("arm", "field", "registry"),
        [("VAE, standard normal", "sampler", SAMPLERS), ("cVAE, charge-balanced", "conditions", CONDITIONS)],
    )
    def test_every_one_is_run_once_and_nothing_else_changes(self, arm, field, registry):
        experiment = sweep_strategies(Experiment(arms=(PRESET_ARMS[arm],), reference="generated"), arm)
        assert sorted(getattr(one, field).name for one in experiment.arms) == sorted(registry)
        for one in experiment.arms:
            assert replace(one, name=arm, **{field: getattr(PRESET_ARMS[arm], field)}) == PRESET_ARMS[arm]

    def test_arms_that_are_there_are_not_added_again(self):
        arms = (PRESET_ARMS["VAE, standard normal"], PRESET_ARMS["VAE, equalised"])
        experiment = sweep_strategies(Experiment(arms=arms, reference="generated"), arms[0].name)
        assert len(experiment.arms) == len(SAMPLERS)

    def test_without_salts_none_are_drawn(self):
        names = [one.conditions.name for one in at_strategies(PRESET_ARMS[INDEPENDENT], has_salts=False)]
        assert "salt_box" not in names
        assert "sobol" in names  # spreads over the box of the targets then

    def test_mixing_has_none(self):
        with pytest.raises(ConfigError, match="'Mixing' has no strategy"):
            at_strategies(PRESET_ARMS["Mixing"])


def test_arms_that_draw_salts_are_offered_where_there_are_any(mixtures):
    assert "cVAE, charge-balanced" in possible_arms(mixtures)
    alone = SpectraSet(mixtures.axis, mixtures.signal, mixtures.targets[["Cu2+", "Ni2+"]], meta=SetMeta("No anions"))
    assert "cVAE, charge-balanced" not in possible_arms(alone)
    assert INDEPENDENT in possible_arms(alone)


def test_training_sets_grow_by_the_ratio(mixtures):
    fold = Fold(mixtures, 0, (0, 0, 0), OnceMemo(NO_MEMO))
    sizes = [len(fold.training_set(arm, SILENT)) for arm in at_ratios([MIXING], [0.25, 1.0, 3.0])]
    assert sizes == [75, 120, 240]


def test_doses_name_the_family_of_every_arm():
    swept = sweep_ratio(Experiment(arms=(*CONTROLS, MIXING)), [0.5, 2.0])
    table = doses([arm.to_json() for arm in swept.arms])
    assert table["family"].tolist() == ["Step-matched", "Step-matched", "Mixing", "Mixing"]
    assert table["ratio"].tolist() == [0.5, 2.0, 0.5, 2.0]


@pytest.fixture(scope="module")
def swept(mixtures):
    return run(
        sweep_ratio(Experiment(arms=(*CONTROLS, MIXING), regressors=(MLP,), n_folds=3), [0.5, 2.0]),
        mixtures,
    )


def test_a_sweep_gives_every_arm_the_numbers_it_has_alone(swept, mixtures):
    alone = run(
        Experiment(
            arms=(Arm("Control", "step_matched", 2.0), Arm("Other name", generator=Choice("mixing"), ratio=2.0)),
            regressors=(MLP,),
            n_folds=3,
        ),
        mixtures,
    )
    ours = swept.tables["predictions"].query("arm == 'Mixing, ratio 2'")["predicted"]
    np.testing.assert_array_equal(ours, alone.tables["predictions"].query("arm == 'Other name'")["predicted"])


def test_comparisons_of_a_sweep_name_the_reference_of_every_row(swept):
    pairs = swept.tables["comparisons"].groupby("arm")["reference"].unique()
    assert pairs["Mixing, ratio 2"].tolist() == ["Step-matched, ratio 2"]
    assert pairs["Mixing, ratio 0.5"].tolist() == ["Step-matched, ratio 0.5"]

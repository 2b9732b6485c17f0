"""Counterfactual arms change one thing each, and the card says what that did."""

from dataclasses import fields

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.choices import Choice
from spectra_core.contracts import NO_MEMO, SILENT
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.errors import ConfigError
from spectra_core.evaluation.channels.noise import noise_level
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS
from spectra_core.experiment import PRESET_ARMS, Arm, Experiment, run
from spectra_core.experiment.counterfactuals import CHANGES, counterfactuals, with_counterfactuals
from spectra_core.experiment.fold import Fold, OnceMemo
from spectra_core.experiment.reasons import OBSERVED, reasons
from spectra_core.experiment.sweeps import sweep_ratio
from tests.conftest import relabelled

PCA = Arm(
    "PCA",
    generator=Choice("pca", {"n_latent": 3}),
    sampler=Choice("equalised", {"n_neighbours": 5}),
    labelling=Choice("latent"),
)
NAMING = {"name", "beside", "change"}
GENERATED = [arm for arm in PRESET_ARMS.values() if arm.kind == "generated"]


def differing(one, other):
    return {part.name for part in fields(Arm) if getattr(one, part.name) != getattr(other, part.name)} - NAMING


@pytest.mark.parametrize("arm", GENERATED, ids=lambda arm: arm.name)
class TestEveryReadyMadeArm:
    def test_each_counterfactual_changes_one_thing(self, arm):
        for other in counterfactuals(arm, simulated=True):
            if other.kind == "generated":
                # A labelling from spectra brings its teacher, one from elsewhere has none.
                assert len(differing(arm, other) - {"teacher"}) == 1, other.name

    def test_every_change_is_explained_and_made_once(self, arm):
        changes = [other.change for other in counterfactuals(arm, simulated=True)]
        assert set(changes) <= set(CHANGES)
        assert len(changes) == len(set(changes))

    def test_they_survive_json_with_their_arm(self, arm):
        experiment = with_counterfactuals(Experiment(arms=(arm, PRESET_ARMS["Step-matched"])), arm.name)
        assert Experiment.from_json(experiment.to_json()) == experiment


def test_names_decide_no_number():
    named = Arm("Other", generator=Choice("mixing"), beside="Mixing", change="noise given back")
    assert named.content == Arm("Mixing", generator=Choice("mixing")).content


def test_the_cvae_of_the_study_is_asked_for_all_its_suspects():
    changes = {other.change for other in counterfactuals(PRESET_ARMS["cVAE, independent concentrations"])}
    assert {
        "optimiser steps",
        "repeated rows",
        "noise given back",
        "concentrations as measured",
        "labels read from the spectra",
        "sharper decoder",
        "encoder sees the concentrations",
        "z fits the concentrations",
    } == changes


def test_equalisation_is_switched_off_and_nothing_else_of_the_sampler():
    other = next(one for one in counterfactuals(PCA) if one.change == "density as in training")
    assert other.sampler == Choice("equalised", {"n_neighbours": 5, "strength": 0.0})


def test_controls_that_are_there_are_not_added_again():
    experiment = Experiment(arms=(Arm("B", "baseline"), Arm("S", "step_matched"), Arm("D", "duplicate_rows"), PCA))
    kinds = [arm.kind for arm in with_counterfactuals(experiment, "PCA").arms]
    assert [kinds.count(kind) for kind in ("baseline", "step_matched", "duplicate_rows")] == [1, 1, 1]


def test_in_a_sweep_every_counterfactual_stands_beside_its_arm_of_the_same_ratio():
    experiment = with_counterfactuals(Experiment(arms=(Arm("Step-matched", "step_matched"), PCA)), "PCA")
    swept = sweep_ratio(experiment, [0.5, 2.0])
    names = {arm.name: arm.ratio for arm in swept.arms}
    beside = [(arm.ratio, names[arm.beside]) for arm in swept.arms if arm.beside]
    assert len(beside) == 6
    assert all(one == other for one, other in beside)


def test_reasons_for_a_control_are_refused():
    with pytest.raises(ConfigError, match="Reasons are sought for arms with generated spectra; 'S' is of kind"):
        counterfactuals(Arm("S", "step_matched"))


@pytest.fixture(scope="module")
def fold(mixtures):
    return Fold(mixtures, 0, (0, 0, 0), OnceMemo(NO_MEMO))


@pytest.fixture(scope="module")
def simulated():
    return simulate(PRESETS["beer_lambert"], n_spectra=24, seed=0)


class TestChangedSpectra:
    def test_noise_given_back_is_added_to_the_same_spectra(self, fold, mixtures):
        smooth = Arm("a", generator=Choice("pca", {"n_latent": 3}), sampler=PCA.sampler, labelling=PCA.labelling)
        noisy = next(one for one in counterfactuals(smooth) if one.give_noise_back)
        plain, changed = (fold.training_set(arm, SILENT).take(np.arange(60, 120)) for arm in (smooth, noisy))
        assert_array_equal(plain.target_values, changed.target_values)
        level = noise_level(mixtures)
        assert np.median(noise_level(plain) / level) < 0.7
        assert 0.8 < np.median(noise_level(changed) / level) < 1.25
        # The same draw: what differs is normal noise of this level, not other spectra (3000 values: 5 sigma suffice).
        assert np.abs(plain.signal - changed.signal).max() < 5 * level.max()

    def test_true_spectra_need_a_simulator(self, fold):
        arm = Arm("a", generator=PCA.generator, sampler=PCA.sampler, labelling=PCA.labelling, true_spectra=True)
        with pytest.raises(ConfigError, match="these spectra are not simulated"):
            fold.training_set(arm, SILENT)


class TestTrueSpectra:
    def test_resampled_labels_give_what_the_simulator_measured_but_for_noise(self, simulated):
        """Labels of training spectra are possible solutions, so their true spectra are the training spectra."""
        arm = Arm("Jitter", generator=Choice("jitter", {"level": 0.0}), true_spectra=True)
        fold = Fold(simulated, 0, (0, 0, 0), OnceMemo(NO_MEMO))
        jitter = Arm("Jitter", generator=Choice("jitter", {"level": 0.0}))
        true, copies = (fold.training_set(one, SILENT).take(np.arange(24, 48)) for one in (arm, jitter))
        assert_allclose(true.target_values, copies.target_values, atol=1e-9)
        # Below A = 1 the instrument's noise is a few thousandths.
        clear = copies.signal < 1.0
        assert np.abs(true.signal - copies.signal)[clear].max() < 0.05

    def test_impossible_labels_are_moved_to_possible_solutions(self, simulated):
        from spectra_core.experiment.simulated import truly_measured

        targets = simulated.targets
        targets.iloc[0] = -1.0
        measured = truly_measured(relabelled(simulated, targets), simulated, seed=1)
        assert (measured.target_values >= 0).all()
        charges = np.array([target.charge for target in simulated.target_info], dtype=float)
        assert_allclose(measured.target_values @ charges, 0.0, atol=1e-9)

    def test_possible_labels_stay_where_acid_brought_nitrate_of_its_own(self):
        from dataclasses import replace

        from spectra_core.datasets.simulator import PRESETS, simulate
        from spectra_core.experiment.simulated import truly_measured

        acidic = simulate(replace(PRESETS["beer_lambert"], acid=0.3, step=50.0), n_spectra=10, seed=0)
        measured = truly_measured(acidic, acidic, seed=1)
        assert_allclose(measured.target_values, acidic.target_values, atol=1e-6)

    def test_a_part_of_the_ions_is_not_enough(self, simulated):
        from spectra_core.experiment.simulated import truly_measured

        part = simulated.with_targets(simulated.target_names[:2])
        with pytest.raises(ConfigError, match="are not among the targets"):
            truly_measured(part, part, seed=1)


@pytest.fixture(scope="module")
def card(mixtures):
    experiment = with_counterfactuals(
        Experiment(arms=(Arm("Step-matched", "step_matched"), PCA), regressors=(Choice("ridge"),), n_folds=4), "PCA"
    )
    result = run(experiment, mixtures)
    return experiment, result, reasons(experiment, result.tables["errors"])


class TestReasons:
    def test_every_change_is_compared_with_the_observed_arm_and_controls_with_the_baseline(self, card):
        _, _, table = card
        pairs = table.drop_duplicates("change").set_index("change")["reference"].to_dict()
        assert pairs == {
            "optimiser steps": "Baseline",
            OBSERVED: "Step-matched",
            "repeated rows": "Baseline",
            "noise given back": "PCA",
            "density as in training": "PCA",
            "labels read from the spectra": "PCA",
        }

    def test_effects_are_differences_of_mean_errors(self, card):
        _, result, table = card
        means = result.tables["errors"].groupby(["arm", "target"])["rmsep"].mean()
        for _, row in table[table["target"] != ALL_TARGETS].iterrows():
            expected = means[row["arm"], row["target"]] - means[row["reference"], row["target"]]
            assert row["difference"] == pytest.approx(expected, rel=1e-6, abs=1e-12)

    def test_without_counterfactuals_there_is_no_card(self, mixtures):
        experiment = Experiment(arms=(Arm("Step-matched", "step_matched"), PCA), regressors=(Choice("ridge"),))
        assert reasons(experiment, run(experiment, mixtures).tables["errors"]).empty

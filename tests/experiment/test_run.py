from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.choices import Choice
from spectra_core.contracts import NO_MEMO, SILENT, Budget
from spectra_core.errors import ConfigError, SpectraError, TrainingError
from spectra_core.experiment import Arm, Experiment, Question, run
from spectra_core.experiment.fold import Fold, OnceMemo
from spectra_core.experiment.parts import parts_of
from spectra_core.experiment.run import _units
from spectra_core.generators import GENERATORS
from spectra_core.regressors import REGRESSORS
from spectra_core.spectra import SpectraSet
from spectra_core.splits import k_fold
from tests.conftest import beer_lambert_set

MLP = Choice("mlp", {"epochs": 3})
VAE = Choice("vae", {"n_hidden": 8, "n_latent": 3, "epochs": 3})
CVAE = Choice("cvae", {"n_hidden": 8, "n_latent": 3, "epochs": 3})
ARMS = (
    Arm("Baseline", "baseline"),
    Arm("Step-matched", "step_matched"),
    Arm("Duplicate rows", "duplicate_rows"),
    Arm("Ensemble", "ensemble", n_members=2),
    Arm("VAE", generator=VAE, sampler=Choice("standard_normal"), labelling=Choice("spectral"), teacher=MLP),
    Arm("VAE, latent labels", generator=VAE, sampler=Choice("equalised"), labelling=Choice("latent")),
    Arm(
        "cVAE",
        generator=CVAE,
        conditions=Choice("salt_box"),
        latent_given=Choice("similar_concentrations"),
        labelling=Choice("asked_for"),
        ratio=0.5,
    ),
    Arm("Mixing", generator=Choice("mixing")),
    Arm("Jitter", generator=Choice("jitter")),
)
SMALL = Experiment(arms=ARMS, regressors=(MLP, Choice("ridge")), n_folds=3, seed=1)
WITH_PCA = Experiment(
    arms=(
        Arm("PCA", generator=Choice("pca"), sampler=Choice("standard_normal"), labelling=Choice("latent")),
        Arm("Baseline", "baseline"),
    ),
    regressors=(Choice("ridge"),),
    n_folds=3,
    reference="baseline",
)


@pytest.fixture(scope="module")
def result(mixtures):
    return run(SMALL, mixtures)


def same(one, other):
    for name in one.tables:
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name], check_exact=True)


class TestResult:
    def test_every_spectrum_is_predicted_once_per_arm_regressor_and_target(self, result, mixtures):
        counts = result.tables["predictions"].groupby(["arm", "regressor", "target"])["sample"].agg(["size", "nunique"])
        assert len(counts) == len(ARMS) * 2 * mixtures.n_targets
        assert (counts == len(mixtures)).all(axis=None)

    def test_references_are_the_measured_targets(self, result, mixtures):
        rows = result.tables["predictions"]
        targets = mixtures.targets
        expected = [targets.at[s, t] for s, t in zip(rows["sample"], rows["target"], strict=True)]
        assert_array_equal(rows["reference"], expected)

    def test_baseline_is_what_the_regressor_alone_gives_on_each_fold(self, result, mixtures):
        rows = result.tables["predictions"].query("arm == 'Baseline' and regressor == 'ridge'")
        for split in k_fold(mixtures.groups, 3, seed=1):
            expected = REGRESSORS["ridge"]().fit(mixtures.take(split.train)).predict(mixtures.take(split.test))
            ours = rows[rows["fold"] == split.fold].pivot_table(index="sample", columns="target", values="predicted")
            assert_allclose(ours[list(mixtures.target_names)], expected, rtol=1e-12)

    def test_regressors_without_steps_have_no_step_matched_difference(self, result):
        rows = result.tables["predictions"].query("regressor == 'ridge'").set_index(["target", "sample"])
        baseline, matched, ensemble = (
            rows[rows["arm"] == arm]["predicted"] for arm in ("Baseline", "Step-matched", "Ensemble")
        )
        assert_array_equal(baseline, matched)
        assert_array_equal(baseline, ensemble)

    def test_all_numbers_are_finite_and_arms_differ(self, result):
        rows = result.tables["predictions"].query("regressor == 'mlp'")
        assert np.isfinite(rows["predicted"]).all()
        first = rows.groupby("arm")["predicted"].first()
        assert first.nunique() == len(ARMS)

    def test_document_names_data_units_and_versions(self, result, mixtures):
        assert result.document["data"]["fingerprint"] == mixtures.fingerprint
        assert result.document["data"]["units"]["Cu2+"] == "mol/L"
        assert "torch" in result.document["versions"]
        assert result.experiment.data == mixtures.fingerprint


class TestReproducing:
    def test_a_stored_experiment_gives_the_same_bits_on_two_workers(self, result, mixtures):
        same(result, run(Experiment.from_json(result.experiment.to_json()), mixtures, n_workers=2))

    def test_other_arms_beside_it_change_no_number_of_an_arm(self, result, mixtures):
        alone = run(Experiment(arms=(ARMS[1], ARMS[6]), regressors=(MLP,), n_folds=3, seed=1), mixtures)
        rows = result.tables["predictions"].query("arm == 'cVAE' and regressor == 'mlp'")
        assert_array_equal(alone.tables["predictions"].query("arm == 'cVAE'")["predicted"], rows["predicted"])

    def test_interrupted_and_resumed_gives_the_same_bits(self, mixtures):
        few, memo = replace(SMALL, arms=(ARMS[1], *ARMS[3:6]), regressors=(MLP,)), Interrupted(after=12)
        with pytest.raises(KeyboardInterrupt):
            run(few, mixtures, memo=memo)
        n_kept = len(memo.kept)
        memo.left = 10_000
        same(run(few, mixtures), run(few, mixtures, memo=memo))
        assert n_kept == 12

    @pytest.mark.parametrize("n_workers", [1, 2])
    def test_after_each_repeat_it_tells_what_an_experiment_of_so_many_repeats_gives(self, mixtures, n_workers):
        experiment = replace(SMALL, arms=ARMS[:3], regressors=(MLP,), n_repeats=3)
        told = []
        found = run(experiment, mixtures, n_workers=n_workers, after_repeat=lambda *one: told.append(one))
        same(found, run(experiment, mixtures))
        assert [(done, so_far.document["repeats_done"]) for so_far, done in told] == [(1, 1), (2, 2)]
        assert "repeats_done" not in found.document
        for so_far, done in told:
            alone = run(replace(experiment, n_repeats=done), mixtures)
            assert set(so_far.tables) == {"predictions", "errors", "comparisons", "spreads"}
            for name, table in so_far.tables.items():
                pd.testing.assert_frame_equal(table, alone.tables[name], check_exact=True)

    def test_the_quickest_regressor_is_told_before_the_others_are_through(self, mixtures):
        experiment = replace(
            SMALL, arms=ARMS[:3], regressors=(Choice("mlp", {"epochs": 100, "kernels": "numba"}), Choice("pls"))
        )
        told, shares = [], []

        class Listener:
            def progress(self, stage, done, total, values=None):
                shares.append(done / total)

            def message(self, text): ...

        found = run(
            experiment, mixtures, reporter=Listener(), after_repeat=lambda *one: told.append((*one, shares[-1]))
        )
        same(found, run(experiment, mixtures))
        [(so_far, done, share)] = told
        assert (done, so_far.document["repeats_done"]) == (0, 0)
        assert share < 1.0
        alone = run(replace(experiment, regressors=experiment.regressors[1:]), mixtures)
        for name, table in so_far.tables.items():
            pd.testing.assert_frame_equal(table, alone.tables[name], check_exact=True)

    def test_of_those_the_question_is_about_the_quickest_is_told(self, mixtures):
        regressors = (Choice("ridge"), Choice("pls"))
        experiment = replace(SMALL, arms=ARMS[:3], regressors=regressors, question=Question(regressors=("pls",)))
        told = []
        run(experiment, mixtures, after_repeat=lambda *one: told.append(one))
        [(so_far, _)] = told
        assert set(so_far.tables["errors"]["regressor"]) == {"pls"}

    def test_the_first_repeat_is_done_before_the_second_begins(self, mixtures):
        experiment = replace(SMALL, arms=ARMS[:6], regressors=(MLP,), n_repeats=2)
        units = _units(experiment, parts_of(experiment, mixtures, NO_MEMO))
        order = [unit.repeat for unit in units]
        assert order == sorted(order)
        assert set(order) == {0, 1}
        assert units[0].part == "Training generators"

    def test_another_seed_gives_other_folds_and_numbers(self, result, mixtures):
        other = run(Experiment(arms=ARMS[:2], regressors=(MLP,), n_folds=3, seed=2), mixtures)
        assert not np.array_equal(
            other.tables["predictions"].query("arm == 'Baseline'")["sample"],
            result.tables["predictions"].query("arm == 'Baseline' and regressor == 'mlp'")["sample"],
        )


class Interrupted:
    """A memo that keeps results and is interrupted after some."""

    def __init__(self, after: int) -> None:
        self.kept: dict = {}
        self.left = after

    def arrays(self, key, compute):
        if key not in self.kept:
            computed = compute()
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            self.kept[key] = computed
        return self.kept[key]


class TestKeys:
    """Whatever may change a number is part of the key that it is looked up by."""

    @pytest.mark.parametrize("change", [{"seed": 2}, {"place": (0, 1, 0)}, {"place": (1, 0, 0)}, {"device": "cuda:0"}])
    def test_seed_place_and_device_are_parts_of_every_key(self, change, mixtures):
        fold = Fold(mixtures, 1, (0, 0, 0), OnceMemo(NO_MEMO))
        other = replace(fold, **change)
        for keys in (
            lambda one: one.regressor_key(MLP),
            lambda one: one.generator_key(VAE),
            lambda one: one.key("", {}),
        ):
            assert keys(fold) != keys(other)

    def test_another_seed_does_not_find_what_was_trained_with_the_first(self, mixtures):
        memo = OnceMemo(NO_MEMO)
        for arm in (ARMS[4], ARMS[8]):
            kept, other, alone = (
                Fold(mixtures, seed, (0, 0, 0), one).predict(arm, MLP, mixtures, SILENT)
                for seed, one in ((1, memo), (2, memo), (2, OnceMemo(NO_MEMO)))
            )
            assert_array_equal(other, alone)
            assert not np.array_equal(kept, other)


class TestLeakage:
    """A marker in the test rows of a fold must be found nowhere in what the fold trains."""

    @pytest.fixture
    def marked(self, mixtures):
        split = k_fold(mixtures.groups, 3, seed=1)[0]
        signal, targets = mixtures.signal.copy(), mixtures.targets
        signal[split.test] += 1000.0
        targets.iloc[split.test] = 77.0 + np.arange(len(split.test))[:, None]
        spectra = SpectraSet(mixtures.axis, signal, targets, target_info=mixtures.target_info, meta=mixtures.meta)
        return split, spectra

    @pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
    def test_training_sets_do_not_know_the_test_rows(self, arm, marked, mixtures):
        split, spectra = marked
        clean, dirty = (
            Fold(source.take(split.train), 1, (0, 0, 0), OnceMemo(NO_MEMO)).training_set(arm, SILENT)
            for source in (mixtures, spectra)
        )
        assert clean.fingerprint == dirty.fingerprint

    def test_test_targets_change_no_prediction(self, marked, mixtures, result):
        _, spectra = marked
        relabelled = SpectraSet(
            mixtures.axis, mixtures.signal, spectra.targets, target_info=mixtures.target_info, meta=mixtures.meta
        )
        blind = run(replace(SMALL, regressors=(Choice("ridge"),)), relabelled).tables["predictions"]
        told = result.tables["predictions"].query("regressor == 'ridge' and fold == 0")
        assert_array_equal(blind.query("fold == 0")["predicted"], told["predicted"])


class TestControls:
    def test_duplicate_rows_hold_each_training_row_twice(self, mixtures):
        fold = Fold(mixtures, 0, (0, 0, 0), OnceMemo(NO_MEMO))
        doubled = fold.training_set(ARMS[2], SILENT)
        rows, counts = np.unique(doubled.signal, axis=0, return_counts=True)
        assert (len(rows), set(counts)) == (len(mixtures), {2})

    @pytest.mark.parametrize("ratio", [0.4, 1.0, 2.5])
    def test_duplicate_rows_hold_every_row_equally_often_at_any_ratio(self, ratio, mixtures):
        fold = Fold(mixtures, 0, (0, 0, 0), OnceMemo(NO_MEMO))
        repeated = fold.training_set(Arm("Duplicate rows", "duplicate_rows", ratio), SILENT)
        _, counts = np.unique(repeated.signal, axis=0, return_counts=True)
        # 60 rows: 24, 60 or 150 more, so that no row may be ahead of another by more than one.
        assert (counts.sum(), len(counts)) == (60 * (1 + ratio), 60)
        assert counts.max() - counts.min() <= 1

    @pytest.mark.parametrize(
        ("ratio", "batch_size", "n_steps"),
        # 60 rows and as many again in batches of 32: 4 steps in each of 3 epochs. Batches of one count every row.
        [(1.0, 32, 12), (1.0, 1, 360), (0.5, 1, 270), (2.25, 1, 585)],
    )
    def test_step_matched_has_as_many_steps_as_the_extended_set(
        self, ratio, batch_size, n_steps, mixtures, monkeypatch
    ):
        budgets = []
        fit = REGRESSORS["mlp"].fit

        def spy(self, train, *, budget=None, **rest):
            budgets.append(budget)
            return fit(self, train, budget=budget, **rest)

        monkeypatch.setattr(REGRESSORS["mlp"], "fit", spy)
        fold = Fold(mixtures, 0, (0, 0, 0), OnceMemo(NO_MEMO))
        arm = Arm("Step-matched", "step_matched", ratio)
        fold.predict(arm, Choice("mlp", {"epochs": 3, "batch_size": batch_size}), mixtures, SILENT)
        assert budgets == [Budget(steps=n_steps)]

    def test_smaller_training_sizes_are_nested(self, mixtures):
        experiment = Experiment(arms=(ARMS[0],), regressors=(Choice("ridge"),), n_folds=3, n_train=(10, 20, 0))
        errors = run(experiment, mixtures).tables["errors"]
        assert sorted(errors["n_train"].unique()) == [10, 20, 40]


class TestDivergence:
    """A training that diverges is repeated from another seed, and the table tells."""

    @staticmethod
    def fails_first(monkeypatch, n_failures):
        seeds, fit = [], GENERATORS["pca"].fit

        def failing(self, train, **options):
            seeds.append(options["seed"])
            if len(seeds) <= n_failures:
                raise TrainingError("The loss is no longer finite.")
            return fit(self, train, **options)

        monkeypatch.setattr(GENERATORS["pca"], "fit", failing)
        return seeds

    def test_is_trained_again_from_another_seed(self, mixtures, monkeypatch):
        seeds = self.fails_first(monkeypatch, 2)
        table = run(WITH_PCA, mixtures).tables["generators"]
        assert table["n_trainings"].tolist() == [3, 1, 1]
        assert len(set(seeds)) == 5

    def test_that_does_not_end_ends_the_experiment(self, mixtures, monkeypatch):
        self.fails_first(monkeypatch, 3)
        with pytest.raises(TrainingError, match="no longer finite"):
            run(WITH_PCA, mixtures)


class TestRefusals:
    @pytest.mark.parametrize("sizes", [(0, 0), (10, 10)])
    def test_a_size_named_twice(self, sizes):
        with pytest.raises(ConfigError, match="named twice"):
            Experiment(arms=(ARMS[0],), n_train=sizes)

    def test_a_size_that_is_the_whole_fold_again(self, mixtures):
        with pytest.raises(ConfigError, match="A training size of 40 is the whole fold"):
            run(Experiment(arms=(ARMS[0],), regressors=(Choice("ridge"),), n_folds=3, n_train=(40, 0)), mixtures)

    def test_three_spectra(self, mixtures):
        with pytest.raises(ConfigError, match="8 folds need at least 8 independent spectra, but the set has 3"):
            run(Experiment(arms=ARMS[:2]), mixtures.take([0, 1, 2]))

    def test_no_targets(self, mixtures):
        with pytest.raises(SpectraError, match="has no targets"):
            run(SMALL, mixtures.with_targets([]))

    def test_a_reading_beside_which_the_others_vanish(self, mixtures):
        signal = mixtures.signal.copy()
        signal[5, 8] = -1e30
        with pytest.raises(SpectraError, match=r"Spectrum '6' \(row 6 of the experimental spectra\) .* -1e\+30"):
            run(SMALL, SpectraSet(mixtures.axis, signal, mixtures.targets))

    def test_another_set_than_it_was_made_for(self, mixtures):
        experiment = Experiment(arms=ARMS[:2], data="0" * 64)
        with pytest.raises(ConfigError, match="made for the data 000000000000"):
            run(experiment, mixtures)

    def test_a_question_about_a_target_that_is_not_there(self, mixtures):
        experiment = replace(SMALL, question=Question(targets=("Zn2+",)))
        with pytest.raises(ConfigError, match="The question names the target 'Zn2"):
            run(experiment, mixtures)

    def test_oracle_without_a_simulator(self, mixtures):
        with pytest.raises(ConfigError, match="these spectra are not simulated"):
            run(Experiment(arms=(Arm("Oracle", "oracle"),)), mixtures)

    def test_training_size_beyond_the_fold(self, mixtures):
        with pytest.raises(ConfigError, match="training size of 500 was asked for, but a training fold holds 40"):
            run(Experiment(arms=(ARMS[0],), regressors=(Choice("ridge"),), n_folds=3, n_train=(500,)), mixtures)


def test_constant_channel_does_not_disturb(mixtures):
    signal = mixtures.signal.copy()
    signal[:, 3] = 0.7
    spectra = SpectraSet(mixtures.axis, signal, mixtures.targets, target_info=mixtures.target_info, meta=mixtures.meta)
    few = replace(SMALL, arms=ARMS[1:], regressors=(MLP,), n_folds=2)
    assert np.isfinite(run(few, spectra).tables["predictions"]["predicted"]).all()


def test_replicates_stay_together():
    once = beer_lambert_set(12)
    twice = once.take(np.repeat(np.arange(12), 2))
    rows = run(Experiment(arms=(ARMS[0],), regressors=(Choice("ridge"),), n_folds=3), twice).tables["predictions"]
    assert (rows.assign(pair=rows["sample"] // 2).groupby(["target", "pair"])["fold"].nunique() == 1).all()

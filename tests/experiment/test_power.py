"""The smallest effect that a design tells: reckoned from a pilot, counted in simulated experiments."""

import json

import numpy as np
import pandas as pd
import pytest

from spectra_core.choices import Choice
from spectra_core.evaluation.errors.verdicts import compare_arms
from spectra_core.experiment import Arm, Experiment, Question, run
from spectra_core.experiment.parts import parts_of
from spectra_core.experiment.power import AGAIN, PERTURBED, pilot_of, smallest_effects
from tests.conftest import beer_lambert_set

ARMS = (Arm("Step-matched", "step_matched"), Arm("A", "duplicate_rows"), Arm("B", "duplicate_rows", ratio=2.0))
TARGETS = ("Cu2+", "Ni2+", "K+")
SPREADS = {"Cu2+": 0.1, "Ni2+": 0.2, "K+": 0.3}
"""Of ln ratios over folds."""
ONES = dict.fromkeys(TARGETS, 10.0)


def errors(n_folds, n_repeats, rng, falls=None, arms=("A", "B"), n_spectra=80):
    """Fold errors whose ln ratios have the correlation that the corrected t-test assumes: all folds share a part."""
    places = [(repeat, fold) for repeat in range(n_repeats) for fold in range(n_folds)]
    share = 1.0 / (n_folds - 1)
    rows = []
    for target in TARGETS:
        of_folds = rng.normal(0, 0.5, len(places))
        for arm in ("Step-matched", *arms):
            own = SPREADS[target] * (rng.normal(size=len(places)) + np.sqrt(share) * rng.normal())
            shift = np.log1p(-(falls or {}).get((arm, target), 0.0))
            logs = of_folds if arm == "Step-matched" else of_folds + own + shift
            rows += [
                (
                    arm,
                    "pls",
                    target,
                    repeat,
                    fold,
                    n_spectra - n_spectra // n_folds,
                    0.0,
                    np.exp(log),
                    n_spectra // n_folds,
                )
                for (repeat, fold), log in zip(places, logs, strict=True)
            ]
    columns = ["arm", "regressor", "target", "repeat", "fold", "n_train", "ratio", "rmsep", "n_test"]
    return pd.DataFrame(rows, columns=columns)


def design(**changed):
    fields = {"arms": ARMS, "regressors": (Choice("pls"),), "n_folds": 8, **changed}
    return Experiment(**fields)


def told(experiment, seen):
    references = dict.fromkeys(set(seen["arm"]) - {"Step-matched"}, "Step-matched")
    return smallest_effects(experiment, seen, references, ONES, 80).set_index("target")["smallest_told"]


def test_that_effect_is_told_in_four_of_five_experiments():
    rng, n_repeats = np.random.default_rng(1), 3
    experiment = design(n_repeats=n_repeats)
    seen = errors(8, 40, rng)  # many folds, so that the spreads themselves are known
    smallest = told(experiment, seen)
    found = {"all": 0, "K+": 0}
    n = 24
    for _ in range(n):
        everywhere = {("A", target): smallest["all"] / 100 for target in TARGETS}
        single = {("B", "K+"): smallest["K+"] / 100}
        table = compare_arms(errors(8, n_repeats, rng, {**everywhere, **single}), "Step-matched")
        verdicts = table.set_index(["arm", "target"])["verdict"]
        found["all"] += verdicts["A", "all"] == "improved"
        found["K+"] += verdicts["B", "K+"] == "improved"
    # 80 % beside what the other arm, once told, hands on; four standard deviations of a count of 24.
    for count in found.values():
        assert 0.48 * n <= count < n


def test_it_falls_with_repeats_and_with_what_is_left_undeclared():
    seen = errors(8, 3, np.random.default_rng(0))
    usual, repeated = told(design(), seen), told(design(n_repeats=3), seen)
    one = told(design(question=Question(arms=("A",))), seen)
    assert (repeated < usual).all()
    assert (one < usual).all()
    single = told(design(question=Question(arms=("A",), targets=("K+",))), seen)
    assert list(single.index) == ["K+"]  # one target has no mean beside it
    assert single["K+"] < one["K+"]


def test_folds_that_test_fewer_spectra_scatter_more():
    """Of 80 spectra, 16 folds test half as many as 8: a spread larger by the root of two, and another correction."""
    from spectra_core.evaluation.errors.resampled_t import told_from

    seen = errors(8, 3, np.random.default_rng(0))
    question = Question(arms=("A",), targets=("K+",))
    few, many = told(design(question=question), seen)["K+"], told(design(question=question, n_folds=16), seen)["K+"]
    size = [np.sqrt(1 / 8 + 1 / 7) * told_from(7, 0.05), np.sqrt(2) * np.sqrt(1 / 16 + 1 / 15) * told_from(15, 0.05)]
    assert np.log1p(-many / 100) / np.log1p(-few / 100) == pytest.approx(size[1] / size[0], rel=1e-9)


def test_fresh_sets_need_no_correction():
    seen = errors(8, 3, np.random.default_rng(0))
    same_size = {"n_fresh_test": 10, "question": Question(arms=("A",), targets=("K+",))}
    fresh, folds = told(design(fresh_sets=8, **same_size), seen)["K+"], told(design(**same_size), seen)["K+"]
    assert np.log1p(-folds / 100) / np.log1p(-fresh / 100) == pytest.approx(np.sqrt((1 / 8 + 1 / 7) * 8), rel=1e-9)


class KeepingMemo:
    def __init__(self):
        self.kept = {}

    def arrays(self, key, compute):
        if key not in self.kept:
            self.kept[key] = compute()
        return self.kept[key]


class TestPilot:
    def test_it_trains_the_reference_twice_and_the_experiment_finds_the_fits(self):
        mlp = Choice("mlp", {"epochs": 1})
        experiment = Experiment(arms=ARMS, regressors=(mlp,), n_folds=2, n_repeats=2)
        pilot = pilot_of(experiment)
        assert [arm.name for arm in pilot.arms] == ["Step-matched", AGAIN]
        spectra, memo = beer_lambert_set(20), KeepingMemo()
        seen = run(pilot, spectra, memo=memo).tables["errors"]
        seen = seen.pivot_table(index=["target", "fold"], columns="arm", values="rmsep")
        assert (seen["Step-matched"] != seen[AGAIN]).all()
        first = [part for part in parts_of(experiment, spectra, memo) if part.split.repeat == 0]
        assert {part.predicted_key(ARMS[0], mlp) for part in first} <= set(memo.kept)

    def test_the_baseline_again_takes_as_many_steps(self):
        experiment = Experiment(
            arms=(Arm("Baseline", "baseline"), ARMS[1]), regressors=(Choice("mlp"),), reference="baseline"
        )
        again = pilot_of(experiment).arms[1]
        assert (again.kind, again.ratio) == ("step_matched", 0.001)

    def test_regressors_without_chance_are_perturbed(self):
        pilot = pilot_of(design())
        assert [arm.name for arm in pilot.arms] == ["Step-matched", AGAIN, PERTURBED]
        assert Experiment.from_json(pilot.to_json()) == pilot
        assert json.loads(pilot.to_json())["n_repeats"] == 1

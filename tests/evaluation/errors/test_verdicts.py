"""Comparisons against formulas on logarithms, and verdicts against simulated truths."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.errors.question import Question
from spectra_core.evaluation.errors.sentences import verdict_sentence
from spectra_core.evaluation.errors.verdicts import compare_arms

PATTERN = np.array([1, -1, 1, -1, 1, -1, 1, -1.0])
BASE = np.linspace(1.0, 1.5, 8)


def errors_table(rmsep, n_repeats=1, n_train=70, n_test=10, **columns):
    """Return an error table from {(arm, target): rmsep per fold}."""
    rows = []
    for (arm, target), values in rmsep.items():
        n_folds = len(values) // n_repeats
        rows += [
            {
                "arm": arm,
                "regressor": "pls",
                "target": target,
                "repeat": number // n_folds,
                "fold": number % n_folds,
                "n_train": n_train,
                "ratio": 0.0 if arm == "step_matched" else 1.0,
                "rmsep": value,
                "n_test": n_test,
            }
            for number, value in enumerate(values)
        ]
    return pd.DataFrame(rows).assign(**columns)


def scaled(factor, spread=0.0):
    return BASE * np.exp(np.log(factor) + spread * PATTERN)


def compared(cells, question=None, **options):
    return compare_arms(errors_table(cells), "step_matched", question, **options).set_index(["arm", "target"])


def test_effect_and_interval_are_those_of_the_mean_log_ratio_with_the_corrected_variance():
    arm = scaled(0.8, 0.1)
    row = compared({("step_matched", "Cu"): BASE, ("vae", "Cu"): arm}).loc["vae", "Cu"]
    ratios = np.log(arm / BASE)
    error = np.sqrt((1 / 8 + 10 / 70) * ratios.var(ddof=1))
    half = stats.t.ppf(0.975, 7) * error
    expected = 100 * np.expm1([ratios.mean(), ratios.mean() - half, ratios.mean() + half])
    assert_allclose(row[["effect", "low", "high"]].astype(float), expected)
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(ratios.mean()) / error, 7))
    assert row["difference"] == pytest.approx((arm - BASE).mean())
    assert row["arm_median"] == pytest.approx(np.median(arm))


def test_an_effect_is_the_same_in_whatever_unit_the_errors_are():
    table = errors_table({("step_matched", "Cu"): BASE, ("vae", "Cu"): scaled(0.8, 0.1)})
    assert_allclose(*(compare_arms(one)["p"] for one in (table, table.assign(rmsep=1e-6 * table["rmsep"]))))


@pytest.mark.parametrize(
    ("factor", "spread", "verdict", "words"),
    [
        (0.5, 0.3, "improved", "Improved, p = "),
        (1.7, 0.2, "worse", "Worse, p = "),
        (1.01, 0.01, "same", "The same, for all that matters here."),
        (1.0, 0.0, "same", "Identical in every fold."),
        (0.9, 0.4, "cannot tell", "Cannot tell: no number of repeats of the same spectra would tell it; about"),
        (0.6, 0.0, "improved", "Improved, p below 0.001 over"),
    ],
)
def test_verdicts_and_their_sentences(factor, spread, verdict, words):
    row = compared({("step_matched", "Cu"): BASE, ("vae", "Cu"): scaled(factor, spread)}).reset_index().iloc[0]
    assert row["verdict"] == verdict
    assert verdict_sentence(row).startswith("Cu by pls, vae against step_matched: error ")
    assert words in verdict_sentence(row)


def test_same_needs_evidence_of_equality_and_not_a_missing_difference():
    row = compared({("step_matched", "Cu"): BASE, ("vae", "Cu"): scaled(1.0, 0.3)}).loc["vae", "Cu"]
    assert row["p"] == pytest.approx(1.0)
    assert row["verdict"] == "cannot tell"
    wide = Question(smallest_effect=60.0)
    assert compared({("step_matched", "Cu"): BASE, ("vae", "Cu"): scaled(1.0, 0.3)}, wide)["verdict"].tolist() == [
        "same"
    ]


def test_several_targets_get_a_row_for_their_mean_and_the_gate_helps_single_ones():
    cells = {("step_matched", t): BASE for t in "ABCD"}
    cells |= {("vae", t): scaled(0.75, 0.12) for t in "ABCD"}
    table = compared(cells)
    p = table.loc[("vae", "A"), "p"]
    assert table.loc[("vae", "all"), "effect"] == pytest.approx(-25.0)
    assert table.loc[("vae", "all"), "p_adjusted"] == pytest.approx(2 * p)  # the mean of four equal ratios
    # Half the level lies on single targets, a quarter each; the gate adds as much; all four fall one after the other.
    assert table.loc[("vae", "A"), "p_adjusted"] == pytest.approx(4 * p)


def test_what_is_not_declared_is_looked_at_afterwards():
    cells = {(arm, t): scaled(f, 0.02) for arm, f in (("step_matched", 1), ("vae", 0.5), ("cvae", 2)) for t in "AB"}
    table = compared(cells, Question(arms=("vae",), targets=("A",)))
    assert table["verdict"].to_dict() == {
        ("vae", "A"): "improved",
        **dict.fromkeys([("vae", "B"), ("cvae", "A"), ("cvae", "B")], "looked at afterwards"),
    }
    assert table.loc[("vae", "A"), "p_adjusted"] == table.loc[("vae", "A"), "p"]  # one declared comparison: full level
    assert table["low"].notna().all()
    assert table["p_adjusted"].isna().sum() == 3


def test_targets_that_the_reference_does_not_explain_do_not_matter_unless_declared():
    cells = {(arm, t): BASE for arm in ("step_matched", "vae") for t in ("seen", "unseen")}
    spreads = {"seen": 5.0, "unseen": 1.2}
    assert compared(cells, spreads=spreads)["declared"].to_dict() == {("vae", "seen"): True, ("vae", "unseen"): False}
    table = errors_table(cells)
    with_r2 = table.assign(r2=table["target"].map({"seen": 0.9, "unseen": 0.05}))
    assert compare_arms(with_r2)["declared"].tolist() == [True, False]
    named = compared(cells, Question(targets=("unseen",)), spreads=spreads)
    assert named["declared"].tolist() == [False, True]


def test_a_run_that_blew_up_is_flagged_and_the_verdict_told_without_it():
    arm = scaled(0.6, 0.03)
    arm[2] = 40.0
    table = compared({("step_matched", "Cu"): BASE, ("vae", "Cu"): arm}, spreads={"Cu": 4.0})
    row = table.reset_index().iloc[0]
    assert (row["flagged"], row["verdict"], row["verdict_without"]) == (1, "cannot tell", "improved")
    assert 'With a run that blew up; without it is "improved".' in verdict_sentence(row)
    assert row["arm_median"] < 1.0 < row["arm_error"]


def test_cannot_tell_names_repeats_or_spectra_that_would():
    few = errors_table({("step_matched", "Cu"): BASE, ("vae", "Cu"): scaled(0.7, 0.4)}, n_train=790, n_test=10)
    row = compare_arms(few).iloc[0]
    assert row["verdict"] == "cannot tell"
    repeats = row["repeats_needed"]
    assert np.isfinite(repeats)
    assert repeats > 1
    assert f"about {repeats:.0f} repeats of these folds" in verdict_sentence(row)
    # The promise, by simulation: four of five experiments of that size tell this effect. Without correlation of folds
    # the corrected test is the more careful, so that it may be somewhat less.
    assert row["spectra_needed"] > 80


def test_zero_errors_and_a_single_fold():
    table = compared({("step_matched", "Cu"): np.zeros(4), ("vae", "Cu"): np.zeros(4)})
    assert table["verdict"].tolist() == ["same"]
    table = compared({("step_matched", "Cu"): BASE, ("vae", "Cu"): np.zeros(8)})
    assert table["effect"].tolist() == [pytest.approx(-100.0)]
    row = compared({("step_matched", "Cu"): [1.0], ("vae", "Cu"): [0.5]}).reset_index().iloc[0]
    assert row["verdict"] == "cannot tell"
    assert "in a single fold. Cannot tell: it takes at least two folds." in verdict_sentence(row)


def test_every_ratio_can_have_its_own_reference():
    cells = {("matched for 1", "Cu"): BASE, ("matched for 4", "Cu"): BASE / 2, ("vae 4", "Cu"): BASE / 2}
    table = compare_arms(errors_table(cells), reference={"vae 4": "matched for 4"})
    assert table["effect"].tolist() == [0.0]


def test_the_largest_training_size_is_declared_and_smaller_ones_are_corrected_as_whole_folds():
    """8 folds of 10 are 80 spectra, whatever is trained on: n_test / (n_spectra - n_test) = 10/70."""
    cells = {("step_matched", "Cu"): BASE, ("vae", "Cu"): scaled(0.5, 0.05)}
    table = compare_arms(pd.concat([errors_table(cells, n_train=size) for size in (5, 20, 70)]))
    assert table["n_train"].tolist() == [5, 20, 70]
    assert_allclose(table["p"], table["p"][2])
    assert table["declared"].tolist() == [False, False, True]


def test_folds_of_unequal_training_size_are_compared_as_one_experiment():
    table = errors_table({("step_matched", "Cu"): BASE[:4], ("vae", "Cu"): scaled(0.8, 0.1)[:4]})
    table["n_train"] = np.tile([52, 52, 53, 53], 2)
    assert compare_arms(table)["n_folds"].tolist() == [4]


def test_what_does_not_fit_together_is_refused():
    table = errors_table({("step_matched", "Cu"): BASE, ("vae", "Cu"): BASE})
    with pytest.raises(SpectraError, match=r"there is no 'oracle'\. The arms are: step_matched, vae"):
        compare_arms(table, reference="oracle")
    with pytest.raises(SpectraError, match="there is no other arm"):
        compare_arms(table[table["arm"] == "step_matched"])
    with pytest.raises(SpectraError, match="tested on fold 3 of repetition 0 for Cu by pls, but its reference"):
        compare_arms(table.drop(index=3))
    with pytest.raises(SpectraError, match="several errors for one fold"):
        compare_arms(pd.concat([table, table]))
    with pytest.raises(SpectraError, match=r"The target 'Ni' was declared, but the errors compare none.*There are: Cu"):
        compare_arms(table, question=Question(targets=("Ni",)))


@pytest.mark.parametrize("effect", [0, 100, -5, True, "5", None])
def test_a_smallest_effect_is_a_share_in_per_cent(effect):
    with pytest.raises(ConfigError, match="between 0 and 100 per cent"):
        Question(smallest_effect=effect)


def test_a_question_goes_to_json_and_back_and_knows_its_fields():
    question = Question("base", ("vae",), None, ("Cu", "Ni"), (100,), 3.0)
    assert Question.from_json(question.to_json()) == question
    with pytest.raises(ConfigError, match=r"have no field 'arm'\. Their fields: reference, arms"):
        Question.from_json({"arm": ["vae"]})
    with pytest.raises(ConfigError, match="a list of different names, got 'vae'"):
        Question(arms="vae")


def simulated(rng, effects, n_repeats=1, rho=1 / 8, sd=0.15):
    """Return errors of 8 folds whose log ratios correlate by n_test/(n_test + n_train), as is corrected for."""
    n = 8 * n_repeats
    cells = {("step_matched", t): np.ones(n) for t in "ABCDEFGH"}
    for arm, of_targets in effects.items():
        for t, effect in zip("ABCDEFGH", of_targets, strict=True):
            noise = np.sqrt(rho) * rng.normal() + np.sqrt(1 - rho) * rng.normal(size=n)
            cells[arm, t] = np.exp(effect + sd * noise)
    return errors_table(cells, n_repeats=n_repeats)


def test_where_nothing_is_true_one_experiment_in_twenty_errs_at_most():
    rng = np.random.default_rng(0)
    wrong, n = 0, 60
    for _ in range(n):
        table = compare_arms(simulated(rng, {"one": np.zeros(8), "other": np.zeros(8)}))
        wrong += table["verdict"].isin(["improved", "worse"]).any()
    assert wrong <= stats.binom.ppf(0.999, n, 0.05)


def test_a_fall_of_a_fifth_in_all_targets_is_told_by_the_mean_where_single_targets_would_not():
    rng = np.random.default_rng(1)
    told = {"all": 0, "A": 0}
    for _ in range(20):
        table = compare_arms(simulated(rng, {"one": np.full(8, np.log(0.8))}, sd=0.2)).set_index("target")
        for target in told:
            told[target] += table.loc[target, "verdict"] == "improved"
    assert told["all"] >= 17
    assert told["A"] < told["all"]

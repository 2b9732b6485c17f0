"""Tests and verdicts against independent computations: integrals on a grid, Holm by hand, simulated nulls."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.errors.resampled_t import corrected_t, folds_needed, holm
from spectra_core.evaluation.errors.verdicts import compare_arms, verdict_sentence


def errors_table(rmsep, n_repeats=1, n_train=70, n_test=10):
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
    return pd.DataFrame(rows)


DIFFERENCES = np.array([-0.11, -0.03, -0.2, 0.02, -0.09, -0.14, -0.05, -0.12])


def test_probabilities_and_interval_are_those_of_the_posterior_integrated_numerically():
    """Posterior of the mean when differences correlate by rho: integrate the likelihood over mu and sigma."""
    n, n_test, n_train, rope = len(DIFFERENCES), 10, 70, 0.05
    rho = n_test / (n_test + n_train)
    p, low, high, probabilities = corrected_t(DIFFERENCES, n_test / n_train, rope)
    correlation = (1 - rho) * np.eye(n) + rho
    inverse, determinant = np.linalg.inv(correlation), np.linalg.det(correlation)
    mu = np.linspace(-0.8, 0.6, 2801)
    sigma = np.exp(np.linspace(np.log(0.005), np.log(5.0), 800))
    deviations = DIFFERENCES[None, :] - mu[:, None]
    quadratic = np.einsum("mi,ij,mj->m", deviations, inverse, deviations)
    # Prior 1/sigma (uniform in ln sigma, as the grid is): Corani & Benavoli 2015, section 3.
    log = -n * np.log(sigma) - 0.5 * quadratic[:, None] / sigma**2 - 0.5 * np.log(determinant)
    density = np.exp(log - log.max()).sum(axis=1)
    density /= density.sum()
    expected = [density[mu < -rope].sum(), density[np.abs(mu) <= rope].sum(), density[mu > rope].sum()]
    assert_allclose(probabilities, expected, atol=2e-3)  # grid of 0.0005 in mu
    cumulative = np.cumsum(density)
    assert_allclose([low, high], np.interp([0.025, 0.975], cumulative, mu), atol=2e-3)
    tail = density[mu > 0].sum()
    assert p == pytest.approx(2 * tail, abs=2e-3)


def test_without_test_spectra_in_common_it_is_the_paired_t_test():
    from scipy.stats import ttest_1samp

    p, low, high, _ = corrected_t(DIFFERENCES, 0.0, 0.05)
    theirs = ttest_1samp(DIFFERENCES, 0.0)
    assert p == pytest.approx(theirs.pvalue)
    assert_allclose([low, high], theirs.confidence_interval(0.95))


def test_correction_makes_p_larger_than_the_naive_test():
    assert corrected_t(DIFFERENCES, 1 / 7, 0.05)[0] > 2 * corrected_t(DIFFERENCES, 0.0, 0.05)[0]


def test_probabilities_add_up_to_one_and_shrink_with_the_region():
    wide, narrow = (corrected_t(DIFFERENCES, 1 / 7, rope)[3] for rope in (0.1, 0.0))
    assert wide.sum() == pytest.approx(1.0)
    assert narrow[1] == pytest.approx(0.0, abs=1e-12)


def test_holm_rejects_what_its_steps_reject():
    """Step-down by definition: reject the i-th smallest while p_(i) <= alpha / (m - i)."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        p = rng.uniform(0, 0.2, 7) ** 2
        for alpha in (0.01, 0.05, 0.2):
            rejected = np.zeros(7, dtype=bool)
            for step, index in enumerate(np.argsort(p)):
                if p[index] > alpha / (7 - step):
                    break
                rejected[index] = True
            assert ((holm(p) <= alpha) == rejected).all()


def test_holm_skips_what_was_not_tested_and_stops_at_one():
    assert_allclose(holm(np.array([0.5, np.nan, 0.4])), [0.8, np.nan, 0.8])
    assert holm(np.array([0.9, 0.8])).max() == 1.0
    assert holm(np.array([])).size == 0


def test_effect_interval_and_shares_are_against_the_reference_s_mean():
    base = np.full(8, 2.0)
    table = errors_table({("step_matched", "Cu"): base, ("vae", "Cu"): base + DIFFERENCES})
    row = compare_arms(table).iloc[0]
    p, low, high, probabilities = corrected_t(DIFFERENCES, 10 / 70, 0.05 * 2.0)
    assert row["effect"] == pytest.approx(DIFFERENCES.mean())
    assert row["reference_error"] == pytest.approx(2.0)
    assert row["arm_error"] == pytest.approx(2.0 + DIFFERENCES.mean())
    assert_allclose([row["low"], row["high"], row["p"]], [low, high, p])
    assert_allclose(
        row[["relative_effect", "relative_low", "relative_high"]].astype(float) * 2.0, [row["effect"], low, high]
    )
    assert_allclose(row[["improved", "equivalent", "worse"]].astype(float), probabilities)


@pytest.mark.parametrize(
    ("shift", "spread", "verdict"),
    [
        (-0.5, 0.02, "improved"),
        (0.5, 0.02, "worse"),
        (0.001, 0.01, "no practical difference"),
        (-0.1, 0.5, "cannot tell"),
        (0.0, 0.0, "identical"),
        (-0.3, 0.0, "cannot tell"),
    ],
)
def test_verdicts_and_their_sentences(shift, spread, verdict):
    pattern = np.array([1, -1, 1, -1, 1, -1, 1, -1.0])
    base = np.full(8, 1.0)
    table = errors_table({("step_matched", "Cu"): base, ("vae", "Cu"): base + shift + spread * pattern})
    row = compare_arms(table).iloc[0]
    assert row["verdict"] == verdict
    sentence = verdict_sentence(row)
    assert verdict.lower() in sentence.lower()
    assert sentence.startswith("Cu by pls, vae against step_matched: ")


def test_a_difference_without_variance_is_reported_and_not_tested():
    table = errors_table({("step_matched", "Cu"): [1.0, 1.1], ("vae", "Cu"): [0.8, 0.9]})
    row = compare_arms(table).iloc[0]
    assert np.isnan(row["p"])
    assert row["effect"] == pytest.approx(-0.2)
    assert "the same in every fold" in verdict_sentence(row)


def test_rounding_is_no_difference():
    base = np.linspace(1.0, 2.0, 8)
    table = errors_table({("step_matched", "Cu"): base, ("vae", "Cu"): base * (1 + 1e-13)})
    assert compare_arms(table)["verdict"].tolist() == ["identical"]


def test_a_single_fold_cannot_tell_and_says_so():
    table = errors_table({("step_matched", "Cu"): [1.0], ("vae", "Cu"): [0.5]})
    row = compare_arms(table).iloc[0]
    assert row["verdict"] == "cannot tell"
    assert verdict_sentence(row) == (
        "Cu by pls, vae against step_matched: error -50.0 % in a single fold. Cannot tell: it takes at least two folds."
    )


def test_cannot_tell_says_how_many_folds_it_takes_or_that_none_would_do():
    # With test share 0 the naive count: t = |effect| / (s / sqrt(J)) must exceed the quantile at J - 1.
    from scipy.stats import t as student

    needed = folds_needed(-0.3, 1.0, 0.0, 1)
    enough = [0.3 * np.sqrt(n) > student.ppf(0.975, n - 1) for n in (needed - 1, needed)]
    assert enough == [False, True]
    assert np.isinf(folds_needed(-0.3, 1.0, 0.1, 1))  # 0.3 / sqrt(0.1) = 0.95 stays below 1.96 for ever
    base = np.full(8, 1.0)
    noisy = 0.4 * np.array([1, -1, 1, -1, 1, -1, 1, -1.0]) - 0.06
    row = compare_arms(errors_table({("step_matched", "Cu"): base, ("vae", "Cu"): base + noisy})).iloc[0]
    assert "repeating these folds will not do" in verdict_sentence(row)


def test_holm_covers_all_arms_and_targets_but_not_what_was_not_tested():
    base = np.full(8, 1.0)
    table = errors_table(
        {
            ("step_matched", "Cu"): base,
            ("step_matched", "Ni"): base,
            ("vae", "Cu"): base + DIFFERENCES,
            ("vae", "Ni"): base,
            ("cvae", "Cu"): base + 2 * np.roll(DIFFERENCES, 1) + 0.1,
            ("cvae", "Ni"): base - DIFFERENCES,
        }
    )
    compared = compare_arms(table)
    assert len(compared) == 4
    assert compared["p"].isna().sum() == 1
    assert_allclose(compared["p_holm"], holm(compared["p"].to_numpy()))


def test_every_ratio_can_have_its_own_reference():
    base = np.full(4, 1.0)
    two = errors_table({("matched for 1", "Cu"): base, ("matched for 4", "Cu"): base / 2, ("vae 4", "Cu"): base / 2})
    compared = compare_arms(two, reference={"vae 4": "matched for 4"})
    assert compared["verdict"].tolist() == ["identical"]
    several = pd.concat(
        [errors_table({(arm, "Cu"): base * r for arm in ("step_matched", "vae")}).assign(ratio=r) for r in (1, 4)]
    )
    assert compare_arms(several)["verdict"].tolist() == ["identical", "identical"]


def test_folds_of_unequal_training_size_are_compared_as_one_experiment():
    base = np.linspace(1.0, 1.2, 4)
    table = errors_table({("step_matched", "Cu"): base, ("vae", "Cu"): base + DIFFERENCES[:4]})
    table["n_train"] = np.tile([52, 52, 53, 53], 2)
    compared = compare_arms(table)
    assert compared["n_folds"].tolist() == [4]
    # Four folds of 10 do not fill the 62 or 63 spectra there must be: what was trained on counts then.
    expected = corrected_t(DIFFERENCES[:4], 10 / 52.5, 0.05 * base.mean())
    assert compared["p"][0] == pytest.approx(expected[0])


def test_a_cut_down_training_fold_is_corrected_as_the_whole_one():
    """8 folds of 10 are 80 spectra, whatever is trained on: n_test / (n_spectra - n_test) = 10/70."""
    base = np.full(8, 1.0)
    cells = {("step_matched", "Cu"): base, ("vae", "Cu"): base + DIFFERENCES}
    tables = [errors_table(cells, n_train=size) for size in (5, 20, 70)]
    compared = compare_arms(pd.concat(tables))
    assert compared["n_train"].tolist() == [5, 20, 70]
    assert_allclose(compared["p"], corrected_t(DIFFERENCES, 10 / 70, 0.05)[0])


def test_arms_of_different_experiments_unknown_references_and_regions_are_refused():
    base = np.full(4, 1.0)
    table = errors_table({("step_matched", "Cu"): base, ("vae", "Cu"): base})
    with pytest.raises(SpectraError, match=r"there is no 'oracle'\. The arms are: step_matched, vae"):
        compare_arms(table, reference="oracle")
    with pytest.raises(SpectraError, match="there is no other arm"):
        compare_arms(table[table["arm"] == "step_matched"])
    with pytest.raises(SpectraError, match="tested on fold 3 of repetition 0 for Cu by pls, but its reference"):
        compare_arms(table.drop(index=3))
    with pytest.raises(SpectraError, match="several errors for one fold"):
        compare_arms(pd.concat([table, table]))
    with pytest.raises(ConfigError, match="a share from 0 to below 1, got 5"):
        compare_arms(table, rope=5)


def binomial_limit(n, share=0.05):
    """Return the count that a rate of `share` exceeds in one of a thousand such simulations."""
    from scipy.stats import binom

    return binom.ppf(0.999, n, share)


def test_where_no_arm_differs_at_most_one_experiment_in_twenty_names_a_difference():
    """The model of the correction itself: 8 folds whose differences correlate by n_test / (n_test + n_train) = 1/8.

    Three arms and four targets an experiment; the limit is 5 % of 150 experiments and the slack of a binomial count.
    """
    rng = np.random.default_rng(1)
    n_experiments, named, naive = 150, 0, 0
    for _ in range(n_experiments):
        cells = {("step_matched", target): np.full(8, 1.0) for target in "ABCD"}
        for arm in ("one", "two", "three"):
            for target in "ABCD":
                difference = 0.2 * (np.sqrt(1 / 8) * rng.normal() + np.sqrt(7 / 8) * rng.normal(size=8))
                cells[arm, target] = 1.0 + difference
                naive += corrected_t(difference, 0.0, 0.05)[0] < 0.05
        named += compare_arms(errors_table(cells))["verdict"].isin(["improved", "worse"]).any()
    assert named <= binomial_limit(n_experiments)
    # The simulation would notice a test that ignores the correlation: it errs far more often than 5 %.
    assert naive / (12 * n_experiments) > 0.1


def test_arms_that_differ_by_their_seed_alone_are_rarely_called_improved():
    """Real cross-validation: least squares on a random two thirds of each training fold, another two thirds per arm."""
    n_experiments, n, named = 100, 48, 0
    for experiment in range(n_experiments):
        rng = np.random.default_rng([2, experiment])
        x = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
        y = x @ np.array([0.0, 1.0, -1.0, 0.5]) + rng.normal(size=n)
        fold_of = rng.permutation(np.arange(n) % 8)
        cells = {}
        for arm in ("step_matched", "other seed", "yet another"):
            rmsep = []
            for fold in range(8):
                rows = rng.choice(np.flatnonzero(fold_of != fold), 28, replace=False)
                coefficients = np.linalg.lstsq(x[rows], y[rows], rcond=None)[0]
                test = fold_of == fold
                rmsep.append(np.sqrt(((x[test] @ coefficients - y[test]) ** 2).mean()))
            cells[arm, "Cu"] = np.array(rmsep)
        named += compare_arms(errors_table(cells, n_train=42, n_test=6))["verdict"].eq("improved").any()
    assert named <= binomial_limit(n_experiments)


@pytest.mark.parametrize("size", [10, 70])
def test_arms_of_equal_worth_are_rarely_told_apart_at_any_training_size(size):
    """Repeated cross-validation of two equally noisy views of the same regressors: which is better is chance.

    Unlike seeds, views go with the spectra, so that folds and repetitions do share their luck.
    """
    n_experiments, n, named, naive = 80, 80, 0, 0
    for experiment in range(n_experiments):
        rng = np.random.default_rng([4, experiment])
        hidden = rng.normal(size=(n, 4))
        y = hidden.sum(axis=1)
        views = [np.column_stack([np.ones(n), hidden + 0.5 * rng.normal(size=hidden.shape)]) for _ in range(2)]
        rmsep: list[list[float]] = [[], []]
        for _ in range(5):
            fold_of = rng.permutation(np.arange(n) % 8)
            for fold in range(8):
                rows = rng.choice(np.flatnonzero(fold_of != fold), size, replace=False)
                test = fold_of == fold
                for view, x in enumerate(views):
                    coefficients = np.linalg.lstsq(x[rows], y[rows], rcond=None)[0]
                    rmsep[view].append(np.sqrt(((x[test] @ coefficients - y[test]) ** 2).mean()))
        cells = {("step_matched", "Cu"): np.array(rmsep[0]), ("other view", "Cu"): np.array(rmsep[1])}
        named += compare_arms(errors_table(cells, n_repeats=5, n_train=size))["p"][0] < 0.05
        naive += corrected_t(cells["other view", "Cu"] - cells["step_matched", "Cu"], 0.0, 0.05)[0] < 0.05
    assert named <= binomial_limit(n_experiments)
    assert naive > 3 * binomial_limit(n_experiments) / 2  # what no correction would do


def test_a_large_true_improvement_is_found():
    rng = np.random.default_rng(3)
    table = errors_table(
        {("step_matched", "Cu"): 1.0 + 0.05 * rng.normal(size=24), ("oracle", "Cu"): 0.7 + 0.05 * rng.normal(size=24)},
        n_repeats=3,
    )
    row = compare_arms(table).iloc[0]
    assert row["verdict"] == "improved"
    assert row["improved"] > 0.99

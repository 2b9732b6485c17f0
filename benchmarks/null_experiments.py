"""Count how often experiments see an improvement where there is none, and whether the correction is large enough.

    python -m benchmarks.null_experiments 200

Three kinds, each at several training sizes; "improved" for any target in any comparison counts, and at most 5 % of
experiments may say so:

- networks: two arms train the same rows for the same number of steps and differ by their seed alone;
- seeds: least squares on two thirds of each training set, drawn anew for every arm;
- views: least squares on two views of the same hidden variables, equally noisy. Which one is better is a matter of the
  spectra in hand, so that folds and repetitions share their luck. This is what the correction is for: beside it
  stands the correction that would have been right, from the scatter of the mean over experiments.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from spectra_core.choices import Choice
from spectra_core.evaluation.errors.verdicts import compare_arms
from spectra_core.experiment import Arm, Experiment, run
from tests.conftest import beer_lambert_set

NULL_ARMS = (
    Arm("Step-matched", "step_matched"),
    # The number of members means nothing for this kind: it changes the arm's seed and nothing else.
    Arm("The same with another seed", "step_matched", n_members=3),
)
N_SPECTRA, N_FOLDS, N_HIDDEN = 80, 8, 4
SIZES = (10, 20, 40, 0)
REPEATS = (1, 5)


def networks(number: int) -> pd.DataFrame:
    """Return the comparisons of one experiment on spectra of its own, at several training sizes."""
    experiment = Experiment(
        arms=NULL_ARMS,
        regressors=(Choice("mlp", {"epochs": 5, "batch_size": 8}),),
        n_folds=5,
        n_train=(8, 16, 0),
        seed=number,
    )
    return run(experiment, beer_lambert_set(40, 20, seed=number)).tables["comparisons"]


def least_squares(number: int, *, views: bool, n_repeats: int, size: int) -> pd.DataFrame:
    """Return the errors of two arms that are worth the same."""
    rng = np.random.default_rng([number, n_repeats, size])
    hidden = rng.normal(size=(N_SPECTRA, N_HIDDEN))
    y = hidden.sum(axis=1) + 0.3 * rng.normal(size=N_SPECTRA)
    seen = [np.column_stack([np.ones(N_SPECTRA), hidden + 0.5 * rng.normal(size=hidden.shape)]) for _ in range(2)]
    parts = []
    for repeat in range(n_repeats):
        fold_of = rng.permutation(np.arange(N_SPECTRA) % N_FOLDS)
        for fold in range(N_FOLDS):
            pool, test = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
            train = rng.choice(pool, size, replace=False) if size else pool
            for arm, view in enumerate(seen):
                x = view if views else seen[0]
                rows = train if views else rng.choice(train, 2 * len(train) // 3, replace=False)
                system = x[rows].T @ x[rows] + 0.01 * np.eye(N_HIDDEN + 1)
                e = x[test] @ np.linalg.solve(system, x[rows].T @ y[rows]) - y[test]
                parts.append((f"arm {arm}", repeat, fold, len(train), np.sqrt((e**2).mean()), len(test)))
    table = pd.DataFrame(parts, columns=["arm", "repeat", "fold", "n_train", "rmsep", "n_test"])
    return table.assign(regressor="least squares", target="y", ratio=0.0)


def counted(n_experiments: int, one: Callable[[int], pd.DataFrame]) -> pd.DataFrame:
    """Return per training size in how many experiments any comparison was named so."""
    tables = [one(number).assign(experiment=number) for number in range(n_experiments)]
    table = pd.concat(tables, ignore_index=True)
    named = pd.DataFrame({word: table["verdict"] == word for word in ("improved", "worse", "identical")})
    return named.groupby([table["n_train"], table["experiment"]]).any().groupby("n_train").sum()


def least_squares_counts(n_experiments: int, *, views: bool, n_repeats: int, size: int) -> dict[str, float]:
    """Return counts over experiments, the correction used, and the one that would have been right."""
    improved = worse = naive = 0
    means, variances = [], []
    for number in range(n_experiments):
        errors = least_squares(number, views=views, n_repeats=n_repeats, size=size)
        verdict = compare_arms(errors, "arm 0")["verdict"][0]
        improved, worse = improved + (verdict == "improved"), worse + (verdict == "worse")
        one, other = (errors.loc[errors["arm"] == f"arm {arm}", "rmsep"].to_numpy() for arm in (0, 1))
        naive += stats.ttest_rel(one, other).pvalue < 0.05
        means.append((one - other).mean())
        variances.append((one - other).var(ddof=1))
    # The variance of the mean is (1/J + correction) times that of a fold's difference.
    right = np.mean(np.square(means)) / np.mean(variances) - 1.0 / (N_FOLDS * n_repeats)
    return {
        "improved": improved,
        "worse": worse,
        "uncorrected p < 0.05": naive,
        "correction used": 1.0 / (N_FOLDS - 1),
        "right": right,
    }


def main(n_experiments: int) -> None:
    """Print the counts, and what counts are still compatible with 5 %."""
    start = time.perf_counter()
    allowed = int(stats.binom.ppf(0.99, n_experiments, 0.05))
    print(f'{n_experiments} experiments a row; "improved" in at most {allowed} where the rate is 5 % (99 % binomial)')
    rows = []
    for views in (False, True):
        for n_repeats in REPEATS:
            for size in SIZES:
                found = least_squares_counts(n_experiments, views=views, n_repeats=n_repeats, size=size)
                kind = "views" if views else "seeds"
                rows.append({"kind": kind, "repeats": n_repeats, "trained on": size or "whole fold", **found})
    print(pd.DataFrame(rows).round(3).to_string(index=False))
    print(f"{time.perf_counter() - start:.0f} s")
    print(f"\nnetworks, whole experiments of 4 targets each\n{counted(n_experiments, networks).to_string()}")
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)

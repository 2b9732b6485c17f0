"""Count false verdicts where nothing is true, verdicts on planted effects, and how often intervals hold the truth.

    python -m benchmarks.null_experiments --real 400 --resampled 2000

Three parts; family-wise means that any "improved" or "worse" of an experiment counts:

- real: whole experiments on small sets of their own, whose arms train the same rows for the same steps and differ by
  their seed alone, or see two equally noisy views of the same hidden variables;
- resampled: the folds of a stored study (`--errors`, a table as `regression_errors` gives it) drawn anew: every arm's
  ln ratios to the step-matched arm, centred per target, drawn with replacement fold by fold with a common sign, so that
  their spread and their correlation between targets stay, and nothing is true;
- planted: the same, with a fall of all targets or of two; beside it the former test (corrected resampled t on
  differences of RMSEP, Holm over all comparisons, at an effect above 5 %).
"""

import argparse
import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from spectra_core.choices import Choice
from spectra_core.evaluation.errors.log_ratios import log_ratios
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS, compare_arms
from spectra_core.experiment import Arm, Experiment, run
from tests.conftest import beer_lambert_set

REFERENCE = "Step-matched"
NULL_ARMS = (
    Arm(REFERENCE, "step_matched"),
    # The number of members means nothing for this kind: it changes the arm's seed and nothing else.
    Arm("Another seed", "step_matched", n_members=3),
    Arm("Yet another", "step_matched", n_members=4),
)
ERRORS = Path(__file__).parents[1] / "docs" / "study" / "errors.csv"
N_FOLDS, N_ARMS, N_TEST, N_TRAIN = 8, 5, 468, 3276
TOLD = ("improved", "worse")


def networks(number: int) -> pd.DataFrame:
    """Return the comparisons of one experiment on spectra of its own."""
    experiment = Experiment(
        arms=NULL_ARMS,
        regressors=(Choice("mlp", {"epochs": 5, "batch_size": 8}),),
        n_folds=5,
        n_repeats=1 + number % 2,
        seed=number,
    )
    return run(experiment, beer_lambert_set(40, 20, seed=number)).tables["comparisons"]


def views(number: int, n_spectra: int = 80, n_hidden: int = 4) -> pd.DataFrame:
    """Return the comparisons of least squares on two views of the same variables: which is better is chance."""
    rng = np.random.default_rng(number)
    hidden = rng.normal(size=(n_spectra, n_hidden))
    seen = [np.column_stack([np.ones(n_spectra), hidden + 0.5 * rng.normal(size=hidden.shape)]) for _ in range(3)]
    rows = []
    for repeat in range(1 + 2 * (number % 2)):
        fold_of = rng.permutation(np.arange(n_spectra) % N_FOLDS)
        for target in range(4):
            y = hidden @ rng.normal(size=n_hidden) + 0.3 * rng.normal(size=n_spectra)
            for fold in range(N_FOLDS):
                train, test = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
                for arm, x in zip((REFERENCE, "one view", "another"), seen, strict=True):
                    e = x[test] @ np.linalg.lstsq(x[train], y[train], rcond=None)[0] - y[test]
                    rows.append((arm, str(target), repeat, fold, len(train), len(test), np.sqrt((e**2).mean())))
    columns = ["arm", "target", "repeat", "fold", "n_train", "n_test", "rmsep"]
    return compare_arms(pd.DataFrame(rows, columns=columns).assign(regressor="ols", ratio=0.0), REFERENCE)


def stored_ratios(path: Path) -> np.ndarray:
    """Return the centred ln ratios of a stored study, (n_arms, n_folds, n_targets)."""
    errors = pd.read_csv(path).query("regressor == 'mlp'")
    arms = [arm for arm in errors["arm"].unique() if arm != REFERENCE]
    pairs = log_ratios(errors, dict.fromkeys(arms, REFERENCE))
    table = pairs.pivot_table(index=["arm", "repeat", "fold"], columns="target", values="log_ratio", sort=False)
    ratios = np.stack([rows.to_numpy() for _, rows in table.groupby(level="arm", sort=False)])
    return ratios - ratios.mean(axis=1, keepdims=True)


def drawn(ratios: np.ndarray, effects: np.ndarray, n_repeats: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return errors of N_ARMS arms whose ln ratios are drawn from `ratios`, shifted by `effects` (n_targets,)."""
    n_arms, n_folds, n_targets = ratios.shape
    rows = []
    base = np.exp(0.1 * rng.normal(size=(n_repeats * N_FOLDS, n_targets)))
    for arm in range(N_ARMS + 1):
        values = base
        if arm:
            picked = ratios[rng.integers(n_arms), rng.integers(n_folds, size=n_repeats * N_FOLDS)]
            signs = rng.choice([-1.0, 1.0], size=(n_repeats * N_FOLDS, 1))
            values = base * np.exp(signs * picked + (effects if arm == 1 else 0.0))
        for number, of_fold in enumerate(values):
            name = f"arm {arm}" if arm else REFERENCE
            rows += [(name, f"t{t}", number // N_FOLDS, number % N_FOLDS, v) for t, v in enumerate(of_fold)]
    table = pd.DataFrame(rows, columns=["arm", "target", "repeat", "fold", "rmsep"])
    return table.assign(regressor="mlp", ratio=0.0, n_train=N_TRAIN, n_test=N_TEST)


def formerly(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the former test's verdicts: corrected t on differences, Holm over all, effect above 5 %."""
    arms, targets = errors["arm"].unique(), errors["target"].unique()
    values = errors["rmsep"].to_numpy().reshape(len(arms), -1, len(targets))  # rows stand in the order `drawn` makes
    reference = values[0]
    differences = np.hstack(list(values[1:] - reference))
    n_folds = len(reference)
    t = differences.mean(axis=0) / np.sqrt((1 / n_folds + N_TEST / N_TRAIN) * differences.var(axis=0, ddof=1))
    share = differences.mean(axis=0) / np.tile(reference.mean(axis=0), len(arms) - 1)
    p = 2 * stats.t.sf(np.abs(t), n_folds - 1)
    told = (multipletests(p, method="holm")[1] < 0.05) & (np.abs(share) > 0.05)
    return pd.DataFrame(
        {
            "arm": np.repeat(arms[1:], len(targets)),
            "target": np.tile(targets, len(arms) - 1),
            "verdict": np.where(told, np.where(share < 0, "improved", "worse"), "cannot tell"),
        }
    )


def rate(count: int, n: int) -> str:
    """Return a share with its 95 % interval (Clopper and Pearson)."""
    low, high = stats.binomtest(count, n).proportion_ci()
    return f"{count / n:.3f} ({low:.3f} to {high:.3f})"


def real(n: int) -> Iterator[dict[str, object]]:
    """Yield the rates of false verdicts in whole experiments."""
    for name, one in (("networks that differ by their seed", networks), ("two views of the same", views)):
        tables = [one(number) for number in range(n)]
        wrong = sum(table["verdict"].isin(TOLD).any() for table in tables)
        single = pd.concat([table[table["target"] != ALL_TARGETS] for table in tables])
        covered = int(((single["low"] <= 0) & (single["high"] >= 0)).sum())
        yield {
            "experiments": name,
            "number": n,
            "any false verdict": rate(wrong, n),
            "95 % intervals that hold 0": rate(covered, len(single)),
        }


def planted(ratios: np.ndarray, n: int, seed: int = 0) -> Iterator[dict[str, object]]:
    """Yield false verdicts, power and coverage on resampled folds."""
    n_targets = ratios.shape[2]
    for n_repeats in (1, 3):
        for fall in (0, 10, 20, 30):
            for n_hit in (n_targets, 2) if fall else (n_targets,):
                rng = np.random.default_rng([seed, n_repeats, fall, n_hit])
                effects = np.zeros(n_targets)
                effects[:n_hit] = np.log(1 - fall / 100)
                n_here = n if not fall else max(1, n // 4)
                counts = dict.fromkeys(("false", "false formerly", "told", "single", "formerly", "covered"), 0)
                for _ in range(n_here):
                    errors = drawn(ratios, effects, n_repeats, rng)
                    now, then = compare_arms(errors, REFERENCE), formerly(errors)
                    hit = {f"t{t}" for t in range(n_hit)} if fall else set()
                    for table, word in ((now, "false"), (then, "false formerly")):
                        wrong = table["verdict"].isin(TOLD) & ~((table["arm"] == "arm 1") & (effects.any()))
                        counts[word] += bool(wrong.any())
                    own, before = (table[table["arm"] == "arm 1"].set_index("target") for table in (now, then))
                    told = own["verdict"] == "improved"
                    counts["told"] += bool(told.any())
                    counts["single"] += int(told.reindex(sorted(hit)).sum())
                    counts["formerly"] += int((before["verdict"] == "improved").reindex(sorted(hit)).sum())
                    truth = 100 * np.expm1(effects)
                    limits = own.loc[[f"t{t}" for t in range(n_targets)]]
                    counts["covered"] += int(((limits["low"] <= truth) & (limits["high"] >= truth)).sum())
                yield {
                    "repeats": n_repeats,
                    "fall": f"{fall} % of {'all' if n_hit == n_targets else n_hit}" if fall else "none",
                    "any false verdict": rate(counts["false"], n_here),
                    "formerly": rate(counts["false formerly"], n_here),
                    "arm told": counts["told"] / n_here if fall else np.nan,
                    "a target told": counts["single"] / n_here / n_hit if fall else np.nan,
                    "a target told formerly": counts["formerly"] / n_here / n_hit if fall else np.nan,
                    "intervals that hold the truth": counts["covered"] / n_here / n_targets,
                }


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=int, default=400, help="whole experiments of each kind")
    parser.add_argument(
        "--resampled", type=int, default=2000, help="resampled experiments where nothing is true; a quarter elsewhere"
    )
    parser.add_argument("--errors", type=Path, default=ERRORS, help="fold errors of a study")
    chosen = parser.parse_args()
    gc.freeze()  # statsmodels collects garbage at every call, which takes longer than the test
    if chosen.real:
        print(pd.DataFrame(real(chosen.real)).to_string(index=False), flush=True)
    if chosen.resampled:
        rows = []
        for row in planted(stored_ratios(chosen.errors), chosen.resampled):
            rows.append(row)
            print(row, flush=True)
        print(pd.DataFrame(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    main()

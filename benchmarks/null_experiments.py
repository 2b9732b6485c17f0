"""Count how often an experiment sees an improvement where there is none.

Two arms train the same rows for the same number of steps and differ by their seed alone. Each experiment has spectra of
its own; "improved" for any target in any comparison counts. At most 5 % of experiments may say so.

    python benchmarks/null_experiments.py 200
"""

import sys
import time

import pandas as pd
from scipy import stats

from spectra_core.choices import Choice
from spectra_core.experiment import Arm, Experiment, run
from tests.conftest import beer_lambert_set

NULL_ARMS = (
    Arm("Step-matched", "step_matched"),
    # The number of members means nothing for this kind: it changes the arm's seed and nothing else.
    Arm("The same with another seed", "step_matched", n_members=3),
)


def null_experiment(number: int, *, epochs: int = 5, n_folds: int = 5) -> pd.DataFrame:
    """Return the comparisons of one experiment on spectra of its own."""
    experiment = Experiment(
        arms=NULL_ARMS,
        regressors=(Choice("mlp", {"epochs": epochs, "batch_size": 8}),),
        n_folds=n_folds,
        seed=number,
    )
    return run(experiment, beer_lambert_set(40, 20, seed=number)).tables["comparisons"]


def main(n_experiments: int) -> None:
    """Count false improvements, and say what counts are still compatible with 5 %."""
    start, improved, worse, identical = time.perf_counter(), 0, 0, 0
    for number in range(n_experiments):
        verdicts = null_experiment(number)["verdict"]
        improved += (verdicts == "improved").any()
        worse += (verdicts == "worse").any()
        identical += (verdicts == "identical").any()
    allowed = int(stats.binom.ppf(0.99, n_experiments, 0.05))
    print(f"{n_experiments} experiments, {time.perf_counter() - start:.0f} s")
    print(f'"improved" in {improved}, "worse" in {worse}; at most {allowed} where the rate is 5 % (99 % binomial)')
    print(f"arms identical in {identical} (must be 0: else nothing was tested)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)

"""Faithful and fast training side by side: errors per target, and what is generated beside what was not seen.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/modes.py                            # validation folds
    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/modes.py --test                     # test folds
    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/modes.py --test --data carbon_dots_cu_ni_cr_no3_ex350.csv.gz

Validation folds lie inside the training part of the first of 8 folds, and schedules may be chosen on them; test folds
only tell what became of it. A file is looked for where SPECTRA_REFERENCE_DATA says. Further candidates are given as
JSON: --candidates '{"longer": {"vae": {"epochs": 100}, "cvae": {}, "mlp": {}}}', options beside those of fast mode.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spectra_core.choices import Choice, build
from spectra_core.contracts import random_stream
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.errors import TrainingError
from spectra_core.evaluation.similarity.fidelity import coverage, recall
from spectra_core.evaluation.similarity.point_clouds import CloudPair, PointCloud
from spectra_core.experiment.modes import trained
from spectra_core.generators import GENERATORS
from spectra_core.preprocessing import Standardiser
from spectra_core.regressors import REGRESSORS
from spectra_core.spectra import SpectraSet
from spectra_core.splits import k_fold
from spectra_core.training.parallel import one_blas_thread, run_in_threads

FOLDS, N_COMPONENTS, N_DRAWS = 8, 32, 4
METRICS = ("W1", "sd ratio", "recall", "coverage")
Ways = Mapping[str, Mapping[str, Choice]]


def data_of(name: str) -> SpectraSet:
    if name.startswith("simulated:"):
        return simulate(PRESETS[name.removeprefix("simulated:")], seed=0)
    from benchmarks.study_arms import measured

    return measured(name)


def ways_of(n_train: int, candidates: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Ways:
    """Return network choices by mode: faithful, fast, and candidates for it."""
    names = ("mlp", "vae", "cvae")
    fast = {name: trained(Choice(name), "fast", n_train=n_train) for name in names}
    ways = {"faithful": {name: trained(Choice(name), "faithful") for name in names}, "fast": fast}
    for way, changes in candidates.items():
        ways[way] = {name: Choice(name, {**fast[name].options, **changed}) for name, changed in changes.items()}
    return ways


def resemblance(made: np.ndarray, held_out: SpectraSet, scaling: Standardiser, directions: np.ndarray) -> list[float]:
    """Return Wasserstein-1 and ratio of standard deviations, mean over channels; recall and coverage (5 neighbours)."""
    one, other = (scaling.transform(signal) for signal in (made, held_out.signal))
    varying = other.std(axis=0) > 0
    distance = np.abs(np.sort(one, axis=0) - np.sort(other, axis=0)).mean()
    ratio = (one[:, varying].std(axis=0) / other[:, varying].std(axis=0)).mean()
    real, generated = (PointCloud((each @ directions).astype(np.float64)) for each in (other, one))
    pair = CloudPair(real, generated, held_out.axis)
    return [float(distance), float(ratio), recall(pair), coverage(pair)]


def measured(
    way: str, name: str, choice: Choice, sets: tuple[SpectraSet, SpectraSet], *, fold: int, seed: int
) -> list[dict[str, Any]]:
    """Train one member on the first of the sets, and say how it does on the other; again where it diverges."""
    try:
        return trained_and_judged(way, name, choice, sets, fold=fold, seed=seed)
    except TrainingError as error:
        print(f"fold {fold}, {way}, seed {seed}: {error} Another seed is taken.", flush=True)
        return measured(way, name, choice, sets, fold=fold, seed=seed + FOLDS)


def trained_and_judged(
    way: str, name: str, choice: Choice, sets: tuple[SpectraSet, SpectraSet], *, fold: int, seed: int
) -> list[dict[str, Any]]:
    train, held_out = sets
    start = time.thread_time()
    said = {"way": way, "member": name, "fold": fold}
    if name == "mlp":
        regressor = build(REGRESSORS, choice, "regressor").fit(train, seed=seed)
        took = time.thread_time() - start
        squares = (regressor.predict(held_out).to_numpy() - held_out.target_values) ** 2
        errors = np.sqrt(squares.mean(axis=0)) / train.target_values.std(axis=0)
        figures = dict(zip(train.target_names, errors, strict=True)) | {"all": errors.mean()}
    else:
        generator = build(GENERATORS, choice, "generator").fit(train, seed=seed)
        took = time.thread_time() - start
        scaling = Standardiser.fit(train.signal)
        scaled = scaling.transform(train.signal).astype(np.float64)
        _, vectors = np.linalg.eigh(scaled.T @ scaled)
        conditions = held_out.targets if generator.needs_conditions else None
        rng = random_stream(0, "points", fold)
        drawn = [
            generator.decode(rng.standard_normal((len(held_out), generator.n_latent)), conditions)
            for _ in range(N_DRAWS)
        ]
        found = [resemblance(made, held_out, scaling, vectors[:, -N_COMPONENTS:]) for made in drawn]
        figures = dict(zip(METRICS, np.mean(found, axis=0), strict=True))
    return [said | {"figure": key, "value": float(value), "seconds": took} for key, value in figures.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="simulated:msu_like")
    parser.add_argument("--test", action="store_true", help="train on whole training folds, look at the test folds")
    parser.add_argument("--folds", type=int, default=FOLDS, help="so many of the 8")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--candidates", type=json.loads, default={})
    parser.add_argument("--out", type=Path, help="CSV of every figure of every fold")
    options = parser.parse_args()
    spectra = data_of(options.data)
    if not options.test:
        spectra = spectra.take(k_fold(spectra.groups, FOLDS, seed=0)[0].train)
    splits = k_fold(spectra.groups, FOLDS, seed=0)[: options.folds]
    jobs = []
    for number, split in enumerate(splits):
        train, held_out = spectra.take(split.train), spectra.take(split.test)
        for way, choices in ways_of(len(train), options.candidates).items():
            for name, choice in choices.items():
                jobs.append(
                    lambda _, every=(way, name, choice, (train, held_out)), at=number: measured(
                        *every, fold=at, seed=at
                    )
                )
    with one_blas_thread():
        rows = [row for found in run_in_threads(jobs, options.workers) for row in found]
    table = pd.DataFrame(rows)
    if options.out:
        table.to_csv(options.out, index=False)
    kind = "test" if options.test else "validation"
    print(f"{options.data}, {len(splits)} {kind} folds, {len(train)} to train on; mean (standard error of the mean)\n")
    for name, of_member in table.groupby("member", sort=False):
        figures = list(dict.fromkeys(of_member["figure"]))
        heads = [name, *figures, "CPU s"]
        print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
        for way, of_way in of_member.groupby("way", sort=False):
            cells = []
            for figure in figures:
                values = of_way.loc[of_way["figure"] == figure, "value"]
                cells.append(f"{values.mean():.4f} ({values.std() / len(values) ** 0.5:.4f})")
            print(f"| {way} | " + " | ".join(cells) + f" | {of_way['seconds'].mean():.1f} |")
        print()


if __name__ == "__main__":
    main()

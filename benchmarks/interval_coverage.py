"""How many true values lie within the intervals of a calibration, on fresh simulated spectra.

Every calibration set is simulated anew, and reads 1500 other spectra of its own: with the same for all, the luck of the
300 largest would be that of all. What is predicted is kept in a folder, one file per regressor, n and set, and not done
again; intervals are made of it in seconds, so that another rule for them needs no other fits:

    python benchmarks/interval_coverage.py --sets 20 --sizes 100 400 --keep predictions
    python benchmarks/interval_coverage.py --keep predictions --show
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.calibration import calibrate
from spectra_core.calibration.conformal import OutOfFold
from spectra_core.calibration.reading import predicted
from spectra_core.choices import Choice
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.regressors import REGRESSORS
from spectra_core.spectra import SpectraSet
from spectra_core.training.fast import FastTraining

N_FRESH, LEVEL = 1500, 0.9
_SEED_OF_FRESH = 10_000


@lru_cache(maxsize=2)
def _simulated(preset: str, step: float, n: int, seed: int) -> SpectraSet:
    return simulate(replace(PRESETS[preset], step=step), n_spectra=n, seed=seed)


def choice_of(name: str, n: int) -> Choice:
    """Return the regressor as it is used; networks in the fast way."""
    fast: FastTraining | None = REGRESSORS[name].fast
    if fast is None:
        return Choice(name, {"kernels": "numba"} if "kernels" in REGRESSORS[name].__dataclass_fields__ else {})
    return Choice(name, {**fast.options, "epochs": fast.epochs(n), "kernels": "numba"})


def predictions_of(name: str, n: int, number: int, preset: str, step: float) -> dict[str, NDArray[Any]]:
    """Return what a calibration with one set predicts, as `coverage_of` takes it."""
    fresh = _simulated(preset, step, N_FRESH, _SEED_OF_FRESH + number)
    train = _simulated(preset, step, n, number)
    made = calibrate(train, regressor=choice_of(name, n), seed=number)
    value, of_folds = predicted(made, fresh)
    return {
        "labels": train.target_values,
        "held_out": made.clipped(made.held_out),
        "fold": made.fold,
        "groups": train.groups,
        "of_folds": of_folds,
        "spreads": made.spreads,
        "value": made.clipped(value),
        "true": fresh.target_values,
        "targets": np.array(train.target_names),
    }


def coverage_of(kept: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Return coverage and width of the intervals of every target, over all fresh spectra and the largest fifth."""
    rows = []
    for at, target in enumerate(kept["targets"]):
        labels, held_out, value, true = (kept[name][:, at] for name in ("labels", "held_out", "value", "true"))
        errors = OutOfFold.of(labels, held_out, kept["fold"], kept["groups"], kept["spreads"][:, at])
        low, high = errors.interval(kept["of_folds"][:, :, at], LEVEL)
        low, high = np.minimum(low, value), np.maximum(high, value)
        inside, largest = (low <= true) & (true <= high), value >= np.quantile(value, 0.8)
        rows.append((target, inside.mean(), inside[largest].mean(), (high - low).mean() / true.std(ddof=1)))
    return pd.DataFrame(rows, columns=["target", "covered", "covered_largest", "width"])


def main() -> None:
    """Run what is missing, and show what there is."""
    chosen = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    chosen.add_argument("--sets", type=int, default=20)
    chosen.add_argument("--first", type=int, default=0, help="number of the first set")
    chosen.add_argument("--sizes", type=int, nargs="+", default=[100, 400])
    chosen.add_argument("--regressors", nargs="+", default=list(REGRESSORS))
    chosen.add_argument("--preset", default="msu_like")
    chosen.add_argument("--step", type=float, default=1.0, help="between channels, in nm: wider is faster")
    chosen.add_argument("--keep", type=Path, required=True, help="folder of what is predicted")
    chosen.add_argument("--show", action="store_true")
    asked = chosen.parse_args()
    asked.keep.mkdir(parents=True, exist_ok=True)
    for number in range(asked.first, asked.first + (0 if asked.show else asked.sets)):
        for n in asked.sizes:
            for name in asked.regressors:
                file = asked.keep / f"{name}-{n}-{number}.npz"
                if not file.exists():
                    with (asked.keep / "draft").open("wb") as draft:
                        np.savez(draft, **predictions_of(name, n, number, asked.preset, asked.step))
                    (asked.keep / "draft").replace(file)
    found = []
    for file in sorted(asked.keep.glob("*.npz")):
        name, n, number = file.stem.rsplit("-", 2)
        with np.load(file) as kept:
            found.append(coverage_of(kept).assign(regressor=name, n=int(n), set=int(number)))
    rows = pd.concat(found)
    measures = ["covered", "covered_largest", "width"]
    of_sets = rows.groupby(["regressor", "n", "set"])[measures].mean()
    of_ions = rows.groupby(["regressor", "n", "target"])[measures[:2]].mean()
    grouped = of_sets.groupby(["regressor", "n"])
    shown = grouped.mean().join(grouped[measures[:2]].std().add_prefix("sd_")).assign(sets=grouped.size())
    print(shown.join(of_ions.groupby(["regressor", "n"]).min().add_prefix("least_ion_")).round(3).to_string())
    print(of_ions.unstack("target").round(3).T.to_string())


if __name__ == "__main__":
    main()

"""How many reference values lie within the intervals of a calibration, on measured spectra held out group by group.

    python benchmarks/measured_coverage.py --data solutions.csv --regressors pls ridge gaussian_process

Groups are those the importer finds; in every repetition a third of them is held out and at most so many others train.
"""

import argparse

import numpy as np
import pandas as pd

import spectra_core as sc
from spectra_core.calibration import calibrate
from spectra_core.splits import hold_out


def coverage_of(spectra: "sc.SpectraSet", name: str, most: int, seed: int) -> pd.DataFrame:
    """Return the coverage of every target, over all held-out spectra and their largest fifth of readings."""
    split = hold_out(spectra.groups, 1 / 3, seed=seed)
    groups = np.random.default_rng(seed).permutation(np.unique(spectra.groups[split.train]))
    kept = split.train[np.isin(spectra.groups[split.train], groups[:most])]
    held_out = spectra.take(split.test)
    table = calibrate(spectra.take(kept), regressor=name, seed=seed).read(held_out)
    true = held_out.target_values.ravel()
    table["covered"] = (table["low"] <= true) & (true <= table["high"])
    table["largest"] = table["value"] >= table.groupby("target")["value"].transform(lambda one: one.quantile(0.8))
    of_target = table.groupby("target", sort=False)["covered"].mean().to_frame()
    of_target["covered_largest"] = table[table["largest"]].groupby("target", sort=False)["covered"].mean()
    return of_target.assign(regressor=name, n=len(kept), n_groups=min(most, len(groups))).reset_index()


def main() -> None:
    """Repeat and print means."""
    chosen = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    chosen.add_argument("--data", nargs="+", required=True)
    chosen.add_argument("--targets", nargs="+")
    chosen.add_argument("--regressors", nargs="+", default=["pls", "ridge", "gaussian_process"])
    chosen.add_argument("--most", type=int, default=100, help="groups that train")
    chosen.add_argument("--repeats", type=int, default=5)
    asked = chosen.parse_args()
    spectra = sc.read(asked.data, targets=asked.targets)
    found = [coverage_of(spectra, name, asked.most, seed) for name in asked.regressors for seed in range(asked.repeats)]
    means = pd.concat(found).groupby(["regressor", "target"], sort=False).mean()
    print(f"{spectra!r}, {len(np.unique(spectra.groups))} groups")
    print(means.round(3).to_string())


if __name__ == "__main__":
    main()

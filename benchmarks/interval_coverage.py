"""How many true values lie within the intervals of a calibration, on fresh simulated spectra.

Every calibration set is simulated anew, and all read the same 1500 other spectra. One row is written per regressor, n,
set and target; what is in the file already is not done again:

    python benchmarks/interval_coverage.py --sets 20 --sizes 100 400 --out coverage.csv
    python benchmarks/interval_coverage.py --out coverage.csv --show
"""

import argparse
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pandas as pd

from spectra_core.calibration import calibrate
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


def coverage_of(name: str, n: int, number: int, preset: str, step: float) -> pd.DataFrame:
    """Return coverage and width of the intervals of every target, over all fresh spectra and the largest fifth."""
    fresh = _simulated(preset, step, N_FRESH, _SEED_OF_FRESH)
    train = _simulated(preset, step, n, number)
    table = calibrate(train, regressor=choice_of(name, n), seed=number).read(fresh, LEVEL)
    true = fresh.target_values.ravel()
    table["inside"] = (table["low"] <= true) & (true <= table["high"])
    table["width"] = table["high"] - table["low"]
    limit = table.groupby("target")["value"].transform(lambda values: values.quantile(0.8))
    grouped, largest = table.groupby("target", sort=False), table[table["value"] >= limit].groupby("target", sort=False)
    out = pd.DataFrame({"covered": grouped["inside"].mean(), "covered_largest": largest["inside"].mean()})
    out["width"] = grouped["width"].mean() / fresh.targets.std()
    return out.reset_index().assign(regressor=name, n=n, set=number)


def main() -> None:
    """Run what is missing, and show what there is."""
    chosen = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    chosen.add_argument("--sets", type=int, default=20)
    chosen.add_argument("--first", type=int, default=0, help="number of the first set")
    chosen.add_argument("--sizes", type=int, nargs="+", default=[100, 400])
    chosen.add_argument("--regressors", nargs="+", default=list(REGRESSORS))
    chosen.add_argument("--preset", default="msu_like")
    chosen.add_argument("--step", type=float, default=1.0, help="between channels, in nm: wider is faster")
    chosen.add_argument("--out", type=Path, required=True)
    chosen.add_argument("--show", action="store_true")
    asked = chosen.parse_args()
    known = pd.read_csv(asked.out) if asked.out.exists() else pd.DataFrame(columns=["regressor", "n", "set"])
    done = set(known[["regressor", "n", "set"]].itertuples(index=False, name=None))
    for number in range(asked.first, asked.first + (0 if asked.show else asked.sets)):
        for n in asked.sizes:
            for name in asked.regressors:
                if (name, n, number) not in done:
                    rows = coverage_of(name, n, number, asked.preset, asked.step)
                    rows.to_csv(asked.out, mode="a", header=not asked.out.exists(), index=False)
    rows = pd.read_csv(asked.out)
    measures = ["covered", "covered_largest", "width"]
    of_sets = rows.groupby(["regressor", "n", "set"])[measures].mean()
    of_ions = rows.groupby(["regressor", "n", "target"])[measures[:2]].mean()
    grouped = of_sets.groupby(["regressor", "n"])
    shown = grouped.mean().join(grouped[measures[:2]].std().add_prefix("sd_")).assign(sets=grouped.size())
    print(shown.join(of_ions.groupby(["regressor", "n"]).min().add_prefix("least_ion_")).round(3).to_string())
    print(of_ions.unstack("target").round(3).T.to_string())


if __name__ == "__main__":
    main()

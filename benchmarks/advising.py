"""What advice promises against what is measured afterwards, and how often its first remedy was the best in hindsight.

    OMP_NUM_THREADS=1 python -m benchmarks.advising --sets 20 --out FOLDER
    SPECTRA_REFERENCE_DATA=FOLDER ... python -m benchmarks.advising --real --sets 5 --out FOLDER
    python -m benchmarks.advising --out FOLDER --report

Every set is new: simulated ones are made from seeds that nothing else uses and tested on 1500 fresh spectra; of the
public ones a random part is advised on and the rest is the test. The ways are fixed beforehand (`--ways`) and given
all the time they take, so that figures do not depend on how busy the computer was. One file a set: an interrupted run
goes on where it was.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from spectra_core.contracts import NO_MEMO, random_stream
from spectra_core.datasets import read
from spectra_core.datasets.simulator import PRESETS, SimulationSettings, simulate
from spectra_core.experiment.advice import advise, usual_reference
from spectra_core.experiment.advice.choosing import root_mean_square
from spectra_core.experiment.advice.trying import fitted
from spectra_core.experiment.advice.ways import AS_NOW, ways_for
from spectra_core.experiment.fold import Fold
from spectra_core.experiment.parts import Part
from spectra_core.spectra import SpectraSet
from spectra_core.splits import Split

FIRST_SEED, TEST_SEED = 7_100_000, 7_200_000
"""Of the simulated sets; nothing else in the project uses them."""
N_TEST = 1500
REAL = (
    ("carbon dots", "carbon_dots_cu_ni_cr_no3_ex350.csv.gz", 100),
    ("nitrite and nitrate", "nitrite_nitrate_uv.csv", 130),
    ("Cu, Co, Cr, Ni", "cu_co_cr_ni_visible_as_published.csv", 64),
)
"""Name, file, and how many spectra are advised on."""
USUAL_WAYS = (
    AS_NOW,
    "Gaussian process",
    "Ridge",
    "PLS",
    "Gaussian process on first derivative",
    "Ridge on first derivative",
    "PLS on first derivative",
)
N_FOLDS, N_INNER = 5, 3
"""What advice takes where time is short."""
Made = Callable[[], tuple[SpectraSet, SpectraSet]]


def simulated(n_sets: int, n_spectra: int, step: float) -> Iterator[tuple[str, Made]]:
    """Yield the name of every simulated set, and what makes training and test spectra, a channel every `step` nm."""
    for number in range(n_sets):

        def made(number: int = number) -> tuple[SpectraSet, SpectraSet]:
            preset = SimulationSettings.from_dict({**PRESETS["msu_like"].to_dict(), "step": step})
            train = simulate(preset, n_spectra=n_spectra, seed=FIRST_SEED + number)
            test = simulate(preset, n_spectra=N_TEST, seed=TEST_SEED + number)
            return train.with_meta(origin="measured"), test  # the floor, which costs seconds, is not in question here

        yield f"simulated, {n_spectra} spectra, {step:g} nm, {number}", made


def real(n_sets: int) -> Iterator[tuple[str, Made]]:
    """Yield the same for random parts of the public sets."""
    folder = Path(os.environ["SPECTRA_REFERENCE_DATA"]) / "real"
    for name, file, n_train in REAL:
        for number in range(n_sets):

            def made(file: str = file, n_train: int = n_train, number: int = number) -> tuple[SpectraSet, SpectraSet]:
                whole = read({file: (folder / file).read_bytes()})
                rows = random_stream(FIRST_SEED, "advice", file, number).permutation(len(whole))
                return whole.take(np.sort(rows[:n_train])), whole.take(np.sort(rows[n_train:]))

            yield f"{name} {number}", made


def compared(train: SpectraSet, test: SpectraSet, names: Sequence[str]) -> pd.DataFrame:
    """Ask for advice on the training spectra, then measure every way on the test spectra.

    Returns
    -------
    DataFrame, one row per (remedy, target)
        ``place`` (0 is first), ``promised``, ``realised`` (in the target's unit), ``told``, ``verdict``, ``effect``.
    """
    reference = usual_reference(len(train) - len(train) // N_FOLDS)
    possible, _ = ways_for(train, reference, len(train))
    ways = [way for way in possible if way.name in names]
    pace = {way.name: 1.0 if way in ways else np.inf for way in possible}
    needed = len(ways) * N_FOLDS * N_INNER / 0.75 / 60.0
    found = advise(train, pace=pace, minutes=1.01 * needed, seed=1, n_workers=1, clock=lambda: 0.0)
    table = found.table[found.table["target"] != "all"]
    fold = Fold(train, 1, (0, 0, 0), NO_MEMO)
    whole = Part(Split(np.arange(len(train)), np.arange(len(test))), 0, fold, test)
    rows = []
    for place, name in enumerate(table["remedy"].unique()):
        way = next((way for way in ways if way.name == name), None)
        if way is None:
            continue
        realised = root_mean_square(fitted(way, whole)["predicted"] - test.target_values)
        own = table[table["remedy"] == name].set_index("target")
        for target, error in zip(test.target_names, realised, strict=True):
            row = {"remedy": name, "target": target, "place": place, "realised": error}
            row |= {"promised": own["promised_error"][target], "told": target in found.document["told"]}
            rows.append(row | {"verdict": own["verdict"][target], "effect": own["effect"][target]})
    return pd.DataFrame(rows)


def report(folder: Path) -> pd.DataFrame:
    """Sum up: promise over what was measured, and the first remedy's place in hindsight, kind by kind of set."""
    rows = []
    for file in sorted(folder.glob("*.csv")):
        table = pd.read_csv(file)
        table = table[table["told"]] if table["told"].any() else table
        table["log_promise"] = np.log(table["promised"] / table["realised"])
        errors = np.log(table["realised"]).groupby(table["remedy"]).mean()
        first = table[table["place"] == 0]
        mine = errors[first["remedy"].iloc[0]]
        rows.append(
            {
                "kind": file.stem.rstrip("0123456789").strip(" ,"),
                "promise, %": 100 * np.expm1(first["log_promise"].mean()),
                "worst target, %": 100 * np.expm1(first["log_promise"].abs().max()),
                "regret, %": 100 * np.expm1(mine - errors.min()),
                "change, %": 100 * np.expm1(mine - errors[AS_NOW]),
                "best": mine == errors.min(),
                "within 5 %": mine - errors.min() <= np.log(1.05),
                "first": first["remedy"].iloc[0],
            }
        )
    table = pd.DataFrame(rows)
    grouped = table.groupby("kind", sort=False)
    out = grouped[["promise, %", "regret, %", "change, %"]].median()
    out.insert(0, "sets", grouped.size())
    out.insert(2, "sd of promise", grouped["promise, %"].std())
    out["first was best, %"] = 100 * grouped["best"].mean()
    out["within 5 % of best, %"] = 100 * grouped["within 5 %"].mean()
    out["first, most often"] = grouped["first"].agg(lambda names: names.mode().iloc[0])
    return out


def main() -> None:
    """Run what is missing, or sum up what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=20, help="simulated sets, or parts of each public set (20)")
    parser.add_argument("--size", type=int, default=100, help="spectra of a simulated set (100)")
    parser.add_argument("--step", type=float, default=1.0, help="nm between channels of a simulated set (1)")
    parser.add_argument("--real", action="store_true", help="public sets in place of simulated ones")
    parser.add_argument("--ways", type=lambda text: tuple(text.split(";")), default=USUAL_WAYS, help="parted by ';'")
    parser.add_argument("--out", type=Path, required=True, help="folder: one file a set")
    parser.add_argument("--report", action="store_true", help="sum up what is there")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    if not chosen.report:
        for name, made in real(chosen.sets) if chosen.real else simulated(chosen.sets, chosen.size, chosen.step):
            file = chosen.out / f"{name}.csv"
            if not file.exists():
                table = compared(*made(), chosen.ways)
                table.to_csv(file, index=False)
                print(name, table[table["place"] == 0]["remedy"].iloc[0], flush=True)
    print(report(chosen.out).round(1).to_string())


if __name__ == "__main__":
    main()

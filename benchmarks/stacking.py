"""The stack against the study's networks, nested PLS, ridge and the Gaussian process, on sets no choice was made on.

    python -m benchmarks.stacking --out results/stacking

Fresh simulated training sets of 100 and 400 spectra, tested on 1500 others; and measured sets, read from the folder
that SPECTRA_REFERENCE_DATA names, cut into training and test part at random or by folds. The networks are the study's
in fast mode, trained for as many steps as with as many rows again; on nitrite and nitrate also in the study's own mode,
and for as many steps as with four times as many. A run that was stopped goes on where it was; what is finished is
printed as tables at the end.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from benchmarks.study_arms import CARBON_DOTS, measured
from benchmarks.study_cells import markdown
from benchmarks.study_figures import save
from spectra_core.choices import Choice, build
from spectra_core.contracts import Budget
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.experiment.modes import Mode, trained
from spectra_core.figures.theme import GREY, TARGET_COLOURS, TARGET_SYMBOLS, styled
from spectra_core.regressors import REGRESSORS
from spectra_core.spectra import SpectraSet
from spectra_core.splits import k_fold

METHODS = ("mlp", "pls", "ridge", "gaussian_process", "stack")
IN_WORDS = {"mlp": "the study's network", "pls": "PLS", "ridge": "ridge", "gaussian_process": "the Gaussian process"}
NETWORKS: dict[str, tuple[Mode, int]] = {
    "mlp": ("fast", 2),
    "mlp for longer": ("fast", 5),
    "mlp faithful": ("faithful", 2),
    "mlp faithful for longer": ("faithful", 5),
}
"""Mode, and for how many rows a training row the steps are."""
NITRITE = "nitrite/nitrate, 130"
TELLABLE = 0.95
"""A target that no method predicts with less than this share of its standard deviation is one no spectrum tells."""
BLOWN_UP = 2.0
Part = tuple[str, int, Callable[[], tuple[SpectraSet, SpectraSet]]]


def simulated(n_spectra: int, seed: int) -> tuple[SpectraSet, SpectraSet]:
    """Return a fresh training set, and the test set that all share."""
    settings = PRESETS["msu_like"]
    return simulate(settings, n_spectra=n_spectra, seed=seed), simulate(settings, n_spectra=1500, seed=70_000)


def cut(name: str, n_train: int, seed: int) -> tuple[SpectraSet, SpectraSet]:
    """Return `n_train` spectra of a measured set, and the others."""
    spectra = measured(name)
    rows = np.random.default_rng(seed).permutation(len(spectra))
    return spectra.take(np.sort(rows[:n_train])), spectra.take(np.sort(rows[n_train:]))


def fold(name: str, n_folds: int, number: int) -> tuple[SpectraSet, SpectraSet]:
    """Return the training and the test part of a fold that keeps groups together."""
    spectra = measured(name)
    split = k_fold(spectra.groups, n_folds, seed=11)[number]
    return spectra.take(split.train), spectra.take(split.test)


def parts() -> Iterator[Part]:
    """Yield set, number of the run, and what makes training and test part."""
    for n_spectra, n_sets in ((100, 6), (400, 4)):
        for run in range(n_sets):
            yield f"simulated, {n_spectra}", run, lambda n=n_spectra, run=run: simulated(n, 71_000 + 10 * n + run)
    for run in range(5):
        yield "Cu/Co/Cr/Ni, 64", run, lambda run=run: fold("cu_co_cr_ni_visible_as_published.csv", 5, run)
    for run in range(12):
        yield NITRITE, run, lambda run=run: cut("nitrite_nitrate_uv.csv", 130, 80 + run)
    for n_spectra in (100, 400):
        for run in range(3):
            yield f"carbon dots, {n_spectra}", run, lambda n=n_spectra, run=run: cut(CARBON_DOTS, n, 90 + run)


def measure(method: str, train: SpectraSet, test: SpectraSet, seed: int) -> dict[str, object]:
    """Return RMSEP per target in its standard deviations over the test part, and processor seconds."""
    mode, rows = NETWORKS.get(method, ("fast", 2))
    choice = Choice("mlp" if method in NETWORKS else method)
    regressor = build(REGRESSORS, trained(choice, mode, n_train=len(train)), "regressor")
    budget = None
    if regressor.has_steps:
        steps = Budget(epochs=regressor.epochs).total_steps(rows * len(train), regressor.batch_size)
        budget = Budget(steps=steps)
    begin = time.process_time()
    regressor.fit(train, budget=budget, seed=seed)
    seconds = time.process_time() - begin
    errors = regressor.predict(test).to_numpy() - test.target_values
    rmsep = np.sqrt((errors**2).mean(axis=0)) / test.target_values.std(axis=0)
    return {"rmsep": dict(zip(test.target_names, rmsep.tolist(), strict=True)), "seconds": round(seconds, 2)}


def told(here: pd.DataFrame) -> pd.DataFrame:
    """Return RMSEP (run and target, method) of the targets of one set that can be told."""
    errors = here.pivot_table(index=["run", "target"], columns="method", values="rmsep")
    errors = errors.reindex(columns=METHODS).dropna()
    best = np.log(errors).groupby("target").mean().min(axis=1)
    return errors[np.exp(best).reindex(errors.index.get_level_values("target")).to_numpy() < TELLABLE]


def changes(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the change of error by the stack against each method, in per cent, of what is `told`.

    Returns
    -------
    DataFrame, one row per method
        ``effect``, the geometric mean over runs and targets, and that of the best and the worst run, ``low``, ``high``.
    """
    ratios = np.log(errors[["stack"]].to_numpy() / errors[list(METHODS[:-1])])
    by_run = ratios.groupby("run").mean()
    return 100.0 * np.expm1(pd.DataFrame({"effect": ratios.mean(), "low": by_run.min(), "high": by_run.max()}))


def summary(lines: pd.DataFrame) -> str:
    """Return the change of error by the stack in per cent, geometric mean over runs and targets that can be told."""
    rows = []
    for name, here in lines.groupby("set", sort=False):
        errors = told(here)
        if errors.empty:
            continue
        cells = [f"{row.effect:+.0f} ({row.low:+.0f} to {row.high:+.0f})" for row in changes(errors).itertuples()]
        seconds = here[here["method"] == "stack"].groupby("run")["seconds"].first().median()
        runs, n_told = (errors.index.get_level_values(level).nunique() for level in ("run", "target"))
        blown = int((errors["mlp"] > BLOWN_UP).sum())
        rows.append([name, runs, f"{n_told} of {here['target'].nunique()}", *cells, f"{seconds:.0f}", blown])
    titles = [f"against {REGRESSORS[method].title}" for method in METHODS[:-1]]
    return markdown(["training set", "runs", "targets told", *titles, "processor s", "networks blown up"], rows)


def otherwise(lines: pd.DataFrame) -> str:
    """Return the change of error by the stack on nitrite and nitrate, against networks trained in all ways."""
    here = lines[(lines["set"] == NITRITE) & lines["method"].isin([*NETWORKS, "stack"])]
    errors = np.log(here.pivot_table(index=["run", "target"], columns="method", values="rmsep")).dropna()
    rows = []
    for method, (mode, times) in NETWORKS.items():
        runs = (errors["stack"] - errors[method]).groupby("run").mean()
        spread = runs.std(ddof=1) / np.sqrt(len(runs))
        cells = [f"{100 * np.expm1(value):+.0f}" for value in (runs.mean(), runs.min(), runs.max())]
        rows.append([mode, f"{times}n", len(runs), cells[0], f"{100 * spread:.0f}", f"{cells[1]} to {cells[2]}"])
    return markdown(["mode", "steps of", "runs", "mean", "standard error", "runs from, to"], rows)


def picture(lines: pd.DataFrame) -> go.Figure:
    """Draw what `changes` says of every set."""
    sets = list(dict.fromkeys(lines["set"]))
    found = pd.concat({name: changes(told(lines[lines["set"] == name])) for name in sets}, names=["set", "method"])
    figure = go.Figure()
    for number, method in enumerate(METHODS[:-1]):
        rows = found.xs(method, level="method")
        figure.add_scatter(
            x=rows["effect"],
            y=np.arange(len(sets)) + 0.17 * (number - 1.5),
            mode="markers",
            name=f"in place of {IN_WORDS[method]}",
            marker={"color": TARGET_COLOURS[number], "symbol": TARGET_SYMBOLS[number], "size": 11},
            error_x={
                "array": rows["high"] - rows["effect"],
                "arrayminus": rows["effect"] - rows["low"],
                "thickness": 1.2,
                "width": 3,
            },
        )
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_xaxes(
        title_text="Change of the error of new spectra by the stack of regressors, %: mean, best and worst run"
    )
    figure.update_yaxes(
        tickvals=list(range(len(sets))), ticktext=[f"{name} spectra" for name in sets], autorange="reversed"
    )
    styled(figure, alt="Change of error by the stack on six training sets", height=440)
    return figure.update_layout(font_size=15, margin={"l": 220, "t": 50}, legend={"y": 1.02})


def main() -> None:
    """Measure what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="where finished runs are kept")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--picture", type=Path, metavar="FOLDER", help="write stack.png into this folder, too")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    log = asked.out / "runs.jsonl"
    kept = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    done = {(line["set"], line["run"], line["method"]) for line in kept}
    for name, run, make in () if asked.report else parts():
        wanted = dict.fromkeys([*METHODS, *(NETWORKS if name == NITRITE else ())])
        missing = [method for method in wanted if (name, run, method) not in done]
        if not missing:
            continue
        try:
            train, test = make()
        except FileNotFoundError as error:
            print(f"{name}: skipped. {error}")
            continue
        for method in missing:
            line = {"set": name, "run": run, "method": method, **measure(method, train, test, run)}
            kept.append(line)
            with log.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(name, run, method, line["seconds"], "s", flush=True)
    flat = [{**line, "target": target, "rmsep": value} for line in kept for target, value in line["rmsep"].items()]
    print(summary(pd.DataFrame(flat)), otherwise(pd.DataFrame(flat)), sep="\n\n")
    if asked.picture:
        save({"stack": picture(pd.DataFrame(flat))}, asked.picture)


if __name__ == "__main__":
    main()

"""What pages say long work will take, against what it takes: seconds from the click.

    OMP_NUM_THREADS=1 python -m benchmarks.times_said [--folder FOLDER] [--only fidelity,bench]
    OMP_NUM_THREADS=1 python -m benchmarks.times_said --after 60                  # just after a minute of other work
    OMP_NUM_THREADS=1 python -m benchmarks.times_said --beside 4 --niceness 10    # beside four busy processes

Jobs as pages start them, one after another, on 100 simulated spectra in FOLDER, judgements on 400: the time as said
before the click (coarsely, and with this computer measured), a job's as said at a tenth of its way, and when its first
progress is there. How many times longer work takes beside what the computer does, as it was counted, stands in front,
with the load average of the last minute. Advice is told its minutes. The busy processes of `--beside` are of a session
each, as other programs are.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from spectra_core.choices import Choice
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.experiment import Arm, Experiment, study_experiment
from spectra_core.experiment.busy import slowdown
from spectra_core.experiment.cost import coarse_seconds, estimated_seconds
from spectra_core.experiment.pace import against_usual
from spectra_core.experiment.power import pilot_of
from spectra_core.jobs import Jobs, judging_time
from spectra_core.jobs.tasks import memo_of
from spectra_core.jobs.work import NICENESS
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from ui.demo import _ALONE

A_WHILE = 60.0
"""Seconds after which what is at work is no burst."""
THOUGHT = 30.0
"""Seconds between jobs, in which a visitor looks at what came of one."""
N_JUDGED = 400
N_SPECTRA, N_WORKERS = 100, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
Said = Callable[[], str]
Work = tuple[str, str, dict[str, Any], Said]
"""Name of the work, task, arguments, and what a page says before."""


def main(asked: argparse.Namespace) -> None:
    with beside(asked.beside, asked.niceness):
        if asked.beside:
            time.sleep(A_WHILE)
        measure(asked)


def measure(asked: argparse.Namespace) -> None:
    store, jobs = Store(asked.folder), Jobs(asked.folder)
    tell("job", "load", "counted", "said before", "progress after", "said at 10 %", "taken")
    for name, task, arguments, said in works(store):
        if asked.only and not any(word in name for word in asked.only.split(",")):
            continue
        jobs.keep_ready()  # as every run of a page does
        time.sleep(THOUGHT)
        if asked.after:
            with beside(psutil.cpu_count() or 1, 0):
                time.sleep(asked.after)
        time.sleep(0.5)
        load, told, counted = psutil.getloadavg()[0], said(), slowdown(1, NICENESS)
        first, at_tenth, taken = watched(jobs, task, arguments)
        tell(name, f"{load:.1f}", f"{counted:.1f}", told, *(f"{seconds:.1f}" for seconds in (first, at_tenth, taken)))


def tell(name: str, *cells: str) -> None:
    """Print a row."""
    print(f"{name:<26}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


@contextmanager
def beside(n_processes: int, niceness: int) -> Iterator[None]:
    """Keep processors busy meanwhile, as others do: by processes that this one did not start."""
    busy = f"import os; os.nice({niceness})\nwhile True: sum(range(10_000))"
    starter = (
        "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True, "
        "stdout=subprocess.DEVNULL).pid)"
    )
    start = [sys.executable, "-c", starter, busy]
    started = [int(subprocess.run(start, stdout=subprocess.PIPE, check=True).stdout) for _ in range(n_processes)]
    try:
        yield
    finally:
        for one in started:
            psutil.Process(one).kill()


def works(store: Store) -> Iterator[Work]:
    """Yield every kind of long work, the sets it is about being kept."""
    spectra, judged = (
        simulate(PRESETS["msu_like"], n_spectra=n, seed=seed) for n, seed in ((N_SPECTRA, 0), (N_JUDGED, 1))
    )
    made = simulate(PRESETS["msu_like"], n_spectra=N_JUDGED, seed=2).with_meta(origin="generated")
    small, data, generated = (store.save_set(one) for one in (spectra, judged, made))
    hand = {"set": data, "generated": generated}
    untold = str  # pages say nothing before
    yield (
        "demo",
        "spectra_core.jobs.demo:run_demo",
        {},
        lambda: _rounded(_ALONE * against_usual() * slowdown(1, NICENESS)),
    )
    yield "simulate", "simulate", {"preset": "msu_like", "n_spectra": 400, "seed": 7}, untold
    for epochs in (40, 160):
        options = {"epochs": epochs, "kernels": "numba"}
        arguments = {"set": small, "generator": "vae", "options": options, "seed": epochs, "held_out_share": 0.1}
        yield f"train VAE, {epochs} epochs", "train", arguments, untold
    yield "calibrate, PLS", "calibrate", {"set": data, "regressors": _chosen(judged, "pls")}, untold
    for regressors in (["pls"], ["mlp", "pls"], ["mlp_ensemble"], ["stack"]):
        design = study_experiment(
            ["Baseline", "Step-matched"], regressors=regressors, mode="fast", n_spectra=N_SPECTRA, n_folds=8,
            n_repeats=1, data=small,
        )  # fmt: skip
        if "stack" in regressors:
            design = Experiment((Arm("Baseline", "baseline"),), (Choice("stack"),), n_folds=3, data=small)
        arguments = {"set": small, "experiment": json.loads(design.to_json())}
        yield f"experiment, {' + '.join(regressors)}", "study", arguments, _before(store, design, spectra)
    design = study_experiment(["Step-matched", "Mixing"], regressors=["ridge"], mode="fast", n_folds=8, data=data)
    pilot = {"set": data, "experiment": json.loads(design.to_json())}
    yield "pilot, ridge", "pilot", pilot, _before(store, pilot_of(design), judged)
    judging = judging_time.of_judgement(N_JUDGED, N_JUDGED, judged.n_channels)
    yield "fidelity", "fidelity", hand, _before_judging(store, judging, judged)
    bench = judging_time.of_bench(N_JUDGED, judged.n_channels)
    yield "bench", "bench", {"set": data}, _before_judging(store, bench, judged)
    yield "neighbours", "neighbours", {**hand, "window": 1.0}, untold
    yield "map, t-SNE", "map", {**hand, "method": "tsne"}, untold
    yield "advise, half a minute", "advise", {"set": data, "minutes": 0.5}, lambda: "30"


def _chosen(spectra: SpectraSet, regressor: str) -> dict[str, Any]:
    return {name: {"name": regressor, "options": {}, "preprocessing": []} for name in spectra.target_names}


def _before(store: Store, design: Experiment, spectra: SpectraSet) -> Said:
    """Say what a page says at once, and what it says once this computer is measured."""
    memo = memo_of(store, "pace")

    def said() -> str:
        coarse, _ = coarse_seconds(design, spectra, N_WORKERS, memo, NICENESS)
        return f"{_rounded(coarse)}, {_rounded(estimated_seconds(design, spectra, N_WORKERS, memo, NICENESS))}"

    return said


def _before_judging(store: Store, work: judging_time.Work, spectra: SpectraSet) -> Said:
    """Say what Fidelity says at once, and what it says once this computer is measured."""
    memo = memo_of(store, "pace")

    def said() -> str:
        coarse, _ = judging_time.coarse_seconds(work, spectra, memo, NICENESS)
        judging_time.measure(spectra, memo)
        return f"{_rounded(coarse)}, {_rounded(judging_time.coarse_seconds(work, spectra, memo, NICENESS)[0])}"

    return said


def _rounded(seconds: float) -> str:
    return f"{seconds:.0f}"


def watched(jobs: Jobs, task: str, arguments: dict[str, Any]) -> tuple[float, float, float]:
    """Do a job; return when its first progress came, the whole time it told at a tenth of its way, and its time."""
    begun = time.monotonic()
    job = jobs.submit(task, arguments, task)
    first: float | None = None
    told: float | None = None
    while (record := jobs.record(job)).is_active:
        since = time.monotonic() - begun
        if record.share and first is None:
            first = since
        if record.share and record.share >= 0.1 and record.seconds_left is not None and told is None:
            told = since + record.seconds_left
        time.sleep(0.05)
    if record.state != "finished":
        sys.exit(f"The job {record.title} ended as {record.state}: {record.error}")
    unknown = float("nan")
    return first or unknown, told or unknown, time.monotonic() - begun


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # busy processes end with this one, whoever ends it
    asking = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asking.add_argument("--folder", type=Path, default=None, help="a data folder; a new one by default")
    asking.add_argument("--only", default="", help="words of the names of the work to do, parted by commas")
    asking.add_argument("--after", type=float, default=0.0, help="seconds of other work on all processors just before")
    asking.add_argument("--beside", type=int, default=0, help="busy processes meanwhile")
    asking.add_argument("--niceness", type=int, default=0, help="of the busy processes")
    asked = asking.parse_args()
    if asked.folder is None:
        asked.folder = Path(tempfile.mkdtemp())
    main(asked)

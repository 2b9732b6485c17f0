"""What pages say a training, an experiment or a judgement will take, against what it takes: seconds from the click.

    OMP_NUM_THREADS=1 python -m benchmarks.times_said [FOLDER]

Jobs as pages start them, one after another, on 100 simulated spectra in FOLDER, judgements on 400: the time as said
before the click (coarsely, and with this computer measured), a job's as said at a tenth of its way, and when its first
progress is there. The processor may be busy otherwise: what is said counts that.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.experiment import Experiment, study_experiment
from spectra_core.experiment.cost import coarse_seconds, estimated_seconds
from spectra_core.jobs import Jobs, judging_time
from spectra_core.jobs.tasks import memo_of
from spectra_core.jobs.work import NICENESS
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store

THOUGHT = 30.0
"""Seconds between jobs, in which a visitor looks at what came of one."""
N_JUDGED = 400
N_SPECTRA, N_WORKERS = 100, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def main(home: Path) -> None:
    store, jobs = Store(home), Jobs(home)
    spectra = simulate(PRESETS["msu_like"], n_spectra=N_SPECTRA, seed=0)
    fingerprint = store.save_set(spectra)
    print(f"{'job':<34}{'progress after':>15}{'said before':>13}{'said at 10 %':>14}{'taken':>8}")
    for epochs in (40, 160):
        options = {"epochs": epochs, "kernels": "numba"}
        arguments = {"set": fingerprint, "generator": "vae", "options": options, "seed": epochs, "held_out_share": 0.1}
        tell(f"train a VAE, {epochs} epochs", "", *watched(jobs, "train", arguments))
    for regressors in (["pls"], ["mlp", "pls"]):
        design = study_experiment(
            ["Baseline", "Step-matched"], regressors=regressors, mode="fast", n_spectra=N_SPECTRA, n_folds=8,
            n_repeats=1, data=fingerprint,
        )  # fmt: skip
        said = before(store, design, spectra)
        arguments = {"set": fingerprint, "experiment": json.loads(design.to_json())}
        tell(f"experiment, {' and '.join(regressors)}", said, *watched(jobs, "study", arguments))
    judged = simulate(PRESETS["msu_like"], n_spectra=N_JUDGED, seed=1)
    made = simulate(PRESETS["msu_like"], n_spectra=N_JUDGED, seed=2).with_meta(origin="generated")
    hand = {"set": store.save_set(judged), "generated": store.save_set(made)}
    for task, work in (
        ("fidelity", judging_time.of_judgement(N_JUDGED, N_JUDGED, judged.n_channels)),
        ("bench", judging_time.of_bench(N_JUDGED, judged.n_channels)),
    ):
        said = before_judging(store, work, judged)
        tell(task, said, *watched(jobs, task, {"set": hand["set"]} if task == "bench" else hand))


def before(store: Store, design: Experiment, spectra: SpectraSet) -> str:
    """Return what a page says at once, and what it says once this computer is measured."""
    memo = memo_of(store, "pace")
    coarse, _ = coarse_seconds(design, spectra, N_WORKERS, memo, NICENESS)
    return f"{coarse:.0f}, {estimated_seconds(design, spectra, N_WORKERS, memo, NICENESS):.0f}"


def before_judging(store: Store, work: judging_time.Work, spectra: SpectraSet) -> str:
    """Return what Fidelity says at once, and what it says once this computer is measured."""
    memo = memo_of(store, "pace")
    coarse, _ = judging_time.coarse_seconds(work, spectra, memo, NICENESS)
    judging_time.measure(spectra, memo)
    return f"{coarse:.0f}, {judging_time.coarse_seconds(work, spectra, memo, NICENESS)[0]:.0f}"


def watched(jobs: Jobs, task: str, arguments: dict[str, Any]) -> tuple[float, float, float]:
    """Do a job; return when its first progress came, the whole time it told at a tenth of its way, and its time."""
    jobs.keep_ready()  # as every run of a page does
    time.sleep(THOUGHT)
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


def tell(name: str, said: str, first: float, told: float, taken: float) -> None:
    print(f"{name:<34}{first:>15.1f}{said:>13}{told:>14.1f}{taken:>8.1f}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()))

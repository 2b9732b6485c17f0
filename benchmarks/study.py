"""The study, answered: whether generated spectra in a training set lower the errors of a calibration, and why.

    python -m benchmarks.study a b c --out results/study
    python -m benchmarks.study --report docs --out results/study

Part a: all arms on 3744 simulated spectra. Part b: training sets of 100, 400 and 1500 of them. Part c: measured sets,
read from the folder that SPECTRA_REFERENCE_DATA names. Part d: fresh training sets of 100 and 400, networks in fast
mode. A run that was stopped goes on where it was when the same
command is given again. `--report` writes figures, and the tables between the marks in docs/study.md, from what is
finished.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from benchmarks.study_arms import Study, Training, studies
from spectra_core.cli.shared import progress_bar, write_tables
from spectra_core.contracts import Arrays, Memo
from spectra_core.experiment import Experiment, run
from spectra_core.experiment.modes import Mode
from spectra_core.jobs.tasks import default_workers, memo_of
from spectra_core.store import Store
from spectra_core.store.files import write_at


class Counted:
    """A memo that counts what it had to compute; safe among threads."""

    def __init__(self, behind: Memo) -> None:
        self._behind, self._lock = behind, threading.Lock()
        self.asked = self.computed = 0

    def arrays(self, key: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return what is kept, or compute it."""

        def counted() -> Arrays:
            with self._lock:
                self.computed += 1
            return compute()

        with self._lock:
            self.asked += 1
        return self._behind.arrays(key, counted)


def work(study: Study, folder: Path, n_workers: int, n_stages: int | None) -> None:
    """Run the first `n_stages`, by default all; the tables of a stage replace those of the one before."""
    try:
        spectra = study.data()
    except FileNotFoundError as error:
        print(f"{study.name}: skipped. {error}", flush=True)
        return
    store, commit = Store(folder / "home"), _commit()
    for number, experiment in enumerate(study.stages[:n_stages], start=1):
        memo = Counted(memo_of(store, "study"))
        begin, processor = time.perf_counter(), time.process_time()
        finished = False
        try:
            with progress_bar() as reporter:
                found = run(experiment, spectra, reporter=reporter, memo=memo, n_workers=n_workers)
            write_tables(folder / study.name, found.tables)
            write_at(folder / study.name / "document.json", json.dumps(dict(found.document), indent=2).encode())
            write_at(folder / study.name / "experiment.json", found.experiment.to_json().encode())
            finished = True
        finally:
            facts = {
                "study": study.name,
                "stage": number,
                "stages": len(study.stages),
                "finished": finished,
                "commit": commit,
                **_cost(experiment, memo, begin, processor, n_workers),
            }
            with (folder / "runs.jsonl").open("a") as log:
                log.write(json.dumps(facts) + "\n")
            print(json.dumps(facts), flush=True)


def _only(study: Study, regressors: list[str] | None) -> Study:
    """Return a study with some of its regressors; the Gaussian process takes most of the time of large sets."""
    if not regressors:
        return study
    stages = tuple(
        replace(one, regressors=tuple(each for each in one.regressors if each.name in regressors))
        for one in study.stages
    )
    return replace(study, stages=stages)


def _cost(experiment: Experiment, memo: Counted, begin: float, processor: float, n_workers: int) -> Mapping[str, Any]:
    return {
        "arms": len(experiment.arms),
        "folds": experiment.n_splits,
        "asked": memo.asked,
        "computed": memo.computed,
        "seconds": round(time.perf_counter() - begin, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
        "peak_GiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "workers": n_workers,
        "load": round(os.getloadavg()[0], 1),
        "nice": os.nice(0),
    }


def _commit() -> str:
    """Return which code this is; empty outside a clone."""
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def main() -> None:
    """Run the parts that were named, or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="a, b, c, d, or the name of one experiment, as c-carbon-dots or b-100")
    parser.add_argument("--out", type=Path, required=True, help="where finished parts, tables and times are kept")
    parser.add_argument("--report", type=Path, metavar="DOCS", help="write figures and tables into this folder")
    parser.add_argument("--mode", choices=get_args(Mode), default="faithful", help="how networks are trained")
    parser.add_argument("--epochs", type=int, help="of every network; the mode's by default")
    parser.add_argument("--spectra", type=int, help="simulated spectra; 3744 by default")
    parser.add_argument("--stages", type=int, help="only so many of each experiment: arms that matter most come first")
    parser.add_argument(
        "--regressors", nargs="*", help="only these, as mlp pls; what is added later goes on from there"
    )
    parser.add_argument("--workers", type=int, default=default_workers())
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    parts = studies(Training(asked.mode, asked.epochs), asked.spectra)
    by_name = {study.name: [study] for group in parts.values() for study in group}
    for part in asked.parts:
        if part not in parts | by_name:
            sys.exit(f"There is no part {part!r}. Parts: {', '.join(parts)}; {', '.join(by_name)}.")
    for part in asked.parts:
        for study in (parts | by_name)[part]:
            work(_only(study, asked.regressors), asked.out, asked.workers, asked.stages)
    if asked.report:
        from benchmarks.study_report import report

        report(asked.out, asked.report)


if __name__ == "__main__":
    main()

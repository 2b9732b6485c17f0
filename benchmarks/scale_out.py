"""The same experiment in this process and on two workers of a cluster, one of which is killed: time and equality.

``python -m benchmarks.scale_out`` prints the table; it starts a scheduler and two workers on this computer.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pandas as pd

from spectra_core.cluster import Cluster
from spectra_core.contracts import Cancelled
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.experiment import ExperimentResult, run, study_experiment

N_SPECTRA, EPOCHS, N_FOLDS = 200, 5, 3


class KillAt:
    """A reporter that acts once the share done passes a bound."""

    def __init__(self, share: float, act: Callable[[], None]) -> None:
        self.share, self.act = share, act
        self.messages: list[str] = []

    def progress(self, stage: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Act once."""
        if done / total >= self.share:
            self.share = 2.0
            self.act()

    def message(self, text: str) -> None:
        """Note what is said."""
        self.messages.append(text)


@contextmanager
def cluster_of(n_workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler and workers of one thread each; yield its address and them; end all afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    options = ("--no-nanny", "--no-dashboard", "--nthreads", "1", "--memory-limit", "0")
    with tempfile.TemporaryDirectory() as scratch:
        scheduler = started(scratch, "scheduler", "--host", address, "--no-dashboard", "--no-show")
        workers = [started(scratch, "worker", address, *options) for _ in range(n_workers)]
        try:
            yield address, workers
        finally:
            for process in (*workers, scheduler):
                process.kill()
                process.wait()


def started(folder: str, *command: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *command], env=environment, stderr=subprocess.DEVNULL, cwd=folder
    )


def equal(one: ExperimentResult, other: ExperimentResult) -> bool:
    try:
        for name in one.tables:
            pd.testing.assert_frame_equal(one.tables[name], other.tables[name], check_exact=True)
    except AssertionError:
        return False
    return True


def timed(**how: Any) -> tuple[ExperimentResult, float]:
    begin = time.perf_counter()
    found = run(experiment, spectra, **how)
    return found, time.perf_counter() - begin


def stop() -> None:
    asked.append(time.perf_counter())
    raise Cancelled


if __name__ == "__main__":
    spectra = simulate(PRESETS["msu_like"], n_spectra=N_SPECTRA, seed=0)
    experiment = study_experiment(epochs=EPOCHS, n_folds=N_FOLDS)
    with cluster_of(2) as (address, workers):
        local, seconds = timed(n_workers=2)
        print(f"{spectra!r}, {len(experiment.arms)} arms, {N_FOLDS} folds, {EPOCHS} epochs")
        print(f"local, 2 threads                        {seconds:6.1f} s")
        found, seconds = timed(workforce=Cluster(address))
        print(f"2 workers, 1 thread each                {seconds:6.1f} s  same bits: {equal(local, found)}")
        asked: list[float] = []
        try:
            timed(workforce=Cluster(address), reporter=KillAt(0.2, stop))
        except Cancelled:
            print(f"cancelled; returned after               {time.perf_counter() - asked[0]:6.2f} s")
        killer = KillAt(0.4, workers[0].kill)
        found, seconds = timed(workforce=Cluster(address), reporter=killer)
        print(f"2 workers, one killed at 40 %           {seconds:6.1f} s  same bits: {equal(local, found)}")
        print("\n".join(text for text in killer.messages if "lost" in text))

"""What asking the store and the jobs costs, which every run of every page does: processor milliseconds.

    OMP_NUM_THREADS=1 python -m benchmarks.listing [N]     # N sets, results and ended jobs each

Every run lists the sets and the models once, and the jobs twice.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from spectra_core.jobs import Jobs
from spectra_core.jobs.folder import JobFolder
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet
from spectra_core.store import Store


def filled(home: Path, number: int) -> tuple[Store, Jobs]:
    """Return a store and jobs with so many sets, results and ended jobs."""
    store = Store(home)
    for seed in range(number):
        signal = np.random.default_rng(seed).random((20, 50))
        store.save_set(SpectraSet(SpectralAxis(np.arange(50.0)), signal, meta=SetMeta(f"Set {seed}")))
        store.save_result("study", {"seed": seed}, {"errors": pd.DataFrame({"rmse": [0.1]})})
        folder = JobFolder(home / "jobs" / f"{seed:032x}")
        asked = {"task": "train", "title": "Train", "arguments": {}, "attempt": 1, "sequence": seed + 1, "queued": 1}
        folder.write("job", asked | {"created": "2026-01-01T00:00:00+00:00"})
        folder.write("status", {"attempt": 1, "state": "finished", "result": {}})
    return store, Jobs(home)


def milliseconds(ask: Callable[[], object], rounds: int = 30) -> float:
    """Return the median processor time of a call, after a first one."""
    ask()
    spent = []
    for _ in range(rounds):
        begun = time.process_time()
        ask()
        spent.append(1e3 * (time.process_time() - begun))
    return median(spent)


def main(number: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        store, jobs = filled(Path(home), number)
        asked = {"sets": store.sets, "models": store.models, "results": store.results, "jobs": jobs.records}
        print(f"{number} of each; a run of a page asks for sets and models once, for jobs twice")
        for name, ask in asked.items():
            print(f"{name:<10}{milliseconds(ask):8.2f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)

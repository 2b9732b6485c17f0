"""How long physics + learned residual takes: fitted to 400 and 3744 simulated spectra, then four rows for each.

python -m benchmarks.physics_times
"""

import os
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.generators import GENERATORS

SIZES = (400, 3744)
MOST = {400: (5.0, 5.0), 3744: (60.0, 10.0)}
"""Seconds that fitting and generating may take, on two cores."""
PHYSICS = {"name": "salt_simulator", "options": {"perturbation_seed": 7}}

Value = TypeVar("Value")


def timed(work: Callable[[], Value]) -> tuple[Value, float, float]:
    """Return what `work` does, its seconds, and those of all processors."""
    begin, processor = time.perf_counter(), time.process_time()
    value = work()
    return value, time.perf_counter() - begin, time.process_time() - processor


def main() -> None:
    """Print a table."""
    print("| spectra | | s | processor s | may take, s | load |\n|---|---|---|---|---|---|")
    for size in SIZES:
        train = simulate(PRESETS["msu_like"], n_spectra=size, seed=1)
        fitted, *fitting = timed(lambda train=train: GENERATORS["physics_residual"](physics=PHYSICS).fit(train, seed=0))
        _, *making = timed(lambda fitted=fitted, size=size: fitted.generate(4 * size, np.random.default_rng(0)))
        for what, (seconds, processor), most in zip(("fit", "4n rows"), (fitting, making), MOST[size], strict=True):
            load = os.getloadavg()[0]
            print(f"| {size} | {what} | {seconds:.1f} | {processor:.1f} | {most:.0f} | {load:.1f} |", flush=True)


if __name__ == "__main__":
    main()

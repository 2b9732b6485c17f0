"""What `training.py` measures beside the ways of training: the whole fast experiment, a profile, and memory."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import training_ways as ways
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.experiment import Experiment, fast_experiment, run
from spectra_core.spectra import SpectraSet
from spectra_core.training import kernels

N_LARGE = 100_000


def whole(workers: int, repeats: int = 3) -> str:
    """Run the whole 8-fold experiment in fast mode on simulated spectra, some times over, and time it."""
    spectra = simulate(PRESETS["msu_like"], seed=0)
    arms = ["Baseline", "VAE, standard normal", "cVAE, independent concentrations"]
    experiment = fast_experiment(arms, regressors=["mlp"], n_spectra=len(spectra))
    spent = [_timed(experiment, spectra, workers) for _ in range(repeats)]
    trained, processor, total = (statistics.median(times) for times in zip(*spent, strict=True))
    each = ", ".join(f"{times[0]:.1f}" for times in spent)
    return (
        "## The whole experiment in fast mode\n\n"
        f"8 folds on simulated {len(spectra)} x {spectra.n_channels} (64 base and 128 extended regressors, 8 VAE, 8 "
        f"cVAE), {workers} workers, medians of {repeats} runs in one process: training, generating and predicting "
        f"{trained:.1f} s ({each}; {processor:.1f} s of processor time), with tables and checks {total:.1f} s.\n"
    )


def _timed(experiment: Experiment, spectra: SpectraSet, workers: int) -> tuple[float, float, float]:
    """Return seconds until all is predicted, by the clock and of the processor, and until the tables are there."""
    ends: list[float] = []

    class Clock:
        def progress(self, stage: str, done: int, total: int, values: object = None) -> None:
            if done == total and not ends:
                ends.extend((time.perf_counter(), time.process_time()))

        def message(self, text: str) -> None:
            pass

    start, start_cpu = time.perf_counter(), time.process_time()
    run(experiment, spectra, reporter=Clock(), n_workers=workers)
    return ends[0] - start, ends[1] - start_cpu, time.perf_counter() - start


def profile(_: int) -> str:
    """Time the parts of one compiled step, at the study's sizes and in fast mode, each alone and in warm caches."""
    rows = []
    for title, n_inputs in (("a regressor", 911), ("a regressor, fast mode", 64)):
        rows += [[title, part, f"{spent:.1f}"] for part, spent in _regressor_parts(n_inputs).items()]
    for title, n_channels in (("a VAE", 911), ("a VAE, fast mode", 32)):
        rows += [[title, part, f"{spent:.1f}"] for part, spent in _autoencoder_parts(n_channels).items()]
    lines = [["one step of", "part", "µs"], ["---"] * 3, *rows]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return "## Where the time goes\n\nWith numba, 32 spectra, each part alone and in warm caches.\n\n" + text + "\n"


def _layer(n_inputs: int, n_units: int) -> dict[str, Callable[[], object]]:
    """Return what is done with one layer in a step."""
    rng, number = np.random.default_rng(0), np.float32
    wide = kernels.whole(max(n_inputs, kernels.COLUMNS), kernels.COLUMNS)
    values = rng.standard_normal(n_units * (n_inputs + 1)).astype(number) / number(n_inputs**0.5)
    state = values, np.zeros_like(values), np.ones_like(values)
    place = 0, n_inputs, n_units * n_inputs, 1
    below, delta = (rng.standard_normal((n, ways.BATCH)).astype(number) for n in (n_inputs, n_units))
    rows, block = np.zeros((ways.BATCH, wide), number), np.zeros((kernels.ROWS, wide), number)
    rows[:, :n_inputs] = below.T
    out, back = (np.zeros((kernels.whole(n, kernels.ROWS), ways.BATCH), number) for n in (n_units, n_inputs))
    nought = np.zeros(max(n_inputs, n_units), number)
    pace = number(1e-9), number(1.0), (number(0.9), number(0.999), number(1e-8))
    slope = np.zeros(len(values), number)
    return {
        "forward": lambda: kernels.forward(values, place, n_units, below, out),
        "back": lambda: kernels.pull_back(values, place, n_inputs, delta, below, nought, back),
        "gradient and Adam": lambda: kernels.descend(state, place, n_inputs, delta, rows, nought, block, pace),
        "Adam": lambda: kernels.adam(state, 0, len(values), slope, pace),
    }


def _microseconds(work: Callable[[], object], repeats: int = 300) -> float:
    work()
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return 1e6 * float(np.median(spent))


def _regressor_parts(n_inputs: int) -> dict[str, float]:
    first, second, last = _layer(n_inputs, 64), _layer(64, 16), _layer(16, 1)
    upper = [part for layer in (second, last) for name, part in layer.items() if name != "Adam"]
    return {
        "first layer, forward": _microseconds(first["forward"]),
        "first layer, gradient and Adam": _microseconds(first["gradient and Adam"]),
        "of that, Adam": _microseconds(first["Adam"]),
        "other layers": sum(_microseconds(part) for part in upper),
    }


def _autoencoder_parts(n_channels: int) -> dict[str, float]:
    layers = [_layer(n_channels, 256), _layer(256, 182), _layer(91, 256), _layer(256, n_channels)]
    parts = {
        name: sum(_microseconds(layer[name]) for layer in layers[name == "back" :])
        for name in ("forward", "back", "gradient and Adam", "Adam")
    }
    parts["of that, Adam"] = parts.pop("Adam")
    return parts


def memory(_: int) -> str:
    """Train on 100,000 spectra in a process of its own, and say what it took."""
    found = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True).stdout
    return f"## Memory\n\n{found}"


def _large() -> None:
    import pandas as pd

    from spectra_core.generators.vae import VAE
    from spectra_core.regressors.mlp import MLP
    from spectra_core.spectra import SpectralAxis, SpectraSet

    rng = np.random.default_rng(0)
    signal = np.empty((N_LARGE, 911), np.float32)
    for start in range(0, N_LARGE, 1000):
        signal[start : start + 1000] = rng.standard_normal((1000, 911), dtype=np.float32)
    targets = pd.DataFrame(rng.standard_normal((N_LARGE, 8)), columns=[f"target {i}" for i in range(8)])
    spectra = SpectraSet(SpectralAxis(np.arange(911.0), "nm", "wavelength"), signal, targets)
    del signal
    peaks = [_peak()]
    for member in (MLP(epochs=2, kernels="numba", device="cpu"), VAE(epochs=2, kernels="numba", device="cpu")):
        member.fit(spectra)
        peaks.append(_peak())
    print(
        f"{N_LARGE} x 911 (float32, {N_LARGE * 911 * 4 / 1e9:.2f} GB) in one process, one worker, two epochs. Most "
        f"memory of the process: {peaks[0]:.2f} GB with the set made, {peaks[1]:.2f} GB after the regressors, "
        f"{peaks[2]:.2f} GB after the VAE."
    )


def _peak() -> float:
    """Most memory so far in GB: of this process alone, where getrusage counts what its parent held."""
    status = Path("/proc/self/status").read_text("ascii")
    (kilobytes,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) / 1e6


if __name__ == "__main__":
    _large()

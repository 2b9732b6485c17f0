"""How fast the training engine is beside the loop anybody would write in PyTorch, and beside the machine's limit.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/training.py --out docs/benchmarks.md

Natural loop, scikit-learn, JAX (where it is installed) and the engine take turns, with the rate of a large matrix
product (sgemm) measured in the same minutes, since a busy machine slows all of them. "An epoch" is one pass over
one training fold, and all regressors of the fold count as one network. The data are random numbers of the study's
size, of low rank with noise: speed does not depend on their values. Nothing but this script should be running.
"""

import argparse
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks import training_ways as ways
from spectra_core.contracts import SILENT, Reporter
from spectra_core.training.parallel import run_in_threads
from spectra_core.training.vae_shape import VaeShape

N_SPECTRA, N_CHANNELS, N_TARGETS = 3744 * 7 // 8, 911, 8
FOLDS, EPOCHS = 8, 100
CLOCKS = {"wall": (time.perf_counter, time.perf_counter), "cpu": (time.thread_time, time.process_time)}
"""For one thread and for the whole process; time of the processor tells more beside other work."""


@dataclass(frozen=True)
class Way:
    """A way of training, and how many trainings run side by side."""

    name: str
    train: ways.Train
    workers: int = 1


@dataclass(frozen=True)
class Row:
    """Medians over the rounds."""

    way: str
    workers: int
    milliseconds: float
    ratio: float
    share: float
    limit: float

    def cells(self) -> list[str]:
        """Return what the table shows."""
        return [
            self.way,
            str(self.workers),
            f"{self.milliseconds:.0f}",
            f"{self.ratio:.1f}x",
            "" if "fast" in self.way else f"{100 * self.share:.0f} %",
            f"{self.limit / 1e9:.0f}",
        ]


def problem_of(n_spectra: int, n_channels: int, n_targets: int, epochs: int) -> ways.Problem:
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((n_spectra, 20)) @ rng.standard_normal((20, n_channels)) / 20**0.5
    spectra = signal + 0.05 * rng.standard_normal((n_spectra, n_channels))
    targets = rng.standard_normal((n_spectra, n_targets))
    return ways.Problem(spectra.astype(np.float32), targets.astype(np.float32), epochs)


def flop_per_spectrum(layers: Sequence[tuple[int, int]]) -> int:
    """Products and sums of one training step: forward, weights' gradient, and inputs' gradient but of the first."""
    first, *others = (n_inputs * n_outputs for n_inputs, n_outputs in layers)
    return 4 * first + 6 * sum(others)


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    work()
    return clock() - start


def sgemm_rate(n_threads: int, clock: Callable[[], float], size: int = 1024, repeats: int = 10) -> float:
    """Rate of large float32 products in FLOP/s, one numerical thread in each of `n_threads` Python threads."""
    begin = threading.Barrier(n_threads)
    spent = []

    def multiply(_: Reporter) -> None:
        one, other, product = torch.ones(size, size), torch.ones(size, size), torch.empty(size, size)
        torch.mm(one, other, out=product)
        begin.wait()
        spent.append(seconds(lambda: [torch.mm(one, other, out=product) for _ in range(repeats)], clock))

    run_in_threads([multiply] * n_threads, n_threads)
    return sum(repeats * 2.0 * size**3 / each for each in spent)


def side_by_side(every: Sequence[Way], flop: float, options: argparse.Namespace) -> list[Row]:
    """Let all ways take turns; ratios to the first and shares of sgemm are taken within each round."""
    of_threads, of_process = CLOCKS[options.clock]
    for way in every[1:]:
        way.train(SILENT)  # compiles, fills caches
    spent: dict[Way, list[tuple[float, float, float, float]]] = {way: [] for way in every}
    for _ in range(options.repeats):
        first = None
        for way in every:
            limit = sgemm_rate(way.workers, of_threads)
            work = partial(run_in_threads, [way.train] * way.workers, way.workers) if way.workers > 1 else None
            epoch = seconds(work or partial(way.train, SILENT), of_process) / options.epochs / way.workers
            if options.clock == "cpu":
                epoch /= min(way.workers, os.cpu_count() or 1)  # as if all cores had been free
            first = first or epoch
            spent[way].append((1e3 * epoch, first / epoch, flop / epoch / limit, limit))
    return [
        Row(way.name, way.workers, *map(statistics.median, zip(*rounds, strict=True))) for way, rounds in spent.items()
    ]


def ways_for(name: str, problem: ways.Problem, workers: int) -> list[Way]:
    every: list[Way] = []
    if name == "regressors":
        natural, engine = partial(ways.natural_mlps, problem), ways.engine_mlps
        every.append(Way("natural loop", natural))
        every.append(Way("scikit-learn", partial(ways.sklearn_mlps, problem)))
        if ways.has_jax():
            every.append(Way("JAX: jit, vmap, scan; own threads", ways.jax_mlps(problem)))
    else:
        conditional = name == "cVAE"
        natural = partial(ways.natural_vae, problem, conditional=conditional)
        engine = partial(ways.engine_vae, conditional=conditional)
        every.append(Way("natural loop", natural))
    for n in sorted({1, workers}):
        every += [Way(f"engine, {k}", partial(engine, problem, kernels=k), n) for k in ("torch", "numba")]
        every.append(Way("engine, fast mode's epoch", partial(engine, problem, kernels="numba", fast=True), n))
    return every


def layers_of(name: str, problem: ways.Problem) -> tuple[list[tuple[int, int]], int]:
    _, n_channels, n_targets = problem.sizes
    if name == "regressors":
        return [(n_channels, ways.HIDDEN[0]), ways.HIDDEN, (ways.HIDDEN[1], 1)], n_targets
    n_conditions = n_targets if name == "cVAE" else 0
    return list(VaeShape(n_channels, ways.N_HIDDEN, ways.N_LATENT, n_conditions).layers.values()), 1


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def compared(options: argparse.Namespace) -> tuple[str, dict[str, list[Row]]]:
    problem = problem_of(options.spectra, N_CHANNELS, N_TARGETS, options.epochs)
    found, rows = {}, []
    for name in ("regressors", "VAE", "cVAE"):
        layers, n_networks = layers_of(name, problem)
        flop = float(options.spectra * n_networks * flop_per_spectrum(layers))
        found[name] = side_by_side(ways_for(name, problem, options.workers), flop, options)
        title = f"{N_TARGETS} regressors" if name == "regressors" else name
        rows += [[title, *row.cells()] for row in found[name]]
        print(f"{name} done", flush=True)
    heads = ["one epoch of a fold", "way", "side by side", "ms", "to natural", "share of sgemm", "sgemm, GFLOP/s"]
    return table(heads, rows), found


def whole_study(found: dict[str, list[Row]]) -> str:
    """Add epochs up to the study: per fold 8 regressors, a VAE, a cVAE, 8 regressors on each of two doubled sets."""
    rows: list[tuple[str, float]] = []
    epochs = {"regressors": 5 * EPOCHS, "VAE": EPOCHS, "cVAE": EPOCHS}  # 1 + 2 + 2 times the rows of a fold
    for way in dict.fromkeys(row.way for row in found["VAE"] if "fast" not in row.way):
        total = 0.0
        for name, n_epochs in epochs.items():
            fastest = min(row.milliseconds for row in found[name] if row.way == way)
            total += FOLDS * n_epochs * fastest / 1e3
        rows.append((way, total))
    natural = rows[0][1]
    cells = [[way, f"{total:.0f}", f"{natural / total:.1f}x"] for way, total in rows]
    return table(["whole study, from these epochs", "s", "to natural"], cells)


def scaling(options: argparse.Namespace) -> str:
    """Time one epoch of regressors by the engine with numba, one size changed at a time."""
    workers = sorted({1, options.workers, 2 * options.workers})
    usual = {"spectra": N_SPECTRA, "channels": N_CHANNELS, "regressors": N_TARGETS, "side by side": 1}
    changes: dict[str, Sequence[int]] = {
        "spectra": (500, 1000, N_SPECTRA, 10_000),
        "channels": (100, 300, N_CHANNELS, 2000),
        "regressors": (1, 4, N_TARGETS, 16),
        "side by side": workers,
    }
    rows = []
    for what, sizes in changes.items():
        for size in sizes:
            now = usual | {what: size}
            problem = problem_of(now["spectra"], now["channels"], now["regressors"], options.epochs)
            layers, n_networks = layers_of("regressors", problem)
            flop = float(now["spectra"] * n_networks * flop_per_spectrum(layers))
            way = Way("", partial(ways.engine_mlps, problem, kernels="numba"), now["side by side"])
            way.train(SILENT)
            (row,) = side_by_side([way], flop, options)
            per_spectrum = 1e3 * row.milliseconds / now["spectra"]
            rows.append([what, str(size), f"{row.milliseconds:.0f}", f"{per_spectrum:.1f}", f"{100 * row.share:.0f} %"])
    return table(["varied", "to", "ms per epoch and fold", "µs per spectrum", "share of sgemm"], rows)


def whole_fast(workers: int) -> str:
    """Run the whole 8-fold experiment in fast mode on simulated spectra, and time it."""
    from spectra_core.datasets.simulator import PRESETS, simulate
    from spectra_core.experiment import fast_experiment, run

    spectra = simulate(PRESETS["msu_like"], seed=0)
    arms = ["Baseline", "VAE, standard normal", "cVAE, independent concentrations"]
    experiment = fast_experiment(arms, regressors=["mlp"], n_spectra=len(spectra))
    ends: list[float] = []

    class Clock:
        def progress(self, stage: str, done: int, total: int, values: object = None) -> None:
            if done == total and not ends:
                ends.extend((time.perf_counter(), time.process_time()))

        def message(self, text: str) -> None:
            pass

    start, start_cpu = time.perf_counter(), time.process_time()
    run(experiment, spectra, reporter=Clock(), n_workers=workers)
    total = time.perf_counter() - start
    return (
        f"Fast mode, whole 8-fold experiment on simulated {len(spectra)} x {spectra.n_channels} (64 base and 128 "
        f"extended regressors, 8 VAE, 8 cVAE), {workers} workers: training, generating and predicting "
        f"{ends[0] - start:.1f} s ({ends[1] - start_cpu:.1f} s of processor time), with tables and checks "
        f"{total:.1f} s.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spectra", type=int, default=N_SPECTRA, help="training spectra of a fold")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--natural-threads", type=int, default=1, help="more gain nothing beside other work")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="folds at a time")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu for a machine with other work")
    parser.add_argument("--skip", nargs="*", default=[], choices=["scaling", "whole"])
    parser.add_argument("--out", type=Path, help="where to write the tables; printed in any case")
    options = parser.parse_args()
    torch.set_num_threads(options.natural_threads)  # the engine has one per worker whatever this says
    load = os.getloadavg()[0]
    side, found = compared(options)
    parts = [
        "# Benchmarks of training\n",
        f"{options.spectra} x {N_CHANNELS}, batch {ways.BATCH}, float32, torch {torch.__version__}, {os.cpu_count()} "
        f"cores; natural loop with {options.natural_threads} numerical thread(s), engine with one per worker; medians "
        f"of {options.repeats} rounds by {options.clock} time; load {load:.1f}. From `benchmarks/training.py`.\n",
        side,
        "Fast mode's epoch computes less, so it has no share. Adam is bound by memory, not by "
        "arithmetic: on a core whose sgemm is fast, the share is smaller though nothing is slower.\n",
        whole_study(found),
    ]
    if "whole" not in options.skip:
        parts.append(whole_fast(options.workers))
    if "scaling" not in options.skip:
        parts += ["## Scaling\n", scaling(options)]
    text = "\n".join(parts)
    print(text)
    if options.out:
        options.out.write_text(text, "utf-8")


if __name__ == "__main__":
    main()

"""How fast the training engine is beside the loop anybody would write in PyTorch, and beside the machine's limit.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/training.py --out docs/benchmarks.md

Natural loop, scikit-learn, JAX (where it is installed) and the engine take turns, with the rate of a large matrix
product (sgemm) measured in the same minutes, since a busy machine slows all of them. "An epoch" is one pass over
one training fold, and all regressors of the fold count as one network. The data are random numbers of the study's
size, of low rank with noise: speed does not depend on their values. Nothing but this script should be running.

It may be run in parts, a few minutes each: `--keep FILE` holds what earlier parts found, and `--parts` says which to
do now. On machines where the variables OPENBLAS_CORETYPE or OPENBLAS_L2_SIZE are set, unset them: they decide which
kernels one of the two sgemm rates is measured with.
"""

import argparse
import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks import training_costs as costs
from benchmarks import training_ways as ways
from spectra_core.contracts import SILENT, Reporter
from spectra_core.training.coordinates import signal_coordinates
from spectra_core.training.parallel import run_in_threads
from spectra_core.training.vae_shape import VaeShape

N_SPECTRA, N_CHANNELS, N_TARGETS = 3744 * 7 // 8, 911, 8
FOLDS, EPOCHS = 8, 100
ENGINE_EPOCHS = 10  # its epochs are short beside what goes before the first
PARTS = ("regressors", "VAE", "cVAE", "scaling", "whole", "profile", "memory")


@dataclass(frozen=True)
class Way:
    """A way of training, how many epochs it does, and how many trainings run side by side."""

    name: str
    train: ways.Train
    epochs: int
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
            f"{self.milliseconds:.1f}" if self.milliseconds < 100 else f"{self.milliseconds:.0f}",
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


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def sgemm_rate(n_threads: int, size: int = 1024, repeats: int = 10) -> float:
    """Rate of large float32 products in FLOP/s, one numerical thread in each of `n_threads` Python threads.

    That of torch's library or of numpy's, whichever is faster.
    """

    def rate(multiply: Callable[[Any, Any, Any], object], of: Callable[[np.ndarray], Any]) -> float:
        begin = threading.Barrier(n_threads)
        spent = []

        def work(_: Reporter) -> None:
            one, other, product = (of(np.ones((size, size), np.float32)) for _ in range(3))
            multiply(one, other, product)
            begin.wait()
            spent.append(seconds(lambda: [multiply(one, other, product) for _ in range(repeats)]))

        run_in_threads([work] * n_threads, n_threads)
        return sum(repeats * 2.0 * size**3 / each for each in spent)

    by_torch = rate(lambda a, b, out: torch.mm(a, b, out=out), torch.tensor)
    return max(by_torch, rate(lambda a, b, out: np.dot(a, b, out=out), np.array))


def side_by_side(every: Sequence[Way], flop: float, repeats: int) -> list[Row]:
    """Let all ways take turns; ratios to the first and shares of sgemm are taken within each round."""
    for way in every:
        way.train(SILENT)  # compiles, fills caches
    spent: dict[Way, list[tuple[float, float, float, float]]] = {way: [] for way in every}
    for _ in range(repeats):
        first = None
        for way in every:
            limit = sgemm_rate(way.workers)
            work = partial(run_in_threads, [way.train] * way.workers, way.workers) if way.workers > 1 else None
            epoch = seconds(work or partial(way.train, SILENT)) / way.epochs / way.workers
            first = first or epoch
            spent[way].append((1e3 * epoch, first / epoch, flop / epoch / limit, limit))
    return [
        Row(way.name, way.workers, *map(statistics.median, zip(*rounds, strict=True))) for way, rounds in spent.items()
    ]


def ways_for(name: str, problem: ways.Problem, workers: int) -> list[Way]:
    n, longer = problem.epochs, replace(problem, epochs=ENGINE_EPOCHS)
    every: list[Way] = []
    if name == "regressors":
        engine, basis = partial(ways.engine_mlps, longer), signal_coordinates(problem.spectra).basis
        every.append(Way("natural loop", partial(ways.natural_mlps, problem), n))
        every.append(Way("scikit-learn", partial(ways.sklearn_mlps, problem), n))
        if ways.has_jax():
            every.append(Way("JAX: jit, vmap, scan; own threads", ways.jax_mlps(longer), ENGINE_EPOCHS))
    else:
        conditional = name == "cVAE"
        engine = partial(ways.engine_vae, longer, conditional=conditional)
        basis = signal_coordinates(problem.spectra, most=32).mixed
        every.append(Way("natural loop", partial(ways.natural_vae, problem, conditional=conditional), n))
    for side in sorted({1, workers}):
        every += [Way(f"engine, {k}", partial(engine, kernels=k), ENGINE_EPOCHS, side) for k in ("torch", "numba")]
        every.append(
            Way("engine, fast mode's epoch", partial(engine, kernels="numba", basis=basis), ENGINE_EPOCHS, side)
        )
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


def compared(name: str, options: argparse.Namespace) -> list[Row]:
    problem = problem_of(options.spectra, N_CHANNELS, N_TARGETS, options.epochs)
    layers, n_networks = layers_of(name, problem)
    flop = float(options.spectra * n_networks * flop_per_spectrum(layers))
    return side_by_side(ways_for(name, problem, options.workers), flop, options.repeats)


def whole_study(found: dict[str, list[Row]]) -> str:
    """Add epochs up to the study: per fold 8 regressors, a VAE, a cVAE, 8 regressors on each of two doubled sets."""
    rows: list[tuple[str, float, float]] = []
    epochs = {"regressors": 5 * EPOCHS, "VAE": EPOCHS, "cVAE": EPOCHS}  # 1 + 2 + 2 times the rows of a fold
    for way in dict.fromkeys(row.way for row in found["VAE"] if "fast" not in row.way):
        total = work = 0.0
        for name, n_epochs in epochs.items():
            best = min((row for row in found[name] if row.way == way), key=lambda row: row.milliseconds)
            total += FOLDS * n_epochs * best.milliseconds / 1e3
            work += FOLDS * n_epochs * best.share * best.milliseconds / 1e3
        rows.append((way, total, work / total))
    natural = rows[0][1]
    cells = [[way, f"{total:.0f}", f"{natural / total:.1f}x", f"{100 * share:.0f} %"] for way, total, share in rows]
    return table(["whole study, from these epochs", "s", "to natural", "share of sgemm"], cells)


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
            problem = problem_of(now["spectra"], now["channels"], now["regressors"], ENGINE_EPOCHS)
            layers, n_networks = layers_of("regressors", problem)
            flop = float(now["spectra"] * n_networks * flop_per_spectrum(layers))
            train = partial(ways.engine_mlps, problem, kernels="numba")
            train(SILENT)
            (row,) = side_by_side([Way("", train, ENGINE_EPOCHS, now["side by side"])], flop, options.repeats)
            per_spectrum = 1e3 * row.milliseconds / now["spectra"]
            rows.append([what, str(size), f"{row.milliseconds:.1f}", f"{per_spectrum:.1f}", f"{100 * row.share:.0f} %"])
    return table(["varied", "to", "ms per epoch and fold", "µs per spectrum", "share of sgemm"], rows)


def libraries() -> str:
    """Say which kernels numpy's BLAS library runs here."""
    kinds = {library.get("architecture", "") for library in threadpool_info() if library["user_api"] == "blas"}
    return f"numpy's BLAS library runs its kernels for {', '.join(sorted(kinds))}"


def document(kept: dict[str, Any]) -> str:
    """Put all parts that are there into one page."""
    found = {name: [Row(**row) for row in kept[name]] for name in ("regressors", "VAE", "cVAE") if name in kept}
    rows = [
        [f"{N_TARGETS} regressors" if name == "regressors" else name, *row.cells()]
        for name, its_rows in found.items()
        for row in its_rows
    ]
    heads = ["one epoch of a fold", "way", "side by side", "ms", "to natural", "share of sgemm", "sgemm, GFLOP/s"]
    parts = ["# Benchmarks of training\n", kept["about"], table(heads, rows)]
    parts.append(
        "Fast mode's epoch computes less, so it has no share. Libraries rearrange what they multiply, which the "
        "compiled kernels need not: they may come nearer to the processor's limit than a library's large sgemm does.\n"
    )
    if len(found) == 3:
        parts.append(whole_study(found))
    parts += [kept[name] for name in PARTS if isinstance(kept.get(name), str)]
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spectra", type=int, default=N_SPECTRA, help="training spectra of a fold")
    parser.add_argument("--epochs", type=int, default=2, help="of the slow ways")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--natural-threads", type=int, default=1, help="more gain nothing beside other work")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="folds at a time")
    parser.add_argument("--parts", nargs="*", default=PARTS, choices=PARTS)
    parser.add_argument("--keep", type=Path, help="JSON file of what was found, read first and written after each part")
    parser.add_argument("--out", type=Path, help="where to write the page; printed in any case")
    options = parser.parse_args()
    torch.set_num_threads(options.natural_threads)  # the engine has one per worker whatever this says
    kept = json.loads(options.keep.read_text("utf-8")) if options.keep and options.keep.exists() else {}
    kept["about"] = (
        f"{options.spectra} x {N_CHANNELS}, batch {ways.BATCH}, float32, torch {torch.__version__}, {os.cpu_count()} "
        f"cores; natural loop with {options.natural_threads} numerical thread(s), engine with one per worker; medians "
        f"of {options.repeats} rounds by the clock on the wall. sgemm is that of torch or of numpy, whichever is "
        f"faster ({libraries()}). From `benchmarks/training.py`.\n"
    )
    for name in options.parts:
        load = os.getloadavg()[0]
        with threadpool_limits(options.natural_threads, user_api="blas"):
            if name in ("regressors", "VAE", "cVAE"):
                kept[name] = [vars(row) for row in compared(name, options)]
            elif name == "scaling":
                kept[name] = "## Scaling\n\n" + scaling(options)
            else:
                kept[name] = getattr(costs, name)(options.workers)
        print(f"{name} done; load before it {load:.1f}", flush=True)
        if options.keep:
            options.keep.write_text(json.dumps(kept, indent=1), "utf-8")
    text = document(kept)
    print(text)
    if options.out:
        options.out.write_text(text, "utf-8")


if __name__ == "__main__":
    main()

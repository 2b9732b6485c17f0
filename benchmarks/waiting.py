"""What a person waits for on the comparison pages, and what large sets take: seconds and memory, a row per question.

    OMP_NUM_THREADS=1 python -m benchmarks.waiting                    # all questions, 3744 x 911, once
    OMP_NUM_THREADS=1 python -m benchmarks.waiting --spectra 100000               # the same on large sets
    OMP_NUM_THREADS=1 python -m benchmarks.waiting --rounds 5 --only "nearest,channel tests,four shares,UMAP"
    OMP_NUM_THREADS=1 python -m benchmarks.waiting --train 100000                 # memory, one epoch of each network

Training, generated and held-out spectra are mixtures of some bands with noise; the time does not depend on what they
show. Of large sets pages and jobs look at random parts (`evaluation/sampling.py`), and so is done here. With rounds,
medians after a first one that loads and compiles. Processor seconds stand beside wall seconds, since a busy machine
slows the latter only.
"""

import argparse
import resource
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pandas as pd

from spectra_core.evaluation.channels.noise import noise_fidelity
from spectra_core.evaluation.channels.statistics import (
    channel_correlation,
    channel_differences,
    channel_statistics,
    signal_histograms,
)
from spectra_core.evaluation.examples import examples
from spectra_core.evaluation.labels.label_errors import label_errors
from spectra_core.evaluation.labels.label_honesty import label_honesty
from spectra_core.evaluation.latent.maps import latent_map, trustworthiness, umap_map
from spectra_core.evaluation.physics.checks import physics, physics_limits, physics_summary
from spectra_core.evaluation.sampling import MOST_COMPARED, MOST_JUDGED, most_asked, sampled
from spectra_core.evaluation.similarity import fidelity
from spectra_core.evaluation.similarity.bench import metric_bench
from spectra_core.evaluation.similarity.judgement import judgement
from spectra_core.evaluation.similarity.memorisation import memorisation
from spectra_core.evaluation.similarity.neighbours import copy_of, neighbours
from spectra_core.evaluation.similarity.point_clouds import CloudPair, PointCloud
from spectra_core.evaluation.suitability.outliers import outliers
from spectra_core.regressors import PLS
from spectra_core.spectra import SpectralAxis, SpectraSet


def mixtures(
    n_spectra: int, n_channels: int, seed: int, precision: type[np.floating] = np.float32, n_targets: int = 5
) -> SpectraSet:
    """Return mixtures of some components at random concentrations, with noise."""
    rng = np.random.default_rng(seed)
    positions = np.linspace(190.0, 1100.0, n_channels)
    centres, widths = np.linspace(250.0, 950.0, n_targets), np.linspace(20.0, 90.0, n_targets)
    components = np.exp(-0.5 * ((positions - centres[:, None]) / widths[:, None]) ** 2)
    concentrations = rng.uniform(size=(n_spectra, n_targets))
    # In parts, so that making them is not the peak.
    signal = np.empty((n_spectra, n_channels), dtype=precision)
    for begin in range(0, n_spectra, 5000):
        part = concentrations[begin : begin + 5000] @ components
        signal[begin : begin + 5000] = part + 1e-3 * rng.standard_normal(part.shape)
    targets = pd.DataFrame(concentrations, columns=[f"component {number}" for number in range(1, n_targets + 1)])
    return SpectraSet(SpectralAxis(positions), signal, targets)


def four_shares(sets: dict[str, SpectraSet]) -> list[float]:
    """Return precision, recall, density and coverage."""
    centre = sets["training"].signal.mean(axis=0)
    real, made = (PointCloud(sets[role].signal - centre) for role in ("training", "generated"))
    pair = CloudPair(real, made, sets["training"].axis)
    return [metric(pair) for metric in (fidelity.precision, fidelity.recall, fidelity.density, fidelity.coverage)]


ALONE = ("nearest", "channel tests", "four shares", "UMAP")
"""Parts of other questions, measured when they are asked for."""


def peak() -> float:
    """Memory of this process so far, in GB; Linux counts in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def questions_of(asked: argparse.Namespace) -> dict[str, Callable[[], object]]:
    whole = {
        "training": mixtures(asked.spectra, asked.channels, 0),
        "held-out": mixtures(max(asked.spectra // 10, 20), asked.channels, 2),
        # Decoders give double precision.
        "generated": mixtures(asked.spectra, asked.channels, 1, np.float64),
    }
    two = {role: whole[role] for role in ("training", "generated")}
    seen, judged = sampled(whole, MOST_COMPARED)[0], sampled(whole, MOST_JUDGED)[0]
    some = sampled(whole, most_asked(asked.spectra))[0]
    asking = {**whole, "generated": some["generated"]}
    floor = {"training": whole["training"], "held-out": some["held-out"]}
    return {
        "nearest": lambda: neighbours({**two, "generated": some["generated"]}),
        "channel tests": lambda: (channel_statistics(two), channel_differences(two)),
        "four shares": lambda: four_shares(two),
        "UMAP": lambda: umap_map({"training": seen["training"]}),
        "spectra": lambda: (signal_histograms(seen), examples(seen)),
        "channels": lambda: (channel_statistics(seen), channel_differences(seen), channel_correlation(seen)),
        "noise": lambda: noise_fidelity(seen),
        "copies": lambda: copy_of(whole["generated"], whole["training"]),
        "neighbours": lambda: (neighbours(asking), neighbours(floor, role="held-out")),
        "memorisation": lambda: memorisation(asking),
        "map": lambda: trustworthiness(latent_map(seen), seen),
        "judgement": lambda: judgement(judged, n_workers=asked.workers),
        "physics": lambda: physics_summary(table := physics(judged), physics_limits(table)),
        "label honesty": lambda: label_honesty(judged, PLS()),
        "outliers": lambda: outliers(judged["training"]),
        "label errors": lambda: label_errors(judged["training"]),
        "bench": lambda: metric_bench(judged["training"], n_workers=asked.workers),
    }


def compare(asked: argparse.Namespace) -> None:
    print(f"{asked.spectra} against {asked.spectra} spectra, {asked.channels} channels, {asked.workers} at once")
    print(f"{'question':<16}{'processor, s':>14}{'wall, s':>10}{'peak so far, GB':>18}")
    total = np.zeros(2)
    for name, ask in questions_of(asked).items():
        if name not in asked.only.split(",") if asked.only else name in ALONE:
            continue
        if asked.rounds > 1:
            ask()
        spent = []
        for _ in range(asked.rounds):
            begun, wall = time.process_time(), time.perf_counter()
            ask()
            spent.append((time.process_time() - begun, time.perf_counter() - wall))
        processor, waited = (median(each) for each in zip(*spent, strict=True))
        print(f"{name:<16}{processor:>14.2f}{waited:>10.2f}{peak():>18.2f}", flush=True)
        total += processor, waited
    print(f"{'all':<16}{total[0]:>14.2f}{total[1]:>10.2f}")


def train(n_spectra: int, n_channels: int, kernels: str) -> None:
    from spectra_core.generators import CVAE, VAE
    from spectra_core.regressors import MLP

    print(f"{n_spectra} spectra, {n_channels} channels, 8 targets, single precision, kernels {kernels}; one epoch each")
    print(f"{'':<12}{'s':>8}{'peak so far, GB':>18}")
    spectra = mixtures(n_spectra, n_channels, 0, n_targets=8)
    print(f"{'the data':<12}{'':>8}{peak():>18.2f}", flush=True)
    for member in (MLP, VAE, CVAE):
        begun = time.perf_counter()
        member(epochs=1, kernels=kernels, device="cpu").fit(spectra)
        print(f"{member.__name__:<12}{time.perf_counter() - begun:>8.1f}{peak():>18.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spectra", type=int, default=3744)
    parser.add_argument("--channels", type=int, default=911)
    parser.add_argument("--workers", type=int, default=2, help="halvings judged at the same time")
    parser.add_argument("--only", default="", help="questions, separated by commas")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--train", type=int, metavar="N", help="train on N spectra instead, and show the memory")
    parser.add_argument("--kernels", choices=["torch", "numba"], default="numba")
    asked = parser.parse_args()
    if asked.train is None:
        compare(asked)
    else:
        train(asked.train, asked.channels, asked.kernels)


if __name__ == "__main__":
    main()

"""What a person waits for on the comparison pages, and the memory that training on a large set takes.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/waiting.py                  # 3744 spectra of 911 channels
    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/waiting.py --train 100000   # memory, one epoch of each network

Medians of five in one process, after a first round that loads and compiles; spectra are mixtures of five bands.
"""

import argparse
import resource
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pandas as pd
from evaluation import mixtures

from spectra_core.evaluation.channels.statistics import channel_differences, channel_statistics
from spectra_core.evaluation.latent.maps import umap_map
from spectra_core.evaluation.similarity import fidelity
from spectra_core.evaluation.similarity.neighbours import neighbours
from spectra_core.evaluation.similarity.point_clouds import CloudPair, PointCloud
from spectra_core.spectra import SpectralAxis, SpectraSet

ROUNDS = 5


def four_shares(sets: dict[str, SpectraSet]) -> list[float]:
    """Return precision, recall, density and coverage."""
    centre = sets["training"].signal.mean(axis=0)
    real, made = (PointCloud(sets[role].signal - centre) for role in ("training", "generated"))
    pair = CloudPair(real, made, sets["training"].axis)
    return [metric(pair) for metric in (fidelity.precision, fidelity.recall, fidelity.density, fidelity.coverage)]


def compare(n_spectra: int, n_channels: int) -> None:
    sets = {"training": mixtures(n_spectra, n_channels, 0), "generated": mixtures(n_spectra, n_channels, 1)}
    questions: dict[str, Callable[[], object]] = {
        "neighbours": lambda: neighbours(sets),
        "channel tests": lambda: (channel_statistics(sets), channel_differences(sets)),
        "precision, recall, density, coverage": lambda: four_shares(sets),
        "UMAP of one set": lambda: umap_map({"training": sets["training"]}),
    }
    print(f"{n_spectra} against {n_spectra} spectra, {n_channels} channels; seconds, median of {ROUNDS}")
    total = 0.0
    for name, ask in questions.items():
        ask()
        rounds = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            ask()
            rounds.append(time.perf_counter() - begun)
        print(f"{name:<40}{median(rounds):>8.2f}", flush=True)
        total += median(rounds) if name != "UMAP of one set" else 0.0
    print(f"{'all but UMAP':<40}{total:>8.2f}")


def single_precision(n_spectra: int, n_channels: int) -> SpectraSet:
    """Return mixtures in single precision, made piece by piece so that making them is not what is measured."""
    rng = np.random.default_rng(0)
    components = rng.random((8, n_channels), dtype=np.float32)
    concentrations = rng.random((n_spectra, 8), dtype=np.float32)
    signal = np.empty((n_spectra, n_channels), dtype=np.float32)
    for start in range(0, n_spectra, 5000):
        rows = slice(start, start + 5000)
        noise = rng.standard_normal((len(concentrations[rows]), n_channels), dtype=np.float32)
        signal[rows] = concentrations[rows] @ components + np.float32(0.01) * noise
    targets = pd.DataFrame(concentrations.astype(np.float64), columns=[f"ion {number}" for number in range(8)])
    return SpectraSet(SpectralAxis(np.arange(190.0, 190.0 + n_channels)), signal, targets)


def train(n_spectra: int, n_channels: int, kernels: str) -> None:
    from spectra_core.generators import CVAE, VAE
    from spectra_core.regressors import MLP

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # Linux counts in kilobytes

    print(f"{n_spectra} spectra, {n_channels} channels, 8 targets, single precision, kernels {kernels}; one epoch each")
    print(f"{'':<12}{'s':>8}{'peak so far, GB':>18}")
    spectra = single_precision(n_spectra, n_channels)
    print(f"{'the data':<12}{'':>8}{peak():>18.2f}", flush=True)
    for member in (MLP, VAE, CVAE):
        begun = time.perf_counter()
        member(epochs=1, kernels=kernels, device="cpu").fit(spectra)
        print(f"{member.__name__:<12}{time.perf_counter() - begun:>8.1f}{peak():>18.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectra", type=int, default=3744)
    parser.add_argument("--channels", type=int, default=911)
    parser.add_argument("--train", type=int, metavar="N", help="train on N spectra instead, and show the memory")
    parser.add_argument("--kernels", choices=["torch", "numba"], default="numba")
    asked = parser.parse_args()
    if asked.train is None:
        compare(asked.spectra, asked.channels)
    else:
        train(asked.train, asked.channels, asked.kernels)


if __name__ == "__main__":
    main()

"""How long the numbers on the comparison pages take, one row per question, and how much memory they need.

    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/evaluation.py
    OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/evaluation.py --spectra 100000

Training, generated and held-out spectra are mixtures of five bands with noise; the time does not depend on what they
show. Of large sets pages and jobs look at random parts (`evaluation/sampling.py`), and so is done here. Processor
seconds stand beside wall seconds, since a busy machine slows the latter only.
"""

import argparse
import resource
import time
from collections.abc import Callable

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
from spectra_core.evaluation.latent.maps import latent_map, trustworthiness
from spectra_core.evaluation.physics.checks import physics, physics_limits, physics_summary
from spectra_core.evaluation.sampling import MOST_COMPARED, MOST_JUDGED, most_asked, sampled
from spectra_core.evaluation.similarity.bench import metric_bench
from spectra_core.evaluation.similarity.judgement import judgement
from spectra_core.evaluation.similarity.memorisation import memorisation
from spectra_core.evaluation.similarity.neighbours import copy_of, neighbours
from spectra_core.evaluation.suitability.outliers import outliers
from spectra_core.regressors import PLS
from spectra_core.spectra import SpectralAxis, SpectraSet


def mixtures(n_spectra: int, n_channels: int, seed: int, precision: type[np.floating] = np.float32) -> SpectraSet:
    """Return mixtures of five components at random concentrations, with noise."""
    rng = np.random.default_rng(seed)
    positions = np.linspace(190.0, 1100.0, n_channels)
    centres, widths = np.linspace(250.0, 950.0, 5), np.linspace(20.0, 90.0, 5)
    components = np.exp(-0.5 * ((positions - centres[:, None]) / widths[:, None]) ** 2)
    concentrations = rng.uniform(size=(n_spectra, 5))
    # In parts, so that making them is not the peak.
    signal = np.empty((n_spectra, n_channels), dtype=precision)
    for begin in range(0, n_spectra, 5000):
        part = concentrations[begin : begin + 5000] @ components
        signal[begin : begin + 5000] = part + 1e-3 * rng.standard_normal(part.shape)
    targets = pd.DataFrame(concentrations, columns=[f"component {number}" for number in range(1, 6)])
    return SpectraSet(SpectralAxis(positions), signal, targets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectra", type=int, default=3744)
    parser.add_argument("--channels", type=int, default=911)
    parser.add_argument("--workers", type=int, default=2, help="halvings judged at the same time")
    parser.add_argument("--only", default="", help="questions, separated by commas")
    asked = parser.parse_args()
    whole = {
        "training": mixtures(asked.spectra, asked.channels, 0),
        "held-out": mixtures(max(asked.spectra // 10, 20), asked.channels, 2),
        # Decoders give double precision.
        "generated": mixtures(asked.spectra, asked.channels, 1, np.float64),
    }
    seen, judged = sampled(whole, MOST_COMPARED)[0], sampled(whole, MOST_JUDGED)[0]
    asking = {**whole, "generated": sampled(whole, most_asked(asked.spectra))[0]["generated"]}
    floor = {"training": whole["training"], "held-out": sampled(whole, most_asked(asked.spectra))[0]["held-out"]}
    questions: dict[str, Callable[[], object]] = {
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
    chosen = [name for name in questions if not asked.only or name in asked.only.split(",")]
    print(f"{asked.spectra} against {asked.spectra} spectra, {asked.channels} channels, {asked.workers} at once")
    print(f"{'question':<16}{'processor, s':>14}{'wall, s':>10}{'peak so far, GB':>18}")
    total = [0.0, 0.0]
    for name in chosen:
        begun, wall = time.process_time(), time.perf_counter()
        questions[name]()
        spent = (time.process_time() - begun, time.perf_counter() - wall)
        # Linux counts in kilobytes.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{name:<16}{spent[0]:>14.1f}{spent[1]:>10.1f}{peak:>18.2f}", flush=True)
        total = [total[0] + spent[0], total[1] + spent[1]]
    print(f"{'all':<16}{total[0]:>14.1f}{total[1]:>10.1f}")


if __name__ == "__main__":
    main()

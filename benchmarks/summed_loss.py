"""Whether autoencoders with the summed loss train at their presets, whatever the seed.

    python -m benchmarks.summed_loss --seeds 20 --epochs 20

On the built-in simulated set of 3744 spectra, for both ready-made ways of training. A training fails where it diverges,
or where its reconstruction error per channel leaps after the third epoch or ends at more than twice the others' median.
"""

import argparse
import time

import numpy as np

from spectra_core.choices import Choice, build
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.errors import TrainingError
from spectra_core.evaluation.latent.learning import far_from_siblings
from spectra_core.experiment.modes import EXPLANATIONS, trained
from spectra_core.generators import GENERATORS

LEAP = 2.0
"""Times the error at the third epoch."""


def main() -> None:
    """Train every seed in every mode and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", choices=["vae", "cvae"], default="vae")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--epochs", type=int, help="100 in faithful mode, fewer in fast mode")
    parser.add_argument("--spectra", type=int, help="3744 by default")
    parser.add_argument("--modes", nargs="+", default=list(EXPLANATIONS), choices=list(EXPLANATIONS))
    asked = parser.parse_args()
    spectra = simulate(PRESETS["msu_like"], n_spectra=asked.spectra, seed=0)
    for mode in asked.modes:
        summed = Choice(asked.generator, {"reduction": "sum", "device": "cpu"})
        choice = trained(summed, mode, epochs=asked.epochs, n_train=len(spectra))
        ends, failed = [], []
        begin = time.process_time()
        for seed in range(asked.seeds):
            try:
                history = build(GENERATORS, choice, "generator").fit(spectra, seed=seed).history_
            except TrainingError as error:
                failed.append(f"{seed}: {error}")
                continue
            per_channel = history["reconstruction"].to_numpy() / spectra.n_channels
            if per_channel[3:].max() > LEAP * per_channel[2]:
                failed.append(f"{seed}: from {per_channel[2]:.3g} at epoch 3 to {per_channel[3:].max():.3g}")
            ends.append(per_channel[-1])
        failed += [f"one ended at {ends[row]:.3g}" for row in np.flatnonzero(far_from_siblings(ends))]
        seconds = time.process_time() - begin
        print(
            f"{mode}: {asked.seeds - len(failed)} of {asked.seeds} trained; error per channel at the end "
            f"{min(ends):.3g} to {max(ends):.3g}; {seconds:.0f} processor s; {'; '.join(failed) or 'none failed'}",
            flush=True,
        )


if __name__ == "__main__":
    main()

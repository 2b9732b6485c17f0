"""Why mixtures, a negative control, help ridge regression on simulated solutions.

    python -m benchmarks.mixing_and_ridge [--spectra 400] [--sets 4]

Change of RMSEP of 800 fresh spectra by four mixtures a training spectrum, in per cent: with saturated channels left at
one parent's reading, as is usual, or with all channels mixed; each with the penalty ridge chooses, and with that which
it chooses without mixtures.
"""

import argparse

import numpy as np
import pandas as pd

from benchmarks.study_cells import markdown
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.generators import Mixing
from spectra_core.regressors import Ridge
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.spectra_set import stack

LOOKED_AT = ("Cu2+", "Ni2+", "Fe3+", "NO3-")


def errors(ridge: Ridge, test: SpectraSet) -> dict[str, float]:
    """Return RMSEP by target."""
    missed = ridge.predict(test).to_numpy() - test.target_values
    return dict(zip(test.target_names, np.sqrt((missed**2).mean(axis=0)).tolist(), strict=True))


def shares(ridge: Ridge, train: SpectraSet) -> dict[str, float]:
    """Return the chosen penalties as shares of the largest eigenvalue, as `Ridge` counts them."""
    scaled = (train.signal - train.signal.mean(axis=0)) / train.signal.std(axis=0)
    largest = np.linalg.norm(scaled.astype(np.float64), ord=2) ** 2
    return dict(zip(train.target_names, (ridge.penalties_ / largest).tolist(), strict=True))


def one_set(n_spectra: int, seed: int, test: SpectraSet) -> pd.DataFrame:
    """Return change of error, in per cent, per target and kind of mixture, and the penalties."""
    train = simulate(PRESETS["msu_like"], n_spectra=n_spectra, seed=seed)
    plain = Ridge().fit(train)
    before, penalties = errors(plain, test), shares(plain, train)
    rows = []
    for saturation in (2.5, None):
        made = Mixing(saturation=saturation).fit(train).generate(4 * n_spectra, np.random.default_rng(seed))
        both = stack([train, made])
        ridge = Ridge().fit(both)
        after, chosen = errors(ridge, test), shares(ridge, both)
        for target in LOOKED_AT:
            share = penalties[target]
            fixed = Ridge(lowest=0.999 * share, highest=1.001 * share, n_penalties=2).fit(both)
            ratios = (after[target] / before[target], errors(fixed, test)[target] / before[target])
            cells = dict(zip(("chosen", "as without"), np.log(ratios), strict=True))
            kind = "saturated channels of one parent" if saturation else "all channels mixed"
            rows.append({"mixtures": kind, "target": target, **cells, "lower": np.log10(share / chosen[target])})
    return pd.DataFrame(rows)


def main() -> None:
    """Print the means over sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spectra", type=int, default=400)
    parser.add_argument("--sets", type=int, default=4)
    asked = parser.parse_args()
    test = simulate(PRESETS["msu_like"], n_spectra=800, seed=70_001)
    found = pd.concat([one_set(asked.spectra, 9_100 + number, test) for number in range(asked.sets)])
    rows = [
        [
            *key,
            *(f"{100 * np.expm1(part[name].mean()):+.0f}" for name in ("chosen", "as without")),
            f"{part['lower'].mean():.1f}",
        ]
        for key, part in found.groupby(["mixtures", "target"], sort=False)
    ]
    titles = ["mixtures", "target", "penalty chosen, %", "penalty as without mixtures, %", "decades lower"]
    print(markdown(titles, rows))


if __name__ == "__main__":
    main()

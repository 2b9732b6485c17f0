"""How often labels exchanged on purpose are found, and how many right ones are named, on data the method never saw.

    SPECTRA_REFERENCE_DATA=FOLDER OMP_NUM_THREADS=1 PYTHONPATH=. python benchmarks/label_errors.py

The fixed numbers of `label_errors` were chosen while looking at the published Cu, Co, Cr, Ni set, so its twelve finds
there are no test. Here they stay as they are. From each data set spectra are drawn at random; the labels of so many
of them are exchanged in random pairs; every seed draws anew. An exchange is plain where some target that the method
can read changes by more than ten spreads; two solutions that are nearly alike cannot be told apart by anything.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from spectra_core.contracts import random_stream
from spectra_core.datasets import read
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.evaluation.labels.label_errors import label_errors
from spectra_core.spectra import SpectraSet
from tests.conftest import relabelled

PLAIN = 10.0
"""Spreads that a label must change by to be plainly wrong."""
SHARES = (0.0, 0.05, 0.2)
"""Shares of the spectra that carry another one's labels."""


def data_sets() -> Iterator[tuple[str, SpectraSet]]:
    """Yield name and spectra of every set that is there."""
    folder = os.environ.get("SPECTRA_REFERENCE_DATA")
    for name, file in (
        ("carbon dots, fluorescence", "carbon_dots_cu_ni_cr_no3_ex350.csv.gz"),
        ("nitrite and nitrate, UV", "nitrite_nitrate_uv.csv"),
    ):
        path = Path(folder or "") / "real" / file
        if folder is not None and path.is_file():
            yield name, read({path.name: path.read_bytes()})
    for preset in sorted(PRESETS):
        yield f"simulated, {preset}", simulate(PRESETS[preset], n_spectra=400, seed=20261)


def exchanged(spectra: SpectraSet, share: float, rng: np.random.Generator) -> tuple[SpectraSet, np.ndarray]:
    """Return the set with the labels of random pairs exchanged, and the rows concerned, partners side by side."""
    n_pairs = round(share * len(spectra) / 2)
    rows = rng.choice(len(spectra), 2 * n_pairs, replace=False)
    targets = spectra.targets
    targets.iloc[rows] = spectra.target_values[rows.reshape(-1, 2)[:, ::-1].ravel()]
    return relabelled(spectra, targets), rows


def tried(spectra: SpectraSet, n_spectra: int, share: float, seed: int) -> dict[str, float]:
    """Exchange labels in a random part of a set and count what is named."""
    rng = random_stream(seed, "exchanged labels", n_spectra)
    part = spectra.take(np.sort(rng.choice(len(spectra), n_spectra, replace=False)))
    wrong, rows = exchanged(part, share, rng)
    table, check = label_errors(wrong)
    named = np.unique(table.loc[table["suspicious"], "sample"])
    spread = pd.Series(check.spread).drop(list(check.unreadable))
    change = np.abs(wrong.targets[spread.index] - part.targets[spread.index]) / spread
    far = change.max(axis=1).to_numpy()[rows] > PLAIN if len(spread) else np.zeros(len(rows), dtype=bool)
    changed = rows[np.abs(wrong.target_values[rows] - part.target_values[rows]).max(axis=1) > 0]
    ids = wrong.samples["id"].to_numpy(dtype=object)
    partner = dict(zip(rows.tolist(), ids[rows.reshape(-1, 2)[:, ::-1].ravel()], strict=True))
    fits = table.drop_duplicates("sample").set_index("sample")["fits_label_of"]
    return {
        "exchanged": len(changed),
        "found": int(np.isin(changed, named).sum()),
        "plain": int(far.sum()),
        "plain_found": int(np.isin(rows[far], named).sum()),
        "partner_named": sum(fits[row] == partner[row] for row in rows[far].tolist()),
        "right": n_spectra - len(changed),
        "false_alarms": int((~np.isin(named, changed)).sum()),
        "unreadable": len(check.unreadable),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="*", default=[80, 300])
    asked = parser.parse_args()
    print("| data | spectra | exchanged | found | plain ones found | partner named | right ones named | not read |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, spectra in data_sets():
        for n_spectra in asked.sizes:
            if n_spectra > len(spectra):
                continue
            for share in SHARES:
                runs = pd.DataFrame([tried(spectra, n_spectra, share, seed) for seed in range(asked.seeds)])
                total = runs.sum()
                shares = [
                    f"{total[part] / total[whole]:.0%}" if total[whole] else ""
                    for part, whole in (("found", "exchanged"), ("plain_found", "plain"), ("partner_named", "plain"))
                ]
                alarms = (
                    f"{total['false_alarms'] / total['right']:.2%}, {total['false_alarms'] / asked.seeds:.1f} a set"
                )
                unread = f"{runs['unreadable'].mean():.1f} of {spectra.n_targets}"
                print(
                    f"| {name} | {n_spectra} | {share:.0%} | {' | '.join(shares)} | {alarms} | {unread} |", flush=True
                )


if __name__ == "__main__":
    main()

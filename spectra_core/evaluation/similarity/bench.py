"""Which metric sees which defect: all metrics against generators that are known to be bad."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from spectra_core.contracts import SILENT, Reporter, derived_seed, random_stream
from spectra_core.errors import SpectraError
from spectra_core.evaluation.similarity.judgement import (
    FEWEST,
    N_REPEATS,
    Stage,
    at_once,
    beside_floor,
    chosen_metrics,
    parts,
)
from spectra_core.evaluation.similarity.known_bad import KNOWN_BAD
from spectra_core.evaluation.similarity.metrics import METRICS
from spectra_core.evaluation.similarity.point_clouds import CloudPair, PointCloud
from spectra_core.spectra import SpectraSet

NOTHING_WRONG = "nothing_wrong"
"""The control: fresh experimental spectra, in which nothing is wrong."""
_FLOOR = ""
MOST = 400
"""Spectra per set: enough to see the defects, few enough to try all of them in half a minute."""


def metric_bench(
    real: SpectraSet,
    *,
    metrics: Iterable[str] | None = None,
    n_repeats: int = N_REPEATS,
    most: int = MOST,
    seed: int = 0,
    n_workers: int = 1,
    reporter: Reporter = SILENT,
) -> pd.DataFrame:
    """Try all metrics on known-bad generators made from the person's own spectra.

    The spectra are dealt at random, whole groups at a time: one fifth plays the training set, one the unseen
    spectra, and the rest is the material of fresh spectra, from which the floor, the control and most bad
    generators are made. That is repeated `n_repeats` times; a defect counts as seen where all values lie on one
    side of all floors.

    Parameters
    ----------
    real
        At least 100 independent spectra.
    metrics, n_repeats, most, seed, n_workers
        As for `judgement`; `most` spectra per set.

    Returns
    -------
    DataFrame, one row per (defect, metric)
        ``defect`` (a name of `KNOWN_BAD`, or "nothing_wrong"), ``metric``, the columns of `judgement` from
        ``value`` to ``verdict``, ``seen``, ``n_per_set``, ``n_repeats``.

    Raises
    ------
    SpectraError
        When there are too few spectra.
    """
    names = chosen_metrics(metrics, unseen=True)
    defects = [NOTHING_WRONG, *KNOWN_BAD]
    centre = real.signal.mean(axis=0, dtype=np.float64)
    stage = Stage(reporter, "Trying the metrics", n_repeats * (len(defects) + 1))

    def tried_on(repeat: int) -> tuple[int, dict[tuple[str, str], float]]:
        rng = random_stream(seed, "bench", repeat)
        dealt = parts(real.groups, (1, 1, 3), rng)
        n = min(len(dealt[0]), len(dealt[1]), len(dealt[2]) // 3, most)
        if n < FEWEST:
            raise SpectraError(
                f"The metric bench needs at least {5 * FEWEST} independent spectra, replicates counted once; "
                f"this set gives only {n} for each of five parts."
            )
        seen, unseen = real.take(dealt[0][:n]), real.take(dealt[1][:n])
        # Three parts of fresh spectra: for the floor, and two from which bad ones are made.
        floor, material = real.take(dealt[2][:n]), real.take(dealt[2][n : 3 * n])
        clouds = [PointCloud(spectra.signal - centre) for spectra in (seen, unseen, floor)]
        pair_seed = derived_seed(seed, "bench pair", repeat)
        tried = {_FLOOR: clouds[2], NOTHING_WRONG: PointCloud(material.signal[:n] - centre)}
        for defect, bad in KNOWN_BAD.items():
            spoiled = bad.spoil(seen if bad.from_training else material, n, random_stream(seed, defect, repeat))
            tried[defect] = PointCloud(spoiled - centre)
        found = {}
        for defect, cloud in tried.items():
            pair = CloudPair(clouds[0], cloud, real.axis, clouds[1], pair_seed)
            for name in names:
                found[defect, name] = METRICS[name].compute(pair.first(METRICS[name].most))
            stage.step()
        return n, found

    repeats = at_once(tried_on, n_repeats, n_workers)
    stage.end()
    values = {case: [found[case] for _, found in repeats] for case in repeats[0][1]}
    table = pd.DataFrame(
        [
            {"defect": defect, "metric": name, **beside_floor(name, values[defect, name], values[_FLOOR, name])}
            for defect in defects
            for name in names
        ]
    )
    table["seen"] = table["verdict"].isin(["worse than real", "beyond real"])
    table["n_per_set"] = repeats[-1][0]
    table["n_repeats"] = n_repeats
    return table

"""Intervals that travel with the labels of generated spectra, as text beside the ids."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.spectra.spectra_set import SpectraSet

LABEL_LOW, LABEL_HIGH = "label low: ", "label high: "
"""Beginnings of the names of the sample columns, before the target."""


def with_label_intervals(spectra: SpectraSet, low: NDArray[np.float64], high: NDArray[np.float64]) -> SpectraSet:
    """Return the set with both ends of every label's interval, (n_spectra, n_targets) each, in the target's unit."""
    samples = spectra.samples
    for number, name in enumerate(spectra.target_names):
        for beginning, ends in ((LABEL_LOW, low), (LABEL_HIGH, high)):
            samples[f"{beginning}{name}"] = [f"{value:.15g}" for value in ends[:, number]]
    info, meta = spectra.target_info, spectra.meta
    return SpectraSet(spectra.axis, spectra.signal, spectra.targets, target_info=info, samples=samples, meta=meta)


def label_intervals(spectra: SpectraSet) -> pd.DataFrame:
    """Return the labels that carry an interval.

    Returns
    -------
    DataFrame, one row per (spectrum, target)
        ``id``, ``target``, ``value``, ``low``, ``high`` in the target's unit; no rows where labels carry none.
    """
    samples, tables = spectra.samples, []
    for number, name in enumerate(spectra.target_names):
        ends = [f"{beginning}{name}" for beginning in (LABEL_LOW, LABEL_HIGH)]
        if set(ends) <= set(samples):
            low, high = (pd.to_numeric(samples[end], errors="coerce") for end in ends)
            values = spectra.target_values[:, number]
            tables.append(pd.DataFrame({"target": name, "value": values, "low": low, "high": high}))
    if not tables:
        return pd.DataFrame(columns=["id", "target", "value", "low", "high"])
    ids = pd.concat([samples["id"]] * len(tables))
    together = pd.concat(tables).assign(id=ids)[["id", "target", "value", "low", "high"]]
    return together.sort_index(kind="stable").dropna().reset_index(drop=True)

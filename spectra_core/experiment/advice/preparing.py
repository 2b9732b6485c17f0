"""What is done to measured spectra before a calibration: suspicious labels set aside, replicates averaged."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import SpectraCoreError
from spectra_core.evaluation.labels.label_errors import label_errors
from spectra_core.spectra import SpectraSet


def suspicious_rows(spectra: SpectraSet) -> NDArray[np.int64]:
    """Return the rows with a label that does not fit its spectrum; none where labels cannot be checked."""
    try:
        table, _ = label_errors(spectra)
    except SpectraCoreError:
        return np.empty(0, dtype=np.int64)
    return np.unique(table.loc[table["suspicious"], "sample"].to_numpy(dtype=np.int64))


def set_aside(train: SpectraSet) -> SpectraSet:
    """Return the training spectra without those whose labels do not fit."""
    return train.take(np.setdiff1d(np.arange(len(train)), suspicious_rows(train)))


def has_replicates(spectra: SpectraSet) -> bool:
    """Whether spectra of one group differ while all their labels are the same."""
    groups, labels = spectra.groups, spectra.target_values
    first = np.unique(groups, return_index=True)[1][np.unique(groups, return_inverse=True)[1]]
    repeats = (spectra.signal != spectra.signal[first]).any(axis=1)
    return bool(repeats.any() and np.array_equal(labels, labels[first]))


def averaged(spectra: SpectraSet) -> tuple[SpectraSet, NDArray[np.int64]]:
    """Average the spectra of every group; labels and text are those of its first spectrum.

    Returns
    -------
    averages
        In the order of first appearance.
    number : (n_spectra,)
        The row of every spectrum's average.
    """
    _, first, inverse = np.unique(spectra.groups, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.argsort(order)[inverse]
    sums = np.zeros((len(first), spectra.n_channels))
    np.add.at(sums, number, spectra.signal)
    kept = spectra.take(first[order])
    mean = (sums / np.bincount(number)[:, None]).astype(spectra.signal.dtype)
    together = SpectraSet(
        spectra.axis,
        mean,
        pd.DataFrame(kept.target_values, columns=list(spectra.target_names)),
        target_info=spectra.target_info,
        samples=kept.samples,
        meta=spectra.meta,
    ).with_meta(
        name=f"{spectra.meta.name}, replicates averaged",
        provenance={**spectra.meta.provenance, "averaged": {"from": spectra.fingerprint, "n_spectra": len(spectra)}},
    )
    return together, np.asarray(number, dtype=np.int64)

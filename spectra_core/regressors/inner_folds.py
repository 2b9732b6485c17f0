"""Folds within the training spectra, by which a regressor chooses its own parameters."""

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.spectra_set import GENERATED
from spectra_core.splits import Split, k_fold


def inner_groups(train: SpectraSet) -> NDArray[np.int64]:
    """Return the group of every row, (n_spectra,): what must not be divided when parameters are chosen.

    Replicates and exact duplicates share a group, and a generated spectrum shares that of the training spectrum
    named as its parent: it shows whoever is judged by the parent what the answer is. A mixture ("3 + 7") stays with
    the parent named first, of which it holds most; keeping it from both would tie all spectra into one group.
    """
    groups = np.array(train.groups)
    samples = train.samples
    if "parent" not in samples:
        return groups
    own = samples["parent"] == ""
    row_of = {name: row for row, name in enumerate(samples["id"]) if own.iloc[row]}
    for row, parents in enumerate(samples["parent"]):
        parent = parents if parents in row_of else parents.split(" + ")[0]
        if parent in row_of:
            groups[row] = groups[row_of[parent]]
    return groups


def measured_rows(train: SpectraSet) -> NDArray[np.bool_]:
    """Return which rows (n_spectra,) are no generated ones: errors on these alone choose a parameter.

    A generated spectrum agrees with its label because a model said so; whoever is judged by it is judged by that model.
    """
    samples = train.samples
    if GENERATED not in samples:
        return np.ones(len(train), dtype=bool)
    return (samples[GENERATED] != "yes").to_numpy()


def inner_folds(train: SpectraSet, n_folds: int, seed: int) -> list[Split]:
    """Divide the measured training rows into at most `n_folds` folds of whole groups.

    Generated rows are never tested. They train in all folds, but for those whose parent is left out.

    Raises
    ------
    SpectraError
        When all spectra are of one group.
    """
    groups, measured = inner_groups(train), np.flatnonzero(measured_rows(train))
    n_groups = len(np.unique(groups[measured]))
    require_groups(n_groups, train)
    splits = []
    for split in k_fold(groups[measured], min(n_folds, n_groups), seed=seed):
        test = measured[split.test]
        splits.append(Split(np.flatnonzero(~np.isin(groups, groups[test])), test, split.repeat, split.fold))
    return splits


def require_groups(n_groups: int, train: SpectraSet) -> None:
    """Refuse spectra that are all replicates of one sample."""
    if n_groups < 2:
        raise SpectraError(
            f"All {len(train)} training spectra are of one group or identical, so nothing can be learned from "
            "their differences. Give spectra of at least two different samples."
        )

"""Folds within the training spectra, by which a regressor chooses its own parameters."""

from collections.abc import Container

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
    rows_of = _rows_by_id(train)
    for row, parents in enumerate(samples["parent"]):
        own = rows_of.get(_parent(parents, rows_of), [])
        if own and parents:
            # Where several spectra have that id, any of them may be the parent.
            groups[np.isin(groups, groups[own])] = groups[own[0]]
            groups[row] = groups[own[0]]
    return groups


def n_parentless(generated: SpectraSet, measured: SpectraSet) -> int:
    """Return how many generated spectra name none of the measured ones as their parent."""
    if "parent" not in generated.samples:
        return len(generated)
    ids = dict.fromkeys(measured.samples["id"])
    return sum(_parent(parents, ids) not in ids or not parents for parents in generated.samples["parent"])


def _rows_by_id(train: SpectraSet) -> dict[str, list[int]]:
    """Return the measured rows by their id; generated ones are numbered anew, and may have the same."""
    samples = train.samples
    rows: dict[str, list[int]] = {}
    for row in np.flatnonzero((samples["parent"] == "").to_numpy() & measured_rows(train)).tolist():
        rows.setdefault(samples["id"].iloc[row], []).append(row)
    return rows


def _parent(parents: str, known: Container[str]) -> str:
    """Return the parent that a row goes with: of a mixture the first."""
    return parents if parents in known else parents.split(" + ", maxsplit=1)[0]


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

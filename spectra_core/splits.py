"""Which spectra train and which test: hold-out and repeated k-fold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import random_stream
from spectra_core.errors import ConfigError


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of one training and one test part.

    Parameters
    ----------
    train, test
        Rows of each part, ascending, without common members.
    repeat, fold
        Which repetition and which fold of it.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    repeat: int = 0
    fold: int = 0


def k_fold(groups: NDArray[np.int64], n_folds: int, *, seed: int, n_repeats: int = 1) -> list[Split]:
    """Split rows into `n_folds` test parts per repetition, keeping groups together.

    Groups are shuffled, then each goes, largest first, to the fold with the fewest rows so far: fold sizes
    differ by at most one row where every group has one member.

    Parameters
    ----------
    groups : (n_spectra,)
        Group number per row, as in `SpectraSet.groups`.
    n_folds
        Test parts per repetition, at least 2.
    seed
        Decides the shuffling.
    n_repeats
        How often the whole division is repeated with another shuffling.

    Returns
    -------
    list of Split
        Ordered by repetition, then fold.

    Raises
    ------
    ConfigError
        When there are fewer groups than folds.
    """
    n_groups = len(np.unique(groups))
    if n_folds < 2:
        raise ConfigError(f"Cross-validation needs at least 2 folds, got {n_folds}.")
    if n_repeats < 1:
        raise ConfigError(f"Cross-validation needs at least 1 repetition, got {n_repeats}.")
    if n_groups < n_folds:
        raise ConfigError(
            f"{n_folds} folds need at least {n_folds} independent spectra, but the set has {n_groups} "
            f"(of {len(groups)} spectra, replicates counted once). Use fewer folds or more spectra."
        )
    splits = []
    for repeat in range(n_repeats):
        fold_of_row = _deal_groups(groups, n_folds, random_stream(seed, "k-fold", repeat))
        for fold in range(n_folds):
            in_test = fold_of_row == fold
            splits.append(Split(np.flatnonzero(~in_test), np.flatnonzero(in_test), repeat=repeat, fold=fold))
    return splits


def hold_out(groups: NDArray[np.int64], share: float, *, seed: int) -> Split:
    """Keep about `share` of the rows for testing, whole groups at a time.

    Raises
    ------
    ConfigError
        When `share` is not between 0 and 1, or leaves one part empty.
    """
    if not 0 < share < 1:
        raise ConfigError(f"The held-out share lies between 0 and 1, got {share:g}.")
    names = np.unique(groups)
    shuffled = random_stream(seed, "hold-out").permutation(names)
    sizes = np.array([np.count_nonzero(groups == name) for name in shuffled])
    wanted = max(1, round(share * len(groups)))
    n_chosen = int(np.searchsorted(np.cumsum(sizes), wanted)) + 1
    in_test = np.isin(groups, shuffled[:n_chosen])
    if in_test.all():
        raise ConfigError(
            f"Holding out {share:g} of {len(groups)} spectra leaves none to train on. "
            "Use a smaller share or more independent spectra."
        )
    return Split(np.flatnonzero(~in_test), np.flatnonzero(in_test))


def _deal_groups(groups: NDArray[np.int64], n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    names, row_group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = rng.permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(n_folds, dtype=np.int64)
    fold_of_group = np.empty(len(names), dtype=np.int64)
    for group in order:
        fold = int(np.argmin(filled))
        fold_of_group[group] = fold
        filled[fold] += sizes[group]
    dealt: NDArray[np.int64] = fold_of_group[row_group]
    return dealt

"""Which spectra of a large set are looked at: a random part, the same at every visit, whose size is told."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import random_stream
from spectra_core.spectra import SpectraSet

MOST_COMPARED = 5000
"""Spectra per role that pages compare and maps show."""
MOST_JUDGED = 10_000
"""Spectra per role that a judgement in the background, and the search for outliers and wrong labels, look at."""
MOST_PAIRS = 100_000_000
"""Pairs of spectra whose distance is computed when neighbours are searched: some seconds at a thousand channels."""
FEWEST_ASKED = 1000


def sampled_rows(n_spectra: int, role: str, most: int, seed: int = 0) -> NDArray[np.int64]:
    """Return at most `most` of `n_spectra` rows, rising; all of them where they are no more.

    Every row is as likely as another; which ones depends on the seed, the role and the number of spectra only.
    """
    if n_spectra <= most:
        return np.arange(n_spectra)
    return np.sort(random_stream(seed, "sample", role).choice(n_spectra, most, replace=False))


def sampled(
    sets: Mapping[str, SpectraSet], most: int, seed: int = 0
) -> tuple[dict[str, SpectraSet], dict[str, NDArray[np.int64]]]:
    """Cut every role down to `most` spectra.

    Returns
    -------
    sets : dict
        Spectra by role; a set that is small enough is itself.
    rows : dict
        Rows (n_spectra,) of the role's whole set, rising.
    """
    rows = {role: sampled_rows(len(spectra), role, most, seed) for role, spectra in sets.items()}
    return {
        role: spectra if len(rows[role]) == len(spectra) else spectra.take(rows[role]) for role, spectra in sets.items()
    }, rows


def most_asked(n_pool: int) -> int:
    """Return for how many spectra neighbours are searched among `n_pool`: the pool is never cut, or copies are missed.

    >>> most_asked(5000), most_asked(100_000), most_asked(1_000_000)
    (20000, 1000, 1000)
    """
    return max(FEWEST_ASKED, MOST_PAIRS // max(n_pool, 1))

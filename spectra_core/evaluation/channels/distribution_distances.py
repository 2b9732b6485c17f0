"""How far the distributions of two samples lie apart, for many channels at once.

Every function takes ascending rows, one channel a row, and needs each sample sorted once.
"""

import numpy as np
from numpy.typing import NDArray

from spectra_core.evaluation.row_blocks import by_blocks

MOST_EXACT = 140
"""Up to this size `scipy.stats.kstwo` has methods of its own for every distance (Simard & L'Ecuyer 2011)."""
TAIL_FROM = 2.2
"""n D^2 from which the two-sided probability is twice the one-sided, beyond double precision (the same)."""
TERMS_AT_ONCE = 250_000
"""Terms of the one-sided distribution that one thread sums at once: they stay near the processor."""


def wasserstein(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first Wasserstein distance of every row, (n_rows,), in the unit of the values.

    The area between the two quantile functions. These are steps, and where they step depends on the sizes of
    the samples alone: the same for every row.

    Parameters
    ----------
    one, other : (n_rows, n_one), (n_rows, n_other)
        Ascending rows.
    """
    n_one, n_other = one.shape[1], other.shape[1]
    # Ends of the steps in units of 1 / (n_one n_other), so that they are whole numbers.
    ends = np.union1d(np.arange(1, n_one + 1) * n_other, np.arange(1, n_other + 1) * n_one)
    # Rows lie one after the other and are summed, not multiplied with a vector: rounding would depend on their number.
    gap = np.abs(one.take((ends - 1) // n_other, axis=1) - other.take((ends - 1) // n_one, axis=1))
    gap *= np.diff(ends, prepend=0) / (n_one * n_other)
    area: NDArray[np.float64] = gap.sum(axis=1)
    return area


def kolmogorov_smirnov(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest distance between the distribution functions of every row, (n_rows,), from 0 to 1.

    Parameters
    ----------
    one, other : (n_rows, n_one), (n_rows, n_other)
        Ascending rows.
    """
    fewer, more = (one, other) if one.shape[1] <= other.shape[1] else (other, one)
    n_fewer, n_more = fewer.shape[1], more.shape[1]
    below, upto = np.arange(n_fewer) / n_fewer, np.arange(1, n_fewer + 1) / n_fewer
    largest = np.empty(len(one))
    for row, (few, many) in enumerate(zip(fewer, more, strict=True)):
        # The distance is largest just before or just after a value of the smaller sample. Among equal values
        # the first and the last decide: those between lie nearer to the other distribution function.
        before = np.searchsorted(many, few, side="left") / n_more - below
        after = upto - np.searchsorted(many, few, side="right") / n_more
        largest[row] = max(before.max(), after.max())
    return largest


def kolmogorov_smirnov_p(distance: NDArray[np.float64], n_one: int, n_other: int) -> NDArray[np.float64]:
    """Return the two-sided p-value of distances between samples of `n_one` and `n_other` values.

    From the exact distribution of one sample of n = n_one n_other / (n_one + n_other) values (Simard &
    L'Ecuyer, J Stat Softw 2011). Far in its tail scipy sums with twice the digits, a millisecond each; here the
    terms of all distances are summed together.
    """
    from scipy import stats

    n = round(n_one * n_other / (n_one + n_other))
    in_tail = (n > MOST_EXACT) & (n * distance**2 >= TAIL_FROM)
    p = np.empty(len(distance))
    values, places = np.unique(distance[~in_tail], return_inverse=True)  # few: multiples of 1 / (n_one n_other)
    p[~in_tail] = stats.kstwo.sf(values, n)[places]
    p[in_tail] = 2 * _one_sided_p(distance[in_tail], n)
    return np.clip(p, 0.0, 1.0)


def _one_sided_p(distance: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """P(D+ >= d) = d sum_v C(n, v) (d + v/n)^(v - 1) (1 - d - v/n)^(n - v), Birnbaum & Tingey, Ann Math Stat 1951."""
    from scipy import special

    v = np.arange(n)
    log_choices = special.gammaln(n + 1) - special.gammaln(v + 1) - special.gammaln(n - v + 1)
    p = np.empty(len(distance))

    def add_up(block: slice) -> None:
        place = distance[block, None] + v / n
        inside = place < 1
        place[~inside] = 0.5  # any, the term is left out
        terms = np.exp(log_choices + (v - 1) * np.log(place) + (n - v) * np.log1p(-place))
        p[block] = distance[block] * np.where(inside, terms, 0.0).sum(axis=1)

    by_blocks(len(distance), max(1, TERMS_AT_ONCE // n), add_up)
    return p

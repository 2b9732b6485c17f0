"""Whether generated spectra look like experimental ones (fidelity) and leave none out (coverage): neighbourhoods.

Every function takes a `CloudPair` and returns one number. Balls around spectra reach to their k-th nearest
neighbour in the same set, k = 5 as in Naeem et al. (2020).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectra_core.evaluation.similarity.point_clouds import CloudPair, PointCloud

K = 5
"""Neighbours that a ball reaches to."""
LEVELS = np.linspace(0.0, 1.0, 31)[1:]
"""Shares alpha and beta at which supports are compared."""


def precision(pair: CloudPair) -> float:
    """Share of generated spectra inside the ball of any real one (Kynkäänniemi et al., NeurIPS 2019)."""
    return float((pair.between <= pair.real.to_neighbour(K)[None, :]).any(axis=1).mean())


def recall(pair: CloudPair) -> float:
    """Share of real spectra inside the ball of any generated one (Kynkäänniemi et al., NeurIPS 2019)."""
    return float((pair.between <= pair.generated.to_neighbour(K)[:, None]).any(axis=0).mean())


def density(pair: CloudPair) -> float:
    """Mean number of real balls that hold a generated spectrum, over k (Naeem et al., ICML 2020); may exceed 1."""
    return float((pair.between <= pair.real.to_neighbour(K)[None, :]).sum(axis=1).mean() / K)


def coverage(pair: CloudPair) -> float:
    """Share of real balls that hold a generated spectrum (Naeem et al., ICML 2020)."""
    return float((pair.between <= pair.real.to_neighbour(K)[None, :]).any(axis=0).mean())


def clipped_density(pair: CloudPair) -> float:
    """Density whose balls are no wider than the median one and to which no spectrum adds more than 1.

    Divided by the same of the real spectra among themselves, at most 1 (Salvy, Talbot, Thirion,
    arXiv 2507.01761, 2025): the share of good spectra. NaN where real spectra lie in no ball but their own.
    """
    radius = pair.real.to_neighbour(K)
    radius = np.minimum(radius, np.median(radius))
    own = np.minimum(((pair.real.within <= radius[None, :]).sum(axis=1) - 1) / K, 1.0).mean()
    of_generated = np.minimum((pair.between <= radius[None, :]).sum(axis=1) / K, 1.0).mean()
    return float(min(of_generated / own, 1.0)) if own > 0 else float("nan")


def clipped_coverage(pair: CloudPair) -> float:
    """Mean filling of real balls, each full with k generated spectra, as the share of good spectra.

    Salvy, Talbot, Thirion (arXiv 2507.01761, 2025): the number of m good spectra in a ball that reaches to the
    k-th of n - 1 neighbours is beta-binomial (m, k, n - k), whatever the distribution. The share is the m / n
    that would fill the balls as much on average, at most 1.
    """
    filled = np.minimum((pair.between <= pair.real.to_neighbour(K)[None, :]).sum(axis=0) / K, 1.0).mean()
    expected = _fillings(len(pair.generated), len(pair.real))
    return float(np.interp(filled, expected, np.arange(len(expected))) / len(pair.generated))


@lru_cache(maxsize=16)
def _fillings(most: int, n_real: int) -> NDArray[np.float64]:
    """Return the mean filling by 0 to `most` good spectra; the same for all pairs of one judgement."""
    return expected_filling(np.arange(most + 1), n_real)


def expected_filling(n_good: NDArray[np.int64], n_real: int) -> NDArray[np.float64]:
    """Return the mean filling of balls by `n_good` spectra of the real distribution: E min(1, N / k)."""
    from scipy import stats

    missing = np.zeros(len(n_good))
    for found in range(K):
        missing += (K - found) * stats.betabinom.pmf(found, n_good, K, n_real - K)
    return 1.0 - missing / K


def alpha_precision(pair: CloudPair) -> float:
    """How well the share of generated spectra in the central share alpha of real ones follows alpha.

    1 - 2 x the mean over alpha of |share - alpha|, the centre being the mean (Alaa et al., ICML 2022, without
    their learned embedding): 1 where distances from the centre are distributed alike.
    """
    centre = pair.real.points.mean(axis=0)
    real = np.linalg.norm(pair.real.points - centre, axis=1)
    generated = np.sort(np.linalg.norm(pair.generated.points - centre, axis=1))
    inside = np.searchsorted(generated, np.quantile(real, LEVELS), side="right") / len(generated)
    return _following(inside)


def beta_recall(pair: CloudPair) -> float:
    """How well the share of real spectra that the central share beta of generated ones covers follows beta.

    A real spectrum is covered where its nearest generated spectrum belongs to the central share and is no
    farther than the k-th nearest real one (Alaa et al., ICML 2022, without their embedding). As a real
    spectrum need not be covered at all, fresh spectra give less than 1: read it beside its floor.
    """
    centre = pair.generated.points.mean(axis=0)
    from_centre = np.linalg.norm(pair.generated.points - centre, axis=1)
    nearest = pair.between.argmin(axis=0)
    near_enough = pair.between[nearest, np.arange(len(pair.real))] <= pair.real.to_neighbour(K)
    limits = np.quantile(from_centre, LEVELS)
    covered = (near_enough[:, None] & (from_centre[nearest][:, None] <= limits[None, :])).mean(axis=0)
    return _following(covered)


def authenticity(pair: CloudPair) -> float:
    """Share of generated spectra farther from their nearest real one than that one from its nearest real one.

    Alaa et al. (ICML 2022): 0 for copies; about 0.5 for fresh spectra.
    """
    nearest = pair.between.argmin(axis=1)
    distance = pair.between[np.arange(len(pair.generated)), nearest]
    return float((distance > pair.real.to_neighbour(1)[nearest]).mean())


def memorised_share(pair: CloudPair) -> float:
    """Share of generated spectra nearer to the training spectra than to as many unseen ones; ties count half.

    0.5 where nothing is memorised, 1 for copies. NaN without unseen spectra.
    """
    if pair.unseen is None:
        return float("nan")
    n = min(len(pair.real), len(pair.unseen))
    seen = pair.between[:, :n].min(axis=1)
    unseen = CloudPair(pair.unseen.first(n), pair.generated, pair.axis).between.min(axis=1)
    return float(((seen < unseen) + 0.5 * (seen == unseen)).mean())


def copied_share(pair: CloudPair) -> float:
    """Share of generated spectra equal to a real one, value by value."""
    known = _contents(pair.real)
    return float(np.mean([row.tobytes() in known for row in np.ascontiguousarray(pair.generated.points)]))


def _contents(cloud: PointCloud) -> set[bytes]:
    return {row.tobytes() for row in np.ascontiguousarray(cloud.points)}


def _following(shares: NDArray[np.float64]) -> float:
    return float(1.0 - 2.0 * np.abs(shares - LEVELS).mean())

"""Tests and probabilities for differences over folds that share training spectra."""

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
"""Of intervals, and of the probability that calls two arms practically equal."""
SIGNIFICANCE = 1.0 - CONFIDENCE
"""Largest chance, over all comparisons of an experiment, of naming a difference where there is none."""
MOST_FOLDS = 10_000
"""Where so many folds would not tell, no number will: folds of the same spectra stop bringing news."""


def corrected_t(
    differences: NDArray[np.float64], test_share: float, rope: float
) -> tuple[float, float, float, NDArray[np.float64]]:
    """Return p, interval and probabilities of the mean of `differences`.

    Folds share training spectra, so that their J differences d, of variance s^2, are not independent. The corrected
    resampled t-test (Nadeau & Bengio, Machine Learning 2003, 52, 239-281) takes (1/J + n_test/n_train) s^2 as the
    variance of their mean, on J - 1 degrees of freedom. The same Student distribution about the mean is the posterior
    of the Bayesian correlated t-test (Corani & Benavoli, Machine Learning 2015, 100, 285-304) with correlation
    n_test/(n_train + n_test) and their non-informative prior.

    Parameters
    ----------
    differences : (n_folds,)
        At least two, not all equal.
    test_share
        n_test / n_train, with n_train the spectra that training sets are drawn from: the whole training fold, also
        where it is cut down for a learning curve.
    rope
        Half-width of the region of practical equivalence, in the unit of `differences`.

    Returns
    -------
    p
        Two-sided, of no difference.
    low, high
        95 % interval of the mean difference.
    probabilities : (3,)
        Of a mean difference below, within and above the region of practical equivalence.
    """
    from scipy.special import stdtr, stdtrit

    n = len(differences)
    mean = differences.mean()
    scale = np.sqrt((1.0 / n + test_share) * differences.var(ddof=1))
    p = 2.0 * stdtr(n - 1, -abs(mean) / scale)
    half = stdtrit(n - 1, 0.5 + CONFIDENCE / 2.0) * scale
    below = stdtr(n - 1, (-rope - mean) / scale)
    above = stdtr(n - 1, (mean - rope) / scale)
    return float(p), float(mean - half), float(mean + half), np.array([below, max(0.0, 1.0 - below - above), above])


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p adjusted for several tests (Holm, Scandinavian J. Statistics 1979, 6, 65-70); NaN is no test.

    >>> holm(np.array([0.01, np.nan, 0.04, 0.03])).tolist()
    [0.03, nan, 0.06, 0.06]
    """
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p[order]))
    return adjusted


def folds_needed(effect: float, spread: float, test_share: float, n_tested: int) -> float:
    """Return how many folds would make `effect` significant by the strictest step of Holm's method.

    Infinite where no number of folds would: the variance of the mean does not fall below test_share * spread^2.

    Parameters
    ----------
    effect, spread
        Mean and standard deviation of the differences over folds, as they are now; spread is positive.
    test_share
        As in `corrected_t`.
    n_tested
        Comparisons of the experiment.
    """
    from bisect import bisect_left

    from scipy.special import stdtrit

    def is_significant(folds: int) -> bool:
        t = abs(effect) / (spread * np.sqrt(1.0 / folds + test_share))
        return bool(t > stdtrit(folds - 1, 1.0 - SIGNIFICANCE / 2.0 / n_tested))

    # With more folds t rises and its limit falls, so that the first significant number can be bisected.
    folds = 2 + bisect_left(range(2, MOST_FOLDS + 1), True, key=is_significant)
    return float(folds) if folds <= MOST_FOLDS else np.inf

"""Tests for differences over folds that share training spectra: of a difference, and of practical equality."""

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
"""Of intervals."""
SIGNIFICANCE = 1.0 - CONFIDENCE
"""Largest chance, over all declared comparisons of an experiment, of telling a difference where there is none."""
POWER = 0.8
"""Chance of telling a true effect that a design is expected to have."""
ROUNDING = 1e-12
"""Differences that scatter by a smaller share of their mean are all equal."""
MOST_REPEATS = 200
"""Where so many repeats would not tell, no number will: folds of the same spectra stop bringing news."""


@dataclass(frozen=True)
class MeanDifference:
    """The mean of J differences over folds, and how far it may be from the true one.

    Folds share training spectra, so that their J differences d, of variance s^2, are not independent. The corrected
    resampled t-test (Nadeau & Bengio, Machine Learning 2003, 52, 239-281) takes (1/J + n_test/n_train) s^2 as the
    variance of their mean, on J - 1 degrees of freedom.

    Parameters
    ----------
    mean
        Of the differences.
    error
        Standard error of the mean; 0 where all differences are equal, NaN for a single one.
    dof
        Degrees of freedom, J - 1.
    """

    mean: float
    error: float
    dof: int

    @classmethod
    def of(cls, differences: NDArray[np.float64], test_share: float) -> "MeanDifference":
        """Return it for `differences` (n_folds,), with n_test / n_train as `test_share`.

        n_train are the spectra that training sets are drawn from: the whole training fold, also where it is cut down
        for a learning curve. Independent training sets tested on spectra of their own have a `test_share` of 0, which
        makes this the ordinary paired t-test.
        """
        n = len(differences)
        mean, spread = float(differences.mean()), float(differences.std(ddof=1)) if n > 1 else np.nan
        if spread < ROUNDING * abs(mean):
            spread = 0.0
        return cls(mean, float(np.sqrt(1.0 / n + test_share)) * spread, n - 1)

    @property
    def p(self) -> float:
        """Two-sided p of no difference; NaN for a single fold."""
        from scipy.special import stdtr

        if np.isnan(self.error):
            return np.nan
        if self.error == 0.0:
            return 0.0 if self.mean else 1.0
        return float(2.0 * stdtr(self.dof, -abs(self.mean) / self.error))

    @property
    def interval(self) -> tuple[float, float]:
        """Limits of the 95 % interval of the mean difference."""
        from scipy.special import stdtrit

        half = float(stdtrit(self.dof, 0.5 + CONFIDENCE / 2.0)) * self.error if self.dof else np.nan
        return self.mean - half, self.mean + half

    def p_within(self, low: float, high: float) -> float:
        """Return the larger p of two one-sided tests that the true difference lies within `low` and `high`.

        Equivalence by two one-sided tests: Schuirmann, J. Pharmacokinet. Biopharm. 1987, 15, 657-680.
        """
        from scipy.special import stdtr

        if np.isnan(self.error):
            return np.nan
        if self.error == 0.0:
            return 0.0 if low < self.mean < high else 1.0
        above, below = (self.mean - low) / self.error, (high - self.mean) / self.error
        return float(stdtr(self.dof, -min(above, below)))


@lru_cache(maxsize=4096)
def told_from(dof: int, level: float, power: float = POWER) -> float:
    """Return how many standard errors an effect must have, to be told with `power` by a two-sided t-test at `level`.

    The noncentrality of Student's t at which |t| exceeds its limit with that probability.
    """
    from scipy.optimize import brentq
    from scipy.special import nctdtr, stdtrit

    if dof < 1:
        return np.inf
    limit = float(stdtrit(dof, 1.0 - level / 2.0))

    def lacking(noncentrality: float) -> float:
        # The other tail adds nothing that counts: less than level / 2 already at an effect of 0. Far beyond the limit,
        # where nothing is left below it, the library may return NaN.
        return float(np.nan_to_num(nctdtr(dof, noncentrality, limit))) - (1.0 - power)

    # t scatters by a factor of its own: with few degrees of freedom the limit itself must be passed many times over.
    high = limit + 1.0
    while lacking(high) > 0:
        high *= 1.5
    return float(brentq(lacking, 0.0, high, xtol=1e-6))


def smallest_told(spread: float, n_folds: int, test_share: float, level: float, power: float = POWER) -> float:
    """Return the smallest true mean difference that a design tells with `power`, in the unit of `spread`.

    Parameters
    ----------
    spread
        Standard deviation of the differences over folds.
    n_folds
        Folds times repeats.
    test_share, level
        As in `MeanDifference.of`, and the significance level of the comparison.
    """
    return told_from(n_folds - 1, level, power) * spread * float(np.sqrt(1.0 / n_folds + test_share))


def repeats_needed(effect: float, spread: float, folds: int, test_share: float, level: float) -> float:
    """Return how many repeats of `folds` folds would tell `effect` with 80 %; infinite where none would.

    The variance of the mean does not fall below test_share * spread^2, however often the same spectra are dealt anew.
    """

    def tells(repeats: int) -> bool:
        return smallest_told(spread, repeats * folds, test_share, level) <= abs(effect)

    # With more repeats both the error and the limit of t fall, so that the first number that tells can be bisected.
    repeats = 1 + bisect_left(range(1, MOST_REPEATS + 1), True, key=tells)
    return float(repeats) if repeats <= MOST_REPEATS else np.inf


def larger_set_needed(effect: float, spread: float, n_folds: int, test_share: float, level: float) -> float:
    """Return by which factor more spectra would tell `effect` with 80 % on as many folds; at least 1.

    The logarithm of an RMSEP over n test spectra scatters about as 1/sqrt(n), so that its spread over folds falls with
    the root of the size of the set.
    """
    if not effect:
        return np.inf
    return max(1.0, (smallest_told(spread, n_folds, test_share, level) / abs(effect)) ** 2)

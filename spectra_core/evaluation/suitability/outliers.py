"""Which spectra do not belong: Hotelling's T2 and the residual Q in a PCA, with their limits."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.spectra import SpectraSet, require_same_axis

ENOUGH = 0.99
"""Share of the variance that the default number of components explains at least."""


@dataclass(frozen=True)
class Limits:
    """Limits above which a spectrum is set apart, and the model they belong to.

    Parameters
    ----------
    t2, q
        Limits of T2 (dimensionless) and Q [signal unit squared].
    n_components
        Components of the PCA.
    explained
        Share of the training set's variance that they hold.
    confidence
        Share of well-behaved spectra that each limit lets pass.
    """

    t2: float
    q: float
    n_components: int
    explained: float
    confidence: float


def outliers(
    training: SpectraSet,
    spectra: SpectraSet | None = None,
    *,
    n_components: int | None = None,
    confidence: float = 0.99,
) -> tuple[pd.DataFrame, Limits]:
    """Measure how far spectra lie within the plane of a PCA of the training set (T2) and off it (Q).

    T2 = sum over components of score^2 / variance; Q = sum over channels of squared residuals. Limits: for
    spectra the PCA was fitted to, T2 follows (n - 1)^2 / n Beta(k/2, (n - k - 1)/2) (Tracy, Young, Mason,
    J Qual Technol 1992); for others k (n^2 - 1) / (n (n - k)) F(k, n - k). Q by Jackson & Mudholkar
    (Technometrics 1979) from the variances of the components left out. All assume normal scores.

    Parameters
    ----------
    training
        The PCA is fitted to these spectra, centred, not scaled.
    spectra
        Whose T2 and Q; None for the training spectra themselves.
    n_components
        Components of the PCA; None takes as many as explain 99 % of the variance.
    confidence
        Between 0 and 1.

    Returns
    -------
    DataFrame, one row per spectrum
        ``sample`` (row, from 0), ``id``, ``t2``, ``q`` [signal unit squared], ``t2_ratio``, ``q_ratio`` (to the
        limit; NaN where there is none), ``leverage`` (1/n + T2/(n - 1)), ``set_apart`` (either limit exceeded).
    Limits

    Raises
    ------
    SpectraError
        With fewer than four training spectra, or spectra on another axis.
    """
    if not 0 < confidence < 1:
        raise ConfigError(f"The confidence lies between 0 and 1, got {confidence:g}.")
    n = len(training)
    if n < 4:
        raise SpectraError(f"Outliers need at least 4 spectra to stand out from, but the set has {n}.")
    judged = training if spectra is None else spectra
    require_same_axis(training, judged)
    centre = training.signal.mean(axis=0, dtype=np.float64)
    variances, loadings = _components(training.signal - centre)
    k = _number_of_components(variances, n, n_components)
    centred = judged.signal - centre
    scores = centred @ loadings[:, :k]
    t2 = (scores**2 / variances[:k]).sum(axis=1)
    residual = centred - scores @ loadings[:, :k].T
    q = np.einsum("ij,ij->i", residual, residual)
    limits = Limits(
        _t2_limit(n, k, confidence, own=spectra is None),
        _q_limit(variances[k:], confidence),
        k,
        float(variances[:k].sum() / variances.sum()),
        confidence,
    )
    table = pd.DataFrame(
        {
            "sample": np.arange(len(judged)),
            "id": judged.samples["id"],
            "t2": t2,
            "q": q,
            "t2_ratio": t2 / limits.t2,
            "q_ratio": q / limits.q if limits.q > 0 else np.nan,
            "leverage": 1 / n + t2 / (n - 1),
        }
    )
    table["set_apart"] = (table["t2_ratio"] > 1) | (table["q_ratio"] > 1)
    return table, limits


def _components(centred: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variances (divisor n - 1), falling, and loadings (n_channels, n) of all components that are not rounding."""
    from scipy.linalg import eigh

    n_rows, n_channels = centred.shape
    wide = n_channels > n_rows
    power, vectors = eigh(centred @ centred.T if wide else centred.T @ centred)
    power, vectors = power[::-1], vectors[:, ::-1]
    kept = power > 1e-12 * max(float(power[0]), np.finfo(np.float64).tiny)
    power, vectors = power[kept], vectors[:, kept]
    if len(power) == 0:
        raise SpectraError("All spectra are the same: none can stand out from the others.")
    if wide:
        vectors = centred.T @ vectors / np.sqrt(power)
    return power / (n_rows - 1), vectors


def _number_of_components(variances: NDArray[np.float64], n: int, wanted: int | None) -> int:
    most = min(len(variances), n - 2)
    if wanted is None:
        enough = int(np.searchsorted(np.cumsum(variances) / variances.sum(), ENOUGH)) + 1
        return min(enough, most)
    if not 1 <= wanted <= most:
        raise ConfigError(f"This set allows from 1 to {most} components, got {wanted}.")
    return wanted


def _t2_limit(n: int, k: int, confidence: float, *, own: bool) -> float:
    from scipy import stats

    if own:
        return float((n - 1) ** 2 / n * stats.beta.ppf(confidence, k / 2, (n - k - 1) / 2))
    return float(k * (n**2 - 1) / (n * (n - k)) * stats.f.ppf(confidence, k, n - k))


def _q_limit(left_out: NDArray[np.float64], confidence: float) -> float:
    """Limit of Q from the variances of the components left out (Jackson & Mudholkar 1979); 0 without any."""
    from scipy import stats

    if len(left_out) == 0:
        return 0.0
    one, two, three = (float((left_out**power).sum()) for power in (1, 2, 3))
    h = 1 - 2 * one * three / (3 * two**2)
    z = float(stats.norm.ppf(confidence))
    if abs(h) < 1e-8:
        # The formula's limit as h goes to 0.
        return one * float(np.exp(z * np.sqrt(2 * two) / one - two / one**2))
    inner = z * np.sqrt(2 * two * h**2) / one + 1 + two * h * (h - 1) / one**2
    # Where one left-out component dominates, h is negative and the bracket can fall below zero: Box's
    # approximation, g chi2 with matched mean and variance (Ann Math Stat 1954), stands in.
    if inner <= 0 or h < 0:
        return float(two / one * stats.chi2.ppf(confidence, one**2 / two))
    return float(one * inner ** (1 / h))

"""Whether generated spectra vary as the experimental ones do, channel by channel."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.channels.distribution_distances import (
    kolmogorov_smirnov,
    kolmogorov_smirnov_p,
    wasserstein,
)
from spectra_core.evaluation.roles import comparisons, require_comparable
from spectra_core.evaluation.row_blocks import by_blocks
from spectra_core.spectra import SpectraSet

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
BLOCK_VALUES = 4_000_000
"""Values counted at once: keeps the working memory near 200 MB whatever the size of the sets."""
SORTED_VALUES = 250_000
"""Values sorted at once by one thread: they stay near the processor."""


def channel_statistics(sets: Mapping[str, SpectraSet]) -> pd.DataFrame:
    """Describe the distribution of the signal in every channel, for every role.

    Parameters
    ----------
    sets
        Spectra by role ("training", "held-out", "generated", "oracle"), all on one axis.

    Returns
    -------
    DataFrame, one row per (position, role)
        ``position`` [axis unit], ``role``, ``n_spectra``; ``mean``, ``std`` (divisor n - 1; NaN for one
        spectrum), ``q05``, ``q25``, ``median``, ``q75``, ``q95`` (linear interpolation), ``minimum``,
        ``maximum`` [signal unit]; ``skew`` (m3 / m2^1.5 with central moments of divisor n, NaN in a channel
        that is constant).

    Raises
    ------
    SpectraError
        When the sets differ in axis or quantity.
    """
    require_comparable(sets)
    return pd.concat([_statistics(role, spectra) for role, spectra in sets.items()], ignore_index=True)


def channel_differences(sets: Mapping[str, SpectraSet], *, confidence: float = 0.95) -> pd.DataFrame:
    """Compare the distribution of the signal in every channel between roles.

    Each role other than "training" is compared with "training", and "generated" with "held-out" too. The rows
    of "held-out" against "training" are the real-versus-real floor: what a difference without any cause
    looks like.

    Parameters
    ----------
    sets
        Spectra by role, all on one axis; at least two spectra each.
    confidence
        Confidence of the interval of the mean difference, between 0 and 1.

    Returns
    -------
    DataFrame, one row per (role, reference, position)
        ``position``, ``role``, ``reference``, ``n_role``, ``n_reference``; ``mean_difference`` with ``lower``
        and ``upper`` (Welch 1947, unequal variances) and ``wasserstein`` (area between the two distribution
        functions) [signal unit]; ``sd_ratio`` (role over reference; NaN where the reference is constant) with
        ``sd_ratio_lower`` and ``sd_ratio_upper`` (normal interval of its logarithm; the variance of ln s^2 is
        2/(n - 1) + (kurtosis - 3)/n, Layard, J Am Stat Assoc 1973; NaN where one of the two is constant); ``ks``
        (largest distance of the distribution functions), ``ks_p`` (asymptotic, from the exact
        one-sample distribution at n = n1 n2 / (n1 + n2)), ``ks_p_adjusted`` (Benjamini & Hochberg, J R Stat
        Soc B 1995, over the channels of the comparison). Channels that hold one and the same constant in
        both sets have NaN p-values and are not counted in the adjustment. p-values take spectra as
        independent: replicates make them too small.

    Raises
    ------
    SpectraError
        When the sets differ in axis or quantity, or one holds a single spectrum.
    """
    if not 0 < confidence < 1:
        raise ConfigError(f"The confidence lies between 0 and 1, got {confidence:g}.")
    require_comparable(sets)
    for role, spectra in sets.items():
        if len(spectra) < 2:
            raise SpectraError(f"Comparing spreads needs at least 2 spectra, but the {role} set has {len(spectra)}.")
    pairs = comparisons(sets)
    tables = [_differences(role, sets[role], reference, sets[reference], confidence) for role, reference in pairs]
    return pd.concat(tables, ignore_index=True)


def channel_correlation(sets: Mapping[str, SpectraSet], *, n_channels: int = 120) -> pd.DataFrame:
    """Correlate channels with each other over spectra, for every role.

    Parameters
    ----------
    sets
        Spectra by role, all on one axis.
    n_channels
        At most so many channels, evenly spaced over the axis, are correlated.

    Returns
    -------
    DataFrame, one row per (role, position, other position)
        ``role``, ``position``, ``other_position`` [axis unit], ``correlation`` (Pearson; NaN where one of the
        channels is constant).
    """
    require_comparable(sets)
    return pd.concat([_correlation(role, spectra, n_channels) for role, spectra in sets.items()], ignore_index=True)


def signal_histograms(sets: Mapping[str, SpectraSet], *, n_bins: int = 240) -> dict[str, pd.DataFrame]:
    """Count, for every channel, how many spectra fall into each interval of the signal.

    All roles share one set of intervals of equal width from the smallest to the largest signal, so that
    their counts can be compared and drawn on one scale.

    Returns
    -------
    dict, one DataFrame per role
        Index ``signal`` (centres of the intervals, signal unit), one column per channel named by its position,
        values the number of spectra; every column sums to the number of spectra of the role.
    """
    require_comparable(sets)
    low = min(float(spectra.signal.min()) for spectra in sets.values())
    high = max(float(spectra.signal.max()) for spectra in sets.values())
    if high == low:
        low, high = low - 0.5, high + 0.5
    centres = low + (np.arange(n_bins) + 0.5) * (high - low) / n_bins
    return {
        role: pd.DataFrame(
            _counts(spectra.signal, low, high, n_bins),
            index=pd.Index(centres, name="signal"),
            columns=pd.Index(spectra.axis.positions, name="position"),
        )
        for role, spectra in sets.items()
    }


def _statistics(role: str, spectra: SpectraSet) -> pd.DataFrame:
    n_spectra, n_channels = spectra.signal.shape
    columns = {name: np.empty(n_channels) for name in ("mean", "std", *QUANTILES, "minimum", "maximum", "skew")}

    def describe(block: slice) -> None:
        ordered = _ascending(spectra, block)
        mean = ordered.mean(axis=1)
        centred = ordered - mean[:, None]
        columns["mean"][block] = mean
        columns["std"][block] = _sd(ordered)
        columns["skew"][block] = _skew(ordered, centred)
        columns["minimum"][block], columns["maximum"][block] = ordered[:, 0], ordered[:, -1]
        for name, share in QUANTILES.items():
            columns[name][block] = _quantile(ordered, share)

    by_blocks(n_channels, max(1, SORTED_VALUES // n_spectra), describe)
    return pd.DataFrame(
        {
            "position": spectra.axis.positions,
            "role": role,
            "n_spectra": n_spectra,
            **columns,
        }
    )


def _ascending(spectra: SpectraSet, block: slice) -> NDArray[np.float64]:
    """Sorted signal of the channels in `block`, one channel a row."""
    rows = spectra.signal[:, block].T.astype(np.float64, order="C")
    rows.sort(axis=1)
    return rows


def _quantile(ordered: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Quantile of ascending rows by linear interpolation (Hyndman & Fan, Am Stat 1996, type 7)."""
    at = share * (ordered.shape[1] - 1)
    below = int(at)
    above = min(below + 1, ordered.shape[1] - 1)
    value: NDArray[np.float64] = ordered[:, below] + (at - below) * (ordered[:, above] - ordered[:, below])
    return value


def _sd(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of ascending rows; exactly 0 where a row is constant, NaN for one value."""
    if rows.shape[1] < 2:
        return np.full(len(rows), np.nan)
    return np.where(rows[:, 0] == rows[:, -1], 0.0, rows.std(axis=1, ddof=1))


def _skew(ordered: NDArray[np.float64], centred: NDArray[np.float64]) -> NDArray[np.float64]:
    squares = centred * centred
    second, third = squares.mean(axis=1), (squares * centred).mean(axis=1)
    varies = ordered[:, 0] != ordered[:, -1]
    skew = np.full(len(ordered), np.nan)
    skew[varies] = third[varies] / second[varies] ** 1.5
    return skew


def _differences(role: str, one: SpectraSet, reference: str, other: SpectraSet, confidence: float) -> pd.DataFrame:
    from scipy import stats

    n_one, n_other, n_channels = len(one), len(other), one.n_channels
    names = ("mean_difference", "lower", "upper", "sd_ratio", "sd_ratio_lower", "sd_ratio_upper", "ks", "wasserstein")
    quantile = float(stats.norm.ppf(0.5 + confidence / 2))
    columns = {name: np.empty(n_channels) for name in names}
    same_constant = np.empty(n_channels, dtype=bool)

    def compare(block: slice) -> None:
        rows_one = _ascending(one, block)
        rows_other = _ascending(other, block)
        difference, half_width = _welch(rows_one, rows_other, confidence)
        columns["mean_difference"][block] = difference
        columns["lower"][block], columns["upper"][block] = difference - half_width, difference + half_width
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = _sd(rows_one) / _sd(rows_other)
        columns["sd_ratio"][block] = np.where(np.isfinite(ratio), ratio, np.nan)
        spread = np.exp(quantile * np.sqrt(_variance_of_log_sd(rows_one) + _variance_of_log_sd(rows_other)))
        columns["sd_ratio_lower"][block] = columns["sd_ratio"][block] / spread
        columns["sd_ratio_upper"][block] = columns["sd_ratio"][block] * spread
        columns["ks"][block] = kolmogorov_smirnov(rows_one, rows_other)
        columns["wasserstein"][block] = wasserstein(rows_one, rows_other)
        low = np.minimum(rows_one[:, 0], rows_other[:, 0])
        same_constant[block] = low == np.maximum(rows_one[:, -1], rows_other[:, -1])

    by_blocks(n_channels, max(1, SORTED_VALUES // (n_one + n_other)), compare)
    p = np.where(same_constant, np.nan, kolmogorov_smirnov_p(columns["ks"], n_one, n_other))
    return pd.DataFrame(
        {
            "position": one.axis.positions,
            "role": role,
            "reference": reference,
            "n_role": n_one,
            "n_reference": n_other,
            **columns,
            "ks_p": p,
            "ks_p_adjusted": _benjamini_hochberg(p),
        }
    )


def _welch(
    one: NDArray[np.float64], other: NDArray[np.float64], confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Difference of means and half width of its interval (Welch, Biometrika 1947)."""
    from scipy import stats

    parts = [_sd(rows) ** 2 / rows.shape[1] for rows in (one, other)]
    variance = parts[0] + parts[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = variance**2 / (parts[0] ** 2 / (one.shape[1] - 1) + parts[1] ** 2 / (other.shape[1] - 1))
    # Two constant channels have no spread: their difference is certain, whatever the degrees of freedom.
    freedom = np.where(variance > 0, freedom, 1.0)
    half_width = stats.t.ppf(0.5 + confidence / 2, freedom) * np.sqrt(variance)
    return one.mean(axis=1) - other.mean(axis=1), half_width


def _variance_of_log_sd(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variance of ln s of ascending rows, a quarter of that of ln s^2; NaN where a row is constant."""
    n = ordered.shape[1]
    squares = (ordered - ordered.mean(axis=1, keepdims=True)) ** 2
    varies = ordered[:, 0] != ordered[:, -1]
    kurtosis = np.full(len(ordered), np.nan)
    kurtosis[varies] = (squares[varies] ** 2).mean(axis=1) / squares[varies].mean(axis=1) ** 2
    # Kurtosis is at least 1: the sum stays positive.
    variance: NDArray[np.float64] = (2 / (n - 1) + (kurtosis - 3) / n) / 4
    return variance


def _benjamini_hochberg(p: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy import stats

    adjusted = np.full(len(p), np.nan)
    known = np.isfinite(p)
    if known.any():
        adjusted[known] = stats.false_discovery_control(p[known])
    return adjusted


def _correlation(role: str, spectra: SpectraSet, n_channels: int) -> pd.DataFrame:
    chosen = np.unique(np.linspace(0, spectra.n_channels - 1, min(n_channels, spectra.n_channels)).round().astype(int))
    values = spectra.signal[:, chosen].astype(np.float64)
    centred = values - values.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    length[values.min(axis=0) == values.max(axis=0)] = np.nan
    unit = centred / length
    correlation = np.clip(unit.T @ unit, -1.0, 1.0)
    positions = spectra.axis.positions[chosen]
    return pd.DataFrame(
        {
            "role": role,
            "position": np.repeat(positions, len(chosen)),
            "other_position": np.tile(positions, len(chosen)),
            "correlation": correlation.ravel(),
        }
    )


def _counts(signal: NDArray[np.floating[Any]], low: float, high: float, n_bins: int) -> NDArray[np.int64]:
    """Histogram of every column, (n_bins, n_columns), without a copy of all spectra at once."""
    n_spectra, n_channels = signal.shape
    counts = np.zeros(n_channels * n_bins, dtype=np.int64)
    offsets = np.arange(n_channels) * n_bins
    rows = max(1, BLOCK_VALUES // n_channels)
    for start in range(0, n_spectra, rows):
        part = signal[start : start + rows].astype(np.float64)
        bins = np.minimum(((part - low) * (n_bins / (high - low))).astype(np.int64), n_bins - 1)
        counts += np.bincount((bins + offsets).ravel(), minlength=len(counts))
    return counts.reshape(n_channels, n_bins).T

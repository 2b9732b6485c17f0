"""Does a calibration apply to a spectrum: Hotelling's T2, Q residual, channels beyond what was calibrated with."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import Arrays
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.training.signal_basis import threshold_factor

Floats = NDArray[np.float64]

SURE = 0.99
"""Share of spectra like those of the calibration that each limit lets pass."""
MOST_COMPONENTS = 15
_BEYOND_RANGE, _BEYOND_NOISE = 0.2, 5.0
"""A channel may leave the calibration's range by a fifth of it, and five standard deviations of its noise."""


@dataclass(frozen=True, eq=False)
class Applicability:
    """Principal components of the calibration spectra, and what is usual outside and inside them.

    Attributes
    ----------
    mean, noise, lowest, highest : (n_channels,)
        Mean; root mean square of what components leave of spectra they have not seen; range.
    directions : (n_channels, n_components)
        Orthonormal.
    variances : (n_components,)
        Of the scores.
    t2_moments, q_moments : (2,)
        Mean and variance of T2 and of the Q residual of spectra that the components have not seen.
    n_groups : (1,)
        Independent calibration samples.
    """

    mean: Floats
    noise: Floats
    lowest: Floats
    highest: Floats
    directions: Floats
    variances: Floats
    t2_moments: Floats
    q_moments: Floats
    n_groups: NDArray[np.int64]

    @classmethod
    def fit(cls, signal: NDArray[np.floating[Any]], fold: NDArray[np.int64], groups: NDArray[np.int64]) -> Self:
        """Learn from calibration spectra (n_spectra, n_channels); moments are of spectra left out, fold by fold.

        In-sample residuals are too small, and with more channels than spectra their covariance is too poor for the
        limit of Jackson & Mudholkar (Technometrics 1979, 21, 341-349): hence spectra left out, and two moments
        (Pomerantsev, J. Chemometrics 2008, 22, 601-609).
        """
        signal = np.asarray(signal, dtype=np.float64)
        n_groups = len(np.unique(groups))
        mean = signal.mean(axis=0)
        singular, directions = _principal(signal - mean)
        most = min(MOST_COMPONENTS, max(1, n_groups // 4))
        n_components = min(n_signal_components(singular, *signal.shape), most)
        left, t2 = np.empty_like(signal), np.empty(len(signal))
        for number in np.unique(fold):
            inside, outside = signal[fold != number], signal[fold == number]
            centre = inside.mean(axis=0)
            lengths, found = (part[..., :n_components] for part in _principal(inside - centre))
            left[fold == number] = _outside(outside - centre, found)
            t2[fold == number] = _t2((outside - centre) @ found, lengths**2 / max(len(inside) - 1, 1))
        q = (left**2).sum(axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            q_moments = np.array([q.mean(), q.var()])
        if not np.isfinite(q_moments).all():
            raise SpectraError(
                f"The signal reaches {np.abs(signal).max():g}, and fourth powers of numbers so large cannot be "
                "computed with. Give it in a larger unit."
            )
        return cls(
            mean,
            np.sqrt((left**2).mean(axis=0)),
            signal.min(axis=0),
            signal.max(axis=0),
            np.ascontiguousarray(directions[:, :n_components]),
            singular[:n_components] ** 2 / max(len(signal) - 1, 1),
            np.array([t2.mean(), t2.var()]),
            q_moments,
            np.array([n_groups]),
        )

    def t2(self, signal: NDArray[np.floating[Any]]) -> Floats:
        """Return Hotelling's T2 of spectra, (n_spectra,): squared scores over their variances."""
        return _t2((np.asarray(signal, dtype=np.float64) - self.mean) @ self.directions, self.variances)

    def q(self, signal: NDArray[np.floating[Any]]) -> Floats:
        """Return the Q residual of spectra, (n_spectra,): the sum of squares that the components leave."""
        left = _outside(np.asarray(signal, dtype=np.float64) - self.mean, self.directions)
        return np.asarray((left**2).sum(axis=1))

    @property
    def t2_limit(self) -> float:
        """Largest usual T2 of a new spectrum: by F for normal scores, or by moments where those have longer tails."""
        normal = t2_limit(int(self.n_groups[0]), len(self.variances))
        return max(normal, moment_limit(float(self.t2_moments[0]), float(self.t2_moments[1])))

    @property
    def q_limit(self) -> float:
        """Largest usual Q of a new spectrum."""
        return moment_limit(float(self.q_moments[0]), float(self.q_moments[1]))

    def channels_out(self, signal: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
        """Return how many channels of every spectrum lie beyond the calibration's, (n_spectra,)."""
        margin = _BEYOND_RANGE * (self.highest - self.lowest) + _BEYOND_NOISE * self.noise
        # Where nothing varies, digits of a file must not raise an alarm.
        margin = margin + 1e-9 * np.maximum(np.abs(self.lowest), np.abs(self.highest))
        return np.asarray(((signal < self.lowest - margin) | (signal > self.highest + margin)).sum(axis=1))

    def to_arrays(self) -> Arrays:
        """Return what was learned."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Arrays, n_channels: int) -> Self:
        """Take over what was learned.

        Raises
        ------
        ConfigError
            When names or shapes are others.
        """
        n_components = len(arrays.get("variances", ()))
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("mean", "noise", "lowest", "highest"), (n_channels,))
        shapes |= {"directions": (n_channels, n_components), "variances": (n_components,)}
        shapes |= {"t2_moments": (2,), "q_moments": (2,), "n_groups": (1,)}
        if {name: np.shape(values) for name, values in arrays.items()} != shapes:
            raise ConfigError("What is kept about the calibration spectra does not fit their axis. Calibrate again.")
        return cls(**{name: np.asarray(values) for name, values in arrays.items()})


def t2_limit(n_samples: int, n_components: int, share: float = SURE) -> float:
    """Return the T2 that a share of new samples does not exceed, where scores are normal.

    a (n^2 - 1) / (n (n - a)) F(share; a, n - a) for n samples and a components (Tracy, Young & Mason, J. Qual. Technol.
    1992, 24, 88-95); infinite with too few samples.
    """
    from scipy.stats import f

    n, a = n_samples, n_components
    return float(a * (n**2 - 1) / (n * (n - a)) * f.ppf(share, a, n - a)) if n > a else np.inf


def moment_limit(mean: float, variance: float, share: float = SURE) -> float:
    """Return the squared distance that a share of samples does not exceed: g chi2(h) of that mean and variance.

    g = variance / (2 mean), h = 2 mean^2 / variance (Box, Ann. Math. Stat. 1954, 25, 290-302; Nomikos & MacGregor,
    Technometrics 1995, 37, 41-59).
    """
    from scipy.stats import chi2

    if mean <= 0.0 or variance <= 0.0:
        return mean
    return float(variance / (2.0 * mean) * chi2.ppf(share, 2.0 * mean**2 / variance))


def n_signal_components(singular: Floats, n_spectra: int, n_channels: int) -> int:
    """Return how many singular values stand above noise; at least one.

    They exceed `threshold_factor` times their median (Gavish & Donoho, IEEE Trans. Inf. Theory 2014, 60, 5040-5053).
    """
    beta = min(n_spectra, n_channels) / max(n_spectra, n_channels)
    omega = threshold_factor(beta)
    rank = min(n_spectra - 1, n_channels)  # centring takes one direction
    return max(1, int((singular > omega * np.median(singular[:rank])).sum())) if rank else 1


def _principal(centred: Floats) -> tuple[Floats, Floats]:
    """Return singular values, falling, and directions (n_channels, n_values) of centred spectra."""
    n_spectra, n_channels = centred.shape
    if n_spectra >= n_channels:
        squares, directions = np.linalg.eigh(centred.T @ centred)
        return np.sqrt(np.maximum(squares[::-1], 0.0)), directions[:, ::-1]
    _, singular, rows = np.linalg.svd(centred, full_matrices=False)
    return singular, rows.T


def _t2(scores: Floats, variances: Floats) -> Floats:
    usable = variances > 0
    return np.asarray((scores[:, usable] ** 2 / variances[usable]).sum(axis=1))


def _outside(centred: Floats, directions: Floats) -> Floats:
    return np.asarray(centred - (centred @ directions) @ directions.T)

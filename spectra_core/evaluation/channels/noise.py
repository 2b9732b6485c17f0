"""Whether generated spectra carry the noise of the experimental ones: a local residual per channel."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.evaluation.roles import require_comparable
from spectra_core.evaluation.row_blocks import by_blocks
from spectra_core.spectra import SpectralAxis, SpectraSet

POINTS = 5
"""Channels in a window: the fewest that leave a residual from a cubic."""
BLOCK_VALUES = 250_000
"""Residuals that one thread holds at once: they stay near the processor."""
ALIKE = (0.8, 1.25)
"""Noise ratios between these count as alike: a quarter more, or as much less, on a logarithmic scale."""
_NEAR = 20
"""Spectra of about the same signal in a channel that its noise there is read from: it is known within a sixth."""


def local_residual(signal: NDArray[np.floating[Any]], axis: SpectralAxis) -> NDArray[np.float64]:
    """Return what is left of every spectrum after a cubic through its neighbouring channels.

    The fourth divided difference over five neighbouring channels, scaled so that white noise keeps its
    standard deviation. It is exactly zero for any signal that is cubic within five channels, on a regular or
    an irregular axis; on a regular axis it is proportional to the residual of a Savitzky-Golay filter of
    window 5 and order 3 (Savitzky & Golay, Anal Chem 1964). Noise that neighbouring channels share (smoothing
    in the instrument) and bands narrower than about five channels bias it, low and high, in experimental and
    generated spectra alike.

    Parameters
    ----------
    signal : (n_spectra, n_channels)
    axis
        Positions of the channels.

    Returns
    -------
    (n_spectra, n_channels), in the unit of `signal`
        The first and last two channels take the value of the nearest full window.

    Raises
    ------
    SpectraError
        When there are fewer than five channels.
    """
    weights = _difference_weights(axis)
    margin = POINTS // 2
    return np.pad(_windows(signal, weights, 0, len(weights)), ((0, 0), (margin, margin)), mode="edge")


def noise_level(spectra: SpectraSet) -> NDArray[np.float64]:
    """Return the noise of every channel, (n_channels,), in the signal's unit.

    The root mean square over spectra of `local_residual`, after removing its median over spectra in every
    channel: what all spectra share is curvature of the signal, not noise.
    """
    weights = _difference_weights(spectra.axis)
    level = np.empty(len(weights))

    def measure(block: slice) -> None:
        residual = _windows(spectra.signal, weights, block.start, block.stop)
        if len(spectra) > 1:
            residual -= np.median(residual, axis=0)
        level[block] = np.sqrt((residual**2).mean(axis=0))

    by_blocks(len(weights), max(1, BLOCK_VALUES // len(spectra)), measure)
    return np.pad(level, POINTS // 2, mode="edge")


def replicate_noise(spectra: SpectraSet) -> NDArray[np.float64] | None:
    """Return the standard deviation within replicates per channel, (n_channels,), or None without replicates.

    Spectra that share the sample column ``group`` count as replicates when their targets are equal too. The
    variance is pooled over groups: sum of squares within groups over (n_spectra - n_groups). It holds what
    changes from one measurement to the next (baseline, lamp, cell) besides the noise of the detector.
    """
    if "group" not in spectra.samples:
        return None
    names = [name or row for row, name in enumerate(spectra.samples["group"])]  # without a group, alone
    keys = [(name, row.tobytes()) for name, row in zip(names, spectra.target_values, strict=True)]
    numbers: dict[Any, int] = {}
    group = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    freedom = len(spectra) - len(numbers)
    if freedom == 0:
        return None
    sums = np.zeros((len(numbers), spectra.n_channels))
    np.add.at(sums, group, spectra.signal)
    means = sums / np.bincount(group)[:, None]
    within: NDArray[np.float64] = np.sqrt(((spectra.signal - means[group]) ** 2).sum(axis=0) / freedom)
    return within


def noise_fidelity(sets: Mapping[str, SpectraSet]) -> pd.DataFrame:
    """Compare the noise of every role with that of the training set, channel by channel.

    Returns
    -------
    DataFrame, one row per (position, role)
        ``position``, ``role``, ``noise`` [signal unit], ``ratio`` (to the noise of "training" in that channel;
        NaN where that is zero), ``replicate_noise`` [signal unit] (NaN where the set has no replicates).

    Raises
    ------
    SpectraError
        When there is no training set, axes differ, or there are fewer than five channels.
    """
    require_comparable(sets)
    if "training" not in sets:
        raise SpectraError(f"Noise is compared with that of the training set; got {', '.join(sets)}.")
    reference = noise_level(sets["training"])
    return pd.concat(
        [_noise_rows(role, spectra, reference) for role, spectra in sets.items()],
        ignore_index=True,
    )


def spectrum_noise(sets: Mapping[str, SpectraSet]) -> pd.DataFrame:
    """Measure the noise of every spectrum, in units of the training set's noise.

    Returns
    -------
    DataFrame, one row per spectrum
        ``role``, ``sample`` (row in its set, from 0), ``noise``: root mean square over channels of `local_residual`
        beyond the median of the training set, over its `noise_level`; about 1 for a training spectrum. Channels
        without noise in the training set are left out; NaN where all are.

    Raises
    ------
    SpectraError
        As `noise_fidelity`.
    """
    require_comparable(sets)
    if "training" not in sets:
        raise SpectraError(f"Noise is compared with that of the training set; got {', '.join(sets)}.")
    training = sets["training"]
    level = noise_level(training)
    noisy = level > 0
    shared = np.median(local_residual(training.signal, training.axis)[:, noisy], axis=0)
    tables = []
    for role, spectra in sets.items():
        residual = (local_residual(spectra.signal, spectra.axis)[:, noisy] - shared) / level[noisy]
        noise = np.sqrt((residual**2).mean(axis=1)) if noisy.any() else np.full(len(spectra), np.nan)
        tables.append(pd.DataFrame({"role": role, "sample": np.arange(len(spectra)), "noise": noise}))
    return pd.concat(tables, ignore_index=True)


def noise_summary(fidelity: pd.DataFrame) -> pd.DataFrame:
    """Sum `noise_fidelity` up: one headline number per role.

    Returns
    -------
    DataFrame, one row per role other than "training"
        ``role``, ``ratio`` (median over channels of the noise ratio: 1 is alike, below 1 is too smooth),
        ``q05``, ``q95`` (over channels), ``share_alike`` (channels with a ratio from 0.8 to 1.25),
        ``n_channels`` (channels where the ratio is defined).
    """
    rows = []
    for role, part in fidelity[fidelity["role"] != "training"].groupby("role", sort=False):
        ratio = part["ratio"].dropna()
        low, middle, high = ratio.quantile([0.05, 0.5, 0.95])
        rows.append(
            {
                "role": role,
                "ratio": middle,
                "q05": low,
                "q95": high,
                "share_alike": ratio.between(*ALIKE).mean(),
                "n_channels": len(ratio),
            }
        )
    return pd.DataFrame(rows, columns=["role", "ratio", "q05", "q95", "share_alike", "n_channels"])


def with_noise(generated: SpectraSet, experimental: SpectraSet, rng: np.random.Generator) -> SpectraSet:
    """Give generated spectra back the noise they lack, so that one can see what their smoothness does.

    To every channel, normal noise is added whose variance is what `noise_level` misses there compared with
    `experimental`; channels that are noisy enough stay as they are. Noise is drawn for every channel on its
    own: where the instrument's noise is correlated between channels, the added noise is not.

    Returns
    -------
    SpectraSet
        The same labels; provenance says that noise was added.
    """
    require_comparable({"training": experimental, "generated": generated})
    return _noisier(generated, noise_level(experimental) ** 2 - noise_level(generated) ** 2, experimental, rng)


def with_noise_by_signal(generated: SpectraSet, experimental: SpectraSet, rng: np.random.Generator) -> SpectraSet:
    """Give every generated spectrum the noise that experimental ones of about its signal have in a channel.

    `with_noise` gives all spectra the same, which makes quiet ones too rough where noise grows with the signal, as
    absorbances do: a person who looks at single spectra sees that.

    Returns
    -------
    SpectraSet
        The same labels; provenance says that noise was added.
    """
    require_comparable({"training": experimental, "generated": generated})
    own, squares = _smooth_and_squares(generated)
    wanted = _variance_at(own, *_smooth_and_squares(experimental))
    return _noisier(generated, wanted - _variance_at(own, own, squares), experimental, rng)


def _smooth_and_squares(spectra: SpectraSet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a cubic through neighbouring channels and the squared residual; in white noise neither tells the other."""
    residual = local_residual(spectra.signal, spectra.axis)
    weights, margin = _difference_weights(spectra.axis), POINTS // 2
    smooth = spectra.signal - residual * np.r_[weights[0, :margin], weights[:, margin], weights[-1, margin + 1 :]]
    return smooth, (residual - np.median(residual, axis=0)) ** 2


def _variance_at(
    signal: NDArray[np.float64], known: NDArray[np.float64], squares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean square of the `known` spectra nearest in every channel to each of `signal`, (n_spectra, n_channels)."""
    near = min(_NEAR, len(known))
    found = np.empty(signal.shape)
    for channel in range(signal.shape[1]):
        order = np.argsort(known[:, channel])
        sums = np.cumsum(np.r_[0.0, squares[order, channel]])
        place = np.searchsorted(known[order, channel], signal[:, channel])
        first = np.clip(place - near // 2, 0, len(known) - near)
        found[:, channel] = (sums[first + near] - sums[first]) / near
    return found


def _noisier(
    generated: SpectraSet, missing: NDArray[np.float64], experimental: SpectraSet, rng: np.random.Generator
) -> SpectraSet:
    """Add normal noise of this variance, where it is one."""
    drawn = rng.standard_normal(generated.signal.shape)
    drawn *= np.sqrt(np.maximum(missing, 0.0))
    drawn += generated.signal
    return SpectraSet(
        generated.axis,
        drawn.astype(generated.signal.dtype),
        generated.targets,
        target_info=generated.target_info,
        samples=generated.samples,
        meta=generated.with_meta(
            name=f"{generated.meta.name}, noise given back",
            provenance={**generated.meta.provenance, "noise_given_back": experimental.fingerprint},
        ).meta,
    )


def _noise_rows(role: str, spectra: SpectraSet, reference: NDArray[np.float64]) -> pd.DataFrame:
    noise = noise_level(spectra)
    ratio = np.full(len(noise), np.nan)
    np.divide(noise, reference, out=ratio, where=reference > 0)
    replicates = replicate_noise(spectra)
    return pd.DataFrame(
        {
            "position": spectra.axis.positions,
            "role": role,
            "noise": noise,
            "ratio": ratio,
            "replicate_noise": np.nan if replicates is None else replicates,
        }
    )


def _windows(
    signal: NDArray[np.floating[Any]], weights: NDArray[np.float64], begin: int, end: int
) -> NDArray[np.float64]:
    """Residuals (n_spectra, end - begin) of the windows from `begin` to before `end`."""
    residual = np.zeros((len(signal), end - begin))
    for point in range(POINTS):
        residual += weights[begin:end, point] * signal[:, begin + point : end + point]
    return residual


def _difference_weights(axis: SpectralAxis) -> NDArray[np.float64]:
    """Weights (n_windows, 5) of the fourth divided difference, of unit length in every window.

    w_j = 1 / prod_{k != j} (x_j - x_k); their sum with any cubic is zero.
    """
    if len(axis) < POINTS:
        raise SpectraError(
            f"Noise is read from {POINTS} neighbouring channels, but the spectra have {len(axis)}. "
            "Compare noise on spectra with more channels."
        )
    windows = np.lib.stride_tricks.sliding_window_view(axis.positions, POINTS)
    gaps = windows[:, :, None] - windows[:, None, :]
    # Steps of about 1 keep the products far from overflow; the scale cancels in the unit length.
    gaps = gaps / np.abs(windows[:, -1] - windows[:, 0])[:, None, None]
    gaps[:, range(POINTS), range(POINTS)] = 1.0
    weights = 1.0 / gaps.prod(axis=2)
    unit: NDArray[np.float64] = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    return unit

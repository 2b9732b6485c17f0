"""Reading spectra nobody has analysed: a value with its interval per target, and what speaks against it."""

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.calibration.calibration import Calibration
from spectra_core.calibration.conformal import require_level
from spectra_core.calibration.merit import detection_limits
from spectra_core.datasets.resampling import resampled, rounding, same_within_rounding, wide_steps
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.preprocessing.magnitudes import require_computable_signal
from spectra_core.spectra import SpectralAxis, SpectraSet

Floats = NDArray[np.float64]
OtherAxis = Literal["refuse", "interpolate", "cut"]

OUTSIDE, CLIPPED, T2, Q, CHANNEL, LOD = FLAGS = (
    "outside calibrated range",
    "clipped",
    "Hotelling T2",
    "Q residual",
    "channel out of range",
    "below limit of detection",
)
"""What is written beside a value that should not be taken as it is; several are parted by "; "."""


def read(calibration: Calibration, spectra: SpectraSet, level: float = 0.9, *, axis: str = "refuse") -> pd.DataFrame:
    """Read the concentrations of unknown spectra.

    Parameters
    ----------
    spectra
        Targets, where there are any, are not looked at.
    level
        Share of samples whose true value the interval covers; see `conformal`.
    axis
        What to do with channels other than the calibration's: "refuse", "interpolate" (onto its channels), or "cut" (to
        its channels, where all are among those of the spectra).

    Returns
    -------
    DataFrame, one row per (spectrum, target)
        Columns ``id``, ``target``, ``value``, ``low``, ``high``, their ``unit``, and ``flags``: words of `FLAGS` parted
        by "; ". Values end 20 % of the labels' range beyond it, where they are flagged.

    Raises
    ------
    SpectraError
        When axis or signal do not fit the calibration.
    ConfigError
        When the level is none, or needs more calibration samples.
    """
    require_level(level, len(np.unique(calibration.train.groups)))
    spectra = on_axis_of(calibration, spectra, axis)
    value, of_folds = predicted(calibration, spectra)
    return readings(calibration, spectra, value, of_folds, level)


def predicted(calibration: Calibration, spectra: SpectraSet) -> tuple[Floats, Floats]:
    """Return what the model of all rows reads, and what those of the folds read, clipped.

    Returns
    -------
    value : (n_spectra, n_targets)
    of_folds : (n_folds, n_spectra, n_targets)
    """
    names = calibration.train.target_names
    value = np.empty((len(spectra), len(names)))
    for part in calibration.parts:
        columns = [names.index(name) for name in part.targets]
        value[:, columns] = part.model.predict(spectra).to_numpy()
    return value, calibration.of_folds(spectra)


def readings(
    calibration: Calibration, spectra: SpectraSet, value: Floats, of_folds: Floats, level: float
) -> pd.DataFrame:
    """Return the table of `read` for spectra on the calibration's axis, and what is `predicted` of them."""
    train = calibration.train
    low, high = np.empty((2, *value.shape))
    for column, errors in enumerate(calibration.errors):
        low[:, column], high[:, column] = errors.interval(of_folds[:, :, column], level)
    within = calibration.clipped(value)
    return pd.DataFrame(
        {
            "id": np.repeat(spectra.samples["id"].to_numpy(), len(calibration.errors)),
            "target": np.tile(train.target_names, len(spectra)),
            "value": within.ravel(),
            # Models of the folds may all lie on one side of the one that has seen all rows.
            "low": np.minimum(low, within).ravel(),
            "high": np.maximum(high, within).ravel(),
            "unit": np.tile([one.unit for one in train.target_info], len(spectra)),
            "flags": _flags(calibration, spectra, value).ravel(),
        }
    )


def signed_members(calibration: Calibration, of_folds: Floats, n_members: int = 200) -> Iterator[Floats]:
    """Yield equally likely values of every spectrum, (n_spectra, n_members), target by target: what CV+ believes.

    A member is what the model of a fold reads, see `predicted`, plus the signed, scaled residual of a row left out
    there. They are taken at even steps over the rows ordered by residual.
    """
    for column, errors in enumerate(calibration.errors):
        scores = errors.residuals / errors.size(errors.residuals, errors.place)
        order = np.argsort(scores, kind="stable")
        rows = order[np.linspace(0, len(order) - 1, min(n_members, len(order))).round().astype(int)]
        of_fold, fold = of_folds[calibration.fold[rows], :, column], calibration.fold[rows]
        scale = errors.size(scores[rows, None], errors.places(of_fold, fold))
        yield (of_fold + scale * scores[rows, None]).T


def diagnostics(calibration: Calibration, spectra: SpectraSet) -> pd.DataFrame:
    """Measure how far spectra, on the calibration's axis, lie from those it was made with.

    Returns
    -------
    DataFrame, one row per spectrum
        ``id``; ``t2`` and ``q`` with the limits ``t2_limit`` and ``q_limit`` that 99 % of spectra like those of the
        calibration keep; ``n_channels_out``; ``nearest``: id of the calibration spectrum at the least distance.
    """
    usual = calibration.applicability
    return pd.DataFrame(
        {
            "id": spectra.samples["id"],
            "t2": usual.t2(spectra.signal),
            "t2_limit": usual.t2_limit,
            "q": usual.q(spectra.signal),
            "q_limit": usual.q_limit,
            "n_channels_out": usual.channels_out(spectra.signal),
            "nearest": calibration.train.samples["id"].to_numpy()[nearest(calibration, spectra, 1)[:, 0]],
        }
    )


def nearest(calibration: Calibration, spectra: SpectraSet, n_nearest: int) -> NDArray[np.int64]:
    """Return rows of the nearest calibration spectra, (n_spectra, n_nearest), the nearest first."""
    from scipy.spatial.distance import cdist

    known, n_nearest = calibration.train.signal, min(n_nearest, len(calibration.train))
    blocks = []
    for start in range(0, len(spectra), 1000):
        distances = cdist(spectra.signal[start : start + 1000], known)
        blocks.append(np.argsort(distances, axis=1, kind="stable")[:, :n_nearest])
    return np.concatenate(blocks)


def on_axis_of(calibration: Calibration, spectra: SpectraSet, axis: str) -> SpectraSet:
    """Return the spectra on the calibration's channels; nothing is changed unless `axis` says so.

    Raises
    ------
    SpectraError
        When they cannot be put there, or how is not said.
    """
    if axis not in get_args(OtherAxis):
        raise ConfigError(f"Another axis is one of: {', '.join(get_args(OtherAxis))}; got {axis!r}.")
    train = calibration.train
    wanted, given = train.axis, spectra.axis
    if (wanted.quantity, wanted.unit) != (given.quantity, given.unit) or (
        (train.meta.quantity, train.meta.unit) != (spectra.meta.quantity, spectra.meta.unit)
    ):
        raise SpectraError(
            f"The calibration reads {train.meta.signal_label} over {wanted.label}, but these spectra hold "
            f"{spectra.meta.signal_label} over {given.label}. Say what they are, or convert them, when importing them."
        )
    signal = spectra.signal
    if not same_within_rounding(wanted.positions, given.positions):
        signal = _moved(signal, given, wanted, axis)
    moved = SpectraSet(wanted, signal, samples=spectra.samples, meta=spectra.meta)
    require_computable_signal(moved, "unknown")
    return moved


def _moved(signal: NDArray[np.floating], given: SpectralAxis, wanted: SpectralAxis, axis: str) -> Floats:
    goal, slack = wanted.positions, rounding(wanted.positions)
    told = f"The calibration has {_channels(wanted)}, but these spectra have {_channels(given)}."
    inside = given.positions.min() - slack <= goal.min() and goal.max() <= given.positions.max() + slack
    distance = np.abs(goal[:, None] - given.positions[None, :])
    place = distance.argmin(axis=1)
    there = distance[np.arange(len(goal)), place] <= slack
    gap = _gap_to_fill(given.positions, goal[~there])
    possible = {"interpolate": inside and not gap and len(given) > 1, "cut": bool(there.all())}
    if axis == "cut" and possible["cut"]:
        return np.asarray(signal[:, place])
    if axis == "interpolate" and possible["interpolate"]:
        reach = np.clip(goal, given.positions.min(), given.positions.max())
        return resampled(signal, given.positions, reach)
    if not any(possible.values()):
        lacking = gap or "some of its range"
        raise SpectraError(f"{told} They lack {lacking}: calibrate again on the channels they share.")
    ways = " or ".join(way for way, can in possible.items() if can)
    raise SpectraError(f"{told} Say what to do with another axis: {ways}.")


def _gap_to_fill(given: Floats, wanted: Floats) -> str:
    """Say between which channels others are wanted that no line between two points can stand for; or nothing."""
    for at in wide_steps(given):
        low, high = sorted(given[at : at + 2])
        if ((low < wanted) & (wanted < high)).any():
            return f"all channels between {low:g} and {high:g}"
    return ""


def _channels(axis: SpectralAxis) -> str:
    return f"{len(axis)} channels from {axis.positions[0]:g} to {axis.positions[-1]:g} {axis.unit}".rstrip()


def _flags(calibration: Calibration, spectra: SpectraSet, value: Floats) -> NDArray[np.object_]:
    """Return the words beside every value, (n_spectra, n_targets); `value` as predicted, not clipped."""
    usual, labels = calibration.applicability, calibration.train.target_values
    ends = np.stack([labels.min(axis=0), labels.max(axis=0)])
    # As expected at the ends: beyond them it would grow with the very value it is compared with.
    sizes = np.array(
        [(one.above.at(low), one.below.at(high)) for one, (low, high) in zip(calibration.errors, ends.T, strict=True)]
    ).T
    clipped = calibration.clipped(value) != value
    limits = detection_limits(calibration)
    least = np.array([limits.get(name, (0.0, -np.inf))[1] for name in calibration.train.target_names])
    of_spectra = np.ones((1, value.shape[1]), dtype=bool)
    raised = {
        # Samples without the component are read a little below zero: that is error, not extrapolation.
        OUTSIDE: (value < ends[0] - sizes[0]) | (value > ends[1] + sizes[1]) | clipped,
        CLIPPED: clipped,
        T2: (usual.t2(spectra.signal) > usual.t2_limit)[:, None] & of_spectra,
        Q: (usual.q(spectra.signal) > usual.q_limit)[:, None] & of_spectra,
        CHANNEL: (usual.channels_out(spectra.signal) > 0)[:, None] & of_spectra,
        LOD: value < least,
    }
    out = np.full(value.shape, "", dtype=object)
    for word, where in raised.items():
        out[where] = [f"{before}; {word}" if before else word for before in out[where]]
    return out

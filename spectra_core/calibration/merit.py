"""Figures of merit of a calibration, target by target, as IUPAC and chemometrics define them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.calibration.calibration import Calibration, FittedPart
from spectra_core.errors import ConfigError
from spectra_core.evaluation.channels.noise import replicate_noise
from spectra_core.evaluation.errors.regression_errors import measures_by
from spectra_core.preprocessing.derivative import SavitzkyGolay
from spectra_core.regressors.linear import LinearRegressor
from spectra_core.regressors.preprocessed import Preprocessed
from spectra_core.spectra import SpectraSet

Floats = NDArray[np.float64]

_SEEN = 0.5
"""A reading must answer to a unit of the target by at least so much of it, as the calibration is fitted and on left-out
spectra, or the target is not seen: of three ions without a band a fit answered, by the others of their salts."""
_AT_ONCE = 500
"""Spectra that are made to find how a prediction changes with each channel."""


@dataclass(frozen=True)
class Line:
    """Least-squares line of predicted over reference values, with its joint confidence region.

    Parameters
    ----------
    slope, offset
        Of predicted = offset + slope x reference.
    p_ideal
        Chance of a line as far from slope 1 and offset 0, were these true: joint F test with 2 and n - 2 degrees of
        freedom (Mandel & Linnig, Anal. Chem. 1957, 29, 743-749). NaN with fewer than three values.
    covariance : (2, 2)
        Of (offset, slope).
    n_values
        Pairs the line was fitted to.
    """

    slope: float
    offset: float
    p_ideal: float
    covariance: Floats
    n_values: int

    def region(self, level: float = 0.95, n_points: int = 100) -> pd.DataFrame:
        """Return the outline of the joint confidence region: columns ``slope`` and ``offset``; empty without a line."""
        from scipy.stats import f

        if not np.isfinite(self.covariance).all():
            return pd.DataFrame({"slope": [], "offset": []}, dtype=np.float64)
        turn = np.linspace(0.0, 2.0 * np.pi, n_points)
        squares, axes = np.linalg.eigh(self.covariance)
        reach = np.sqrt(2.0 * f.ppf(level, 2, self.n_values - 2) * np.maximum(squares, 0.0))
        outline = axes @ (reach[:, None] * np.stack([np.cos(turn), np.sin(turn)]))
        return pd.DataFrame({"slope": self.slope + outline[1], "offset": self.offset + outline[0]})


def line_of(reference: Floats, predicted: Floats) -> Line:
    """Fit predicted over reference values."""
    from scipy.stats import f

    n = len(reference)
    if n < 3 or np.ptp(reference) == 0:
        return Line(np.nan, np.nan, np.nan, np.full((2, 2), np.nan), n)
    # About the mean and in units of the range: raw powers of dates, or of traces in mol/L, are no matrix to invert.
    unit = float(np.ptp(reference))
    x = (reference - reference[0]) / unit
    first, x = x.mean(), x - x.mean()
    off = (predicted - reference) / unit
    square = float(x @ x)
    level, tilt = float(off.mean()), float(x @ off) / square
    variance = float(((off - level - tilt * x) ** 2).sum() / (n - 2))
    distance = (n * level**2 + tilt**2 * square) / 2.0
    p_ideal = float(f.sf(distance / variance, 2, n - 2)) if variance > 0 else float(distance == 0.0)
    centre = float(reference[0] / unit + first)
    both = -centre * unit / square
    covariance = variance * np.array([[(1.0 / n + centre**2 / square) * unit**2, both], [both, 1.0 / square]])
    return Line(1.0 + tilt, (level - tilt * centre) * unit, p_ideal, covariance, n)


def figures_of_merit(
    calibration: Calibration,
    *,
    reference_sd: Mapping[str, float] | None = None,
    noise: Floats | float | None = None,
) -> pd.DataFrame:
    """Return the figures of merit.

    Errors are those of `regression_errors`. Of the linear figures (Olivieri, Chem. Rev. 2014, 114, 5358-5378), with b
    the regression vector in the units of signal and target: sensitivity 1/|b|; selectivity 1/(|b| |s|), s the spectrum
    of a unit of the target by least squares on all targets; analytical sensitivity, the sensitivity over the noise; for
    the limit of detection see `detection_limits`.

    Parameters
    ----------
    reference_sd
        Standard deviation of the reference method, per target, in its unit; 0 where none is given.
    noise : (n_channels,) or one for all
        Standard deviation of the signal of a blank; by default what replicates differ by, or else what is left of
        spectra outside the space of `Applicability`.

    Returns
    -------
    DataFrame, one row per target
        ``target``, ``unit``, ``n``, ``n_groups``; ``rmsec``, ``rmsecv``; ``bias`` and ``sep`` of cross-validation;
        ``r2`` of the fit, ``q2`` of cross-validation, ``rpd`` and ``rpiq`` (standard deviation, and interquartile
        range, of the references over SEP); ``slope``, ``offset``, ``p_ideal`` as in `Line`, of cross-validation;
        ``sensitivity``, ``selectivity``, ``analytical_sensitivity``, ``lod_least``, ``lod_most``, NaN where not
        defined; ``note`` says why.
    """
    train = calibration.train
    held_out, fitted = _errors(train, calibration.held_out), _errors(train, calibration.fitted)
    limits = detection_limits(calibration, reference_sd=reference_sd, noise=noise)
    linear = _linear_figures(calibration, _noise(calibration, noise))
    rows = []
    for number, target in enumerate(train.target_info):
        y = train.target_values[:, number]
        out, inside = held_out.loc[target.name], fitted.loc[target.name]
        line = line_of(y, calibration.held_out[:, number])
        least, most = limits.get(target.name, (np.nan, np.nan))
        rows.append(
            {
                "target": target.name,
                "unit": target.unit,
                "n": len(train),
                "n_groups": len(np.unique(train.groups)),
                "rmsec": inside["rmsep"],
                "rmsecv": out["rmsep"],
                "bias": out["bias"],
                "sep": out["sep"],
                "r2": inside["r2"],
                "q2": out["r2"],
                "rpd": out["rpd"],
                "rpiq": np.subtract(*np.quantile(y, [0.75, 0.25])) / out["sep"] if out["sep"] > 0 else np.nan,
                "slope": line.slope,
                "offset": line.offset,
                "p_ideal": line.p_ideal,
                **linear.get(target.name, dict.fromkeys(_LINEAR, np.nan)),
                "lod_least": least,
                "lod_most": most,
                "note": _why_not(calibration, target.name),
            }
        )
    return pd.DataFrame(rows)


_LINEAR = ("sensitivity", "selectivity", "analytical_sensitivity")


def detection_limits(
    calibration: Calibration,
    *,
    reference_sd: Mapping[str, float] | None = None,
    noise: Floats | float | None = None,
) -> dict[str, tuple[float, float]]:
    """Return the least and the most of the limit of detection, for every target it is defined for.

    3.3 sqrt((1 + h) sum_j b_j^2 sigma_j^2 + h sd_ref^2) (Allegrini & Olivieri, Anal. Chem. 2014, 86, 7858-7866), with
    channel noise sigma_j in place of one for all, and h the leverage of a blank: at least 1/n + ybar^2 / S, S = sum of
    (y_i - ybar)^2; at most, over the backgrounds of all calibration samples, max(h_i + (ybar^2 - (y_i - ybar)^2) / S),
    with h_i the leverage of a sample in the space of `Applicability`. With one channel the least is IUPAC's limit.
    Noise counts as independent between channels. Arguments as of `figures_of_merit`.
    """
    train, usual = calibration.train, calibration.applicability
    leverage = 1.0 / len(train) + usual.t2(train.signal) / (len(train) - 1)
    found = {}
    for name, (vector, _) in _seen(calibration).items():
        y = train.target_values[:, train.target_names.index(name)]
        if y.min() < 0.0:
            continue
        spread = float(((y - y.mean()) ** 2).sum())
        of_noise = float(((vector * _noise(calibration, noise)) ** 2).sum())
        of_labels = (reference_sd or {}).get(name, 0.0) ** 2
        least = 1.0 / len(y) + y.mean() ** 2 / spread
        most = max(least, float((leverage + (y.mean() ** 2 - (y - y.mean()) ** 2) / spread).max()))
        low, high = (3.3 * float(np.sqrt((1.0 + h) * of_noise + h * of_labels)) for h in (least, most))
        found[name] = low, high
    return found


def linear_form(part: FittedPart, train: SpectraSet) -> tuple[Floats, Floats] | None:
    """Return intercepts (n_targets,) and coefficients (n_channels, n_targets) on spectra as they were measured.

    None where the prediction is no such product: other regressors than PLS and ridge, preprocessing that is not linear.
    """
    model = part.model
    steps = model.steps if isinstance(model, Preprocessed) else ()
    inner = model.regressor if isinstance(model, Preprocessed) else model
    if not isinstance(inner, LinearRegressor) or not all(isinstance(step, SavitzkyGolay) for step in steps):
        return None
    signal, targets = inner.signal_scaling_, inner.target_scaling_
    slopes = np.where(signal.constant, 0.0, 1.0 / signal.scale)[:, None] * inner.coefficients_
    slopes = np.where(targets.constant, 0.0, slopes * targets.scale)
    intercepts = np.asarray(targets.mean - signal.mean @ slopes, dtype=np.float64)
    if not steps:
        return intercepts, slopes
    found = np.empty_like(slopes)
    for start in range(0, len(slopes), _AT_ONCE):
        channels = np.arange(start, min(start + _AT_ONCE, len(slopes)))
        unit = np.zeros((len(channels), len(slopes)))
        unit[np.arange(len(channels)), channels] = 1.0
        shown = SpectraSet(train.axis, unit, meta=train.meta)
        for step in steps:
            shown = step.transform(shown)
        found[channels] = shown.signal @ slopes
    return intercepts, found


def coefficient_table(calibration: Calibration) -> pd.DataFrame:
    """Return what reproduces a linear calibration's predictions outside this program.

    Returns
    -------
    DataFrame, first the row "intercept", then one row per channel
        ``channel``, and a column per target, named with its unit: prediction = intercept + sum over channels of
        coefficient x signal, before it is clipped to the calibrated range.

    Raises
    ------
    ConfigError
        When no target has a linear form.
    """
    train = calibration.train
    columns: dict[str, Floats] = {}
    for part in calibration.parts:
        form = linear_form(part, train)
        for at, name in enumerate(part.targets if form is not None else ()):
            assert form is not None
            columns[name] = np.concatenate([form[0][at : at + 1], form[1][:, at]])
    if not columns:
        raise ConfigError(
            f"{calibration.title} has no coefficients: its predictions are no weighted sums of channels. "
            "Calibrate with PLS or ridge, without preprocessing or with Savitzky-Golay, to have them."
        )
    labels = {one.name: one.label for one in train.target_info}
    channels = ["intercept", *(repr(float(position)) for position in train.axis.positions)]
    return pd.DataFrame({"channel": channels} | {labels[name]: columns[name] for name in labels if name in columns})


def regression_vectors(calibration: Calibration) -> pd.DataFrame:
    """Return how predictions change with every channel.

    Returns
    -------
    DataFrame, one row per (target, channel)
        ``target``, ``position``, ``coefficient`` in units of the target per unit of signal: the regression vector, or
        the gradient at the mean spectrum by central differences where the calibration is not linear; ``linear`` says
        which.
    """
    train, usual = calibration.train, calibration.applicability
    tables = []
    for part in calibration.parts:
        form = linear_form(part, train)
        slopes = form[1] if form is not None else _gradient(part, train, usual.mean, usual.highest - usual.lowest)
        tables += [
            pd.DataFrame(
                {
                    "target": name,
                    "position": train.axis.positions,
                    "coefficient": slopes[:, at],
                    "linear": form is not None,
                }
            )
            for at, name in enumerate(part.targets)
        ]
    return pd.concat(tables, ignore_index=True)


def _gradient(part: FittedPart, train: SpectraSet, mean: Floats, reach: Floats) -> Floats:
    steps = np.where(reach > 0, 0.05 * reach, 1.0)
    found = np.empty((len(mean), len(part.targets)))
    for start in range(0, len(mean), _AT_ONCE):
        channels = np.arange(start, min(start + _AT_ONCE, len(mean)))
        move = np.zeros((len(channels), len(mean)))
        move[np.arange(len(channels)), channels] = steps[channels]
        up, down = (
            part.model.predict(SpectraSet(train.axis, mean + sign * move, meta=train.meta)).to_numpy()
            for sign in (1.0, -1.0)
        )
        found[channels] = (up - down) / (2.0 * steps[channels, None])
    return found


def _errors(train: SpectraSet, predicted: Floats) -> pd.DataFrame:
    """Return the measures of every target, by its name."""
    table = pd.DataFrame(
        {
            "target": np.repeat(train.target_names, len(train)),
            "reference": train.target_values.ravel(order="F"),
            "error": (predicted - train.target_values).ravel(order="F"),
        }
    )
    return measures_by(table, ["target"]).set_index("target")


def _seen(calibration: Calibration) -> dict[str, tuple[Floats, Floats]]:
    """Return regression vector and spectrum of a unit, (n_channels,) each, of targets that a linear part sees."""
    train = calibration.train
    centred = train.target_values - train.target_values.mean(axis=0)
    signal = np.asarray(train.signal, dtype=np.float64)
    spectra = np.linalg.lstsq(centred, signal - signal.mean(axis=0), rcond=None)[0]
    found = {}
    for part in calibration.parts:
        form = linear_form(part, train)
        for at, name in enumerate(part.targets if form is not None else ()):
            assert form is not None
            vector, unit = form[1][:, at], spectra[train.target_names.index(name)]
            at_all = train.target_names.index(name)
            answer = line_of(train.target_values[:, at_all], calibration.held_out[:, at_all]).slope
            if vector @ unit >= _SEEN and answer >= _SEEN:
                found[name] = vector, unit
    return found


def _noise(calibration: Calibration, given: Floats | float | None) -> Floats | float:
    if given is not None:
        return given
    of_replicates = replicate_noise(calibration.train)
    if of_replicates is None or not of_replicates.any():  # copies of one measurement say nothing of noise
        return calibration.applicability.noise
    return of_replicates


def _linear_figures(calibration: Calibration, noise: Floats | float) -> dict[str, dict[str, float]]:
    found = {}
    for name, (vector, unit) in _seen(calibration).items():
        length, of_noise = np.linalg.norm(vector), np.linalg.norm(vector * noise)
        found[name] = {
            "sensitivity": 1.0 / float(length),
            "selectivity": 1.0 / float(length * np.linalg.norm(unit)),
            "analytical_sensitivity": 1.0 / float(of_noise) if of_noise else np.nan,
        }
    return found


def _why_not(calibration: Calibration, name: str) -> str:
    part = next(part for part in calibration.parts if name in part.targets)
    if linear_form(part, calibration.train) is None:
        return (
            "Sensitivity, selectivity and limit of detection are defined for linear calibrations: PLS or ridge, "
            "without preprocessing or with Savitzky-Golay."
        )
    if name not in _seen(calibration):
        return (
            "Not seen: a unit of it changes its reading by less than half of that, so sensitivity and limit of "
            "detection would be those of a guess."
        )
    negative = calibration.train.target_values[:, calibration.train.target_names.index(name)].min() < 0
    return "No limit of detection: some labels are negative." if negative else ""

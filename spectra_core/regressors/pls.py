"""Partial least squares, one model per target, components chosen by inner cross-validation."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import Arrays, derived_seed
from spectra_core.options import Range
from spectra_core.regressors.inner_folds import inner_folds
from spectra_core.regressors.linear import LinearRegressor
from spectra_core.spectra import SpectraSet
from spectra_core.splits import Split

Rule = Literal["one_standard_error", "minimum"]

EXHAUSTED = 1e-12
"""A direction whose covariance with the target has fallen to this share of the first one's is rounding."""


@dataclass(eq=False)
class PLS(LinearRegressor):
    """Partial least squares regression, PLS1: every target has its own components.

    Kernel algorithm 2 of Dayal & MacGregor (J. Chemometrics 1997, 11, 73-85), which reads the channels' covariance
    only: cross-validation of all numbers of components costs two passes over the spectra.

    Parameters
    ----------
    max_components
        Most components tried; fewer where channels or spectra are fewer.
    n_folds
        Parts of the inner cross-validation of measured spectra; replicates and duplicates stay together, generated
        spectra are left out with their parents and never tested.
    rule
        "minimum" takes the number of components with the least cross-validated error; "one_standard_error" the
        smallest number within one standard error of it (Hastie, Tibshirani, Friedman, The Elements of Statistical
        Learning, 2009, section 7.10), which predicted worse on all sets tried (decision 141).
    scale_channels
        Whether every channel is divided by its standard deviation; None for what has the lesser cross-validated error,
        target by target. Scaling lifts weak bands, and channels that hold noise only. The division uses all training
        spectra, also within the inner cross-validation; it knows no target.

    Attributes
    ----------
    n_components_ : (n_targets,)
        Chosen number per target; 0 for a constant target.
    rmsecv_ : (max_components, n_targets), in standard deviations of each target
        Root of the inner cross-validation's mean squared error with 1, 2, ... components, scaled as was chosen.
    """

    title: ClassVar[str] = "PLS"
    explanation: ClassVar[str] = (
        "Partial least squares: a linear model per target in a few directions of the spectra that vary with it."
    )

    max_components: Annotated[int, Range(1, 4096)] = 20
    n_folds: Annotated[int, Range(2, 1000)] = 5
    rule: Rule = "minimum"
    scale_channels: bool | None = None

    def _coefficients(
        self, signal: NDArray[Any], targets: NDArray[Any], train: SpectraSet, seed: int
    ) -> NDArray[np.float64]:
        splits = inner_folds(train, self.n_folds, derived_seed(seed, "pls inner folds"))
        coefficients, n_components, rmsecv = self._fitted(signal, targets, splits)
        if self.scale_channels is None:
            spread = signal.std(axis=0)
            scale = np.where(spread > 0, spread, 1.0)
            scaled = self._fitted(signal / scale, targets, splits)
            better = scaled[2].min(axis=0) < rmsecv.min(axis=0)
            coefficients = np.where(better, scaled[0] / scale[:, None], coefficients)
            n_components, rmsecv = np.where(better, scaled[1], n_components), np.where(better, scaled[2], rmsecv)
        self.n_components_, self.rmsecv_ = n_components, rmsecv
        return coefficients

    def _fitted(
        self, signal: NDArray[np.float64], targets: NDArray[np.float64], splits: list[Split]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """Return coefficients, numbers of components and cross-validated errors for channels as they are."""
        compact, basis = _compact(signal)
        fewest = min(len(split.train) for split in splits)
        most = max(1, min(self.max_components, compact.shape[1], fewest - 1))
        errors = cross_validated_errors(compact, targets, splits, most)
        n_components = np.where(np.ptp(targets, axis=0) > 0, chosen_components(errors, self.rule), 0)
        path = pls1_path(compact.T @ compact, compact.T @ targets, int(n_components.max(initial=1)))
        picked = path[np.maximum(n_components, 1) - 1, :, np.arange(targets.shape[1])].T
        return basis @ picked if basis is not None else picked, n_components, np.sqrt(errors.mean(axis=0))

    def _choices(self) -> Arrays:
        return {"n_components": self.n_components_, "rmsecv": self.rmsecv_}

    def _choice_shapes(self, n_targets: int) -> dict[str, tuple[int | None, ...]]:
        return {"n_components": (n_targets,), "rmsecv": (None, n_targets)}

    def _take_choices(self, arrays: Arrays) -> None:
        self.n_components_, self.rmsecv_ = arrays["n_components"], arrays["rmsecv"]


def pls1_path(
    channel_products: NDArray[np.float64], target_products: NDArray[np.float64], n_components: int
) -> NDArray[np.float64]:
    """Return the coefficients of PLS1 with 1, 2, ... `n_components` components, for every target.

    Parameters
    ----------
    channel_products : (n_channels, n_channels)
        X'X of centred channels.
    target_products : (n_channels, n_targets)
        X'Y; the targets are independent models, computed side by side.

    Returns
    -------
    (n_components, n_channels, n_targets)
        Where a target's covariance is exhausted, further components change nothing.
    """
    n_channels, n_targets = target_products.shape
    rotations = np.zeros((n_components, n_channels, n_targets))
    loadings = np.zeros_like(rotations)
    path = np.zeros_like(rotations)
    coefficients = np.zeros((n_channels, n_targets))
    left = target_products.copy()  # X'y, deflated
    first = np.linalg.norm(left, axis=0)
    going = first > 0
    total_variance = np.trace(channel_products)
    for a in range(n_components):
        norm = np.linalg.norm(left, axis=0)
        going &= norm > EXHAUSTED * first
        weight = left / np.where(going, norm, 1.0)
        overlap = np.einsum("act,ct->at", loadings[:a], weight)
        rotation = weight - np.einsum("at,act->ct", overlap, rotations[:a])
        image = channel_products @ rotation
        score_square = np.einsum("ct,ct->t", rotation, image)  # t't
        going &= score_square > np.finfo(np.float64).eps * total_variance
        safe = np.where(going, score_square, 1.0)
        slope = np.einsum("ct,ct->t", rotation, left) / safe
        rotations[a] = np.where(going, rotation, 0.0)
        loadings[a] = np.where(going, image / safe, 0.0)
        left -= loadings[a] * (slope * safe)
        coefficients += rotations[a] * slope
        path[a] = coefficients
    return path


def cross_validated_errors(
    signal: NDArray[np.float64], targets: NDArray[np.float64], splits: list[Split], n_components: int
) -> NDArray[np.float64]:
    """Return mean squared errors (n_folds, n_components, n_targets) on the tested rows.

    `signal` is centred over all rows; each fold's own centring follows from the rows it leaves out.
    """
    all_products, all_target_products = signal.T @ signal, signal.T @ targets
    errors = np.empty((len(splits), n_components, targets.shape[1]))
    for split, out in zip(splits, errors, strict=True):
        left = np.setdiff1d(np.arange(len(signal)), split.train)
        x_left, x, y = signal[left], signal[split.test], targets[split.test]
        n = len(split.train)
        x_mean, y_mean = signal[split.train].mean(axis=0), targets[split.train].mean(axis=0)
        path = pls1_path(
            all_products - x_left.T @ x_left - n * np.outer(x_mean, x_mean),
            all_target_products - x_left.T @ targets[left] - n * np.outer(x_mean, y_mean),
            n_components,
        )
        predicted = (x - x_mean) @ path + y_mean  # (n_components, n_test, n_targets)
        out[:] = ((predicted - y) ** 2).mean(axis=1)
    return errors


def chosen_components(errors: NDArray[np.float64], rule: Rule) -> NDArray[np.int64]:
    """Return the number of components per target, from errors (n_folds, n_components, n_targets)."""
    mean = errors.mean(axis=0)
    best = mean.argmin(axis=0)
    if rule == "minimum":
        return np.asarray(best + 1)
    columns = np.arange(mean.shape[1])
    standard_error = errors.std(axis=0, ddof=1) / np.sqrt(len(errors))
    limit = mean[best, columns] + standard_error[best, columns]
    return np.asarray((mean <= limit).argmax(axis=0) + 1)


def _compact(signal: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Express wide spectra in an orthonormal basis of their own span; PLS does not change under rotation."""
    n_spectra, n_channels = signal.shape
    if n_spectra >= n_channels:
        return signal, None
    basis, coordinates = np.linalg.qr(signal.T)
    return np.ascontiguousarray(coordinates.T), basis

"""Partial least squares, one model per target, components chosen by inner cross-validation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import Arrays, derived_seed
from spectra_core.options import Range
from spectra_core.regressors.inner_folds import inner_folds
from spectra_core.regressors.linear import LinearRegressor
from spectra_core.spectra import SpectraSet
from spectra_core.splits import Split
from spectra_core.training.cost import CALLS, THIN

Rule = Literal["one_standard_error", "minimum"]

EXHAUSTED = 1e-12
"""A direction whose covariance with the target has fallen to this share of the first one's is rounding."""
_EPS = float(np.finfo(np.float64).eps)
_MOST_SCORES = 2_000_000
"""Numbers held for the folds that are worked on side by side."""


Fit = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]
"""Coefficients, numbers of components and cross-validated errors."""


class Products(NamedTuple):
    """X'X (n_channels, n_channels) and X'Y (n_channels, n_targets) of centred channels: all that PLS reads."""

    channels: NDArray[np.float64]
    targets: NDArray[np.float64]

    def scaled(self, scale: NDArray[np.float64]) -> "Products":
        """Return those of channels divided by `scale`."""
        return Products(self.channels / np.outer(scale, scale), self.targets / scale[:, None])


@dataclass(eq=False)
class PLS(LinearRegressor):
    """Partial least squares regression, PLS1: every target has its own components.

    Where spectra are as many as channels or more, kernel algorithm 2 of Dayal & MacGregor (J. Chemometrics 1997, 11,
    73-85), which reads the channels' covariance only: cross-validation of all numbers of components costs two passes
    over the spectra. Where they are fewer, the same components from the products of spectra with each other (as Rännar
    et al., J. Chemometrics 1994, 8, 111-125).

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

    max_components: Annotated[int, Range(1, 4096), "Most components"] = 20
    n_folds: Annotated[int, Range(2, 1000)] = 5
    rule: Rule = "minimum"
    scale_channels: bool | None = None

    def cost(self, n_rows: int, n_channels: int, n_targets: int) -> float:
        """Return Gflop of a fit: products of spectra or channels, and components of all folds, targets and scalings."""
        n_scalings = 2 if self.scale_channels is None else 1
        models = n_scalings * (self.n_folds + 1) * n_targets
        most = min(self.max_components, n_rows, n_channels)
        if n_rows < n_channels:
            products = 2 * n_scalings * n_rows**2 * n_channels + 2 * models * most * n_rows**2
            return CALLS + 1e-9 * (products + THIN * 4 * models * most**2 * n_rows)
        products = (2 + 2) * n_rows * n_channels**2 + 2 * models * most * n_channels**2
        beside = 4 * (self.n_folds + n_scalings) * n_channels**2 + 4 * models * most**2 * n_channels
        return CALLS + 1e-9 * (products + THIN * beside)

    def _coefficients(
        self, signal: NDArray[Any], targets: NDArray[Any], train: SpectraSet, seed: int
    ) -> NDArray[np.float64]:
        splits = inner_folds(train, self.n_folds, derived_seed(seed, "pls inner folds"))
        scales = [np.ones(signal.shape[1])]
        if self.scale_channels is None:
            spread = signal.std(axis=0)
            scales.append(np.where(spread > 0, spread, 1.0))
        (coefficients, n_components, rmsecv), *others = self._fits(signal, targets, splits, scales)
        for scaled in others:
            better = scaled[2].min(axis=0) < rmsecv.min(axis=0)
            coefficients = np.where(better, scaled[0], coefficients)
            n_components, rmsecv = np.where(better, scaled[1], n_components), np.where(better, scaled[2], rmsecv)
        self.n_components_, self.rmsecv_ = n_components, rmsecv
        return coefficients

    def _fits(
        self,
        signal: NDArray[np.float64],
        targets: NDArray[np.float64],
        splits: list[Split],
        scales: list[NDArray[np.float64]],
    ) -> list[Fit]:
        """Return the fit for every scaling of the channels; those of many spectra share the products of channels."""
        found = []
        fewest = min(len(split.train) for split in splits)
        most = max(1, min(self.max_components, signal.shape[1], fewest - 1))
        varying = np.ptp(targets, axis=0) > 0
        if len(signal) < signal.shape[1]:
            for scale in scales:
                scaled = signal / scale
                kernel = scaled @ scaled.T
                errors = errors_by_kernel(kernel, targets, splits, most)
                n_components = np.where(varying, chosen_components(errors, self.rule), 0)
                picked = scaled.T @ weights_by_kernel(kernel, targets, n_components)
                found.append((picked / scale[:, None], n_components, np.sqrt(errors.mean(axis=0))))
            return found
        products = Products(signal.T @ signal, signal.T @ targets)
        for scale, errors in zip(
            scales, cross_validated_errors(signal, targets, splits, most, products=products, scales=scales), strict=True
        ):
            n_components = np.where(varying, chosen_components(errors, self.rule), 0)
            path = pls1_path(*products.scaled(scale), int(n_components.max(initial=1)))
            picked = path[np.maximum(n_components, 1) - 1, :, np.arange(targets.shape[1])].T
            found.append((picked / scale[:, None], n_components, np.sqrt(errors.mean(axis=0))))
        return found

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
        going &= score_square > _EPS * total_variance
        safe = np.where(going, score_square, 1.0)
        slope = np.einsum("ct,ct->t", rotation, left) / safe
        rotations[a] = np.where(going, rotation, 0.0)
        loadings[a] = np.where(going, image / safe, 0.0)
        left -= loadings[a] * (slope * safe)
        coefficients += rotations[a] * slope
        path[a] = coefficients
    return path


def cross_validated_errors(
    signal: NDArray[np.float64],
    targets: NDArray[np.float64],
    splits: list[Split],
    n_components: int,
    *,
    products: Products,
    scales: list[NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return mean squared errors (n_scales, n_folds, n_components, n_targets) on the tested rows.

    `signal` is centred over all rows and `products` are its own; each fold's own centring follows from the rows it
    leaves out, and every scaling of the channels from the products of the unscaled.
    """
    errors = np.empty((len(scales), len(splits), n_components, targets.shape[1]))
    for fold, split in enumerate(splits):
        left = np.setdiff1d(np.arange(len(signal)), split.train)
        x_left = signal[left]
        n = len(split.train)
        x_mean, y_mean = signal[split.train].mean(axis=0), targets[split.train].mean(axis=0)
        own = Products(
            products.channels - x_left.T @ x_left - n * np.outer(x_mean, x_mean),
            products.targets - x_left.T @ targets[left] - n * np.outer(x_mean, y_mean),
        )
        x, y = signal[split.test] - x_mean, targets[split.test] - y_mean
        for scale, out in zip(scales, errors[:, fold], strict=True):
            predicted = (x / scale) @ pls1_path(*own.scaled(scale), n_components)  # (n_components, n_test, n_targets)
            out[:] = ((predicted - y) ** 2).mean(axis=1)
    return errors


class KernelStep(NamedTuple):
    """One more component of PLS1, of models (folds, targets) side by side.

    Parameters
    ----------
    read : (n_folds, n_targets, n_spectra)
        What it adds to the prediction of every spectrum.
    weights : (n_folds, n_targets, n_spectra)
        The same as weights of the training spectra: ``kernel @ weights`` is ``read``, but for the mean.
    """

    read: NDArray[np.float64]
    weights: NDArray[np.float64]


def pls1_by_kernel(
    kernel: NDArray[np.float64], targets: NDArray[np.float64], trains: NDArray[np.bool_], n_components: int
) -> Iterator[KernelStep]:
    """Yield the components of PLS1 one by one, for every training set and target side by side.

    The score of a component is ``X X'y``, y being what is left of the target, made orthogonal to the scores before.

    Parameters
    ----------
    kernel : (n_spectra, n_spectra)
        XX' of the centred spectra; each training set's own centring follows.
    targets : (n_spectra, n_targets)
    trains : (n_folds, n_spectra)
        Which spectra each model is trained on.
    """
    (n_folds, n_spectra), n_targets = trains.shape, targets.shape[1]
    rows = np.repeat(trains.astype(np.float64), n_targets, axis=0)  # one model a row
    sizes = rows.sum(axis=1, keepdims=True)
    left = np.tile(targets.T, (n_folds, 1)) * rows
    left = (left - left.sum(axis=1, keepdims=True) / sizes) * rows
    total_variance = rows @ np.diag(kernel)
    scores, makings = np.zeros((2, len(rows), n_components, n_spectra))
    going = np.ones(len(rows), dtype=bool)
    for a in range(n_components):
        score = left @ kernel
        score -= (score * rows).sum(axis=1, keepdims=True) / sizes
        covariance = np.einsum("mn,mn->m", score, left)  # |X'y|^2
        going &= covariance > 10.0 * _EPS * total_variance * np.einsum("mn,mn->m", left, left)
        norm = np.sqrt(np.where(going, covariance, 1.0))[:, None]
        score, making = score / norm, left / norm
        overlap = (scores[:, :a] @ (score * rows)[:, :, None]).transpose(0, 2, 1)
        score -= (overlap @ scores[:, :a])[:, 0]
        making -= (overlap @ makings[:, :a])[:, 0]
        trained = score * rows
        score_square = np.einsum("mn,mn->m", trained, trained)
        going &= score_square > _EPS * total_variance
        scale = np.where(going, 1.0 / np.sqrt(np.where(going, score_square, 1.0)), 0.0)[:, None]
        scores[:, a], makings[:, a] = score * scale, making * scale
        trained *= scale
        slope = np.einsum("mn,mn->m", trained, left)[:, None]
        left -= trained * slope
        shape = n_folds, n_targets, n_spectra
        yield KernelStep((scores[:, a] * slope).reshape(shape), (makings[:, a] * slope).reshape(shape))


def weights_by_kernel(
    kernel: NDArray[np.float64], targets: NDArray[np.float64], n_components: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the weights (n_spectra, n_targets) of centred spectra whose sum PLS1's coefficients are.

    Parameters
    ----------
    n_components : (n_targets,)
        Of every target; none gives no weight.
    """
    weights = np.zeros(targets.shape[::-1])
    trains = np.ones((1, len(kernel)), dtype=bool)
    for a, step in enumerate(pls1_by_kernel(kernel, targets, trains, int(n_components.max(initial=0)))):
        weights += np.where((a < n_components)[:, None], step.weights[0], 0.0)
    return weights.T


def errors_by_kernel(
    kernel: NDArray[np.float64], targets: NDArray[np.float64], splits: list[Split], n_components: int
) -> NDArray[np.float64]:
    """Return mean squared errors (n_folds, n_components, n_targets) on the tested rows, of spectra fewer than channels.

    `kernel` is of spectra that are centred over all rows.
    """
    n_spectra, n_targets = targets.shape
    errors = np.empty((len(splits), n_components, n_targets))
    at_once = max(1, _MOST_SCORES // (n_components * n_targets * n_spectra))
    for first in range(0, len(splits), at_once):
        some = splits[first : first + at_once]
        trains = np.array([np.isin(np.arange(n_spectra), split.train) for split in some])
        wrong = [targets[split.train].mean(axis=0) - targets[split.test] for split in some]
        for a, step in enumerate(pls1_by_kernel(kernel, targets, trains, n_components)):
            for fold, split in enumerate(some):
                wrong[fold] += step.read[fold][:, split.test].T
                errors[first + fold, a] = (wrong[fold] ** 2).mean(axis=0)
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

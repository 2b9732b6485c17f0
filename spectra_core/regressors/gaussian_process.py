"""Gaussian process regression on principal component scores, at a bounded cost."""

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Arrays, Budget, Reporter, random_stream
from spectra_core.errors import ConfigError
from spectra_core.options import Range
from spectra_core.preprocessing import Standardiser
from spectra_core.preprocessing.magnitudes import require_computable_signal
from spectra_core.regressors.base import Regressor
from spectra_core.regressors.inner_folds import inner_groups, measured_rows, require_groups
from spectra_core.regressors.state import (
    checked_arrays,
    constant_target_notes,
    require_calibration_set,
    require_fitted,
    scaling_shapes,
    target_table,
)
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.training.cost import CALLS, EIGENVECTORS, THIN

Floats = NDArray[np.float64]

LENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Length scales tried, in units of the scores' root mean squared distance to their mean: from local to near linear."""
NOISES = tuple(np.logspace(-8.0, 0.0, 17).tolist())
"""Noise variances tried, as shares of the signal's prior variance."""
_ROWS_AT_ONCE = 4096


@dataclass(eq=False)
class GaussianProcess(Regressor):
    """One Gaussian process per target on the first principal component scores of the spectra.

    Squared-exponential kernel exp(-d^2 / (2 l^2)) plus white noise; the posterior mean predicts (Rasmussen & Williams,
    Gaussian Processes for Machine Learning, 2006, eq. 2.25), which is kernel ridge regression. Length scale and noise
    are those of a fixed grid with the largest marginal likelihood (eq. 5.8), the signal variance being solved for;
    where generated spectra train too, those with the least error on measured ones, each left out.

    The cost is bounded. The grid is searched on at most `n_search` spectra, one per group, chosen at random by
    the seed, since replicates would make the noise look smaller than it is. Up to `max_spectra` training spectra
    the process is exact; beyond, all spectra are used but the function is spanned by the kernels at
    `n_inducing` of them, chosen at random ("subset of regressors", section 8.3.1): at 2000 spectra and more, time
    grows with n_spectra and not with its cube.

    Parameters
    ----------
    n_components
        Principal component scores used, unscaled, so that directions that hold noise only count as little as
        they vary; fewer where the spectra span fewer.
    n_search, max_spectra, n_inducing
        As above.

    Attributes
    ----------
    directions_ : (n_channels, n_components)
        From centred channels to scores in units of their root mean squared length.
    centres_ : (n_centres, n_components)
        Scores at which kernels sit.
    weights_ : (n_centres, n_targets)
        Standardised target per kernel.
    lengths_, noises_ : (n_targets,)
        Chosen length scale and noise share.
    """

    title: ClassVar[str] = "Gaussian process"
    explanation: ClassVar[str] = (
        "A smooth curved function of the spectra's principal components, as curved as the training spectra suggest."
    )

    n_components: Annotated[int, Range(1, 4096)] = 20
    n_search: Annotated[int, Range(1, 20_000), "Spectra of the search"] = 500
    max_spectra: Annotated[int, Range(1, 20_000), "Most spectra"] = 2000
    n_inducing: Annotated[int, Range(1, 20_000), "Inducing spectra"] = 1000

    signal_scaling_: Standardiser = field(init=False, repr=False)
    target_scaling_: Standardiser = field(init=False, repr=False)
    directions_: Floats = field(init=False, repr=False)
    centres_: Floats = field(init=False, repr=False)
    weights_: Floats = field(init=False, repr=False)
    lengths_: Floats = field(init=False, repr=False)
    noises_: Floats = field(init=False, repr=False)

    def cost(self, n_rows: int, n_channels: int, n_targets: int) -> float:
        """Return Gflop of a fit: principal directions, the search, and the weights of kernels for every target."""
        shorter, searched = min(n_rows, n_channels), min(n_rows, self.n_search)
        directions = 4 * n_rows * n_channels * shorter + EIGENVECTORS * shorter**3
        search = len(LENGTHS) * (EIGENVECTORS * searched**3 + THIN * 10 * searched**2)
        if n_rows <= self.max_spectra:
            weights = n_rows**3 / 3 + THIN * 10 * n_rows**2
        else:
            weights = 2 * n_rows * self.n_inducing**2 + self.n_inducing**3 + THIN * 10 * n_rows * self.n_inducing
        return CALLS + 1e-9 * (directions + search + n_targets * weights)

    def fit(
        self,
        train: SpectraSet,
        *,
        budget: Budget | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
    ) -> Self:
        """Learn all targets of `train`; `budget` is unused, `seed` chooses rows where there are more than are used."""
        require_calibration_set(train)
        groups = inner_groups(train)
        require_groups(len(np.unique(groups)), train)
        signal = np.asarray(train.signal, dtype=np.float64)
        self.signal_scaling_ = Standardiser.fit(signal).centring
        self.target_scaling_ = Standardiser.fit(train.target_values)
        centred = self.signal_scaling_.transform(signal)
        self.directions_ = _scaled_directions(np.asarray(centred), self.n_components)
        scores = np.asarray(centred @ self.directions_)
        targets = np.asarray(self.target_scaling_.transform(train.target_values), dtype=np.float64)
        rng = random_stream(seed, "gaussian process")
        measured = measured_rows(train)
        searched = _one_per_group(groups, self.n_search, rng, first=measured)
        choose = most_likely if measured[searched].all() else partial(least_wrong, counted=measured[searched])
        self.lengths_, self.noises_ = choose(scores[searched], targets[searched])
        exact = len(train) <= self.max_spectra
        centres = np.arange(len(train)) if exact else _one_per_group(groups, self.n_inducing, rng)
        self.centres_ = scores[centres]
        self.weights_ = np.column_stack(
            [
                _exact_weights(scores, y, length, noise)
                if exact
                else _spanned_weights(self.centres_, scores, y, length, noise)
                for y, length, noise in zip(targets.T, self.lengths_, self.noises_, strict=True)
            ]
        )
        self.frame_ = train.frame
        self.notes_ = constant_target_notes(self.target_scaling_, self.frame_)
        return self

    def predict(self, spectra: SpectraSet) -> pd.DataFrame:
        """Return predicted targets (n_spectra, n_targets) in the units of the training set."""
        require_fitted(self, self.title)
        self.frame_.require_same_signal(spectra.frame)
        require_computable_signal(spectra, "new")
        centred = self.signal_scaling_.transform(np.asarray(spectra.signal, dtype=np.float64))
        scores = np.asarray(centred @ self.directions_)
        values = np.empty((len(scores), self.weights_.shape[1]))
        for start in range(0, len(scores), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            squares = _squared_distances(scores[rows], self.centres_)
            for number, length in enumerate(self.lengths_):
                values[rows, number] = _kernel(squares, length) @ self.weights_[:, number]
        return target_table(np.asarray(self.target_scaling_.inverse(values), dtype=np.float64), self.frame_)

    def to_arrays(self) -> Arrays:
        """Return scaling, directions, centres and weights."""
        require_fitted(self, self.title)
        return {
            **self.signal_scaling_.to_arrays("signal"),
            **self.target_scaling_.to_arrays("targets"),
            **{name: getattr(self, f"{name}_") for name in ("directions", "centres", "weights", "lengths", "noises")},
        }

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a fitted state after checking it; return self."""
        n_channels, n_targets = len(frame.axis), len(frame.target_info)
        shapes: dict[str, tuple[int | None, ...]] = {
            **scaling_shapes("signal", n_channels),
            **scaling_shapes("targets", n_targets),
            "directions": (n_channels, None),
            "centres": (None, None),
            "weights": (None, n_targets),
            "lengths": (n_targets,),
            "noises": (n_targets,),
        }
        checked = checked_arrays(arrays, shapes, self.title)
        linked = {**shapes, "centres": (len(checked["weights"]), checked["directions"].shape[1])}
        checked = checked_arrays(checked, linked, self.title)
        self.signal_scaling_ = Standardiser.from_arrays(checked, "signal")
        self.target_scaling_ = Standardiser.from_arrays(checked, "targets")
        for name in ("directions", "centres", "weights", "lengths", "noises"):
            setattr(self, f"{name}_", checked[name])
        if not (self.lengths_ > 0).all():
            raise ConfigError(f"The length scales of {self.title!r} must be positive. The file is damaged.")
        self.frame_ = frame
        self.notes_ = constant_target_notes(self.target_scaling_, frame)
        return self


def most_likely(scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Return the length scale and noise share of every target, (n_targets,) each, with the largest likelihood.

    One eigendecomposition K = U diag(k) U' per length scale serves all noises and targets. With y ~ N(0, s^2 (K + g I))
    and s^2 at its best, mean over i of (u_i'y)^2 / (k_i + g), the log likelihood is
    -n/2 ln s^2 - 1/2 sum_i ln(k_i + g) and a constant.
    """
    squares = _squared_distances(scores, scores)
    n = len(scores)
    noises = np.array(NOISES)
    best = np.full(targets.shape[1], -np.inf)
    lengths, chosen = np.full_like(best, LENGTHS[0]), np.full_like(best, NOISES[-1])
    for length in LENGTHS:
        eigenvalues, vectors = np.linalg.eigh(_kernel(squares, length))
        spread = np.maximum(eigenvalues, 0.0)[:, None] + noises  # (n, n_noises)
        projected = (vectors.T @ targets) ** 2  # (n, n_targets)
        variance = projected.T @ (1.0 / spread) / n  # (n_targets, n_noises)
        # A constant target has variance 0 at every choice: any serves.
        likelihood = -0.5 * n * np.log(np.maximum(variance, np.finfo(np.float64).tiny)) - 0.5 * np.log(spread).sum(0)
        top = likelihood.argmax(axis=1)
        value = likelihood[np.arange(len(best)), top]
        better = value > best
        best[better], lengths[better], chosen[better] = value[better], length, noises[top[better]]
    return lengths, chosen


def least_wrong(scores: Floats, targets: Floats, counted: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the length scale and noise share of every target with the least error on `counted` rows, each left out.

    With A = K + g I, a row that is left out is missed by (A^-1 y)_i / (A^-1)_ii (Rasmussen & Williams 2006, eq. 5.12).
    Likelihood would believe generated rows as it does measured ones.
    """
    squares = _squared_distances(scores, scores)
    best = np.full(targets.shape[1], np.inf)
    lengths, chosen = np.full_like(best, LENGTHS[0]), np.full_like(best, NOISES[-1])
    for length in LENGTHS:
        eigenvalues, vectors = np.linalg.eigh(_kernel(squares, length))
        rows = vectors[counted]
        for noise in NOISES:
            inverse = 1.0 / (np.maximum(eigenvalues, 0.0) + noise)
            missed = (rows * inverse) @ (vectors.T @ targets) / ((rows**2) @ inverse)[:, None]
            error = (missed**2).sum(axis=0)
            better = error < best
            best[better], lengths[better], chosen[better] = error[better], length, noise
    return lengths, chosen


def _exact_weights(scores: Floats, target: Floats, length: float, noise: float) -> Floats:
    from scipy.linalg import cho_factor, cho_solve

    kernel = _kernel(_squared_distances(scores, scores), length)
    kernel[np.diag_indices_from(kernel)] += noise
    return np.asarray(cho_solve(cho_factor(kernel, lower=True, overwrite_a=True), target))


def _spanned_weights(centres: Floats, scores: Floats, target: Floats, length: float, noise: float) -> Floats:
    """Solve (K_mn K_nm + g K_mm) w = K_mn y by way of K_mm = L L', V = L^-1 K_mn: (V V' + g I) L' w = V y."""
    from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

    among = _kernel(_squared_distances(centres, centres), length)
    # Kernels of neighbouring centres are all but equal: without this K_mm is singular in float64.
    among[np.diag_indices_from(among)] += 1e-10
    lower = cholesky(among, lower=True)
    system, right = noise * np.eye(len(centres)), np.zeros(len(centres))
    for start in range(0, len(scores), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        across = solve_triangular(lower, _kernel(_squared_distances(centres, scores[rows]), length), lower=True)
        system += across @ across.T
        right += across @ target[rows]
    solved = cho_solve(cho_factor(system, lower=True, overwrite_a=True), right)
    return np.asarray(solve_triangular(lower, solved, lower=True, trans="T"))


def _squared_distances(one: Floats, other: Floats) -> Floats:
    products = one @ other.T
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2.0 * products
    return np.asarray(np.maximum(squares, 0.0))


def _kernel(squares: Floats, length: float) -> Floats:
    return np.asarray(np.exp(squares * (-0.5 / length**2)))


def _scaled_directions(centred: NDArray[Any], n_components: int) -> Floats:
    """Return principal directions (n_channels, n_components), scaled so that scores have mean squared length 1."""
    _, singular, rows = np.linalg.svd(centred, full_matrices=False)
    kept = singular > singular[0] * np.finfo(np.float64).eps * max(centred.shape)
    kept[n_components:] = False
    if not kept.any():
        return np.zeros((centred.shape[1], 1))  # constant spectra: nothing to learn from, the mean is predicted
    size = np.sqrt((singular[kept] ** 2).sum() / len(centred))
    return np.ascontiguousarray(rows[kept].T / size)


def _one_per_group(
    groups: NDArray[np.int64], most: int, rng: np.random.Generator, *, first: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return at most `most` rows, ascending, each of another group, chosen at random; those of `first` come first."""
    shuffled = rng.permutation(len(groups))
    if first is not None:
        shuffled = shuffled[np.argsort(~first[shuffled], kind="stable")]
    _, place = np.unique(groups[shuffled], return_index=True)
    picked = rng.permutation(shuffled[place])
    if first is not None:
        picked = picked[np.argsort(~first[picked], kind="stable")]
    return np.sort(picked[:most])

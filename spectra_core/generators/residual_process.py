"""Gaussian processes from what is known of a solution to what physics leaves unexplained."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LENGTHS = (1.0, 2.0, 4.0, 8.0)
"""Length scales tried, in units of the root of the number of inputs: from local to near linear."""
CURVATURES = (0.0, 0.03, 0.3, 3.0)
"""Weights tried of the curved part of the kernel, per input, beside the linear part's 1."""
NOISES = tuple(np.logspace(-7.0, 0.0, 15).tolist())
"""Noise variances tried, as shares of the kernel's mean diagonal."""
MOST_LEVERAGE = 0.95
"""A leftover is not blown up by more than 1/sqrt(1 - 0.95): beyond, hardly anything of it is known."""
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class ResidualProcess:
    """One Gaussian process per output, posterior mean (Rasmussen & Williams 2006, eq. 2.25).

    Kernel 1 + z.z' + w q exp(-|z - z'|^2 / (2 l^2 q)) with q inputs z, plus noise: a plane, and as much curvature as
    the data ask for. Length l, weight w and noise of every output are those of a fixed grid with the largest marginal
    likelihood (eq. 5.8), the signal variance being solved for.

    Parameters
    ----------
    inputs : (n_rows, n_inputs)
    weights, diagonals : (n_rows, n_outputs)
        A^-1 y and the diagonal of A^-1, with A = K + noise.
    lengths, curvatures, noises : (n_outputs,)
        As chosen; noise in units of the kernel.
    """

    inputs: Floats
    weights: Floats
    diagonals: Floats
    lengths: Floats
    curvatures: Floats
    noises: Floats

    @classmethod
    def fit(cls, inputs: Floats, outputs: Floats, searched: NDArray[np.int64], least_noise: float = 0.0) -> Self:
        """Learn `outputs` (n_rows, n_outputs); parameters are chosen on the rows `searched`, as `most_likely` does."""
        chosen = most_likely(inputs[searched], outputs[searched], least_noise)
        return cls.of(inputs, outputs, *chosen)

    @classmethod
    def of(cls, inputs: Floats, outputs: Floats, lengths: Floats, curvatures: Floats, noises: Floats) -> Self:
        """Learn `outputs` with given parameters."""
        from scipy.linalg import lapack

        weights, diagonals = np.empty_like(outputs), np.empty_like(outputs)
        chosen = np.column_stack([lengths, curvatures, noises])
        for length, curvature, noise in np.unique(chosen, axis=0):
            here = (chosen == (length, curvature, noise)).all(axis=1)
            system = _kernel(inputs, length, curvature)
            system[np.diag_indices_from(system)] += noise
            factor, fault = lapack.dpotrf(system, lower=True, overwrite_a=True)
            assert fault == 0, "a kernel with noise is positive definite"
            inverse, _ = lapack.dpotri(factor, lower=True, overwrite_c=True)
            diagonal = np.diag(inverse).copy()
            lower = np.tril(inverse)
            weights[:, here] = lower @ outputs[:, here] + (
                lower.T @ outputs[:, here] - diagonal[:, None] * outputs[:, here]
            )
            diagonals[:, here] = diagonal[:, None]
        return cls(inputs, weights, diagonals, lengths, curvatures, noises)

    def predict(self, inputs: Floats) -> Floats:
        """Return the posterior mean (n_points, n_outputs)."""
        made = np.empty((len(inputs), self.weights.shape[1]))
        for start in range(0, len(inputs), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            made[rows] = self.weights.sum(axis=0) + inputs[rows] @ (self.inputs.T @ self.weights)
            squares = _squared_distances(inputs[rows], self.inputs)
            for length in np.unique(self.lengths[self.curvatures > 0]):
                here = (self.lengths == length) & (self.curvatures > 0)
                curved = np.exp(squares * (-0.5 / (length**2 * inputs.shape[1])))
                made[rows, here] += curved @ (self.weights[:, here] * self.curvatures[here] * inputs.shape[1])
        return made

    @property
    def missed(self) -> Floats:
        """What is missed of each fitted row where it is left out, (n_rows, n_outputs): eq. 5.12, by leverage."""
        return self.weights / self.diagonals

    @property
    def leverages(self) -> Floats:
        """The share of its own value in the fit of each row, (n_rows, n_outputs)."""
        return 1.0 - self.noises * self.diagonals


def most_likely(inputs: Floats, outputs: Floats, least_noise: float = 0.0) -> tuple[Floats, Floats, Floats]:
    """Return length, curvature and noise of every output, (n_outputs,) each, with the largest marginal likelihood.

    Noise, in units of the outputs, has a variance of at least `least_noise` where the grid has one: few rows are
    explained by a function through all of them nearly as well as by noise, and would then be left without any.

    One eigendecomposition per kernel serves all noises and outputs, as in `regressors.gaussian_process`.
    """
    n, n_outputs = outputs.shape
    best = np.full(n_outputs, -np.inf)
    chosen = np.zeros((3, n_outputs))
    for length, curvature in [(LENGTHS[0], 0.0), *((one, w) for one in LENGTHS for w in CURVATURES[1:])]:
        kernel = _kernel(inputs, length, curvature)
        noises = np.array(NOISES) * np.trace(kernel) / n
        eigenvalues, vectors = np.linalg.eigh(kernel)
        spread = np.maximum(eigenvalues, 0.0)[:, None] + noises
        variance = ((vectors.T @ outputs) ** 2).T @ (1.0 / spread) / n
        likelihood = -0.5 * n * np.log(np.maximum(variance, np.finfo(np.float64).tiny)) - 0.5 * np.log(spread).sum(0)
        if least_noise > 0:  # the largest share is always allowed
            likelihood[:, :-1][(variance * noises)[:, :-1] < least_noise] = -np.inf
        top = likelihood.argmax(axis=1)
        value = likelihood[np.arange(n_outputs), top]
        better = value > best
        best[better] = value[better]
        chosen[:, better] = np.array(
            [np.full(better.sum(), length), np.full(better.sum(), curvature), noises[top[better]]]
        )
    return chosen[0], chosen[1], chosen[2]


def _kernel(inputs: Floats, length: float, curvature: float) -> Floats:
    q = inputs.shape[1]
    kernel = 1.0 + inputs @ inputs.T
    if curvature:
        kernel += curvature * q * np.exp(_squared_distances(inputs, inputs) * (-0.5 / (length**2 * q)))
    return np.asarray(kernel)


def _squared_distances(one: Floats, other: Floats) -> Floats:
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2.0 * one @ other.T
    return np.asarray(np.maximum(squares, 0.0))

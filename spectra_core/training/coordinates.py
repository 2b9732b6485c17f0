"""Principal coordinates to train on: few numbers a spectrum, chosen by the spectra's own noise."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spectra_core.contracts import random_stream
from spectra_core.training.parallel import one_numerical_thread
from spectra_core.training.parameters import to_tensor

MOST_COMPONENTS = 64
"""Where noise is shared by neighbouring channels, more directions than hold signal stand out of it."""
_TRACY_WIDOM_99 = 2.02  # quantile of the law of the largest eigenvalue, order 1
_MARGIN, _ROUNDS = 10, 2  # oversampling and power iterations of the random projection


@dataclass(frozen=True, eq=False)
class SignalCoordinates:
    """Directions that stand out of the noise.

    Parameters
    ----------
    basis : (n_channels, n_components)
        Orthonormal columns, by falling variance.
    share_left_out
        Share of the variance that they do not hold.
    """

    basis: NDArray[np.float32]
    share_left_out: float

    @property
    def n_components(self) -> int:
        """Number of directions."""
        return int(self.basis.shape[1])

    @property
    def mixed(self) -> NDArray[np.float32]:
        """The same directions turned at random, so that every coordinate varies about as much, as channels do.

        Autoencoders learn faster so: the first principal components would else dwarf the others.
        """
        turn = random_stream(0, "mixed coordinates").standard_normal((self.n_components, self.n_components))
        return np.ascontiguousarray(self.basis @ np.linalg.qr(turn).Q.astype(np.float32))


def signal_coordinates(values: NDArray[np.floating[Any]], most: int = MOST_COMPONENTS) -> SignalCoordinates:
    """Return the principal directions of `values` that stand out of what they leave, at most `most`.

    A direction counts as signal while its squared singular value exceeds what the first of white noise in a table of
    that size reaches once in a hundred times (Johnstone, Ann Stat 2001), the variance of the noise being the mean
    square of what the directions before it leave. Noise that neighbouring channels share, or that is larger in some
    channels, is partly kept as signal: that costs time, not accuracy. Singular vectors by random projection with
    power iterations (Halko, Martinsson & Tropp, SIAM Rev 2011, algorithm 4.4), seeded by a constant.

    Parameters
    ----------
    values : (n_spectra, n_channels)
        Standardised spectra.
    most
        Bounds what training on them costs.
    """
    with one_numerical_thread(), torch.no_grad():
        table = to_tensor(values, torch.float32)
        n_rows, n_columns = table.shape
        width = min(n_rows, n_columns, most + _MARGIN)
        start = random_stream(0, "signal coordinates").standard_normal((n_columns, width))
        span = to_tensor(start, torch.float32)
        for _ in range(_ROUNDS):
            span = torch.linalg.qr(table @ span).Q
            span = torch.linalg.qr(table.T @ span).Q
        _, singular, rows = torch.linalg.svd(table @ span, full_matrices=False)
        squares = singular.double().numpy() ** 2
        # Of few spectra at a time, so that float32 loses nothing that matters.
        total = sum(float(torch.dot(rows.view(-1), rows.view(-1))) for rows in torch.split(table, 16))
        n_components = _number_above_noise(squares, total, n_rows, n_columns)
        n_components = min(n_components, most)
        basis = torch.linalg.qr(span @ rows[:n_components].T).Q.numpy()
    left_out = 1.0 - float(squares[:n_components].sum()) / total if total > 0 else 0.0
    return SignalCoordinates(np.ascontiguousarray(basis), max(0.0, left_out))


def _number_above_noise(squares: NDArray[np.float64], total: float, n_rows: int, n_columns: int) -> int:
    left = total
    for number in range(len(squares)):
        rows, columns = np.sqrt(n_rows - number), np.sqrt(n_columns - number)
        centre = (rows + columns) ** 2
        width = (rows + columns) * (1.0 / rows + 1.0 / columns) ** (1.0 / 3.0)
        edge = left / (rows * columns) ** 2 * (centre + _TRACY_WIDOM_99 * width)
        # Below rounding of float32 there is nothing to tell apart.
        if squares[number] <= max(edge, 1e-12 * squares[0]):
            return max(1, number)
        left = max(0.0, left - float(squares[number]))
    return len(squares)

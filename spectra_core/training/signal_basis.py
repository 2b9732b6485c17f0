"""How many independent ways the spectra vary above their noise, and what the noise is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class SignalBasis:
    """The principal directions that stand out of the noise.

    Parameters
    ----------
    directions : (n_channels, n_components)
        Orthonormal columns, by falling variance.
    noise : (n_channels,)
        Standard deviation of what they leave, in the unit of the values.
    """

    directions: NDArray[np.float64]
    noise: NDArray[np.float64]


def threshold_factor(ratio: float) -> float:
    """Return omega: a singular value is signal where it exceeds omega times the median one.

    omega(b) = 0.56 b^3 - 0.95 b^2 + 1.82 b + 1.43 for a table with ratio b <= 1 of its sides and unknown white noise,
    right to 0.02 (Gavish & Donoho, IEEE Trans Inf Theory 60, 5040, 2014, eq. 5).

    >>> round(threshold_factor(1.0), 2)
    2.86
    """
    return 0.56 * ratio**3 - 0.95 * ratio**2 + 1.82 * ratio + 1.43


def signal_basis(values: NDArray[np.floating[Any]], least: int = 1, most: int | None = None) -> SignalBasis:
    """Separate signal from noise by the optimal hard threshold for singular values, `threshold_factor`.

    Noise that neighbouring channels share counts as signal where it stands out.

    Parameters
    ----------
    values : (n_spectra, n_channels)
        Spectra; they are centred here. Channels that do not vary have no noise.
    least, most
        Bounds on the number of directions, whatever the threshold says.
    """
    centred = np.asarray(values, dtype=np.float64) - values.mean(axis=0, dtype=np.float64)
    varying = np.ptp(values, axis=0) > 0
    table = centred[:, varying]
    # From the small side: the covariance of 911 channels is quicker than the SVD of 100,000 spectra.
    variances, right = np.linalg.eigh(table.T @ table)
    singular = np.sqrt(np.maximum(variances[::-1], 0.0))
    n_rows, n_columns = len(values) - 1, int(varying.sum())  # centring takes one row's worth
    n_singular = min(n_rows, n_columns)
    ratio = n_singular / max(n_rows, n_columns)
    threshold = threshold_factor(ratio) * np.median(singular[:n_singular])
    # Rounding of the covariance hides singular values below this share of the first.
    floor = singular[0] * np.sqrt(np.finfo(np.float64).eps * n_columns)
    n_components = max(1, least, int(np.count_nonzero(singular[:n_singular] > max(threshold, floor))))
    n_components = min(n_components, n_columns, *(() if most is None else (most,)))
    directions = np.zeros((values.shape[1], n_components))
    directions[varying] = right[:, ::-1][:, :n_components]
    left = centred - (centred @ directions) @ directions.T
    # The directions took their share of the noise with them, in the rows as in the columns of the table.
    n_free = max(1, n_rows - n_components) * max(1, n_columns - n_components) / n_columns
    noise = np.sqrt((left**2).sum(axis=0) / n_free)
    return SignalBasis(directions, np.where(varying, noise, 0.0))

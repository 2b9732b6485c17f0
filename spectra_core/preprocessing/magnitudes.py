"""Values that are finite, but too large to compute with: refused before anything is fitted or predicted."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.preprocessing.standardiser import Standardiser
from spectra_core.spectra import SpectraSet

LARGEST = 1e100
"""Sums of third powers stay finite in float64."""
FARTHEST = 1e15
"""Standard deviations of the training spectra from their mean: sums of squares stay finite in float32. Without a
scaling, times 1 and times the median of the channel: beside a number beyond both, all others vanish in float64."""


def require_computable_signal(spectra: SpectraSet, role: str, scaling: Standardiser | None = None) -> None:
    """Refuse readings beyond `LARGEST`, and beyond `FARTHEST` by the scaling of a network or by the other spectra.

    Parameters
    ----------
    role
        Of the spectra, for the sentence: "training", "held-out", "new".

    Raises
    ------
    SpectraError
        Naming spectrum, row and channel.
    """
    axis = spectra.axis
    _require(spectra.signal, spectra, role, scaling, lambda channel: f"at {axis.positions[channel]:g} {axis.unit}")


def require_computable_targets(spectra: SpectraSet, role: str, scaling: Standardiser | None = None) -> None:
    """Refuse targets as `require_computable_signal` does readings."""
    _require(spectra.target_values, spectra, role, scaling, lambda target: f"for {spectra.target_names[target]}")


def _require(
    values: NDArray[np.floating[Any]],
    spectra: SpectraSet,
    role: str,
    scaling: Standardiser | None,
    place: Callable[[int], str],
) -> None:
    if not values.size:
        return
    centre, reach = np.zeros(values.shape[1]), np.full(values.shape[1], LARGEST)
    if scaling is not None:
        centre = np.where(scaling.constant, 0.0, scaling.mean)
        reach = np.where(scaling.constant, LARGEST, np.minimum(FARTHEST * scaling.scale, LARGEST))
    elif max(values.max(), -values.min()) > FARTHEST:
        reach = FARTHEST * np.minimum(np.maximum(_usual(values), 1.0), LARGEST / FARTHEST)
    too_large = (values.max(axis=0) > centre + reach) | (values.min(axis=0) < centre - reach)
    if too_large.any():
        column = int(np.argmax(too_large))
        row = int(np.argmax(np.abs(values[:, column].astype(np.float64) - centre[column])))
        if reach[column] == LARGEST or abs(values[row, column]) > LARGEST:
            limit = f"and numbers beyond {LARGEST:g} cannot be computed with"
        elif scaling is None:
            limit = f"more than {FARTHEST:g} times what is usual there, beside which all others vanish"
        else:
            limit = f"more than {FARTHEST:g} standard deviations of the training spectra from their mean"
        raise SpectraError(
            f"Spectrum {spectra.samples['id'].iloc[row]!r} (row {row + 1} of the {role} spectra) has the value "
            f"{values[row, column]:g} {place(column).rstrip()}, {limit}. Correct it, or leave this spectrum out."
        )


def _usual(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the lower median of the magnitudes of every column, those of zero left out."""
    ordered = np.sort(np.abs(values.astype(np.float64)), axis=0)
    n_zero = (ordered == 0).sum(axis=0)
    return np.asarray(ordered[(n_zero + len(ordered) - 1) // 2, np.arange(ordered.shape[1])])

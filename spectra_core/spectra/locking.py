"""Arrays that nobody can change any more."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError


def locked(values: NDArray[Any], what: str, *, ndim: int) -> NDArray[Any]:
    """Return a contiguous read-only copy, refusing wrong dimensions and values that are not finite."""
    if values.ndim != ndim:
        raise SpectraError(f"{what} must have {ndim} dimension(s), got an array of shape {values.shape}.")
    locked = np.array(values, order="C", copy=True)
    if not np.isfinite(locked).all():
        at = tuple(int(index) + 1 for index in np.argwhere(~np.isfinite(locked))[0])
        raise SpectraError(f"{what} must be finite, but the value at position {at} is not.")
    locked.setflags(write=False)
    return locked

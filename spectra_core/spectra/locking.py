"""Arrays that nobody can change any more."""

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError

_AT_ONCE = 1 << 20


class SealedMemory(mmap.mmap):
    """Mapped memory that no process can write or shrink any more: whoever maps it vouches for that."""


def locked(values: NDArray[Any], what: str, *, ndim: int, finite: bool = False) -> NDArray[Any]:
    """Return a contiguous read-only array, refusing wrong dimensions and values that are not finite.

    It is a copy, unless the values lie in sealed memory: then nobody can change them anyway. `finite` says that they
    were found finite already.
    """
    if values.ndim != ndim:
        raise SpectraError(f"{what} must have {ndim} dimension(s), got an array of shape {values.shape}.")
    kept = values if values.flags.c_contiguous and _is_sealed(values) else np.array(values, order="C", copy=True)
    if not finite and not all_finite(kept):
        at = tuple(int(index) + 1 for index in np.argwhere(~np.isfinite(kept))[0])
        raise SpectraError(f"{what} must be finite, but the value at position {at} is not.")
    kept.setflags(write=False)
    return kept


def all_finite(values: NDArray[Any]) -> bool:
    """Whether every value is finite; looks at some rows at a time, so that no mask of all of them is held."""
    step = max(1, _AT_ONCE * len(values) // max(values.size, 1))
    return all(bool(np.isfinite(values[start : start + step]).all()) for start in range(0, len(values), step))


def _is_sealed(values: NDArray[Any]) -> bool:
    owner: Any = values
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.obj if isinstance(owner, memoryview) else owner.base
    return isinstance(owner, SealedMemory)

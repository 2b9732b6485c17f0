"""Values packed into small numbers, and marks of missing ones, after the conventions of netCDF.

Source: NetCDF Climate and Forecast Metadata Conventions 1.11, sections 2.5.1 and 8.1, and the NetCDF Users Guide,
"Attribute Conventions".
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import ReadError
from spectra_core.spectra.text import counted

_SCALE, _OFFSET, _UNSIGNED = "scale_factor", "add_offset", "_unsigned"
_MISSING = ("_fillvalue", "missing_value")
_RANGE = ("valid_range", "valid_min", "valid_max")
_UNCLEAR = frozenset(
    {"scale", "slope", "gain", "factor", "scaling", "scalefactor", "scaling_factor", "multiplier"}
    | {"offset", "addoffset", "intercept", "bias"}
)


def unpacked(item: Any, label: str, notes: list[str]) -> NDArray[Any]:
    """Return the values of a variable: unpacked, and NaN where it marks them as missing or out of range.

    Parameters
    ----------
    item
        A dataset of h5py, or anything else with ``attrs`` and ``[()]``.
    label
        Its name in messages.
    notes
        Gets one sentence where something was unpacked or missing.

    Raises
    ------
    ReadError
        When an attribute speaks of packing in a way that no convention defines.
    """
    raw = np.asarray(item[()])
    about = {str(key).lower(): item.attrs[key] for key in item.attrs}
    unclear = sorted(_UNCLEAR & set(about))
    if unclear:
        raise ReadError(
            f"{label!r} has an attribute {unclear[0]!r}, by which its values may be packed; only scale_factor and "
            "add_offset are defined. Save the values unpacked."
        )
    if raw.dtype.kind == "i" and _said(about.get(_UNSIGNED)) == "true":
        raw = raw.view(raw.dtype.str.replace("i", "u"))
    elif raw.dtype.kind == "u" and _said(about.get(_UNSIGNED)) == "false":
        raw = raw.view(raw.dtype.str.replace("u", "i"))
    marks = [value for key in _MISSING if key in about for value in _numbers(about[key], key, label, raw.dtype)]
    marks += _declared_fill(item, raw.dtype)
    scale, offset = (_single(about, key, default, label) for key, default in ((_SCALE, 1.0), (_OFFSET, 0.0)))
    if scale == 0.0:
        raise ReadError(f"{_SCALE} of {label!r} is zero, so its values are lost. Save them unpacked.")
    packed = _SCALE in about or _OFFSET in about
    missing = np.isin(raw, np.array(marks, dtype=raw.dtype)) if marks else np.zeros(raw.shape, dtype=bool)
    values: NDArray[Any] = raw.astype(np.float64) * scale + offset if packed else raw
    low, high = _valid_range(about, label, raw.dtype)
    # A range of the type of the packed values is one of packed values.
    same_kind = not packed or all(np.asarray(about[key]).dtype.kind == raw.dtype.kind for key in _RANGE if key in about)
    checked = raw if same_kind else values
    missing |= (checked < low) | (checked > high)
    if packed:
        notes.append(f"{label!r} is unpacked: values times {scale:g} plus {offset:g}.")
    if not missing.any():
        return values
    notes.append(f"{label!r} marks {counted(int(missing.sum()), 'value')} as missing or out of its valid range.")
    gaps = values.astype(values.dtype if values.dtype.kind == "f" else np.float64)
    gaps[missing] = np.nan
    return gaps


def _valid_range(about: dict[str, Any], label: str, kind: np.dtype[Any]) -> tuple[float, float]:
    low, high = -np.inf, np.inf
    if _RANGE[0] in about:
        ends = _numbers(about[_RANGE[0]], _RANGE[0], label, kind)
        if len(ends) != 2:
            raise ReadError(f"{_RANGE[0]} of {label!r} holds {len(ends)} numbers where two belong. Save it again.")
        low, high = ends
    if _RANGE[1] in about:
        low = _single(about, _RANGE[1], low, label, kind)
    if _RANGE[2] in about:
        high = _single(about, _RANGE[2], high, label, kind)
    return low, high


def _single(about: dict[str, Any], key: str, default: float, label: str, kind: np.dtype[Any] | None = None) -> float:
    if key not in about:
        return default
    found = _numbers(about[key], key, label, kind)
    if len(found) != 1 or not np.isfinite(found[0]):
        raise ReadError(f"{key} of {label!r} is no single number. Save the values unpacked.")
    return found[0]


def _numbers(value: Any, key: str, label: str, kind: np.dtype[Any] | None) -> list[float]:
    """Return the numbers of an attribute; those of packed values are seen as signed or unsigned like the values."""
    array = np.atleast_1d(np.asarray(value))
    if array.dtype.kind not in "iuf" or array.size > 100:
        raise ReadError(f"{key} of {label!r} holds no number. Save the values unpacked.")
    if kind is not None and array.dtype.kind in "iu" and kind.kind in "iu" and array.dtype.itemsize == kind.itemsize:
        array = array.view(kind)
    return [float(one) for one in array.ravel()]


def _declared_fill(item: Any, kind: np.dtype[Any]) -> Iterable[float]:
    """Return the value that HDF5 gives to cells never written, where somebody chose one."""
    import h5py

    if not isinstance(item, h5py.Dataset):
        return []
    chosen = item.id.get_create_plist().fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED
    value = np.asarray(item.fillvalue)
    if not chosen or value.dtype.kind not in "iuf" or not value or np.isnan(value):
        return []
    return [float(value.view(kind)) if value.dtype.kind in "iu" and kind.kind in "iu" else float(value)]


def _said(value: Any) -> str:
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip().lower()

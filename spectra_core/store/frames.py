"""Axis, targets and tables as JSON values and named arrays, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from spectra_core.contracts import Arrays
from spectra_core.spectra import Frame, SpectralAxis, Target


def frame_document(frame: Frame) -> dict[str, Any]:
    """Describe a frame without its positions, which are kept as an array."""
    return {
        "axis": {"quantity": frame.axis.quantity, "unit": frame.axis.unit},
        "signal": {"quantity": frame.quantity, "unit": frame.unit},
        "targets": [asdict(target) for target in frame.target_info],
    }


def frame_from(document: Mapping[str, Any], positions: np.ndarray[Any, Any]) -> Frame:
    """Rebuild a frame.

    Raises
    ------
    KeyError, TypeError, ValueError, SpectraError
        When the document or the positions are not those of a frame.
    """
    axis = SpectralAxis(positions, _text(document["axis"]["quantity"]), _text(document["axis"]["unit"]))
    targets = tuple(_target(one) for one in document["targets"])
    if len({target.name for target in targets}) != len(targets):
        raise ValueError("two targets share a name")
    return Frame(axis, _text(document["signal"]["quantity"]), _text(document["signal"]["unit"]), targets)


def dense(arrays: Arrays) -> Arrays:
    """Return contiguous copies: the file format writes memory as it lies, so a transposed view would be scrambled."""
    return {name: np.array(values, order="C", copy=True) for name, values in arrays.items()}


def _target(document: Mapping[str, Any]) -> Target:
    charge, molar_mass = document["charge"], document["molar_mass"]
    if not (charge is None or type(charge) is int):
        raise TypeError("a charge is a whole number")
    if not (molar_mass is None or type(molar_mass) in (int, float)):
        raise TypeError("a molar mass is a number")
    return Target(_text(document["name"]), _text(document["unit"]), charge, molar_mass)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value

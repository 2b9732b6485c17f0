"""Packed values of netCDF and HDF5 files: unpacked as their attributes say, gaps where they mark one."""

import io
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from spectra_core.datasets.readers import parse
from spectra_core.datasets.readers.base import Dialect
from spectra_core.errors import ReadError

FAULTS = Path(os.environ.get("SPECTRA_REFERENCE_DATA") or "absent") / "faults"
RAW = np.array([[100, 200, 300], [400, -7, 600]], dtype="i2")


def part_of(raw=RAW, fillvalue=None, **attributes):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        item = file.create_dataset("spectra", data=raw, fillvalue=fillvalue)
        for key, value in attributes.items():
            item.attrs[key] = value
    (part,) = parse(stream.getvalue(), "a.nc", Dialect())
    return part


def test_scale_offset_and_fill_value_give_the_values_meant():
    part = part_of(scale_factor=0.001, add_offset=0.5, _FillValue=np.int16(-7))
    assert np.allclose(part.numbers, [[0.6, 0.7, 0.8], [0.9, np.nan, 1.1]], equal_nan=True)
    assert any("marks 1 value " in note for note in part.notes)


@pytest.mark.parametrize(
    "attributes",
    [
        {"missing_value": np.array([-7, 9999], dtype="i2")},
        {"valid_range": np.array([0, 600], dtype="i2")},
        {"valid_min": 0.0},
        {"fillvalue": -7},
    ],
)
def test_each_mark_of_a_missing_value_leaves_a_gap(attributes):
    expected = [[100, 200, 300], [400, np.nan, 600]]
    assert np.array_equal(part_of(**attributes).numbers, expected, equal_nan=True)


def test_a_valid_range_of_the_unpacked_type_is_one_of_unpacked_values():
    part = part_of(scale_factor=0.001, valid_max=0.35)
    assert np.allclose(part.numbers[0], [0.1, 0.2, 0.3])
    assert np.isnan(part.numbers[1, [0, 2]]).all()


def test_bytes_that_are_meant_unsigned_are_read_so():
    part = part_of(np.array([[1, -1], [-2, 3]], dtype="i1"), _Unsigned="true", _FillValue=np.int8(-2))
    assert np.array_equal(part.numbers, [[1, 255], [np.nan, 3]], equal_nan=True)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"slope": 0.1}, "'slope'"),
        ({"scale_factor": "ten"}, "holds no number"),
        ({"scale_factor": 0.0}, "is zero"),
        ({"add_offset": [1.0, 2.0]}, "no single number"),
    ],
)
def test_packing_that_is_not_clear_is_refused(attributes, words):
    with pytest.raises(ReadError, match=words):
        part_of(**attributes)


def test_plain_values_stay_to_the_bit_and_text_is_named():
    values = np.array([[0.1, np.pi]], dtype="f4")
    assert np.array_equal(part_of(np.vstack([values, values])).numbers[0], values[0])


@pytest.mark.skipif(not FAULTS.is_dir(), reason="SPECTRA_REFERENCE_DATA is not set to a folder with faults/")
def test_packed_file_of_the_reference_data():
    with h5py.File(FAULTS / "packed.nc") as file:
        raw = file["absorbance"][()]
    parts = parse((FAULTS / "packed.nc").read_bytes(), "packed.nc", Dialect())
    part = next(one for one in parts if one.numbers.shape == raw.shape)
    assert np.allclose(part.numbers, np.where(raw == -32768, np.nan, raw * 0.001 + 0.5), equal_nan=True)

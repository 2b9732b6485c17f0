"""Every element of a MATLAB file is checked before scipy, which ends the process over an unknown type, sees it."""

import io
import struct

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from spectra_core.datasets import understand
from spectra_core.datasets.readers.mat_elements import plain_elements
from spectra_core.errors import ReadError

VARIABLES = {
    "whole": np.arange(6, dtype=np.int16).reshape(2, 3),
    "broken": np.array([[1 + 2j, 3.5]]),
    "few": np.array([[1], [2]], dtype=np.uint8),
    "none": np.empty((0, 3)),
    "text": "wavelength",
    "cells": np.array([["a", np.eye(2)]], dtype=object),
    "record": {"data": np.eye(3), "label": "x", "inner": {"y": 1.0}},
    "sparse": scipy.sparse.csc_array(np.diag([1.0, 0.0, 2.0])),
}


def saved(packed: bool) -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, VARIABLES, do_compression=packed)
    return stream.getvalue()


def tags(data: bytes, at: int, end: int) -> list[int]:
    """Return where the type of every element stands in an unpacked file, found without the code under test."""
    found = []
    while at < end:
        kind, size = struct.unpack_from("<II", data, at)
        found.append(at)
        if kind == 14:
            found += tags(data, at + 8, at + 8 + size)
        at += 8 if kind >> 16 else 8 + size + -size % 8
    return found


@pytest.mark.parametrize("packed", [False, True])
def test_a_whole_file_is_read_as_before(packed):
    data = saved(packed)
    plain = plain_elements(data, "a.mat")
    before, after = (scipy.io.loadmat(io.BytesIO(one)) for one in (data, plain))
    assert repr(before) == repr(after)
    assert plain_elements(plain, "a.mat") == plain


@pytest.mark.parametrize("kind", [0, 8, 10, 15, 69, 173])
def test_no_element_of_an_unknown_type_passes(kind):
    data = saved(packed=False)
    places = tags(data, 128, len(data))
    assert len(places) > 50
    for at in places:
        # The upper half of a tag is kept: it is the size of a small element.
        changed = data[:at] + struct.pack("<H", kind) + data[at + 2 :]
        if kind == 15 and data[at] == 14:
            continue  # a packed variable that cannot be unpacked, tested with the cuts
        with pytest.raises(ReadError, match="damaged"):
            plain_elements(changed, "a.mat")


@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_file_is_refused(packed):
    data = saved(packed)
    for end in range(130, len(data), 7):
        piece = data[:end]
        try:
            plain_elements(piece, "a.mat")
        except ReadError:
            continue
        assert end in {128 + at for at in sizes_so_far(data)}, end


def sizes_so_far(data: bytes) -> list[int]:
    """Return where one variable ends and the next one starts."""
    ends, at = [0], 128
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        at += 8 + size + (0 if kind == 15 else -size % 8)
        ends.append(at - 128)
    return ends


def test_a_missing_imaginary_part_is_refused():
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"a": np.array([[1.0]])}, do_compression=False)
    data = bytearray(stream.getvalue())
    flags = 128 + 8 + 8
    (before,) = struct.unpack_from("<I", data, flags)
    struct.pack_into("<I", data, flags, before | 0x800)
    with pytest.raises(ReadError, match="damaged"):
        plain_elements(bytes(data), "a.mat")


def test_a_file_whose_text_says_nothing_is_checked_all_the_same():
    data = saved(packed=False)
    at = tags(data, 128, len(data))[4]
    changed = b"X" + data[1:at] + struct.pack("<H", 69) + data[at + 2 :]
    with pytest.raises(ReadError, match="damaged"):
        understand({"a.mat": changed})

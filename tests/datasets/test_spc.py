"""Galactic SPC files whose headers contradict each other, and the order of bytes that the version tells."""

import struct

import numpy as np
import pytest

from spectra_core.datasets.readers import parse
from spectra_core.datasets.readers.base import Dialect
from spectra_core.errors import ReadError

FLOATS = -128
X = np.linspace(400.0, 800.0, 40)
Y = np.round(0.5 + 0.4 * np.sin(X / 60.0), 4)
MULTI, SHORT = 0x04, 0x01


def spc(main, sub, *, flags=0, floats=True, order="<", n_sub=1):
    version = 0x4B if order == "<" else 0x4C
    head = struct.pack(order + "BBBbiddi", flags, version, 0, main, len(X), X[0], X[-1], n_sub)
    head = (head + bytes([3, 2])).ljust(512, b"\0")
    bits = 16 if flags & SHORT else 32
    values = Y.astype(order + "f4") if floats else np.round(Y * 2.0 ** (bits - 1)).astype(f"{order}i{bits // 8}")
    spectrum = struct.pack(order + "BbHfffiif4x", 0, sub, 0, 0, 0, 0, 0, 0, 0) + values.tobytes()
    return head + n_sub * spectrum


def values_of(content):
    return [part.y for part in parse(content, "a.spc", Dialect())]


@pytest.mark.parametrize(
    ("main", "sub", "flags"),
    [(FLOATS, 0, MULTI), (0, FLOATS, MULTI), (FLOATS, FLOATS, MULTI), (FLOATS, 0, 0), (5, FLOATS, MULTI)],
)
def test_floats_are_read_as_floats_where_either_header_says_so(main, sub, flags):
    for found in values_of(spc(main, sub, flags=flags, n_sub=3 if flags else 1)):
        assert np.allclose(found, Y, atol=1e-6)


@pytest.mark.parametrize(
    "content",
    [
        spc(FLOATS, 1, flags=MULTI, floats=False),  # whole numbers under a main header of floats
        spc(FLOATS, 0, flags=MULTI, floats=False),
        spc(3, FLOATS, flags=MULTI, floats=False),
        spc(2, 5, floats=False),  # two exponents for one spectrum
        spc(2, FLOATS, floats=False),
        spc(FLOATS, FLOATS, flags=SHORT),
        spc(FLOATS, 1, flags=SHORT | MULTI, floats=False),
    ],
)
def test_headers_that_contradict_each_other_are_refused(content):
    with pytest.raises(ReadError, match="contradicts itself"):
        values_of(content)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("main", "sub", "flags", "floats"),
    [(1, 0, 0, False), (1, 1, SHORT, False), (0, 1, MULTI, False), (FLOATS, FLOATS, MULTI, True)],
)
def test_the_version_tells_the_order_of_bytes(order, main, sub, flags, floats):
    (curve,) = parse(spc(main, sub, flags=flags, floats=floats, order=order), "a.spc", Dialect())
    assert np.allclose(curve.y, Y, atol=2e-4)
    assert np.allclose(curve.x, X)

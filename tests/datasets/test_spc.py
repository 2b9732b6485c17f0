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


UNEVEN = np.sort(np.random.default_rng(0).choice(np.arange(400, 800), len(X), replace=False)).astype(float)
SPECTRA = np.stack([Y, Y**2, 1 - Y])
GIVEN_X, OWN_X, LABELS = 0x80, 0x40, 0x20


def head(flags, n_points, n_sub, *, types=(3, 2), order="<", labels=b""):
    version = 0x4B if order == "<" else 0x4C
    start = struct.pack(order + "BBBbiddi", flags, version, 0, FLOATS, n_points, X[0], X[-1], n_sub) + bytes(types)
    return start.ljust(218, b"\0") + labels.ljust(294, b"\0")


def subfile(y, number, order, x=None):
    own = struct.pack(order + "BbHfffiif4x", 0, FLOATS, number, number, number, 0, 0 if x is None else len(y), 0, 0)
    return own + (b"" if x is None else x.astype(order + "f4").tobytes()) + y.astype(order + "f4").tobytes()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("n_sub", [1, 3])
def test_positions_that_stand_before_all_spectra_are_theirs(order, n_sub):
    content = head(GIVEN_X | (MULTI if n_sub > 1 else 0), len(X), n_sub, order=order)
    content += UNEVEN.astype(order + "f4").tobytes()
    content += b"".join(subfile(y, at, order) for at, y in enumerate(SPECTRA[:n_sub]))
    curves = parse(content, "a.spc", Dialect())
    assert [curve.x.tolist() for curve in curves] == [UNEVEN.tolist()] * n_sub
    assert np.allclose([curve.y for curve in curves], SPECTRA[:n_sub], atol=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
def test_spectra_with_positions_and_lengths_of_their_own_come_with_a_directory_behind(order):
    pieces = [subfile(y[: len(X) - 5 * at], at, order, UNEVEN[: len(X) - 5 * at]) for at, y in enumerate(SPECTRA)]
    body = b"".join(pieces)
    content = head(MULTI | OWN_X | GIVEN_X, 512 + len(body), 3, order=order) + body
    starts = np.cumsum([512, *map(len, pieces)])
    content += b"".join(struct.pack(order + "iif", starts[at], len(piece), at) for at, piece in enumerate(pieces))
    curves = parse(content, "a.spc", Dialect())
    assert [curve.x.tolist() for curve in curves] == [UNEVEN[: len(X) - 5 * at].tolist() for at in range(3)]
    for at, curve in enumerate(curves):
        assert np.allclose(curve.y, SPECTRA[at, : len(X) - 5 * at], atol=1e-6)


@pytest.mark.parametrize(
    ("types", "labels", "axis", "signal"),
    [
        ((0, 0), b"Raman Shift (cm-1)\0Counts\0", ("Raman shift", "cm-1"), ("Intensity", "counts")),
        ((255, 0), b"Wavenumber\0Log(1/R)\0", ("Wavenumber", "cm-1"), ("Absorbance", "")),
        ((3, 2), b"Wavenumber (cm-1)\0%T\0", ("Wavenumber", "cm-1"), ("Transmittance", "%")),
        ((3, 2), b"Sample 1\0Run 7\0", ("Wavelength", "nm"), ("Absorbance", "")),
        ((0, 0), b"Delay (fs)\0", ("", "Delay (fs)"), ("", "")),
    ],
)
def test_labels_of_the_axes_hold_where_the_flags_say_so(types, labels, axis, signal):
    content = head(LABELS, len(X), 1, types=types, labels=labels) + subfile(Y, 0, "<")
    (curve,) = parse(content, "a.spc", Dialect())
    assert (curve.x_quantity, curve.x_unit) == axis
    assert (curve.y_quantity, curve.y_unit) == signal
    (silent,) = parse(bytes([0]) + content[1:], "a.spc", Dialect())
    assert silent.x_unit == {3: "nm"}.get(types[0], "")

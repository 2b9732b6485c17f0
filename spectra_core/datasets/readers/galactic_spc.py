"""Galactic SPC files, after the specification that Galactic Industries published ("Universal Data Format", 1997)."""

import struct
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.limits import require_cells
from spectra_core.datasets.names import signal_named
from spectra_core.datasets.parts import Curve, Part
from spectra_core.datasets.readers.axis_units import KNOWN_UNITS, axis_unit_written
from spectra_core.datasets.readers.base import Dialect
from spectra_core.errors import ReadError

SHORT, MULTI, LABELS, OWN_X, GIVEN_X = 0x01, 0x04, 0x20, 0x40, 0x80  # TSPREC, TMULTI, TALABS, TXYXYS, TXVALS
NEW, NEW_BIG_ENDIAN, OLD = 0x4B, 0x4C, 0x4D
HEADER, OLD_HEADER, SUBHEADER = 512, 256, 32
FLOATS = -128  # exponent that says: values are float32 as they stand

X_UNITS = {
    1: ("Wavenumber", "cm-1"), 2: ("Wavelength", "µm"), 3: ("Wavelength", "nm"), 4: ("Time", "s"), 5: ("Time", "min"),
    6: ("Frequency", "Hz"), 7: ("Frequency", "kHz"), 8: ("Frequency", "MHz"), 9: ("Mass-to-charge ratio", "m/z"),
    10: ("Chemical shift", "ppm"), 13: ("Raman shift", "cm-1"), 14: ("Photon energy", "eV"), 17: ("Channel", ""),
}  # fmt: skip
Y_UNITS = {
    0: ("", ""), 1: ("Interferogram", ""), 2: ("Absorbance", ""), 3: ("Kubelka-Munk", ""), 4: ("Intensity", "counts"),
    5: ("Voltage", "V"), 10: ("Absorbance", ""), 11: ("", "%"), 12: ("Intensity", ""), 13: ("Intensity", ""),
    128: ("Transmittance", ""), 129: ("Reflectance", ""), 130: ("Intensity", ""), 131: ("Intensity", ""),
}  # fmt: skip


@dataclass(frozen=True)
class GalacticSpc:
    """Spectra of GRAMS and of the many instruments that export to it."""

    title: ClassVar[str] = "Galactic SPC"
    explanation: ClassVar[str] = "Binary files of GRAMS and many instruments, old and new, with one or many spectra."

    def recognises(self, head: bytes, name: str) -> bool:
        """The version in the second byte, in a file that is not text."""
        return len(head) >= OLD_HEADER and head[1] in (NEW, NEW_BIG_ENDIAN, OLD) and head[:64].count(0) > 4

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return one curve per subfile."""
        if data[1] == OLD:
            return list(_old(data, name))
        return list(_new(data, name))


def _new(data: bytes, name: str) -> list[Curve]:
    """Read the format of 1996: a 512-byte header, positions where they are given, then the subfiles."""
    order = "<" if data[1] == NEW else ">"
    _require(data, HEADER, name, "its header")
    flags, exponent = data[0], struct.unpack_from(order + "b", data, 3)[0]
    n_points, first, last, n_sub = struct.unpack_from(order + "iddi", data, 4)
    x_type, y_type = data[28], data[29]
    n_sub = max(n_sub, 1)
    own_x = bool(flags & OWN_X)
    width = 2 if flags & SHORT else 4
    if not own_x:
        if n_points < 1:
            raise ReadError(f"{name} declares {n_points} points. Export it again.")
        needed = HEADER + n_sub * (SUBHEADER + n_points * (2 if flags & SHORT and exponent != FLOATS else width))
        _require(data, needed, name, f"the {n_sub:,} x {n_points:,} points it declares")
    _require(data, HEADER + n_sub * SUBHEADER, name, f"the {n_sub:,} spectra it declares")
    require_cells(n_sub, max(n_points, 1) if not own_x else 1, name)
    at = HEADER
    if flags & GIVEN_X and not own_x:
        x = _floats(data, at, n_points, order, name)
        at += 4 * n_points
    elif not own_x:
        x = np.linspace(first, last, n_points)
    curves = []
    powers = _Powers(name, exponent, flags)
    comment = data[88:218].split(b"\0")[0].decode("latin-1").strip()
    for number in range(n_sub):
        _require(data, at + SUBHEADER, name, f"spectrum {number + 1} of {n_sub} that it declares")
        sub_exponent = struct.unpack_from(order + "b", data, at + 1)[0]
        z_value = struct.unpack_from(order + "f", data, at + 4)[0]
        own_points = struct.unpack_from(order + "i", data, at + 16)[0]
        at += SUBHEADER
        points = own_points if own_x else n_points
        if points < 1:
            raise ReadError(f"Spectrum {number + 1} of {name} declares {points} points. Export it again.")
        if own_x:
            x = _floats(data, at, points, order, name)
            at += 4 * points
        power = powers.of(sub_exponent, data[at : at + 4 * points], order)
        y, size = _values(data, at, points, power, order=order, name=name, short=bool(flags & SHORT))
        at += size
        title = comment if n_sub == 1 and comment else f"{name} {number + 1}" if n_sub > 1 else name
        facts = {"format": "Galactic SPC (version in the second byte)", "z": f"{z_value:g}"}
        curves.append(_curve(title if n_sub > 1 else name, x, y, x_type=x_type, y_type=y_type, facts=facts))
    if flags & LABELS:
        curves = [_labelled(curve, data[218:248]) for curve in curves]
    log = struct.unpack_from(order + "i", data, 248)[0]
    if not own_x and log == 0 and any(data[at:]):
        more = f"{len(data) - at:,} bytes follow the {n_sub:,} x {n_points:,} points it declares"
        doubt = f"{name} contradicts itself: {more}."
        curves = [replace(curve, facts={**curve.facts, "doubt": doubt}) for curve in curves]
    return powers.told(curves)


def _labelled(curve: Curve, labels: bytes) -> Curve:
    """Return a curve whose file says that the labels of its axes hold, not the numbers of their types."""
    x, y = [*(label.decode("latin-1").strip() for label in labels.split(b"\0")), "", ""][:2]
    if x:
        quantity, unit = axis_unit_written(x)
        unknown = unit not in KNOWN_UNITS and curve.x_unit
        curve = curve if unknown else replace(curve, x_quantity=quantity, x_unit=unit)
    if (signal := signal_named(y)) is not None:
        same = signal[0] == curve.y_quantity
        curve = replace(curve, y_quantity=signal[0], y_unit=signal[1] or (curve.y_unit if same else ""))
    return curve


def _old(data: bytes, name: str) -> list[Curve]:
    """Read the format before 1996: a 256-byte header that ends with the first subheader; subfiles run to the end."""
    flags, exponent = data[0], struct.unpack_from("<h", data, 2)[0]
    n_float, first, last = struct.unpack_from("<fff", data, 4)
    if not (np.isfinite(n_float) and 1 <= n_float <= len(data)):
        raise ReadError(f"{name} declares {n_float:g} points, which its {len(data):,} bytes cannot hold.")
    n_points = int(n_float)
    x_type, y_type = data[16], data[17]
    x = np.linspace(first, last, n_points)
    curves: list[Curve] = []
    start = OLD_HEADER - SUBHEADER
    width = 2 if flags & SHORT else 4
    powers = _Powers(name, exponent, flags)
    while start + SUBHEADER < len(data) and (not curves or flags & MULTI):
        sub_exponent = struct.unpack_from("<b", data, start + 1)[0]
        at = start + SUBHEADER
        if at + width * n_points > len(data):
            if curves and len(data) - start < SUBHEADER + width:
                break
            raise ReadError(
                f"{name} is cut off: spectrum {len(curves) + 1} has {(len(data) - at) // width} of {n_points} points."
            )
        power = powers.of(sub_exponent, data[at : at + 4 * n_points], "<")
        if power == FLOATS:
            y, size = _floats(data, at, n_points, "<", name), 4 * n_points
        elif flags & SHORT:
            y = _floats_of(np.frombuffer(data, "<i2", n_points, at), power, 16)
            size = 2 * n_points
        else:
            # The old format stores the two halves of a 32-bit number with the high one first.
            halves = np.frombuffer(data, "<u2", 2 * n_points, at).astype(np.uint32)
            whole = ((halves[0::2] << 16) | halves[1::2]).astype(np.uint32).view(np.int32)
            y, size = _floats_of(whole, power, 32), 4 * n_points
        curves.append(
            _curve(
                name,
                x,
                y,
                x_type=x_type,
                y_type=y_type,
                facts={"format": "Galactic SPC, old (version in the second byte)"},
            )
        )
        start = at + size
    if not curves:
        raise ReadError(f"{name} is cut off: it ends before its first spectrum.")
    if len(curves) == 1:
        return powers.told(curves)
    return powers.told([replace(curve, name=f"{name} {number}") for number, curve in enumerate(curves, 1)])


@dataclass
class _Powers:
    """Which exponent holds: a file of one spectrum has it in the main header, in a file of many each has its own.

    Where main header and spectrum disagree whether the values are floating-point numbers, the values themselves must
    tell: whole numbers read as floating-point ones are absurdly large or small.
    """

    name: str
    main: int
    flags: int
    floats_by_content: bool = False

    def of(self, own: int, raw: bytes, order: str) -> int:
        """Return the exponent of one spectrum; `raw` are its values.

        Raises
        ------
        ReadError
            When the headers contradict each other and the values do not tell.
        """
        one, other = (own, self.main) if self.flags & MULTI else (self.main, own)
        if self.flags & SHORT and FLOATS in {one, other}:
            raise ReadError(
                f"{self.name} contradicts itself: its values are both 16-bit whole numbers and floating-point ones. "
                "Export it again."
            )
        unset = one == 0 and other == FLOATS
        if (one == FLOATS) == (other == FLOATS) and (self.flags & MULTI or other in {0, one}):
            return one
        if (unset or one == FLOATS) and _plausible_floats(raw, order):
            self.floats_by_content |= unset
            return FLOATS
        if not self.flags & MULTI and other == 0:
            return one
        raise ReadError(
            f"{self.name} contradicts itself: its main header gives the exponent {self.main} and a spectrum {own} "
            f"({FLOATS} stands for floating-point numbers). Export it again."
        )

    def told(self, curves: list[Curve]) -> list[Curve]:
        """Add what was taken from the values to the notes of the curves."""
        if not self.floats_by_content:
            return curves
        note = "The main header says floating-point numbers and the spectra do not; the values are such numbers."
        return [replace(curve, notes=(*curve.notes, note)) for curve in curves]


def _plausible_floats(raw: bytes, order: str) -> bool:
    values = np.frombuffer(raw[: len(raw) // 4 * 4], f"{order}f4").astype(np.float64)
    sizes = np.abs(values[values != 0])
    return bool(np.isfinite(values).all() and (sizes.size == 0 or (sizes.min() > 1e-12 and sizes.max() < 1e12)))


def _values(
    data: bytes, at: int, points: int, power: int, *, order: str, name: str, short: bool
) -> tuple[NDArray[np.float64], int]:
    if power == FLOATS:
        return _floats(data, at, points, order, name), 4 * points
    width = 2 if short else 4
    _require(data, at + width * points, name, f"the {points:,} points it declares")
    whole = np.frombuffer(data, f"{order}i{width}", points, at)
    return _floats_of(whole, power, 8 * width), width * points


def _floats_of(whole: NDArray[np.signedinteger], power: int, bits: int) -> NDArray[np.float64]:
    """Return ``whole * 2**power / 2**bits``."""
    return np.ldexp(whole.astype(np.float64), power - bits)


def _floats(data: bytes, at: int, points: int, order: str, name: str) -> NDArray[np.float64]:
    _require(data, at + 4 * points, name, f"the {points:,} points it declares")
    return np.frombuffer(data, f"{order}f4", points, at).astype(np.float64)


def _require(data: bytes, size: int, name: str, what: str) -> None:
    if len(data) < size:
        raise ReadError(f"{name} is cut off: it has {len(data):,} bytes, but {what} need {size:,}.")


def _curve(
    name: str, x: NDArray[np.float64], y: NDArray[np.float64], *, x_type: int, y_type: int, facts: dict[str, str]
) -> Curve:
    quantity, unit = Y_UNITS.get(y_type, ("", ""))
    if quantity in {"Transmittance", "Reflectance"} and y.size and np.nanmax(np.abs(y)) > 2:
        unit = "%"  # the format does not tell fractions from per cent; values above 2 are no fractions
    return Curve(name, "spc", x, y, *X_UNITS.get(x_type, ("", "")), quantity, unit, (), facts)

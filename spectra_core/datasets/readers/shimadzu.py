"""Shimadzu UVProbe .spc: an OLE2 container with two streams of float64; not Galactic's format of the same ending."""

import io
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.parts import Curve, Part
from spectra_core.datasets.readers.base import Dialect
from spectra_core.errors import ReadError

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True)
class Shimadzu:
    """Spectra of UVProbe."""

    title: ClassVar[str] = "Shimadzu UVProbe"
    explanation: ClassVar[str] = "Shimadzu's .spc files (OLE2), one curve per data set in them."

    def recognises(self, head: bytes, name: str) -> bool:
        """An OLE2 container that is no old Excel file."""
        return head.startswith(_OLE)

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return one curve per pair of X and Y streams."""
        import olefile

        try:
            with olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_INCORRECT) as container:
                return list(_curves(container, name))
        except ReadError:
            raise
        except Exception as error:
            # The library raises many kinds of errors on damaged containers, OSError and IndexError among them.
            raise ReadError(
                f"{name} is a damaged or cut-off OLE2 file, as Shimadzu UVProbe writes. Copy it again."
            ) from error


def _curves(container: "object", name: str) -> list[Curve]:
    streams = container.listdir(streams=True)  # type: ignore[attr-defined]
    curves = []
    for path in streams:
        if not path[-1].startswith("X Data."):
            continue
        number = path[-1].removeprefix("X Data.")
        folder = path[:-1]
        x = _stream(container, path, name)
        y = _stream(container, [*folder, f"Y Data.{number}"], name)
        if len(x) != len(y):
            raise ReadError(f"{name} is damaged: {len(x)} positions and {len(y)} values.")
        header = [*folder, f"Data Header.{number}"]
        if header in streams:
            declared = int.from_bytes(container.openstream(header).read(4), "little")  # type: ignore[attr-defined]
            if declared != len(x):
                raise ReadError(f"{name} is cut off: it declares {declared} points and holds {len(x)}.")
        curves.append(
            Curve(name, "shimadzu", x, y, "Wavelength", "nm", facts={"format": "Shimadzu UVProbe (OLE2 container)"})
        )
    if not curves:
        raise ReadError(f"{name} is an OLE2 file without spectra of Shimadzu UVProbe. Export the spectra as text.")
    if len(curves) == 1:
        return curves
    return [
        Curve(f"{name} {at}", *(one.format, one.x, one.y, one.x_quantity, one.x_unit))
        for at, one in enumerate(curves, 1)
    ]


def _stream(container: "object", path: list[str], name: str) -> NDArray[np.float64]:
    raw = container.openstream(path).read()  # type: ignore[attr-defined]
    if len(raw) % 8:
        raise ReadError(f"{name} is damaged: a stream of numbers has {len(raw)} bytes.")
    return np.frombuffer(raw, "<f8").astype(np.float64)

"""Formats that need a package which is not installed with this program: read where it is, else said what to install."""

import importlib.util
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from spectra_core.datasets.names import axis_named, signal_named
from spectra_core.datasets.parts import Curve, Part
from spectra_core.datasets.readers.arrays import grid_of_array
from spectra_core.datasets.readers.base import HEAD_BYTES, Dialect
from spectra_core.datasets.readers.cells import grid_of_cells
from spectra_core.errors import ReadError


def _require(package: str, what: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise ReadError(
            f"This is {what}. To read it, install the optional package: pip install {package.replace('_', '-')}; "
            "or export it as JCAMP-DX or text."
        )


def _from_file(data: bytes, suffix: str, open_path: Callable[[str], list[Part]], what: str) -> list[Part]:
    """Give a library that insists on a path a temporary file of our own naming."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"spectrum{suffix}"
        path.write_bytes(data)
        try:
            return open_path(str(path))
        except ReadError:
            raise
        except Exception as error:
            # Foreign parsers raise anything on damaged files.
            raise ReadError(f"This looks like {what} but cannot be read: it is damaged or cut off.") from error


@dataclass(frozen=True)
class Opus:
    """Bruker OPUS."""

    title: ClassVar[str] = "Bruker OPUS"
    explanation: ClassVar[str] = "Files ending in .0, .1, ...; needs the optional package brukeropus."

    def recognises(self, head: bytes, name: str) -> bool:
        """OPUS's magic bytes."""
        return head.startswith(b"\x0a\x0a\xfe\xfe")

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return the result spectrum, not the interferograms."""
        _require("brukeropus", "a Bruker OPUS file")
        return _from_file(data, ".0", lambda path: _opus(path, name), "a Bruker OPUS file")


def _opus(path: str, name: str) -> list[Part]:
    from brukeropus import OPUSFile

    file = OPUSFile(path)
    words = {
        "a": ("Absorbance", ""),
        "t": ("Transmittance", ""),
        "r": ("Reflectance", ""),
        "km": ("Kubelka-Munk", ""),
        "ra": ("Intensity", ""),
        "sm": ("Intensity", ""),
        "rf": ("Intensity", ""),
    }
    for key, (quantity, unit) in words.items():
        block = getattr(file, key, None)
        if block is None:
            continue
        x, y = np.asarray(block.x, dtype=np.float64), np.asarray(block.y, dtype=np.float64)
        if y.ndim != 1 or x.shape != y.shape or y.size == 0:
            raise ReadError("The OPUS file is damaged or cut off: axis and values differ in length.")
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ReadError("The OPUS file is damaged or cut off: values are missing.")
        facts = {"format": "Bruker OPUS (magic bytes)"}
        return [Curve(name, "opus", x, y, "Wavenumber", "cm-1", quantity, unit, (), facts)]
    raise ReadError("The OPUS file holds no result spectrum, or it is cut off. Export the spectrum again.")


_ASD = re.compile(rb"as[2-8].{0,200}?\0", re.DOTALL)


@dataclass(frozen=True)
class Foreign:
    """Vendor formats of nirs4all-formats."""

    title: ClassVar[str] = "SPA, .sp, WDF, ASD, JWS"
    explanation: ClassVar[str] = (
        "Thermo OMNIC, PerkinElmer, Renishaw, ASD and JASCO binary files; needs nirs4all-formats, which is under "
        "CeCILL-2.1 or AGPL-3.0."
    )

    _KINDS: ClassVar[dict[bytes, tuple[str, str]]] = {
        b"Spectral Data File": (".spa", "a Thermo OMNIC SPA file"),
        b"PEPE": (".sp", "a PerkinElmer .sp file"),
        b"WDF1": (".wdf", "a Renishaw WDF file"),
        b"ASD": (".asd", "an ASD file"),
        b"as": (".asd", "an ASD file"),
    }

    def recognises(self, head: bytes, name: str) -> bool:
        """Magic bytes of each; the two letters of ASD files only with a version or their ending."""
        return self._kind(head, name) is not None

    def _kind(self, head: bytes, name: str) -> tuple[str, str] | None:
        for magic, kind in self._KINDS.items():
            two_letters = magic == b"as" and not (_ASD.match(head) or name.endswith(".asd"))
            if head.startswith(magic) and not two_letters:
                return kind
        jasco = name.endswith(".jws") or any(word.encode("utf-16-le") in head for word in ("JASCO", "Y-Data"))
        return (".jws", "a JASCO .jws file") if jasco and head.startswith(b"\xd0\xcf\x11\xe0") else None

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return the curves that the package finds."""
        kind = self._kind(data[:HEAD_BYTES], name.lower())
        assert kind is not None
        suffix, what = kind
        _require("nirs4all_formats", what)
        import nirs4all_formats

        try:
            records = nirs4all_formats.open_bytes(f"spectrum{suffix}", data)
            curves = [_curve_of(signal, name) for record in records for signal in record["signals"].values()]
        except Exception as error:
            # Foreign parsers raise anything on damaged files.
            raise ReadError(f"This looks like {what} but cannot be read: it is damaged or cut off.") from error
        if not curves:
            raise ReadError(f"This is {what}, but it holds no spectrum.")
        return list(curves)


def _curve_of(signal: dict[str, Any], name: str) -> Curve:
    """Return one signal of the package as a curve."""
    x = np.asarray(signal["axis"]["values"], dtype=np.float64)
    y = np.asarray(signal["values"], dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ReadError(f"{name} holds an image or a map, not single spectra. Export the spectra as text.")
    unit = str(signal["axis"].get("unit") or "")
    axis = axis_named(f"{signal['axis'].get('kind', '')} {unit}") or ("", unit)
    quantity = signal_named(str(signal.get("unit") or "")) or signal_named(str(signal.get("role") or "")) or ("", "")
    return Curve(name, "foreign", x, y, *axis, *quantity, (), {"format": "vendor format (nirs4all-formats)"})


@dataclass(frozen=True)
class RData:
    """Workspaces of R."""

    title: ClassVar[str] = "R data"
    explanation: ClassVar[str] = "Data frames and matrices in .RData and .rds files; needs the optional package rdata."

    def recognises(self, head: bytes, name: str) -> bool:
        """R's magic bytes; packed files are known by their ending."""
        packed = head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")) and name.endswith((".rdata", ".rda", ".rds"))
        return packed or head.startswith((b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n"))

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return one table per data frame or matrix."""
        _require("rdata", "an R data file")
        return _from_file(data, ".rdata", lambda path: _rdata(path, name), "an R data file")


def _rdata(path: str, name: str) -> list[Part]:
    import pandas as pd
    import rdata  # type: ignore[import-not-found,unused-ignore]  # optional

    parts: list[Part] = []
    for label, value in rdata.read_rda(path).items():
        title = f"{name} / {label}"
        if isinstance(value, pd.DataFrame):
            rows = [
                [cell if isinstance(cell, float) else _cell(cell) for cell in row] for row in value.to_numpy(object)
            ]
            grid = grid_of_cells([[str(column) for column in value.columns], *rows], title, "rdata", 1)
        else:
            grid = grid_of_array(np.asarray(value), title, "rdata")
        if grid is not None:
            parts.append(grid)
    if not parts:
        raise ReadError(f"{name} holds no data frame and no matrix.")
    return parts


def _cell(value: Any) -> float | str:
    return float(value) if isinstance(value, int | np.integer | np.floating) else str(value)

"""OceanOptics SpectraSuite and OceanView text."""

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from spectra_core.datasets.names import signal_named
from spectra_core.datasets.parts import Curve, Part
from spectra_core.datasets.readers.axis_units import axis_unit_written
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.decoding import decoded, lines_of
from spectra_core.datasets.readers.delimited import DelimitedText
from spectra_core.datasets.readers.instrument_text import head_text, number_rows, require_count
from spectra_core.errors import ReadError

_COUNT = re.compile(r"Number of Pixels in.*?:\s*(\d+)", re.IGNORECASE)
_BEGIN = re.compile(r">>>>>\s*Begin")
_AXIS = re.compile(r"\s*X ?Axis mode\s*:\s*(.*?)\s*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class OceanOptics:
    """Spectra of Ocean Optics and Ocean Insight instruments."""

    title: ClassVar[str] = "Ocean Optics"
    explanation: ClassVar[str] = "Text of SpectraSuite and OceanView: remarks, then data between two marks."

    def recognises(self, head: bytes, name: str) -> bool:
        """The mark before the data."""
        return _BEGIN.search(head_text(head)) is not None

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return the one curve, or the table of a series in time, which has a row for each spectrum."""
        text, _, _ = decoded(data, dialect.encoding)
        lines = lines_of(text)
        start = next(at for at, line in enumerate(lines) if _BEGIN.search(line))
        marked = next((at for at in range(start, len(lines)) if re.search(r">>>>>\s*End", lines[at])), None)
        declared = _COUNT.search("\n".join(lines[:start]))
        if marked is None and "SpectraSuite" in lines[0]:
            raise ReadError(f"{name} is cut off: the mark at the end of its data is missing. Copy or export it again.")
        body = [line for line in lines[start + 1 : marked] if line.strip()]
        if body and len(body[0].split()) > 2:
            return DelimitedText().read("\n".join(body).encode(), name, replace(dialect, encoding="utf-8"))
        rows = number_rows(body, None, 2, name, start + 2)
        require_count(declared[1] if declared else None, len(rows), name)
        if len(rows) == 0:
            raise ReadError(f"{name} holds no data between its marks. Export it again.")
        mode = next(
            (signal_named(line.split(":", 1)[1]) for line in lines[:start] if line.lower().startswith("y axis mode")),
            None,
        )
        # SpectraSuite, which says nothing of its axis, writes wavelengths.
        said = next((match[1] for line in lines[:start] if (match := _AXIS.match(line))), "")
        axis = ("Wavelength", "nm") if said.lower() in {"", "wavelength", "wavelengths"} else axis_unit_written(said)
        return [
            Curve(
                name,
                "ocean_optics",
                rows[:, 0],
                rows[:, 1],
                *axis,
                *(mode or ("", "")),
                (),
                {"format": "Ocean Optics text (data between two marks)"},
            )
        ]

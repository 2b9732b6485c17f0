"""Avantes text: dark, reference and sample counts stand before the processed spectrum."""

from dataclasses import dataclass
from typing import ClassVar

from spectra_core.datasets.names import axis_named, signal_named
from spectra_core.datasets.parts import Curve, Part
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.decoding import decoded, lines_of
from spectra_core.datasets.readers.instrument_text import head_text, number_rows
from spectra_core.errors import ReadError


@dataclass(frozen=True)
class Avantes:
    """Spectra of Avantes instruments."""

    title: ClassVar[str] = "Avantes"
    explanation: ClassVar[str] = (
        "Text of AvaSoft (.ttt, .trt, .tit): the last column is the spectrum, the others are counts."
    )

    def recognises(self, head: bytes, name: str) -> bool:
        """A line of column names that starts with the wave, and names the sample."""
        return _names_line(lines_of(head_text(head[:8000]))) is not None

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return the processed spectrum."""
        text, _, _ = decoded(data, dialect.encoding)
        lines = lines_of(text)
        at = _names_line(lines)
        assert at is not None
        names = [cell.strip() for cell in lines[at].split(";")]
        units = [cell.strip() for cell in lines[at + 1].split(";")] if at + 1 < len(lines) else []
        body = [line for line in lines[at + 2 :] if line.strip()]
        rows = number_rows(body, ";", len(names), name, at + 3)
        if len(rows) == 0:
            raise ReadError(f"{name} holds names of columns but no data. Export it again.")
        quantity = signal_named(f"{names[-1]} {units[-1] if units else ''}") or ("", "")
        axis = axis_named(f"wavelength {units[0]}") if units else None
        aside = ", ".join(names[1:-1])
        return [
            Curve(
                name,
                "avantes",
                rows[:, 0],
                rows[:, -1],
                *(axis or ("Wavelength", "nm")),
                *quantity,
                (f"Columns {aside} are counts before processing and stand aside.",) if aside else (),
                {"format": "Avantes text (columns Wave to processed spectrum)"},
            )
        ]


def _names_line(lines: list[str]) -> int | None:
    for at, line in enumerate(lines[:40]):
        cells = [cell.strip().lower() for cell in line.split(";")]
        if len(cells) >= 2 and cells[0] in {"wave", "wavelength"} and ("sample" in cells or "dark" in cells):
            return at
    return None

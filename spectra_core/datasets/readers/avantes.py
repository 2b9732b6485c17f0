"""Avantes text: dark, reference and sample counts stand before the processed spectrum."""

from dataclasses import dataclass
from typing import ClassVar

from spectra_core.datasets.names import axis_named, signal_named
from spectra_core.datasets.parts import Curve, Part
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.decoding import decoded, lines_of
from spectra_core.datasets.readers.instrument_text import head_text, number_rows
from spectra_core.errors import ReadError

_COUNTS = frozenset({"dark", "ref", "reference", "sample"})


@dataclass(frozen=True)
class Avantes:
    """Spectra of Avantes instruments."""

    title: ClassVar[str] = "Avantes"
    explanation: ClassVar[str] = (
        "Text of AvaSoft (.ttt, .trt, .tit): counts of dark, reference and sample, then the spectrum."
    )

    def recognises(self, head: bytes, name: str) -> bool:
        """A line of column names that starts with the wave, and names the sample."""
        return _names_line(lines_of(head_text(head[:8000]))) is not None

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return the processed spectrum, one of each quantity where there are several; without any, the counts."""
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
        axis = axis_named(f"wavelength {units[0]}") if units else None
        made = [at for at in range(1, len(names)) if names[at].lower() not in _COUNTS]
        shown = made or [at for at in range(1, len(names)) if names[at].lower() == "sample"] or [len(names) - 1]
        aside = ", ".join(one for at, one in enumerate(names) if at and at not in shown)
        why = (
            "are counts before processing and stand aside"
            if made
            else "stand aside; they were not taken off the sample's"
        )
        notes = (f"Columns {aside} {why}.",) if aside else ()
        return [
            Curve(
                name if len(shown) == 1 else f"{name} {names[at]}",
                "avantes",
                rows[:, 0],
                rows[:, at],
                *(axis or ("Wavelength", "nm")),
                *_quantity(names[at], units[at] if at < len(units) else ""),
                notes,
                {"format": "Avantes text (columns Wave to processed spectrum)"},
            )
            for at in shown
        ]


def _quantity(name: str, unit: str) -> tuple[str, str]:
    """Return quantity and unit of a column; one that is not known keeps its words, lest it be mixed with others."""
    if name.lower() in _COUNTS:
        return "Intensity", "counts"
    return signal_named(f"{name} {unit}") or (name, unit.strip("[]"))


def _names_line(lines: list[str]) -> int | None:
    for at, line in enumerate(lines[:40]):
        cells = [cell.strip().lower() for cell in line.split(";")]
        if len(cells) >= 2 and cells[0] in {"wave", "wavelength"} and ("sample" in cells or "dark" in cells):
            return at
    return None

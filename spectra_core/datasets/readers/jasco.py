"""JASCO text: records of key and value, then XYDATA."""

from dataclasses import dataclass
from typing import ClassVar

from spectra_core.datasets.names import signal_named
from spectra_core.datasets.parts import Curve, Part
from spectra_core.datasets.readers.axis_units import axis_unit_written
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.decoding import decoded, lines_of
from spectra_core.datasets.readers.instrument_text import head_text, number_rows, require_count
from spectra_core.errors import ReadError


@dataclass(frozen=True)
class Jasco:
    """Spectra of JASCO instruments."""

    title: ClassVar[str] = "JASCO"
    explanation: ClassVar[str] = "Text of JASCO Spectra Manager: records, then XYDATA."

    def recognises(self, head: bytes, name: str) -> bool:
        """A title record, and XYDATA without the marks of JCAMP."""
        lines = lines_of(head_text(head[:8000]))
        return lines[0].startswith("TITLE") and any(line.strip() == "XYDATA" for line in lines)

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return the curves, one per column of values."""
        text, _, _ = decoded(data, dialect.encoding)
        lines = lines_of(text)
        start = next(at for at, line in enumerate(lines) if line.strip() == "XYDATA")
        records = _records(lines[:start])
        end = next((at for at in range(start + 1, len(lines)) if not lines[at].strip()), len(lines))
        body = lines[start + 1 : end]
        if not body:
            raise ReadError(f"{name} ends before its data. Export it again.")
        separator = next((mark for mark in ("\t", ";") if mark in body[0]), "," if body[0].count(",") > 1 else None)
        rows = number_rows(body, separator, len(body[0].split(separator)), name, start + 2)
        require_count(records.get("NPOINTS"), len(rows), name)
        x_quantity, x_unit = axis_unit_written(records.get("XUNITS", ""))
        return [
            Curve(
                records.get("TITLE") or name,
                "jasco",
                rows[:, 0],
                rows[:, column],
                x_quantity,
                x_unit,
                *_signal(records.get("YUNITS" if column == 1 else f"Y{column}UNITS", "")),
                (),
                {"format": "JASCO text (records, then XYDATA)"},
            )
            for column in range(1, rows.shape[1])
        ]


def _signal(written: str) -> tuple[str, str]:
    """Return quantity and unit of a signal; of several channels, each is another one, such as "CD [mdeg]".

    >>> _signal("ABSORBANCE"), _signal("CD [mdeg]"), _signal("HT [V]")
    (('Absorbance', ''), ('CD', 'mdeg'), ('HT', 'V'))
    """
    name, _, unit = written.partition("[")
    return signal_named(written) or (name.strip(), unit.strip(" ]"))


def _records(lines: list[str]) -> dict[str, str]:
    records = {}
    for line in lines:
        key, _, value = line.partition("\t") if "\t" in line else line.partition(";" if ";" in line else ",")
        records[key.strip().upper()] = value.strip()
    return records

"""PerkinElmer PEDS text: a fixed head, then #HDR, #GR and #DATA."""

from dataclasses import dataclass
from typing import ClassVar

from spectra_core.datasets.names import signal_named
from spectra_core.datasets.parts import Curve, Part
from spectra_core.datasets.readers.axis_units import axis_unit_written
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.decoding import decoded, lines_of
from spectra_core.datasets.readers.instrument_text import head_text, number_rows, require_count
from spectra_core.errors import ReadError

_N_POINTS = 6  # line after #GR that holds the number of points: units of x and y, two factors, first x, step, points


@dataclass(frozen=True)
class PerkinElmerText:
    """Spectra of PerkinElmer UV WinLab and FL WinLab as text."""

    title: ClassVar[str] = "PerkinElmer PEDS text"
    explanation: ClassVar[str] = "Text of PerkinElmer UV and fluorescence instruments: PE ... ASCII PEDS."

    def recognises(self, head: bytes, name: str) -> bool:
        """The words of the first line."""
        first = lines_of(head_text(head[:400]))[0]
        return first.startswith("PE ") and "ASCII" in first and "PEDS" in first

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return the one curve."""
        text, _, _ = decoded(data, dialect.encoding)
        lines = [line.strip() for line in lines_of(text)]
        if "#DATA" not in lines or "#GR" not in lines:
            raise ReadError(f"{name} is cut off: it ends before its data. Copy or export it again.")
        graph, start = lines.index("#GR"), lines.index("#DATA")
        about = lines[graph + 1 : start]
        body = [line for line in lines[start + 1 :] if line]
        rows = number_rows(body, None, 2, name, start + 2)
        require_count(about[_N_POINTS] if len(about) > _N_POINTS else None, len(rows), name)
        if len(rows) == 0:
            raise ReadError(f"{name} holds no data. Export it again.")
        axis = axis_unit_written(about[0] if about else "")
        signal = signal_named(about[1]) if len(about) > 1 else None
        if signal is None and lines[0].startswith("PE FL"):
            signal = ("Intensity", "")
        title = lines[2] if len(lines) > 2 and lines[2] else name
        return [
            Curve(
                title,
                "perkin_elmer",
                rows[:, 0],
                rows[:, 1],
                *axis,
                *(signal or ("", "")),
                (),
                {"format": "PerkinElmer PEDS text (first line)"},
            )
        ]

"""CSV: one spectrum a row, behind one line with the document."""

import csv
import io
from dataclasses import dataclass
from typing import ClassVar

from spectra_core.datasets.document import OWN_MARK
from spectra_core.datasets.writers.base import table_of
from spectra_core.spectra import SpectraSet


@dataclass(frozen=True)
class Csv:
    """Comma-separated text in UTF-8."""

    title: ClassVar[str] = "CSV"
    explanation: ClassVar[str] = "One spectrum a row, channels named by position; the first line says what it is."
    extension: ClassVar[str] = ".csv"
    mime: ClassVar[str] = "text/csv"

    def write(self, spectra: SpectraSet) -> bytes:
        """Write every number with all its digits."""
        table = table_of(spectra)
        stream = io.StringIO()
        stream.write(f"{OWN_MARK}{table.document.to_json()}\n")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(table.header)
        for row in range(len(spectra)):
            texts = [cells[row] for cells in table.samples]
            writer.writerow([*texts, *table.targets[row].tolist(), *spectra.signal[row].tolist()])
        return stream.getvalue().encode()

"""Parquet: one spectrum a row, with the document in the metadata of the table."""

import io
from dataclasses import dataclass
from typing import ClassVar

from spectra_core.datasets.writers.base import table_of
from spectra_core.spectra import SpectraSet


@dataclass(frozen=True)
class ParquetTable:
    """Columns with names and types."""

    title: ClassVar[str] = "Parquet"
    explanation: ClassVar[str] = "Small and fast for data-science tools; one spectrum a row."
    extension: ClassVar[str] = ".parquet"
    mime: ClassVar[str] = "application/vnd.apache.parquet"

    def write(self, spectra: SpectraSet) -> bytes:
        """Write numbers in their own precision."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = table_of(spectra)
        columns = [
            *(pa.array(cells, type=pa.string()) for cells in table.samples),
            *(pa.array(values) for values in table.targets.T),
            *(pa.array(values) for values in spectra.signal.T),
        ]
        metadata = {"latent_spectra": table.document.to_json()}
        stream = io.BytesIO()
        pq.write_table(pa.table(columns, names=list(table.header), metadata=metadata), stream)
        return stream.getvalue()

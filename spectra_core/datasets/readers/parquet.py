"""Parquet tables, column by column, so that nothing is held much more than twice."""

import io
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spectra_core.datasets.limits import MAX_UNPACKED_BYTES, require_cells
from spectra_core.datasets.parts import Cells, Grid, Part
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.delimited import fill_column
from spectra_core.errors import ReadError

_AT_ONCE = 16
_INDEX = "__index_level_"


@dataclass(frozen=True)
class Parquet:
    """Columns with names and types."""

    title: ClassVar[str] = "Parquet"
    explanation: ClassVar[str] = "Tables of data-science tools (.parquet), one spectrum a row."

    def recognises(self, head: bytes, name: str) -> bool:
        """Parquet's magic bytes."""
        return head.startswith(b"PAR1")

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return the one table."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not data.endswith(b"PAR1"):
            raise ReadError(f"{name} is cut off: the end of the Parquet file is missing. Copy or download it again.")
        try:
            file = pq.ParquetFile(io.BytesIO(data))
            return [_grid(file, name)]
        except (pa.ArrowException, OSError, ValueError, KeyError, UnicodeDecodeError) as error:
            raise ReadError(f"{name} is no readable Parquet file: it is damaged. Copy or download it again.") from error


def _grid(file: "object", name: str) -> Grid:
    import pyarrow as pa

    schema, about = file.schema_arrow, file.metadata  # type: ignore[attr-defined]
    n_rows, titles = int(about.num_rows), [str(title) for title in schema.names]
    require_cells(n_rows, len(titles), name)
    sizes = [about.row_group(group).total_byte_size for group in range(about.num_row_groups)]
    if sum(sizes) > MAX_UNPACKED_BYTES or any(size < 0 for size in sizes):
        raise ReadError(f"{name} would unpack to {sum(sizes) / 1e6:,.0f} MB. Save fewer columns or rows.")
    numeric = [pa.types.is_floating(one.type) or pa.types.is_integer(one.type) for one in schema]
    single = all(pa.types.is_float32(one.type) for one, is_number in zip(schema, numeric, strict=True) if is_number)
    # An index without a name that counts rows says nothing; words in it are the names of the rows.
    kept = [at for at, title in enumerate(titles) if not (numeric[at] and title.startswith(_INDEX))]
    numbers = np.full((n_rows, len(kept)), np.nan, dtype=np.float32 if single and any(numeric) else np.float64)
    text: dict[int, Cells] = {}
    odd: list[tuple[int, int, str]] = []
    for start in range(0, len(kept), _AT_ONCE):
        chunk = kept[start : start + _AT_ONCE]
        done = 0
        for batch in file.iter_batches(batch_size=65_536, columns=[titles[at] for at in chunk]):  # type: ignore[attr-defined]
            for offset, at in enumerate(chunk):
                column = batch.column(offset)
                if numeric[at]:
                    numbers[done : done + batch.num_rows, start + offset] = column.to_numpy(zero_copy_only=False)
                else:
                    words = tuple("" if value is None else str(value) for value in column.to_pylist())
                    text[start + offset] = text.get(start + offset, ()) + words
            done += batch.num_rows
        if done != n_rows:
            raise ReadError(f"{name} declares {n_rows:,} rows and holds {done:,}: it is damaged.")
        pa.default_memory_pool().release_unused()  # else what is done with is held until the end
    for column_number, cells in text.items():
        odd += fill_column(numbers, column_number, cells, ".")
    facts = {"format": "Parquet"}
    document = (schema.metadata or {}).get(b"latent_spectra")
    if document is not None:
        facts["document"] = document.decode("utf-8", errors="replace")
        odd = []
        numbers[:, list(text)] = np.nan
    names = tuple("id" if titles[at].startswith(_INDEX) and "id" not in titles else titles[at] for at in kept)
    return Grid(name, "parquet", numbers, text, (names,), 1, tuple(odd), facts=facts)

"""Writers by format; whatever they write reads back equal: ids, targets, units and origin included."""

from spectra_core.datasets.writers.base import Writer
from spectra_core.datasets.writers.csv_text import Csv
from spectra_core.datasets.writers.jcamp_text import JcampText
from spectra_core.datasets.writers.numpy_archive import Npz
from spectra_core.datasets.writers.parquet_table import ParquetTable
from spectra_core.datasets.writers.workbook import Xlsx
from spectra_core.errors import ConfigError
from spectra_core.spectra import SpectraSet

WRITERS: dict[str, type[Writer]] = {
    "csv": Csv,
    "xlsx": Xlsx,
    "jcamp": JcampText,
    "npz": Npz,
    "parquet": ParquetTable,
}
"""Every format that a set is written in, by name."""


def export(spectra: SpectraSet, form: str) -> bytes:
    """Return a set as a file of one of `WRITERS`.

    Raises
    ------
    ConfigError
        When the format is unknown or cannot hold the set.
    """
    if form not in WRITERS:
        raise ConfigError(f"Unknown format {form!r}. Known formats: {', '.join(WRITERS)}.")
    return WRITERS[form]().write(spectra)

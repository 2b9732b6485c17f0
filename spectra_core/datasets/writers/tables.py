"""Tables of results as files: CSV, Excel, Parquet, by the ending of the name."""

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from spectra_core.datasets.formulas import table_csv
from spectra_core.datasets.writers.workbook import table_workbook
from spectra_core.errors import ConfigError


def table_parquet(table: pd.DataFrame) -> bytes:
    """Return a table as Parquet."""
    stream = io.BytesIO()
    table.to_parquet(stream, index=False)
    return stream.getvalue()


TABLE_FORMS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    ".csv": table_csv,
    ".xlsx": table_workbook,
    ".parquet": table_parquet,
}
"""How a table is written, by the ending of the file."""


def require_table_form(name: str) -> Callable[[pd.DataFrame], bytes]:
    """Return how a file of this name is written.

    Raises
    ------
    ConfigError
        When its ending is of no known form.
    """
    ending = Path(name).suffix.lower()
    if ending not in TABLE_FORMS:
        raise ConfigError(f"Tables are written as {', '.join(TABLE_FORMS)}, not as {ending or 'files without ending'}.")
    return TABLE_FORMS[ending]


def table_file(table: pd.DataFrame, name: str) -> bytes:
    """Return a table as a file of this name."""
    return require_table_form(name)(table)

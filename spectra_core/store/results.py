"""How a result lies on disk: its document as JSON, each of its tables as Parquet."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from spectra_core.errors import StoreError
from spectra_core.json_text import strict_json
from spectra_core.store.entry import DamageError, Entry
from spectra_core.store.files import json_bytes
from spectra_core.store.result_shapes import require_shape, with_numbers
from spectra_core.store.shapes import fits, shaped

DOCUMENT = "document.json"


@dataclass(frozen=True)
class ResultRecord:
    """What a list of results shows of each.

    Parameters
    ----------
    kind
        What was done: "study", "map".
    content
        Sha256 over document and tables: equal for two runs that gave the same, to the last bit.
    """

    id: str
    kind: str
    name: str
    table_names: tuple[str, ...]
    content: str
    sequence: int
    created: str


@dataclass(frozen=True, eq=False)
class StoredResult:
    """A result read back: its record, its JSON document and its tables by name."""

    record: ResultRecord
    document: dict[str, Any]
    tables: dict[str, pd.DataFrame]


def unkept_result(
    kind: str, name: str, document: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]
) -> StoredResult:
    """Return as a result what a page has computed and nobody has kept: it has no id and no date."""
    return StoredResult(ResultRecord("", kind, name, tuple(tables), "", 0, ""), dict(document), dict(tables))


def result_record(entry: Entry) -> ResultRecord:
    """Read the record of a listed result."""
    known = {"id": entry.key, "sequence": entry.sequence, "created": entry.created}
    return shaped(ResultRecord, {**entry.record, **known})


def result_files(document: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> dict[str, bytes]:
    """Return the files of a result; tables are numbered, since their names are data and no file names."""
    files = {DOCUMENT: json_bytes({"document": document, "tables": list(tables)})}
    for number, (name, table) in enumerate(tables.items()):
        files[_file_of(number)] = _parquet(name, table)
    return files


def result_from(record: ResultRecord, files: Mapping[str, bytes]) -> StoredResult:
    """Rebuild a result.

    Raises
    ------
    DamageError
        When a file is not one of a result, or holds something else than results of its kind do.
    """
    try:
        content = strict_json(files[DOCUMENT])
        if not (fits(content["document"], dict[str, Any]) and fits(content["tables"], list[str])):
            raise ValueError("its document is of another form")
        tables = {
            name: pd.read_parquet(io.BytesIO(files[_file_of(number)])) for number, name in enumerate(content["tables"])
        }
        tables = with_numbers(record.kind, tables)
        require_shape(record.kind, content["document"], tables)
        return StoredResult(record, content["document"], tables)
    except (KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise DamageError(f"it was kept by another version, which wrote it otherwise: {_said(error)}.") from error


def _said(error: Exception) -> str:
    """Say in our own words what is wrong: ours are the errors of checks alone."""
    return str(error) if type(error) is ValueError else "a file of it is none that a result has"


def _file_of(number: int) -> str:
    return f"table-{number:03d}.parquet"


def _parquet(name: str, table: pd.DataFrame) -> bytes:
    plain = table if isinstance(table.index, pd.RangeIndex) else table.reset_index()
    try:
        return bytes(plain.to_parquet(index=False))
    except (TypeError, ValueError, OSError) as error:
        raise StoreError(
            f"The table {name!r} cannot be kept: a column holds values of several kinds. Columns hold one kind each."
        ) from error

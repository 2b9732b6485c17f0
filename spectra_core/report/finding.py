"""Which result a person means: on the shelf by id or name, or in the folder that a study wrote."""

import io
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.datasets.formulas import unguarded
from spectra_core.errors import ReadError, SpectraError
from spectra_core.json_text import strict_json
from spectra_core.spectra import SpectraSet
from spectra_core.store import ResultRecord, SetRecord, Store, StoredResult
from spectra_core.store.files import is_there

KINDS = {
    "study": "experiment",
    "pilot": "pilot",
    "advice": "advice",
    "spectra": "look at spectra",
    "channels": "comparison by channel",
    "fidelity": "comparison",
    "bench": "metric bench",
    "neighbours": "neighbours",
    "map": "map",
}
"""What results are called."""
DOCUMENT, EXPERIMENT = "document.json", "experiment.json"
_NAMES = ("arm", "regressor", "target", "verdict", "verdict_without", "unit", "generator", "options")
"""Columns of text, also where what stands in them reads like numbers."""
_MOST_LISTED = 20


def find_result(named: str, store: Store) -> StoredResult:
    """Return the result that a person named.

    Parameters
    ----------
    named
        The beginning of an id, or the name, of a kept result; or a folder that ``study --out`` wrote, or a file in it.

    Raises
    ------
    ReadError
        When there is none, or several; what there is is listed.
    """
    path = Path(named)
    if named and is_there(path):
        return result_in_folder(path if path.is_dir() else path.parent)
    records = store.results()
    fitting = [record for record in records if record.name == named]
    if not fitting and len(named) >= 4:
        fitting = [record for record in records if record.id.startswith(named)]
    if len(fitting) == 1:
        return store.load_result(fitting[0].id)
    if fitting:
        raise ReadError(f"{len(fitting)} results are called {named!r}. Give the id of one:\n{_listed(fitting)}")
    if not records:
        raise ReadError(
            f"There is no result or folder {named!r}: nothing was kept yet. Run an experiment on the page Experiment, "
            "or with `latent-spectra study --keep`."
        )
    raise ReadError(f"There is no result or folder {named!r}. There are:\n{_listed(records)}")


@dataclass(frozen=True, eq=False)
class KeptData:
    """What is kept of an experiment's data.

    Parameters
    ----------
    spectra
        With the experiment's targets only.
    record
        Of the whole set.
    """

    spectra: SpectraSet
    record: SetRecord


def data_of(result: StoredResult, store: Store) -> KeptData | None:
    """Return the kept set that an experiment was about; None where it is not kept (any more)."""
    fingerprint = str(result.document["data"].get("fingerprint", ""))
    records = store.sets()
    for record in records:
        if record.fingerprint == fingerprint:
            return KeptData(store.load_set(fingerprint), record)
    names = result.tables["spreads"]["target"].astype(str).tolist()
    n_spectra = result.document["data"].get("n_spectra")
    for record in records:
        if record.n_spectra == n_spectra and set(names) < set(record.target_names):
            spectra = store.load_set(record.fingerprint).with_targets(names)
            if spectra.fingerprint == fingerprint:
                return KeptData(spectra, record)
    return None


def result_in_folder(folder: Path) -> StoredResult:
    """Read the tables and the experiment that ``study --out`` wrote, also those of earlier versions.

    Raises
    ------
    ReadError
        When a file is missing or is not what a study writes.
    """
    name = folder.resolve().name
    if not is_there(folder / EXPERIMENT):
        raise ReadError(
            f"The folder {name!r} lacks {EXPERIMENT!r}, so it is none that `latent-spectra study --out` wrote."
        )
    try:
        tables = {path.stem: _named_table(path) for path in sorted(folder.glob("*.csv"))}
        experiment = strict_json((folder / EXPERIMENT).read_bytes())
        written = folder / DOCUMENT
        document = strict_json(written.read_bytes()) if written.is_file() else _described(experiment, tables)
    except OSError as error:
        raise ReadError(f"The folder {name!r} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ReadError(f"The folder {name!r} holds a file that no study wrote: {error}.") from error
    missing = [name for name in ("errors", "comparisons", "spreads") if name not in tables]
    if missing:
        raise ReadError(f"The folder {name!r} lacks {missing[0]}.csv, which a study writes. Run it again.")
    title = f"Study of {document['data'].get('name') or name}"
    record = ResultRecord("", "study", title, tuple(tables), "", 0, str(document.get("created", "")))
    return StoredResult(record, {**document, "experiment": experiment}, tables)


def _named_table(path: Path) -> pd.DataFrame:
    try:
        return read_table(path.read_bytes())
    except ReadError as error:
        raise ReadError(f"{path.name}: {error}") from error


def read_table(content: bytes) -> pd.DataFrame:
    """Read a table that `table_csv` wrote, to the last digit.

    Raises
    ------
    ReadError
        When it is none.
    """
    if not content.strip():
        return pd.DataFrame()
    try:
        text = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise ReadError("A table of the result is no comma-separated text.") from error
    return pd.DataFrame({unguarded(str(name)): _typed(str(name), list(text[name])) for name in text.columns})


def _typed(name: str, cells: list[str]) -> list[str] | NDArray[Any]:
    """Return cells as what they were written from: whole numbers, numbers, yes or no, else text."""
    if name not in _NAMES and cells:
        if set(cells) <= {"True", "False"}:
            return np.array([cell == "True" for cell in cells])
        for kind in (np.int64, np.float64):
            with suppress(ValueError, OverflowError):
                return np.array([kind(cell) if cell or kind is np.int64 else np.nan for cell in cells], dtype=kind)
    return [unguarded(cell) for cell in cells]


def require_experiment(result: StoredResult, what: str) -> None:
    """Refuse what is no experiment.

    Raises
    ------
    SpectraError
        Saying what it is.
    """
    if "experiment" not in result.document or "errors" not in result.tables:
        kind = KINDS.get(result.record.kind, result.record.kind)
        raise SpectraError(f"{what} is made of an experiment; {result.record.name!r} is a {kind}.")


def _described(experiment: dict[str, Any], tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Say what is known of the data where an earlier version wrote no document."""
    spreads, predictions = tables["spreads"], tables["predictions"]
    units = dict(zip(spreads["target"].astype(str), spreads["unit"].fillna("").astype(str), strict=True))
    data = {"fingerprint": experiment.get("data", ""), "units": units}
    if not experiment.get("fresh_sets"):
        data["n_spectra"] = int(predictions["sample"].nunique())
    return {"data": json.loads(json.dumps(data)), "versions": {}}


def _listed(records: list[ResultRecord]) -> str:
    lines = [f"  {one.id[:8]}  {KINDS.get(one.kind, one.kind):12}  {one.created[:10]}  {one.name}" for one in records]
    more = [f"  and {len(lines) - _MOST_LISTED} earlier ones"] if len(lines) > _MOST_LISTED else []
    return "\n".join([*lines[::-1][:_MOST_LISTED], *more])

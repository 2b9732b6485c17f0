"""What leaves the house: reports to read, capsules to verify, cards of models."""

from collections.abc import Callable
from pathlib import Path

from spectra_core.errors import ReadError, SpectraError
from spectra_core.report.advised import report_of_advice
from spectra_core.report.calibrated import report_of_calibration
from spectra_core.report.card import Card, calibration_card, generator_card
from spectra_core.report.channels import report_of_channels, report_of_spectra
from spectra_core.report.comparison import report_of_bench, report_of_fidelity, report_of_map, report_of_neighbours
from spectra_core.report.finding import KINDS, find_result
from spectra_core.report.page import Report
from spectra_core.report.study import report_of_study
from spectra_core.store import Store, StoredResult
from spectra_core.store.calibrations import read_calibration
from spectra_core.store.files import is_there, sha256

REPORTS: dict[str, Callable[[StoredResult, Store], Report]] = {
    "study": report_of_study,
    "pilot": report_of_study,
    "advice": report_of_advice,
    "spectra": report_of_spectra,
    "channels": report_of_channels,
    "fidelity": report_of_fidelity,
    "neighbours": report_of_neighbours,
    "map": report_of_map,
    "bench": report_of_bench,
}
"""How a result of a kind is told, by kind."""


def report_of(result: StoredResult, store: Store) -> Report:
    """Write the report of a result.

    Parameters
    ----------
    store
        Where its data may be kept: then more is told of them.

    Raises
    ------
    SpectraError
        When results of its kind have no report.
    """
    if result.record.kind not in REPORTS:
        known = ", ".join(KINDS.get(kind, kind) for kind in REPORTS)
        kind = KINDS.get(result.record.kind, result.record.kind)
        raise SpectraError(
            f"There is no report of a {kind}, which {result.record.name!r} is; there is of: {known}, calibration."
        )
    return REPORTS[result.record.kind](result, store)


def report_of_named(named: str, store: Store) -> Report:
    """Write the report of a result or calibration that a person named.

    Parameters
    ----------
    named
        As in `find_result`; or the name or the beginning of the id of a calibration, or its file.

    Raises
    ------
    ReadError
        When there is none; the results are listed.
    """
    path = Path(named)
    if is_there(path, file=True) and path.suffix == ".zip":
        content = path.read_bytes()
        return report_of_calibration(read_calibration(content), path.stem, sha256(content))
    if (key := kept_calibration(named, store)) is not None:
        return kept_calibration_report(key, store)
    return report_of(find_result(named, store), store)


def kept_calibration_report(key: str, store: Store) -> Report:
    """Write the report of a kept calibration."""
    record = next(one for one in store.calibrations() if one.id == key)
    return report_of_calibration(store.load_calibration(key), record.name, key, licence_of(record.data, store))


def kept_calibration(named: str, store: Store) -> str | None:
    """Return the id of the one kept calibration of that name or beginning of an id; None where there is none."""
    return _one_of(named, {record.id: record.name for record in store.calibrations()}, "calibrations")


def card_of_named(named: str, store: Store) -> tuple[Card, str | None]:
    """Return the card of a kept model or calibration, and the id where it is a generator.

    Raises
    ------
    ReadError
        When there is none of that name; those there are are listed.
    """
    models = {record.id: record.name for record in store.models() if record.registry == "generator"}
    if (key := _one_of(named, models, "generators")) is not None:
        return generator_card(store, key), key
    if is_there(path := Path(named), file=True) and path.suffix == ".zip":
        content = path.read_bytes()
        return calibration_card(read_calibration(content), path.stem, sha256(content), ""), None
    if (key := kept_calibration(named, store)) is not None:
        record = next(one for one in store.calibrations() if one.id == key)
        licence = licence_of(record.data, store)
        return calibration_card(store.load_calibration(key), record.name, key, licence), None
    known = {**models, **{record.id: record.name for record in store.calibrations()}}
    listed = "\n".join(f"  {one[:8]}  {name}" for one, name in known.items()) or "  none"
    raise ReadError(f"There is no kept generator or calibration {named!r}. There are:\n{listed}")


def licence_of(fingerprint: str, store: Store) -> str:
    """Return the licence that was stated for a set; empty where none was, or the set is not kept."""
    return next((record.licence for record in store.sets() if record.fingerprint == fingerprint), "")


def _one_of(named: str, names: dict[str, str], what: str) -> str | None:
    fitting = [key for key, name in names.items() if name == named]
    if not fitting and len(named) >= 4:
        fitting = [key for key in names if key.startswith(named)]
    if len(fitting) > 1:
        ids = ", ".join(key[:8] for key in fitting)
        raise ReadError(f"{len(fitting)} {what} are called {named!r}. Give the id of one: {ids}.")
    return fitting[0] if fitting else None


__all__ = [
    "REPORTS",
    "Card",
    "Report",
    "calibration_card",
    "card_of_named",
    "generator_card",
    "kept_calibration_report",
    "licence_of",
    "report_of",
    "report_of_named",
]

"""What leaves the house: reports to read, capsules to verify, cards of models."""

from collections.abc import Callable

from spectra_core.errors import SpectraError
from spectra_core.report.finding import KINDS
from spectra_core.report.page import Report
from spectra_core.report.study import report_of_study
from spectra_core.store import Store, StoredResult

REPORTS: dict[str, Callable[[StoredResult, Store], Report]] = {"study": report_of_study, "pilot": report_of_study}
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
            f"{result.record.name!r} is of the kind {kind}, of which there is no report. There is of: {known}."
        )
    return REPORTS[result.record.kind](result, store)


__all__ = ["REPORTS", "Report", "report_of"]

"""Finished experiments in the store, and what they are about."""

from spectra_core.spectra import SpectraSet
from spectra_core.store import ResultRecord, Store
from ui import cache, state


def studies() -> list[ResultRecord]:
    """Return the finished experiments, the newest first."""
    return sorted(state.store().results("study"), key=lambda record: -record.sequence)


def studies_of(spectra: SpectraSet) -> list[ResultRecord]:
    """Return the finished experiments on these spectra, the newest first."""
    return [record for record in studies() if _data(record)["fingerprint"] == spectra.fingerprint]


def _data(record: ResultRecord) -> dict[str, object]:
    document = cache.shared(Store.load_result, state.store(), record.id).document
    found: dict[str, object] = document["data"]
    return found

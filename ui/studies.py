"""Finished experiments in the store, and what they are about."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from spectra_core.errors import StoreError
from spectra_core.experiment import Arm
from spectra_core.experiment.own_way import is_same_way
from spectra_core.spectra import SpectraSet
from spectra_core.store import ResultRecord, Store, StoredResult
from ui import cache, state


def kept_results(*kinds: str) -> Iterator[StoredResult]:
    """Load the results of some kinds, the newest first; damaged ones are set aside, which the page Jobs tells."""
    for record in sorted(state.store().results(), key=lambda record: -record.sequence):
        if record.kind in kinds:
            with suppress(StoreError):
                yield cache.shared(Store.load_result, state.store(), record.id)


def studies() -> list[ResultRecord]:
    """Return the finished experiments, the newest first."""
    return [result.record for result in kept_results("study")]


def studies_of(spectra: SpectraSet) -> list[ResultRecord]:
    """Return the finished experiments on these spectra, the newest first."""
    return [result.record for result in results_of(spectra)]


def results_of(spectra: SpectraSet) -> Iterator[StoredResult]:
    """Load the finished experiments on these spectra, the newest first."""
    return (one for one in kept_results("study") if one.document["data"]["fingerprint"] == spectra.fingerprint)


def holds(record: ResultRecord, way: Arm | None) -> bool:
    """Whether an experiment has an arm that makes spectra this way."""
    return way is not None and any(is_same_way(way, arm) for arm in _document(record)["experiment"]["arms"])


def _document(record: ResultRecord) -> dict[str, Any]:
    document: dict[str, Any] = cache.shared(Store.load_result, state.store(), record.id).document
    return document

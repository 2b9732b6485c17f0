"""How long an experiment or a judgement will take, said at once: coarsely, until this computer was measured aside."""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

import streamlit as st

from spectra_core.experiment import Experiment
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from ui import state
from ui.job_panel import duration
from ui.ready import has_server

if TYPE_CHECKING:
    from spectra_core.jobs.judging_time import Work

_SECONDS = 2.0
"""Between two looks whether the measurement is done."""
_Told = Callable[[], tuple[float, bool]]
"""Tells seconds, and whether this computer was measured for them."""


def seconds_of(experiment: Experiment, spectra: SpectraSet, n_workers: int) -> tuple[float, bool]:
    """Return about how long an experiment takes as a job, and whether this computer was measured for it."""
    from spectra_core.experiment.cost import coarse_seconds
    from spectra_core.jobs.tasks import memo_of
    from spectra_core.jobs.work import NICENESS

    return coarse_seconds(experiment, spectra, n_workers, memo_of(state.store().of_computer, "pace"), NICENESS)


def words(experiment: Experiment, spectra: SpectraSet, n_workers: int) -> str:
    """Say how long an experiment takes; where only coarsely, measure aside and run the page again when that is done."""
    return _said(lambda: seconds_of(experiment, spectra, n_workers), spectra, experiment.to_json())


def words_of_judging(work: "Work", spectra: SpectraSet) -> str:
    """Say how long a judgement or the metric bench of `spectra` takes, alike."""
    from spectra_core.jobs.judging_time import coarse_seconds
    from spectra_core.jobs.measuring import JUDGING
    from spectra_core.jobs.tasks import memo_of
    from spectra_core.jobs.work import NICENESS

    memo = memo_of(state.store().of_computer, "pace")
    return _said(lambda: coarse_seconds(work, spectra, memo, NICENESS), spectra, JUDGING)


def _said(told: _Told, spectra: SpectraSet, what: str) -> str:
    seconds, is_measured = told()
    if is_measured:
        return f"about {duration(seconds)}"
    if has_server():
        st.fragment(_watch, run_every=_SECONDS)(told, spectra.fingerprint, what)
    return f"very roughly {duration(seconds)} (this computer is being measured)"


def _watch(told: _Told, fingerprint: str, what: str) -> None:
    if told()[1]:
        st.rerun()
    _under_way().begin(state.store(), fingerprint, what)


class _UnderWay:
    """The one measurement at a time that a server lets go on, whoever looks."""

    def __init__(self) -> None:
        self._lock, self._process, self._tried = Lock(), (0, ""), set[str]()

    def begin(self, store: Store, fingerprint: str, what: str) -> None:
        """Measure what is needed on a set, unless another measurement is under way or this one was tried."""
        from spectra_core.jobs import measuring, processes

        with self._lock:
            processes.reap()
            key = fingerprint + what
            if key in self._tried or processes.start_of(self._process[0]) == self._process[1] != "":
                return
            self._tried.add(key)
            process = measuring.start(store, fingerprint, what)
            self._process = process, processes.start_of(process)


@st.cache_resource(show_spinner=False)
def _under_way() -> _UnderWay:
    return _UnderWay()

"""What a worker of the cluster does: keep the data it was sent, and work on one unit at a time.

A unit is a pure function of its JSON description and the data. Fitted models that other units share may be sent along;
where they are not, they are computed, with the same bits.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from spectra_core.cluster.packing import packed, unpacked
from spectra_core.contracts import Arrays, Cancelled
from spectra_core.experiment.fold import OnceMemo
from spectra_core.experiment.parts import do_task
from spectra_core.spectra import SpectraSet
from spectra_core.store.sets import set_from
from spectra_core.training.parallel import one_numerical_thread
from spectra_core.training.versions import versions

BEAT = 0.3
"""Seconds between reports, and between looks for a request to stop."""
_MOST_SETS = 4
"""Sets kept in memory; one that is needed again after it had to go is sent again."""

_received: OrderedDict[str, dict[str, bytes]] = OrderedDict()
_sets: OrderedDict[str, SpectraSet] = OrderedDict()
_lock = threading.Lock()


def receive(fingerprint: str, files: Mapping[str, bytes]) -> dict[str, str]:
    """Keep the files of a set for later units; return what this worker computes with."""
    from threadpoolctl import threadpool_limits
    from torch.backends import cpu

    # For as long as the process lives: numerical libraries use one thread per unit, as in a local run.
    threadpool_limits(limits=1)
    with _lock:
        _received[fingerprint] = dict(files)
        while len(_received) > _MOST_SETS:
            _received.popitem(last=False)
    return {**versions(), "processor": cpu.get_cpu_capability()}


def work_on(job: Mapping[str, Any], known: Mapping[str, bytes]) -> dict[str, bytes] | None:
    """Do one unit.

    Parameters
    ----------
    job
        ``task`` (JSON text), ``set`` (fingerprint), ``topic``, ``unit`` and ``stop`` for reports and requests.
    known
        Packed models by memo key.

    Returns
    -------
    dict or None
        Packed arrays by memo key, of all that had to be computed; None where this worker has not the set.

    Raises
    ------
    Cancelled
        When the person asked to stop, or nobody waits for the result any more.
    """
    spectra = _set(job["set"])
    if spectra is None:
        return None
    memo = _Notebook(known)
    reporter = _WorkerReporter(job)
    try:
        with one_numerical_thread():
            do_task(json.loads(job["task"]), spectra, OnceMemo(memo), reporter)
    finally:
        reporter.close()
    return memo.computed


def _set(fingerprint: str) -> SpectraSet | None:
    with _lock:
        if fingerprint not in _sets:
            if fingerprint not in _received:
                return None
            # Read back as from a store: refused unless the content has the fingerprint that was asked for.
            _sets[fingerprint] = set_from(fingerprint, "Set sent to this worker", dict(_received[fingerprint]))
            del _received[fingerprint]
            while len(_sets) > _MOST_SETS:
                _sets.popitem(last=False)
        _sets.move_to_end(fingerprint)
        return _sets[fingerprint]


class _Notebook:
    """A memo that knows what was sent along, and notes what had to be computed."""

    def __init__(self, known: Mapping[str, bytes]) -> None:
        self._known = known
        self.computed: dict[str, bytes] = {}

    def arrays(self, key: str, compute: Callable[[], Arrays]) -> Arrays:
        if key in self._known:
            return unpacked(self._known[key])
        arrays = compute()
        self.computed[key] = packed(arrays)
        return arrays


class _WorkerReporter:
    """Tells the share done through the scheduler's events, and notices that one should stop."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        from distributed import get_worker

        self._worker = get_worker()
        self._key = self._worker.get_current_task()
        self._job = job
        self._share = 0.0
        self._stop = threading.Event()
        self._done = threading.Event()
        threading.Thread(target=self._beat, name="unit heartbeat", daemon=True).start()

    def progress(self, stage: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        if self._stop.is_set():
            raise Cancelled
        self._share = max(self._share, 0.99 * done / max(total, 1))

    def message(self, text: str) -> None:
        self._tell(message=text)

    def close(self) -> None:
        self._done.set()

    def _beat(self) -> None:
        told = -1.0
        while not self._done.wait(BEAT):
            # The scheduler may be gone for a moment: the work itself goes on.
            with suppress(OSError, RuntimeError, TimeoutError):
                if self._share != told:
                    told = self._share
                    self._tell(share=told)
                if self._is_unwanted() or self._is_asked_to_stop():
                    self._stop.set()

    def _tell(self, **content: Any) -> None:
        self._worker.log_event(self._job["topic"], {"unit": self._job["unit"], **content})

    def _is_unwanted(self) -> bool:
        """Whether Dask has called the task off, as when whoever asked for it is gone."""
        task = self._worker.state.tasks.get(self._key)
        return task is None or task.state not in ("executing", "long-running")

    def _is_asked_to_stop(self) -> bool:
        from distributed.utils import sync

        asked = sync(self._worker.loop, self._worker.scheduler.event_is_set, name=self._job["stop"], callback_timeout=5)
        return bool(asked)

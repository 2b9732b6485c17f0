"""What a worker of the cluster does: one unit at a time, a pure function of its JSON description and what it is given.

Models that other units share may be given; where they are not, they are computed, with the same bits.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from distributed import WorkerPlugin

from spectra_core.cluster.packing import packed, unpacked
from spectra_core.contracts import Arrays, Cancelled
from spectra_core.experiment.fold import OnceMemo
from spectra_core.experiment.parts import do_task
from spectra_core.spectra import SpectraSet
from spectra_core.store.sets import set_from
from spectra_core.training.parallel import one_numerical_thread
from spectra_core.training.versions import versions

BEAT = 0.3
"""Seconds between reports, and between looks whether the unit is still wanted."""
_MOST_SETS = 4
"""Sets kept in memory, read."""

_sets: OrderedDict[str, SpectraSet] = OrderedDict()
_lock = threading.Lock()


class SameVersions(WorkerPlugin):  # type: ignore[misc]  # of a library without types
    """Tells Dask which workers compute with the same versions, whenever they come: its plugin of a worker.

    Workers of the same versions get a resource, which every unit asks for; the others say why they have it not.

    Parameters
    ----------
    wanted
        Versions by package.
    topic
        Of Dask's events, where a worker says what it is.
    """

    def __init__(self, wanted: Mapping[str, str], topic: str) -> None:
        self.wanted, self.topic = dict(wanted), topic
        self.resource = f"latent-spectra-{hashlib.sha256(json.dumps(self.wanted).encode()).hexdigest()[:12]}"

    async def setup(self, worker: Any) -> None:
        """Give a worker the resource, or say why not."""
        from threadpoolctl import threadpool_limits

        said = {"worker": worker.address}
        own = versions()
        other = next((name for name, version in self.wanted.items() if own.get(name) != version), None)
        if other is not None:
            said["refused"] = (
                f"has {other} {own.get(other)}, here it is {self.wanted[other]}, so that its numbers could differ. "
                "Install the same versions there."
            )
        else:
            # For as long as the process lives: numerical libraries use one thread per unit, as in a local run.
            threadpool_limits(limits=1)
            n_threads = worker.state.nthreads
            said["message"] = f"The worker {worker.address} is one of ours; it works on {n_threads} at a time."
            await worker.set_resources(**{self.resource: n_threads})
        worker.log_event(self.topic, said)


def given(content: dict[str, bytes]) -> dict[str, bytes]:
    """Return what was given: so it lies on the workers that need it, and is brought again where it was lost."""
    return content


def work_on(job: Mapping[str, Any], files: Mapping[str, bytes], *known: Mapping[str, bytes]) -> dict[str, bytes]:
    """Do one unit.

    Parameters
    ----------
    job
        ``task`` (JSON text), ``set`` (fingerprint), ``topic`` and ``unit`` for reports.
    files
        Of the set.
    known
        Packed models by memo key.

    Returns
    -------
    dict
        Packed arrays by memo key, of all that had to be computed.

    Raises
    ------
    Cancelled
        When nobody waits for the result any more.
    """
    memo = _Notebook({key: content for one in known for key, content in one.items()})
    reporter = _WorkerReporter(job)
    try:
        with one_numerical_thread():
            do_task(json.loads(job["task"]), _set(job["set"], files), OnceMemo(memo), reporter)
    finally:
        reporter.close()
    return memo.computed


def _set(fingerprint: str, files: Mapping[str, bytes]) -> SpectraSet:
    with _lock:
        if fingerprint not in _sets:
            # Read back as from a store: refused unless the content has the fingerprint that was asked for.
            _sets[fingerprint] = set_from(fingerprint, "Set sent to this worker", dict(files))
            while len(_sets) > _MOST_SETS:
                _sets.popitem(last=False)
        _sets.move_to_end(fingerprint)
        return _sets[fingerprint]


class _Notebook:
    """A memo that knows what was given, and notes what had to be computed."""

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
    """Tells the share done through the scheduler's events, and notices that nobody waits any more."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        from distributed import get_worker

        self._worker = get_worker()
        self._key = self._worker.get_current_task()
        self._job = job
        self._share = 0.0
        self._unwanted = threading.Event()
        self._done = threading.Event()
        threading.Thread(target=self._beat, name="unit heartbeat", daemon=True).start()

    def progress(self, stage: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        if self._unwanted.is_set():
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
                task = self._worker.state.tasks.get(self._key)
                if task is None or task.state not in ("executing", "long-running"):  # called off by Dask
                    self._unwanted.set()

    def _tell(self, **content: Any) -> None:
        self._worker.log_event(self._job["topic"], {"unit": self._job["unit"], **content})

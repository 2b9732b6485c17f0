"""Handing units to Dask and taking results in; it places them, moves what they share, and repeats what was lost.

No more units are in Dask's hands than its workers have threads: it blames the death of a worker on everything that the
worker was to do, waiting or not.
"""

import asyncio
import json
import queue
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from spectra_core.cluster.packing import packed, unpacked
from spectra_core.cluster.worker_side import SameVersions, given, work_on
from spectra_core.contracts import Arrays, Cancelled, Memo, Reporter
from spectra_core.errors import ClusterError
from spectra_core.experiment.units import Progress, Unit
from spectra_core.spectra import SpectraSet
from spectra_core.store.sets import set_files
from spectra_core.training.versions import versions

if TYPE_CHECKING:
    from distributed import Client, Future

LOOK = 0.5
"""Seconds between questions to the scheduler."""
_TICK = 0.1
"""Seconds between looks for news; so often the loop asks whether it should stop."""
_ANSWER_TIMEOUT = 5.0
"""Seconds after which the scheduler is asked anew."""
_CLOSING_TIMEOUT = 1.0
_KEPT = "Finished parts are kept: start again to go on from there."


class Dispatch:
    """The work on one experiment, from connecting to closing.

    Parameters
    ----------
    client
        Connected; closed at the end.
    silence, patience
        As in `Cluster`.
    """

    def __init__(
        self,
        client: "Client",
        units: Sequence[Unit],
        spectra: SpectraSet,
        memo: Memo,
        reporter: Reporter,
        *,
        silence: float,
        patience: float,
    ) -> None:
        from distributed import as_completed

        self._client, self._units, self._memo, self._reporter = client, units, memo, reporter
        self._silence, self._patience = silence, patience
        self._fingerprint = spectra.fingerprint
        self._run_name = f"latent-spectra-{uuid.uuid4().hex[:12]}"
        self._same = SameVersions(versions(), self._run_name)
        self._progress = Progress(units, reporter)
        self._told = (0, 0.0, "")
        self._waiting = [number for number, unit in enumerate(units) if self._looked_up(unit.key) is None]
        self._out: dict[str, int] = {}  # by Dask's key
        self._made: dict[str, Future] = {}  # what holds a shared model, by its key in the memo
        self._lost_with: dict[int, list[str]] = {}
        self._news: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._reasons: dict[str, str] = {}
        self._met: set[str] = set()  # workers that have said whether they are ours
        self._closing = threading.Event()
        self._n_slots = 0
        self._answer: Any = None
        self._asked = self._heard = self._usable_seen = time.monotonic()
        self._completed = as_completed(with_results=True, raise_errors=False, loop=client.loop)
        self._data = self._submit(given, set_files(spectra), name="spectra")

    def run(self) -> None:
        """Work until every unit is done.

        Raises
        ------
        Cancelled, ClusterError
            As `Cluster.work_through`.
        """
        for topic in (self._run_name, "all"):
            self._client.subscribe_topic(topic, lambda event: self._news.put(event[1]))
        threading.Thread(target=self._register, name="cluster registering", daemon=True).start()
        try:
            for number in set(range(len(self._units))) - set(self._waiting):
                self._progress.set_found(number, self._units[number].stage)
            while self._waiting or self._out:
                self._look()
                self._hand_out()
                with suppress(queue.Empty):
                    self._hear(self._news.get(timeout=_TICK))
                    while True:
                        self._hear(self._news.get_nowait())
                for future, result in self._completed.next_batch(block=False):
                    self._take_in(future, result)
                stage = self._told[2] if self._out else f"Waiting for workers of {self._client.scheduler.address}"
                self._progress.set_share(*self._told[:2], stage)
        finally:
            self._closing.set()
            # In a thread of its own, since a scheduler that does not answer must not hold up a request to stop.
            closing = threading.Thread(target=self._close, name="cluster closing", daemon=True)
            closing.start()
            closing.join(_CLOSING_TIMEOUT)

    def _hand_out(self) -> None:
        """Give Dask the first units that wait for no model which another one is making, as long as there is room."""
        makes = {key for number in self._out.values() for key in self._missing(number)}
        for number in list(self._waiting):
            if len(self._out) >= self._n_slots:
                return
            if makes.isdisjoint(self._missing(number)):
                makes.update(self._missing(number))
                self._waiting.remove(number)
                self._start(number)

    def _start(self, number: int) -> None:
        unit = self._units[number]
        job = {"task": json.dumps(unit.task), "set": self._fingerprint, "topic": self._run_name, "unit": number}
        known = {self._holder(key) for key in unit.shared if key not in self._missing(number)}
        name = f"{unit.stage}, {_place(unit)}"
        future = self._submit(work_on, job, self._data, *known, name=name, resources={self._same.resource: 1})
        self._out[future.key] = number
        self._completed.add(future)
        self._told = (number, 0.0, unit.stage)

    def _submit(self, function: Any, *arguments: Any, name: str, **options: Any) -> "Future":
        import dask

        key = f"{name} ({self._run_name}-{uuid.uuid4().hex[:8]})"
        # Spectra and models of megabytes are sent on purpose: so Dask can make what is lost with a worker again.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "100GiB"}):
            return self._client.submit(function, *arguments, key=key, pure=False, retries=0, **options)

    def _holder(self, key: str) -> "Future":
        """Return what holds a shared model on the cluster."""
        if key not in self._made:
            arrays = self._looked_up(key)
            assert arrays is not None
            self._made[key] = self._submit(given, {key: packed(arrays)}, name="model")
        return self._made[key]

    def _missing(self, number: int) -> set[str]:
        """Return the keys of what a unit would make."""
        unit = self._units[number]
        return {key for key in (unit.key, *unit.shared) if key not in self._made and self._looked_up(key) is None}

    def _looked_up(self, key: str) -> Arrays | None:
        def absent() -> Arrays:
            raise _AbsentError

        try:
            return self._memo.arrays(key, absent)
        except _AbsentError:
            return None

    def _take_in(self, future: "Future", result: Any) -> None:
        """Keep what came of a unit, or tell loss from mistake."""
        from distributed import KilledWorker

        number = self._out.pop(future.key)
        unit = self._units[number]
        if future.status == "finished":
            for key, content in result.items():
                arrays = unpacked(content)
                self._memo.arrays(key, lambda arrays=arrays: arrays)  # type: ignore[misc]  # called at once
                if key in unit.shared or key == unit.key:
                    self._made[key] = future
            if self._looked_up(unit.key) is None:
                raise ClusterError(
                    "A worker did other work than it was asked for. Install the same version of latent-spectra on "
                    "all workers."
                )
            self._told = (number, 1.0, unit.stage)
            self._progress.set_share(*self._told)
            return
        error = result[1] if future.status == "error" else None
        if isinstance(error, KilledWorker):
            self._lose(number, error.last_worker.address)
        elif error is not None and not isinstance(error, Cancelled | OSError):
            raise error
        # Called off by Dask, as when the scheduler has lost its state, or a result with its worker: no unit's fault.
        self._waiting = sorted({*self._waiting, number})

    def _hear(self, news: dict[str, Any]) -> None:
        """Note what a worker says of its unit or itself, or the scheduler of a worker."""
        if "share" in news:
            if news["unit"] in self._out.values():
                self._told = (news["unit"], news["share"], self._units[news["unit"]].stage)
        elif "refused" in news or ("message" in news and "worker" in news):
            self._meet(news)
        elif "message" in news:
            self._reporter.message(news["message"])
        elif news.get("action") == "remove-worker":
            for key in news["processing-tasks"]:
                if key in self._out:
                    self._lose(self._out[key], news["worker"])

    def _meet(self, news: dict[str, Any]) -> None:
        """Note whether a worker is one of ours, which it may have said twice."""
        worker = news["worker"]
        if worker in self._met:
            return
        self._met.add(worker)
        if "refused" in news:
            self._reasons[worker] = news["refused"]
            self._reporter.message(f"The worker {worker} is left out: it {news['refused']}")
        else:
            self._reporter.message(news["message"])

    def _lose(self, number: int, worker: str) -> None:
        """Note that a worker was lost at work; Dask gives its unit to another one, once as far as we are concerned."""
        unit = self._units[number]
        lost_with = self._lost_with.setdefault(number, [])
        if worker in lost_with:
            return
        lost_with.append(worker)
        if len(lost_with) > 1:
            raise ClusterError(
                f"“{unit.stage}”, {_place(unit)}, lost two workers: {' and '.join(lost_with)}. Look at their logs, for "
                f"want of memory perhaps. {_KEPT}"
            )
        self._reporter.message(
            f"The worker {worker} was lost while it worked on “{unit.stage}”; another one repeats it."
        )

    def _register(self) -> None:
        """Have present and future workers of our versions say that they are; runs in a thread of its own.

        What one of them says at once may come before the scheduler knows that it is wanted here, so it is asked for,
        until one can be used or a reason is known.
        """
        registered = False
        while not self._closing.is_set() and not (registered and (self._n_slots or self._reasons)):
            try:
                if not registered:
                    self._client.register_plugin(self._same, name=self._same.resource)
                    registered = True
                for _, event in self._client.get_events(self._run_name):
                    if "unit" not in event:
                        self._news.put(event)
            except OSError:  # the network, or the scheduler is gone: noticed by the loop
                pass
            except Exception as error:  # whatever the installation of a worker comes up with
                what = f"{type(error).__name__}: {error}"
                reason = f"cannot load latent-spectra ({what}). Install the same version there."
                self._news.put({"worker": "that has another installation", "refused": reason})
                return
            self._closing.wait(LOOK)

    def _look(self) -> None:
        """Ask the scheduler who is there; give up where it does not answer, or there is nobody to wait for."""
        now, address = time.monotonic(), self._client.scheduler.address
        if self._answer is not None and self._answer.done():
            workers = []
            with suppress(Exception):  # its silence is what counts, whatever the reason
                workers = list(self._answer.result()["workers"].values())
                self._heard = now
            self._answer = None
            self._n_slots = sum(one["nthreads"] for one in workers if self._same.resource in one["resources"])
            if self._n_slots:
                self._usable_seen = now
            elif workers and self._reasons:
                worker, reason = next(iter(self._reasons.items()))
                raise ClusterError(f"None of the workers of {address} can be used: {worker} {reason}")
        if self._answer is None and now - self._asked > LOOK:
            self._asked = now
            ask = asyncio.wait_for(self._client.scheduler.identity(n_workers=-1), _ANSWER_TIMEOUT)
            self._answer = asyncio.run_coroutine_threadsafe(ask, self._client.loop.asyncio_loop)
        if now - self._heard > self._silence:
            raise ClusterError(f"The scheduler at {address} no longer answers. {_KEPT}")
        if now - self._usable_seen > self._patience:
            raise ClusterError(f"{address} has had no worker for {self._patience:.0f} seconds. Start workers. {_KEPT}")

    def _close(self) -> None:
        with suppress(Exception):  # closing is all that is left to do, whatever state the scheduler is in
            self._client.cancel([*self._made.values(), *self._completed.futures, self._data])
        with suppress(Exception):
            self._client.close(timeout=_CLOSING_TIMEOUT)


class _AbsentError(Exception):
    """The memo keeps nothing under this key."""


def _place(unit: Unit) -> str:
    repeat, fold, size = unit.task["place"]
    return f"repetition {repeat + 1}, fold {fold + 1}" + (f", {size} spectra" if size else "")

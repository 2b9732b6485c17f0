"""Handing units out to workers, taking results in, and noticing who is gone.

One loop holds all state; threads that wait for the network only put what they hear into its inbox. Each unit is pinned
to one worker, so that it is known whom it was lost with: it is then given to another, once.
"""

import json
import queue
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from spectra_core.cluster.crew import Attempt, Crew, Member
from spectra_core.cluster.desk import Desk
from spectra_core.cluster.worker_side import receive, work_on
from spectra_core.contracts import Cancelled, Memo, Reporter
from spectra_core.errors import ClusterError
from spectra_core.experiment.units import Progress, Unit
from spectra_core.spectra import SpectraSet
from spectra_core.store.sets import set_files

if TYPE_CHECKING:
    from distributed import Client

LOOK = 0.5
"""Seconds between looks at the list of workers."""
_TICK = 0.1
"""Seconds the loop waits for news; so often it asks whether it should stop."""
_CALL_TIMEOUT = 5.0
_FETCH_TIMEOUT = 60.0
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
        self._client = client
        self._units = units
        self._fingerprint = spectra.fingerprint
        self._files = set_files(spectra)
        self._reporter = reporter
        self._silence, self._patience = silence, patience
        self._progress = Progress(units, reporter)
        self._told = (0, 0.0, "")
        self._desk = Desk(units, memo)
        self._crew = Crew(silence, patience)
        self._attempts: dict[str, Attempt] = {}
        self._lost_with: dict[int, list[str]] = {}
        self._inbox: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.SimpleQueue()
        self._run_name = f"latent-spectra-{uuid.uuid4().hex[:12]}"
        self._scheduler_heard = self._usable_seen = time.monotonic()
        self._closed = threading.Event()
        self._waiters = ThreadPoolExecutor(8, thread_name_prefix="cluster")

    def __enter__(self) -> Self:
        self._client.subscribe_topic(self._run_name, lambda event: self._put(self._hear, event[1]))
        threading.Thread(target=self._watch, name="cluster watch", daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        # In a thread of its own, since a scheduler that does not answer must not hold up a request to stop.
        closing = threading.Thread(target=self._close, name="cluster closing", daemon=True)
        closing.start()
        closing.join(_CLOSING_TIMEOUT)

    def run(self) -> None:
        """Work until every unit is done."""
        for number in self._desk.finished():
            self._progress.set_found(number, self._units[number].stage)
        while not self._desk.is_done:
            self._hand_out()
            self._take_in()
            self._miss()
            self._tell()

    def _put(self, handle: Callable[..., None], *arguments: Any) -> None:
        self._inbox.put((handle, arguments))

    def _take_in(self) -> None:
        """Wait for news, then handle all there is."""
        with suppress(queue.Empty):
            handle, arguments = self._inbox.get(timeout=_TICK)
            handle(*arguments)
            while True:
                handle, arguments = self._inbox.get_nowait()
                handle(*arguments)

    def _tell(self) -> None:
        number, share, stage = self._told
        if not self._attempts:
            stage = f"Waiting for workers of {self._client.scheduler.address}"
        self._progress.set_share(number, share, stage)

    # Handing out

    def _hand_out(self) -> None:
        for member in self._crew.with_room():
            if member.state == "new" and self._desk.has_waiting:
                member.prepare()
                # Not one of the waiters: a worker that never answers must not hold up other results.
                threading.Thread(target=self._prepare, args=(member,), name="cluster prepare", daemon=True).start()
            while member.state == "ready" and member.has_room and (number := self._desk.next()) is not None:
                self._submit(number, member)

    def _submit(self, number: int, member: Member) -> None:
        import dask

        unit = self._units[number]
        job = {
            "task": json.dumps(unit.task),
            "set": self._fingerprint,
            "topic": self._run_name,
            "stop": self._run_name,
            "unit": number,
        }
        # Models of a few megabytes are sent along on purpose: they are on this side already, and cannot be lost.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "4GiB"}):
            future = self._client.submit(
                work_on,
                job,
                self._desk.known(number),
                key=f"{unit.stage}, {_place(unit)} ({self._run_name}-{uuid.uuid4().hex[:8]})",
                workers=[member.address],
                pure=False,
                retries=0,
            )
        attempt = Attempt(number, member, future)
        self._attempts[future.key] = attempt
        member.running.add(future.key)
        self._told = (number, 0.0, unit.stage)
        future.add_done_callback(lambda _: self._put(self._settle, attempt))

    def _prepare(self, member: Member) -> None:
        """Send the data to a worker; runs in a thread of its own."""
        try:
            answers = self._client.run(
                receive, self._fingerprint, self._files, workers=[member.address], on_error="return"
            )
            answer = answers.get(member.address, ClusterError("it is gone"))
        except Exception as error:  # whatever the network or the worker's installation comes up with
            answer = error
        self._put(self._crew.prepared, member, answer, self._reporter.message)

    # Taking in

    def _settle(self, attempt: Attempt) -> None:
        """Handle a future that is finished, failed or called off."""
        if attempt.future.key not in self._attempts:
            return
        if attempt.future.status == "finished":
            self._waiters.submit(self._fetch, attempt)
        elif attempt.future.status == "error":
            self._fail(attempt, attempt.future.exception(timeout=_CALL_TIMEOUT))
        else:
            # Called off by Dask: the scheduler has lost its state, which is no worker's fault.
            self._return(attempt)

    def _fetch(self, attempt: Attempt) -> None:
        """Wait for the content of a result; runs in a thread of its own."""
        try:
            self._put(self._keep, attempt, attempt.future.result(timeout=_FETCH_TIMEOUT))
        except Exception as error:  # handed on to the loop, which tells loss from mistake
            self._put(self._fail, attempt, error)

    def _keep(self, attempt: Attempt, content: dict[str, bytes] | None) -> None:
        if attempt.future.key not in self._attempts:
            return
        if content is None:
            # The worker's process is a new one at an old address, or had to forget the set: send it again.
            attempt.member.state = "new"
            self._return(attempt)
            return
        self._drop(attempt)
        unit = self._units[attempt.number]
        self._desk.keep(attempt.number, content)
        if not self._desk.has(unit.key):
            raise ClusterError(
                f"The worker {attempt.member.address} did other work than it was asked for. Install the same version "
                "of latent-spectra on all workers."
            )
        self._told = (attempt.number, 1.0, unit.stage)
        self._progress.set_share(*self._told)

    def _fail(self, attempt: Attempt, error: BaseException | None) -> None:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        if attempt.future.key not in self._attempts:
            return
        if isinstance(error, KilledWorker | FutureCancelledError | TimeoutError | OSError | Cancelled):
            self._lose(attempt)
        elif error is not None:
            raise error

    def _hear(self, report: dict[str, Any]) -> None:
        """Note what a worker says of its unit."""
        number = report["unit"]
        if "message" in report:
            self._reporter.message(report["message"])
        elif not self._desk.has(self._units[number].key):
            self._told = (number, report["share"], self._units[number].stage)

    # Missing

    def _watch(self) -> None:
        """Look at the list of workers again and again; runs in a thread of its own."""
        while not self._closed.wait(LOOK):
            with suppress(Exception):  # silence is noticed by the loop, whatever its reason
                identity = self._client.sync(self._client.scheduler.identity, callback_timeout=_CALL_TIMEOUT)
                self._put(self._see, identity["workers"])

    def _see(self, workers: dict[str, dict[str, Any]]) -> None:
        self._scheduler_heard = time.monotonic()
        self._crew.see(workers)

    def _miss(self) -> None:
        """Take back what lost workers had, and give up where there is nobody to wait for."""
        now = time.monotonic()
        for member in self._crew.lost():
            for key in list(member.running):
                self._lose(self._attempts[key])
        if self._crew.usable:
            self._usable_seen = now
        address = self._client.scheduler.address
        if now - self._scheduler_heard > self._silence:
            raise ClusterError(f"The scheduler at {address} no longer answers. {_KEPT}")
        if self._crew.reasons and not self._crew.usable:
            raise ClusterError(f"None of the workers of {address} can be used: {self._crew.reasons[-1]}")
        if now - self._usable_seen > self._patience:
            raise ClusterError(f"{address} has had no worker for {self._patience:.0f} seconds. Start workers. {_KEPT}")

    def _lose(self, attempt: Attempt) -> None:
        """Give a unit whose worker was lost to another one, once."""
        unit = self._units[attempt.number]
        lost_with = self._lost_with.setdefault(attempt.number, [])
        lost_with.append(attempt.member.address)
        if len(lost_with) > 1:
            raise ClusterError(
                f"“{unit.stage}”, {_place(unit)}, lost two workers: {' and '.join(lost_with)}. Look at their logs, for "
                f"want of memory perhaps. {_KEPT}"
            )
        self._reporter.message(
            f"The worker {attempt.member.address} was lost while it worked on “{unit.stage}”; another one repeats it."
        )
        self._return(attempt)

    def _return(self, attempt: Attempt) -> None:
        self._drop(attempt)
        self._desk.take_back(attempt.number)
        self._waiters.submit(self._client.cancel, [attempt.future])

    def _drop(self, attempt: Attempt) -> None:
        del self._attempts[attempt.future.key]
        attempt.member.running.discard(attempt.future.key)

    # The end

    def _close(self) -> None:
        self._closed.set()
        self._waiters.shutdown(wait=False, cancel_futures=True)
        with suppress(Exception):  # closing is all that is left to do, whatever state the scheduler is in
            if self._attempts:
                stop = self._client.scheduler.event_set
                self._client.sync(stop, name=self._run_name, callback_timeout=_CLOSING_TIMEOUT)
        with suppress(Exception):
            self._client.close(timeout=_CLOSING_TIMEOUT)


def _place(unit: Unit) -> str:
    repeat, fold, size = unit.task["place"]
    return f"repetition {repeat + 1}, fold {fold + 1}" + (f", {size} spectra" if size else "")

"""Several trainings side by side: Python threads, each with one numerical thread.

Torch's operations release Python's lock, so threads share the cores as processes would, without copies of the
data. One numerical thread per job also makes every result independent of the number of workers: sums are
always added in the same order.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from spectra_core.contracts import SILENT, Cancelled, Reporter
from spectra_core.errors import ConfigError

T = TypeVar("T")
Job = Callable[[Reporter], T]

_inside = threading.local()
_lock = threading.Lock()
_n_inside = 0
_usual_threads = 1


@contextmanager
def one_numerical_thread() -> Iterator[None]:
    """Let torch use one thread in this Python thread, and round values below 1e-38 to zero.

    The momentum of a weight that no longer learns decays into numbers so small that the processor handles
    them a hundred times more slowly; zero serves as well.
    """
    if getattr(_inside, "active", False):
        yield
        return
    import torch  # here, not above: it takes longer to load than all else that experiments need

    _enter()
    torch.set_flush_denormal(True)
    _inside.active = True
    try:
        yield
    finally:
        _inside.active = False
        torch.set_flush_denormal(False)
        # Torch keeps the count twice, for this thread and as the default of later ones: this sets both.
        torch.set_num_threads(_leave())


def _enter() -> None:
    global _n_inside, _usual_threads  # noqa: PLW0603 (torch's count is global to the process, so is ours)
    import torch

    with _lock:
        # Asked in every thread: a thread's own count is taken from the default at its first use, which must not come
        # later, when another thread may already have set the default back.
        threads = torch.get_num_threads()
        if _n_inside == 0:
            _usual_threads = threads
        _n_inside += 1
    torch.set_num_threads(1)


def _leave() -> int:
    global _n_inside  # noqa: PLW0603 (as above)
    with _lock:
        _n_inside -= 1
        return _usual_threads


_blas_limit: Any = None
_n_limited = 0


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let the BLAS library of numpy and scipy use one thread, in all Python threads, while any is inside."""
    global _blas_limit, _n_limited  # noqa: PLW0603 (the library's count is global to the process, so is ours)
    import scipy.linalg  # noqa: F401 (a library loaded later would not be limited)
    from threadpoolctl import threadpool_limits

    with _lock:
        if _n_limited == 0:
            _blas_limit = threadpool_limits(1, user_api="blas")
        _n_limited += 1
    try:
        yield
    finally:
        with _lock:
            _n_limited -= 1
            if _n_limited == 0:
                _blas_limit.restore_original_limits()


def run_in_threads(jobs: Sequence[Job[T]], n_workers: int = 1, reporter: Reporter = SILENT) -> list[T]:
    """Run all jobs, at most `n_workers` at a time, and return their results in the order of `jobs`.

    Parameters
    ----------
    jobs
        Each is called with a reporter of its own; it must report often (every epoch) to be cancellable.
    n_workers
        Jobs that run at the same time; more than there are cores gains nothing.
    reporter
        Told of the steps of all jobs together. `values` are passed on only where there is one job: curves of
        several would be mixed.

    Raises
    ------
    Cancelled
        When the person asked to stop; all jobs have stopped by then.
    Exception
        That of the first job, in order, that failed; the others are stopped.
    """
    if n_workers < 1:
        raise ConfigError(f"Training needs at least 1 worker, got {n_workers}.")
    if not jobs:
        return []
    together = _Together(reporter, len(jobs))
    with ThreadPoolExecutor(min(n_workers, len(jobs)), thread_name_prefix="training") as pool:
        futures = [pool.submit(_run, job, together.reporter(number)) for number, job in enumerate(jobs)]
        try:
            for future in futures:
                if future.exception() is not None:  # waits for it
                    break
        finally:
            # Reached early on a failure or an interrupt from the keyboard: the rest must not go on.
            together.stop()
    errors = [error for future in futures if (error := future.exception()) is not None]
    causes = [error for error in errors if not isinstance(error, Cancelled)]
    if errors:
        raise (causes or errors)[0]
    return [future.result() for future in futures]


def _run(job: Job[T], reporter: "_JobReporter") -> T:
    with one_numerical_thread():
        try:
            reporter.check()
            return job(reporter)
        except BaseException:
            reporter.together.stop()
            raise


class _Together:
    """Adds up the progress of all jobs and carries one request to stop to all of them."""

    def __init__(self, reporter: Reporter, n_jobs: int) -> None:
        self._reporter = reporter
        self._done = [0] * n_jobs
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def reporter(self, number: int) -> "_JobReporter":
        return _JobReporter(self, number)

    def stop(self) -> None:
        self._stopped.set()

    def check(self) -> None:
        if self._stopped.is_set():
            raise Cancelled

    def progress(self, number: int, stage: str, done: int, total: int, values: Mapping[str, float] | None) -> None:
        self.check()
        n_jobs = len(self._done)
        with self._lock:
            self._done[number] = done
            # Jobs of one call train alike, so the total of one stands for those that have not begun.
            self._reporter.progress(stage, sum(self._done), n_jobs * total, values if n_jobs == 1 else None)

    def message(self, text: str) -> None:
        self._reporter.message(text)


class _JobReporter:
    """What one job sees of `_Together`."""

    def __init__(self, together: _Together, number: int) -> None:
        self.together = together
        self._number = number

    def check(self) -> None:
        self.together.check()

    def progress(self, stage: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        self.together.progress(self._number, stage, done, total, values)

    def message(self, text: str) -> None:
        self.together.message(text)

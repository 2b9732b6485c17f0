"""A process that waits for the next job with everything loaded.

It has a note in a folder beside the jobs (`ready`). Whoever starts a job writes it there, under the lock of the queue;
the process then works as one that was started for it. It ends when it has waited for long, or when the server it was
started by or its note is gone, also while it still loads: a thread looks after that.
``python -m spectra_core.jobs.waiting HOME TOKEN PID START`` waits for work of HOME, for the server PID that began at
START.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from spectra_core.jobs import processes
from spectra_core.jobs.folder import JobFolder
from spectra_core.jobs.queue import Jobs
from spectra_core.jobs.ready import Ready
from spectra_core.jobs.work import NICENESS, do
from spectra_core.store.files import exclusive

LOOK = 0.03
"""Seconds between looks at the note."""
LOOK_FOR_SERVER = 0.5
"""Seconds between looks whether anybody still wants the process."""
MOST_IDLE = 600.0
"""Seconds after which a process that nobody needed ends."""


def wait(notes: Ready, lock: Path, token: str, server: tuple[int, str]) -> str:
    """Load what jobs need, then wait for one and return its id; the process ends where it is time to.

    Parameters
    ----------
    lock
        The queue's.
    server
        The process that wants one to wait.
    """
    preparing, taken = iter(_PREPARATIONS), threading.Event()
    watching = threading.Thread(
        target=_end_unwanted, args=(notes, lock, token, server, taken), name="looking for the server", daemon=True
    )
    watching.start()
    while True:
        if job := _given(notes, token):
            taken.set()
            notes.remove(token)
            return job
        if (prepare := next(preparing, None)) is not None:
            prepare()
            continue
        time.sleep(LOOK)


def _end_unwanted(notes: Ready, lock: Path, token: str, server: tuple[int, str], taken: threading.Event) -> None:
    """End this process where nobody wants it any more and it has no job; loading takes long on a busy computer."""
    begin = time.monotonic()
    while not taken.wait(LOOK_FOR_SERVER):
        idle = time.monotonic() - begin > MOST_IDLE
        if not idle and notes.read(token) is not None and processes.start_of(server[0]) == server[1]:
            continue
        if not lock.exists():  # the data folder has gone, and is not to come back empty
            os._exit(0)
        with exclusive(lock):  # where a job is given, and the first note written
            if (idle or notes.read(token) is None or processes.start_of(server[0]) != server[1]) and not (
                _given(notes, token) or taken.is_set()
            ):
                notes.remove(token)
                os._exit(0)


def _given(notes: Ready, token: str) -> str | None:
    note = notes.read(token)
    return note.job if note is not None and note.job else None


_LATE = "spectra_core.calibration phreeqc scipy.interpolate pyarrow.parquet"
"""What others load where they need it."""


def _load() -> None:
    for module in ("jobs.tasks", "generators", "regressors", "samplers", "sampling.generation", "experiment"):
        import_module(f"spectra_core.{module}")
    for module in _LATE.split():
        import_module(module)


def _use() -> None:
    import_module("spectra_core.jobs.compiling_ahead").use_networks()


def _compile() -> None:
    ahead = import_module("spectra_core.jobs.compiling_ahead")
    if not ahead.compile_ahead():
        ahead.use_networks(kernels="numba")  # what was compiled is loaded, too: two seconds of a first training


_PREPARATIONS: tuple[Callable[[], None], ...] = (_load, _use, _compile)


def main(home: Path, token: str, server: tuple[int, str]) -> None:
    """Wait for a job and do it."""
    processes.step_back(NICENESS)
    jobs, folder = Jobs(home), home / "jobs"
    notes = Ready(folder / ".ready")
    job_id = wait(notes, folder / ".lock", token, server)
    os.chdir(folder / job_id)
    with JobFolder(folder / job_id).output_path.open("ab") as printed:
        for descriptor in (1, 2):
            os.dup2(printed.fileno(), descriptor)
    do(jobs, job_id, token)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], (int(sys.argv[3]), sys.argv[4]))

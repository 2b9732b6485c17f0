"""Starting, recognising and ending the processes of jobs.

A process is recognised by its id and the moment it started: ids are given again after a while.
"""

import hashlib
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, NoReturn

import psutil

from spectra_core.training.numerical_threads import THREAD_LIMITS

_DEATH_SECONDS = 1.0
"""Longest wait for a process that was ended to be gone."""
_THAT_MATTER = ("SPECTRA_", "PYTHON", "NUMBA_")
"""How the names of variables begin that decide what a process does."""
STEPPED_BACK = "LATENT_SPECTRA_STEPPED_BACK"
"""Variable of processes that have stepped back: each starts the next job, which would step back further."""
_AUTOGROUP = Path("/proc/self/autogroup")
_CHILDREN: list[subprocess.Popen[bytes]] = []
"""Processes this one started and has not yet seen end; without asking for their end they would stay as zombies."""
_CHILDREN_LOCK = threading.Lock()


def start(module: str, *arguments: str, output: Path | None = None, folder: Path | None = None) -> int:
    """Start a module of this package in a process of its own, and return its id.

    It is the first of its own session, so that it outlives whoever started it and no signal of a terminal reaches it.
    Numerical libraries get one thread: for networks of this size more threads are slower.

    Parameters
    ----------
    output
        Where it prints; nowhere by default.
    folder
        Where it works.
    """
    if output is None:
        return _launched(module, arguments, subprocess.DEVNULL, folder)
    with output.open("ab") as printed:
        return _launched(module, arguments, printed, folder)


def environment() -> dict[str, str]:
    """Return the environment variables of a process that does work."""
    package_home = str(Path(__file__).resolve().parents[2])
    path = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part not in ("", package_home)]
    return {
        **os.environ,
        **dict.fromkeys(THREAD_LIMITS, "1"),
        "PYTHONPATH": os.pathsep.join([package_home, *path]),
    }


def kind_of_process() -> str:
    """Return a word for what a process started here would be: interpreter and environment variables.

    Not all of these: libraries set some when they are loaded, as scikit-learn does those of OpenMP.
    """
    given = {name: value for name, value in environment().items() if name.startswith(_THAT_MATTER)}
    words = [sys.executable, *(f"{name}={value}" for name, value in sorted(given.items()))]
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogateescape")).hexdigest()


def _launched(module: str, arguments: tuple[str, ...], printed: IO[bytes] | int, folder: Path | None) -> int:
    flags = 0
    if sys.platform == "win32":
        flags = (
            subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        )
    process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        # -P: a file beside the working directory can never stand in for a module.
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=printed,
        stderr=printed,
        cwd=folder,
        env=environment(),
        start_new_session=True,
        creationflags=flags,
    )
    with _CHILDREN_LOCK:
        _CHILDREN.append(process)
    return process.pid


def reap() -> None:
    """Ask for the end of every process this one started, so that none stays as a zombie."""
    with _CHILDREN_LOCK:
        _CHILDREN[:] = [process for process in _CHILDREN if process.poll() is None]


def step_back(niceness: int) -> None:
    """Let this process step back behind others, once for all that it starts; on Windows it was started so.

    Linux may share processors among sessions first, so that niceness counts within one only: sched(7), "The autogroup
    feature". A process that is first of its session lets that step back as far as itself.
    """
    if sys.platform == "win32":
        return
    with suppress(psutil.Error, OSError):
        this = psutil.Process()
        if STEPPED_BACK not in os.environ:
            os.environ[STEPPED_BACK] = "1"
            this.nice(min(19, this.nice() + niceness))
        if _AUTOGROUP.exists() and os.getsid(0) == this.pid:
            _AUTOGROUP.write_text(str(this.nice()))


def start_of(process_id: int) -> str:
    """Return a word for the moment a living process started; empty where none lives."""
    try:
        process = psutil.Process(process_id)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return ""
        # Linux knows the moment since the computer's start; psutil adds the clock's idea of that, which may jump.
        began = process.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)
    except (psutil.Error, ValueError, OverflowError, TypeError):
        return ""
    return f"{began:.2f}"


def end(process_id: int, started: str) -> None:
    """End a process and all that it started, if it is still the one that started then, and see it gone."""
    if not started or start_of(process_id) != started:
        return
    with suppress(psutil.Error):
        process = psutil.Process(process_id)
        process.suspend()  # it must not start another child while they are counted
        tree = [process, *process.children(recursive=True)]
        _kill(tree)
        reaping = threading.Thread(target=reap)
        reaping.start()
        psutil.wait_procs(tree, timeout=_DEATH_SECONDS)
        reaping.join()


def end_this() -> NoReturn:
    """End this process at once, with all that it started; the next job, which it may have started, goes on."""
    with _CHILDREN_LOCK:
        others = {process.pid for process in _CHILDREN}
    with suppress(psutil.Error):
        for child in psutil.Process().children():
            if child.pid not in others:
                _kill([child, *child.children(recursive=True)])
    os._exit(1)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.kill()

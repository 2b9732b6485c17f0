"""Starting, recognising and ending the processes of jobs, on Linux, macOS and Windows.

A process is recognised by its id and the moment it started: ids are given again after a while.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from spectra_core.training.numerical_threads import THREAD_LIMITS

_CHILDREN: list[subprocess.Popen[bytes]] = []
"""Processes this one started and has not yet seen end; without asking for their end they would stay as zombies."""
_CHILDREN_LOCK = threading.Lock()


def start(folder: Path, output: Path) -> int:
    """Start the process that works on a job folder, and return its id.

    It is the first of its own session, so that it outlives whoever started it and can be ended with all that it
    starts. Numerical libraries get one thread: for networks of this size more threads are slower.
    """
    with output.open("ab") as printed:
        return _launch(["spectra_core.jobs", str(folder)], printed, folder)


def start_aside(module: str) -> int:
    """Start a module of this package that nobody waits for in a process of its own, and return its id."""
    return _launch([module], subprocess.DEVNULL, None)


def _launch(arguments: list[str], printed: IO[bytes] | int, folder: Path | None) -> int:
    environment = {**os.environ, **dict.fromkeys(THREAD_LIMITS, "1")}
    package_home = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(
        part for part in (package_home, os.environ.get("PYTHONPATH", "")) if part
    )
    flags = 0
    if sys.platform == "win32":
        flags = (
            subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        )
    process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        # -P: a file beside the working directory can never stand in for a module.
        [sys.executable, "-P", "-m", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=printed,
        stderr=printed,
        cwd=folder,
        env=environment,
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


def end(process_id: int, started: str) -> None:
    """End a process and all that it started, if it is still the one that started then."""
    if start_of(process_id) != started:
        return
    with suppress(OSError):
        if sys.platform == "win32":
            os.kill(process_id, signal.SIGTERM)
        else:
            os.killpg(process_id, signal.SIGKILL)


def end_this() -> None:
    """End this process at once, with all that it started where it leads its own session."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if sys.platform == "linux":

    def start_of(process_id: int) -> str:
        """Return a word for the moment a living process started; empty where none lives."""
        try:
            # Fields after the name, which may itself hold spaces and brackets: proc(5).
            fields = Path(f"/proc/{process_id}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return ""
        return "" if fields[0] in "ZXx" else f"{boot}:{fields[19]}"

elif sys.platform == "win32":

    def start_of(process_id: int) -> str:
        """Return a word for the moment a living process started; empty where none lives."""
        import ctypes

        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(0x1000, False, process_id)  # PROCESS_QUERY_LIMITED_INFORMATION
        if not handle:
            return ""
        try:
            times = [ctypes.c_uint64() for _ in range(4)]
            code = ctypes.c_ulong()
            kernel.GetExitCodeProcess(handle, ctypes.byref(code))
            kernel.GetProcessTimes(handle, *(ctypes.byref(time) for time in times))
            return str(times[0].value) if code.value == 259 else ""  # STILL_ACTIVE
        finally:
            kernel.CloseHandle(handle)

else:

    def start_of(process_id: int) -> str:
        """Return a word for the moment a living process started; empty where none lives."""
        answer = subprocess.run(  # noqa: S603 (the system's own program and a number)
            ["/bin/ps", "-o", "stat=,lstart=", "-p", str(process_id)],
            capture_output=True,
            text=True,
            check=False,
            env={"LC_ALL": "C"},
        ).stdout.strip()
        state, _, started = answer.partition(" ")
        return "" if state.startswith("Z") else started.strip()

"""Tasks that the tests of jobs give to a process of its own."""

import hashlib
import os
import signal
import time
from pathlib import Path

import numpy as np

from spectra_core.errors import SpectraError


def echo(arguments, reporter, store):
    reporter.message("Saying it back.")
    return {"said": arguments["say"], "threads": os.environ["OMP_NUM_THREADS"]}


def leave_a_mark(arguments, reporter, store):
    """Append this job's name, and hold the slot for a moment."""
    path = Path(arguments["file"])
    with path.open("a") as file:
        file.write(f"begin {arguments['name']}\n")
    time.sleep(0.1)
    with path.open("a") as file:
        file.write(f"end {arguments['name']}\n")
    return {"niceness": os.getpriority(os.PRIO_PROCESS, 0)}


def add_up(arguments, reporter, store):
    """Draw numbers one step at a time from a generator whose state is checkpointed; memo every other thing."""
    checkpoint = store.checkpoint(f"add up {arguments.get('number', '')}")
    kept = checkpoint.load()
    start = 0 if kept is None else int(kept["step"])
    total = np.zeros(3) if kept is None else kept["total"]
    for step in range(start, arguments["steps"]):
        key = f"{arguments['seed']}/{step}"
        drawn = store.memo("add up").arrays(key, lambda step=step: {"x": np.random.default_rng(step).normal(size=3)})
        total = total + drawn["x"]
        checkpoint.save({"step": np.array(step + 1), "total": total})
        reporter.progress("Adding up", step + 1, arguments["steps"], {"sum": float(total.sum())})
        time.sleep(arguments.get("pause", 0.0))
    return {"digest": hashlib.sha256(total.tobytes()).hexdigest(), "started_at": start}


def keep_and_die(arguments, reporter, store):
    """Keep two results; the first attempt is killed before it gives its last words."""
    made = {str(number): store.save_result("other", {"number": number}, {}, "Made") for number in range(2)}
    died = Path(arguments["file"])
    if not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return made


def run_until_asked(arguments, reporter, store):
    for step in range(100_000):
        reporter.progress("Waiting", step, 100_000)
        time.sleep(0.01)
    return {}


def hear_late(arguments, reporter, store):
    """Look whether one should stop in the very moment at which patience is at an end."""
    reporter.message("Working.")
    while not reporter._cancelled.is_set():
        time.sleep(0.001)
    time.sleep(arguments["seconds"])
    reporter.progress("Late", 1, 2)
    return {}


def ignore_everything(arguments, reporter, store):
    """Never look whether one should stop, and hold on to a child process."""
    import subprocess
    import sys

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    reporter.message(f"child {child.pid}")
    time.sleep(60)
    return {}


def refuse(arguments, reporter, store):
    raise SpectraError("The set holds 3 spectra, but 8 folds need at least 8. Use fewer folds.")


def stumble(arguments, reporter, store):
    raise ZeroDivisionError("in /a/private/place")


def no_json(arguments, reporter, store):
    return {"set": object()}

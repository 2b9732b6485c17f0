"""What a job's process does: find the task, do it, leave the last words, start the next job."""

import os
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from spectra_core.contracts import Cancelled
from spectra_core.errors import ConfigError, SpectraCoreError, StoreError
from spectra_core.jobs.folder import JobFolder
from spectra_core.jobs.reporting import JobReporter
from spectra_core.store import Store
from spectra_core.store.files import json_bytes

NICENESS = 10
"""How far the work steps back behind whatever a person does with the computer."""

GIVE_UP = 10.0
"""Seconds after which the main thread ends the process, should the heartbeat have failed to."""

Task = Callable[[dict[str, Any], Any, Store], dict[str, Any]]


def find_task(name: str) -> Task:
    """Return a task by its name in `spectra_core.tasks.TASKS`, or by "module:function".

    Raises
    ------
    ConfigError
        When there is none, listing those of the registry.
    """
    module, _, function = name.partition(":")
    if function:
        found: Task = getattr(import_module(module), function)
        return found
    # By name, since tasks stand above jobs and may use them.
    tasks: dict[str, Task] = import_module("spectra_core.tasks").TASKS
    if name not in tasks:
        raise ConfigError(f"Unknown task {name!r}. Known tasks: {', '.join(sorted(tasks))}.")
    return tasks[name]


def do(path: Path) -> None:
    """Do the work of a job folder and end this process."""
    from spectra_core.jobs.queue import Jobs

    folder = JobFolder(path.resolve())
    home = folder.path.parents[1]
    request = folder.read("job")

    def start_next() -> None:
        with suppress(SpectraCoreError, OSError):
            Jobs(home).start_waiting()

    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(NICENESS)
    reporter = JobReporter(folder, request["attempt"], before_end=start_next)
    if not reporter.finish(**_outcome(request, reporter, Store(home))):
        time.sleep(GIVE_UP)  # the heartbeat has given the last words, starts the next job and ends this process
    start_next()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads that still compute what nobody waits for are not waited for


def _outcome(request: dict[str, Any], reporter: JobReporter, store: Store) -> dict[str, Any]:
    """Do the task and return the last words: state, error, result."""
    try:
        result = find_task(request["task"])(request["arguments"], reporter, store)
        json_bytes(result)
    except Cancelled:
        return {"state": "cancelled"}
    except SpectraCoreError as error:
        reporter.message(str(error))
        if isinstance(error, StoreError):
            traceback.print_exc()
        return {"state": "failed", "error": str(error)}
    except MemoryError:
        traceback.print_exc()
        return {"state": "failed", "error": "The computer ran out of memory. Use fewer spectra or a smaller model."}
    except Exception:
        traceback.print_exc()
        reference = uuid.uuid4().hex[:8]
        sys.stderr.write(f"Reference {reference}\n")
        sentence = (
            "Sorry, something went wrong that should not have. Your data and results are safe. "
            f"If it happens again, please report it with the reference {reference}."
        )
        return {"state": "failed", "error": sentence}
    return {"state": "finished", "result": result}

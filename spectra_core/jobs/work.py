"""What a job's process does: do the task, leave the last words, start the next job."""

import os
import sys
import time
import traceback
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from spectra_core.contracts import Cancelled
from spectra_core.errors import SpectraCoreError, StoreError
from spectra_core.jobs.finding import find_task
from spectra_core.jobs.folder import JobFolder
from spectra_core.jobs.reporting import GIVE_UP, JobReporter
from spectra_core.store import Store
from spectra_core.store.files import json_bytes

if TYPE_CHECKING:
    from spectra_core.jobs.queue import Jobs

NICENESS = 10
"""How far the work steps back behind whatever a person does with the computer."""


def do(jobs: "Jobs", job_id: str, token: str) -> None:
    """Do the work of a job that this process was started for, let the next job start, and end this process.

    Parameters
    ----------
    token
        Tells this process from another one that was started for the same job.
    """

    def start_next() -> None:
        with suppress(SpectraCoreError, OSError):
            jobs.start_waiting()

    reporter = jobs.begin(job_id, token, start_next)
    if reporter is None:
        return
    request = JobFolder(jobs.home / "jobs" / job_id).read("job")
    if not reporter.finish(**_outcome(request, reporter, Store(jobs.home, work=job_id))):
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

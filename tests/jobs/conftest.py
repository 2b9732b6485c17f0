"""A queue of jobs of its own for every test, and ways to wait for what its processes do."""

import time
from pathlib import Path

import pytest

from spectra_core.jobs import Jobs, processes

PATIENCE = 600.0  # seconds a job may take to start on a busy computer


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    here = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", here)
    monkeypatch.syspath_prepend(here)
    monkeypatch.delenv("SPECTRA_JOBS", raising=False)
    queue = Jobs(tmp_path)
    yield queue
    for record in queue.records():
        queue.cancel(record.id)
    for record in queue.records():
        queue.wait(record.id, 10)
    deadline = time.monotonic() + 10
    while processes._CHILDREN and time.monotonic() < deadline:
        processes.reap()
        time.sleep(0.01)
    for left in processes._CHILDREN:  # of a test that failed
        left.kill()


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def process_of(jobs, job_id):
    return jobs._of(job_id).read("status")["pid"]


def has_begun(jobs, job_id):
    return jobs.record(job_id).done > 0

"""Every field of a job's files, changed, and other things in place of them: listing goes on."""

import json
import shutil
import socket

import pandas as pd
import pytest

from spectra_core.jobs import Jobs
from tests.changed import IN_PLACE, documents_changed, spelled


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Three jobs as they lie on disk: finished, cancelled, waiting."""
    home = tmp_path_factory.mktemp("jobs")
    for number, state in enumerate(("finished", "cancelled", "")):
        folder = home / "jobs" / f"{number:032x}"
        folder.mkdir(parents=True)
        request = {"task": "train", "title": "Train", "arguments": {"set": "x"}, "attempt": 1}
        request |= {"sequence": number + 1, "queued": number + 1, "created": "2026-01-01T00:00:00+00:00"}
        (folder / "job.json").write_bytes(spelled(request))
        if state:
            launch = {
                "attempt": 1,
                "host": socket.gethostname(),
                "pid": 1,
                "started": "1.00",
                "token": "t",
                "warm": False,
            }
            status = {"attempt": 1, "state": state, "pid": 1, "started": "1.00", "stage": "S", "done": 1, "total": 2}
            status |= {"seconds_running": 1.0, "seconds_left": None, "error": "", "result": {"model": "y"}}
            (folder / "launch.json").write_bytes(spelled(launch))
            (folder / "status.json").write_bytes(spelled({**status, "parts": [["One", 0.5, 3.0]]}))
            event = {"attempt": 1, "seconds": 0.1, "stage": "S", "done": 1, "total": 2, "values": {"loss": 0.5}}
            (folder / "events.jsonl").write_bytes(spelled(event) + b"\n")
    return home


@pytest.mark.parametrize("put", IN_PLACE.values(), ids=IN_PLACE)
@pytest.mark.parametrize("name", ["job.json", "status.json", "launch.json", "events.jsonl", "log.txt"])
def test_something_else_in_place_of_a_file_of_a_job(ended, tmp_path, monkeypatch, name, put):
    monkeypatch.setattr(Jobs, "start_waiting", lambda self: None)
    job_id = f"{0:032x}"
    shutil.copytree(ended / "jobs" / job_id, tmp_path / "jobs" / job_id)
    (tmp_path / "jobs" / job_id / name).unlink(missing_ok=True)
    put(tmp_path / "jobs" / job_id / name)
    jobs = Jobs(tmp_path)
    assert [record.id for record in jobs.records()] == [job_id]
    jobs.events(job_id)
    jobs.log_tail(job_id)


@pytest.mark.parametrize("name", ["job.json", "launch.json", "status.json", "events.jsonl"])
def test_files_of_jobs(ended, monkeypatch, name):
    monkeypatch.setattr(Jobs, "start_waiting", lambda self: None)  # nothing is run for real here
    jobs, job_id = Jobs(ended), f"{0:032x}"
    path = ended / "jobs" / job_id / name
    whole = path.read_bytes()
    n_told = 0
    try:
        for _, _, changed in documents_changed(json.loads(whole)):
            path.write_bytes(spelled(changed))
            records = jobs.records()
            assert [record.id for record in records if record.id != job_id] == [f"{n:032x}" for n in (1, 2)]
            (found,) = [record for record in records if record.id == job_id]
            n_told += "damaged" in found.error
            json.dumps(list(vars(found).values()), allow_nan=False).encode()
            repr(found).encode()
            assert 0 <= found.share <= 1
            assert not any(isinstance(one, dict | list) for one in (found.result or {}).values())  # used as keys
            pd.to_datetime(found.created or None, utc=True)
            round(found.seconds_running)
            jobs.events(job_id).to_json()
            jobs.log_tail(job_id)
    finally:
        path.write_bytes(whole)
    assert n_told > {"job.json": 50, "status.json": 50}.get(name, -1)

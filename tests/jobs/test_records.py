"""The state of a job follows from its files; the first rule that applies decides."""

import errno
import os
import shutil
import socket

import pytest

from spectra_core.jobs import processes, records
from spectra_core.jobs.folder import JobFolder, Launch, Status
from spectra_core.jobs.records import Watch, read_record, state_of
from spectra_core.jobs.reporting import JobReporter, Pace


@pytest.mark.parametrize(
    ("launch", "status", "alive", "cancel_asked", "expected"),
    [
        ({}, {}, False, False, "queued"),
        ({}, {}, False, True, "cancelled"),
        ({"attempt": 2}, {}, True, False, "running"),
        ({"attempt": 2}, {}, True, True, "running"),
        ({"attempt": 2}, {}, False, False, "interrupted"),
        ({"attempt": 2}, {}, False, True, "cancelled"),
        ({"attempt": 2}, {"attempt": 2, "state": "running"}, False, False, "interrupted"),
        ({"attempt": 2}, {"attempt": 2, "state": "finished"}, True, True, "finished"),
        ({"attempt": 2}, {"attempt": 2, "state": "failed"}, False, False, "failed"),
        ({"attempt": 1}, {"attempt": 1, "state": "failed"}, False, False, "queued"),
        ({"attempt": 2}, {"attempt": 1, "state": "cancelled"}, True, False, "running"),
        ({"attempt": 2, "warm": True}, {}, False, False, "queued"),
        ({"attempt": 2, "warm": True}, {"attempt": 2, "state": "running"}, False, False, "interrupted"),
        ({}, {"attempt": 2, "state": "running"}, False, False, "interrupted"),
    ],
)
def test_state_of_the_second_attempt(launch, status, alive, cancel_asked, expected):
    found = state_of(2, Launch(**launch), Status(**status), alive=alive, cancel_asked=cancel_asked)
    assert found == expected


def test_time_left_is_the_pace_of_this_stage_times_the_steps_left():
    pace = Pace()
    assert pace.seconds_left(0.0) is None
    pace.step(1.0, 100, 100)
    pace.step(5.0, 1, 11)  # a new stage: the earlier pace counts for nothing
    assert pace.seconds_left(5.0) is None
    pace.step(9.0, 3, 11)  # 2 s a step, 8 steps left
    assert pace.seconds_left(9.0) == 16.0
    assert pace.seconds_left(10.0) == 15.0


def test_time_left_grows_while_a_step_takes_longer_than_those_before_it_and_is_not_said_after_the_last():
    pace = Pace()
    pace.step(0.0, 0, 10)
    pace.step(1.0, 2, 10)  # 0.5 s a step
    assert pace.seconds_left(1.5) == 3.5  # due now: seven more of them
    assert pace.seconds_left(8.0) == 8.0 / 3 * 7  # three steps have taken 8 s at least
    pace.step(8.5, 9, 10)
    assert pace.seconds_left(8.5 + 8.5 / 9 + 20.0) == pytest.approx(20.0)  # the last one is 20 s late
    pace.step(9.0, 10, 10)
    assert pace.seconds_left(60.0) is None


def test_events_are_thinned_but_the_last_of_a_stage_is_kept(tmp_path):
    reporter = JobReporter(JobFolder(tmp_path), 1, before_end=lambda: None)
    for step in range(1, 1001):
        reporter.progress("Training", step, 1000)
    reporter.finish("finished")
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert len(lines) < 100
    assert '"done": 1000' in lines[-1]


def test_line_broken_off_by_a_power_cut_costs_that_line_only(tmp_path):
    (tmp_path / "events.jsonl").write_text('{"attempt": 1, "seco')
    reporter = JobReporter(JobFolder(tmp_path), 1, before_end=lambda: None)
    reporter.progress("Training", 1, 2)
    reporter.finish("finished")
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 2


def test_only_the_first_last_words_count(tmp_path):
    reporter = JobReporter(JobFolder(tmp_path), 1, before_end=lambda: None)
    assert reporter.finish("cancelled")
    assert not reporter.finish("finished", result={"set": "x"})
    assert JobFolder(tmp_path).read("status")["state"] == "cancelled"


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("longer", [0, 5000])
def test_on_a_disk_that_has_become_full_the_last_words_are_written_over_the_ones_before(tmp_path, monkeypatch, longer):
    folder = JobFolder(tmp_path)
    request = {"task": "study", "title": "Study", "arguments": {}, "sequence": 1, "created": "", "attempt": 1}
    folder.write("job", request)
    reporter = JobReporter(folder, 1, before_end=lambda: None)
    reporter.progress("Training " + "x" * longer, 1, 2)
    reporter._write_status()
    monkeypatch.setattr("spectra_core.jobs.folder.replace_file", full)
    reporter.progress("", 2, 2)
    assert reporter.finish("failed", error="Keeping the result failed: the disk is full.")
    record = read_record(folder)
    assert (record.state, record.error) == ("failed", "Keeping the result failed: the disk is full.")


def test_a_job_that_could_not_say_a_word_is_explained_by_a_full_disk(tmp_path, monkeypatch):
    job_that_runs(tmp_path, "Elsewhere")
    folder = JobFolder(tmp_path / "jobs" / f"{1:032x}")
    for name in ("launch", "status"):
        folder.write(name, {**folder.read(name), "started": "0.00"})  # it is gone
    assert "the computer was restarted" in read_record(folder).error
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=4096))
    record = read_record(folder)
    assert (record.state, record.can_resume) == ("interrupted", True)
    assert record.error.endswith("the disk is too full for it to say why. Free some space, then resume it.")
    monkeypatch.undo()
    monkeypatch.setattr(os, "access", lambda *_: False)  # as on a disk that may only be read
    assert read_record(folder).error.endswith("may not write why. Make the data folder writable, then resume it.")


def test_parts_are_told_in_their_order(tmp_path):
    reporter = JobReporter(JobFolder(tmp_path), 1, before_end=lambda: None)
    reporter.parts({"Two": (0.5, 3.0), "One": (0.0, None)})
    reporter.finish("finished")
    JobFolder(tmp_path).write(
        "job", {"attempt": 1, "task": "t", "title": "T", "arguments": {}, "sequence": 1, "created": ""}
    )
    assert list(read_record(JobFolder(tmp_path)).parts.items()) == [("Two", (0.5, 3.0)), ("One", (0.0, None))]


@pytest.mark.parametrize("parts", [{"One": [0.5, 3.0]}, [["One", 0.5]], "One", None])
def test_parts_written_by_an_earlier_version_or_damaged_leave_the_job_readable(tmp_path, parts):
    folder = JobFolder(tmp_path)
    request = {"task": "study", "title": "Study", "arguments": {}, "sequence": 1, "created": "", "attempt": 1}
    folder.write("job", request)
    folder.write("status", {"attempt": 1, "state": "cancelled", "parts": parts})
    record = read_record(folder)
    assert record.state == "cancelled"
    assert record.parts == ({"One": (0.5, 3.0)} if isinstance(parts, dict) else {})


def job_that_runs(home, title):
    """Write the folder of a job that this process works on, and return its id."""
    folder = JobFolder(home / "jobs" / f"{1:032x}")
    request = {"task": "train", "title": title, "arguments": {}, "sequence": 1, "created": "", "attempt": 1}
    this = {"attempt": 1, "pid": os.getpid(), "started": processes.start_of(os.getpid())}
    folder.write("job", request)
    folder.write("launch", {**this, "host": socket.gethostname()})
    folder.write("status", {**this, "state": "running"})
    return os.getpid()


def test_signs_of_life_from_another_host_are_judged_by_whether_they_change(tmp_path, monkeypatch):
    job_that_runs(tmp_path, "Elsewhere")
    folder, watch = JobFolder(tmp_path / "jobs" / f"{1:032x}"), Watch()
    folder.write("launch", {**folder.read("launch"), "host": "elsewhere"})
    now = [100.0]
    monkeypatch.setattr(records.time, "monotonic", lambda: now[0])
    assert read_record(folder, watch).state == "running"
    now[0] += records.SILENCE - 1
    folder.write("status", {**folder.read("status"), "seconds_running": 1.0})
    assert read_record(folder, watch).state == "running"
    now[0] += records.SILENCE - 1
    assert read_record(folder, watch).state == "running"
    now[0] += 2
    assert read_record(folder, watch).state == "interrupted"

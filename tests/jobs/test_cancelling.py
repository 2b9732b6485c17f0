"""Cancelling, pausing and deleting: what stops, how soon, and what starts next."""

import os
import shutil
import signal

import pytest

from spectra_core.errors import ConfigError
from spectra_core.jobs import Jobs, processes, reporting
from spectra_core.jobs.folder import JobFolder
from spectra_core.store.files import exclusive
from tests.jobs.conftest import PATIENCE, has_begun, process_of, until


class TestCancelling:
    def test_a_running_job_ends_it_within_two_seconds(self, jobs):
        job_id = jobs.submit("work_for_tests:run_until_asked", {}, "Wait")
        until(lambda: has_begun(jobs, job_id))
        process_id = process_of(jobs, job_id)
        jobs.cancel(job_id)
        record = jobs.wait(job_id, 2.0)
        assert record.state == "cancelled"
        until(lambda: processes.start_of(process_id) == "")

    def test_a_job_that_does_not_listen_ends_it_and_its_children_though_nobody_looks(self, jobs, tmp_path):
        job_id = jobs.submit("work_for_tests:ignore_everything", {}, "Deaf")
        marks = tmp_path / "marks"
        jobs.submit("work_for_tests:leave_a_mark", {"file": str(marks), "name": "next"}, "Next")
        until(lambda: jobs.log_tail(job_id))
        child, process_id = int(jobs.log_tail(job_id)[-1].split()[-1]), process_of(jobs, job_id)
        assert processes.start_of(child)
        jobs.cancel(job_id)
        # Nothing below looks at the list of jobs, which would end what is overdue.
        until(lambda: processes.start_of(child) == "" and processes.start_of(process_id) == "")
        until(marks.exists)
        assert jobs.wait(job_id, 5.0).state == "cancelled"

    def test_a_job_that_hangs_altogether_is_ended_from_outside(self, jobs):
        job_id = jobs.submit("work_for_tests:run_until_asked", {}, "Hang")
        until(lambda: has_begun(jobs, job_id))
        os.kill(process_of(jobs, job_id), signal.SIGSTOP)  # not even its heartbeat goes on
        jobs.cancel(job_id)
        assert jobs.wait(job_id, 10.0).state == "cancelled"

    def test_a_waiting_job_takes_it_off_the_queue(self, jobs):
        first = jobs.submit("work_for_tests:run_until_asked", {}, "First")
        second = jobs.submit("work_for_tests:echo", {"say": 1}, "Second")
        assert jobs.record(second).position == 1
        jobs.cancel(second)
        assert (jobs.record(second).state, jobs.record(second).position) == ("cancelled", None)
        jobs.cancel(first)
        jobs.wait(first, 5.0)
        assert jobs.record(second).state == "cancelled"

    def test_a_paused_job_lets_the_next_one_go_and_goes_on_where_it_was(self, jobs, tmp_path):
        job_id = jobs.submit("work_for_tests:add_up", {"steps": 12, "seed": 2, "pause": 0.1}, "Add")
        until(lambda: jobs.record(job_id).done >= 3)
        jobs.pause(job_id)
        assert jobs.wait(job_id, 5.0).state == "paused"
        other = jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        assert jobs.wait(other, PATIENCE).state == "finished"
        jobs.resume(job_id)
        record = jobs.wait(job_id, PATIENCE)
        assert (record.state, record.result["started_at"] >= 3) == ("finished", True)

    def test_a_paused_job_that_waits_is_taken_off_the_queue(self, jobs):
        first = jobs.submit("work_for_tests:run_until_asked", {}, "First")
        second = jobs.submit("work_for_tests:echo", {"say": 1}, "Second")
        jobs.pause(second)
        assert (jobs.record(second).state, jobs.record(second).can_resume) == ("paused", True)
        jobs.resume(second)
        assert jobs.record(second).state == "queued"
        jobs.cancel(first)
        assert jobs.wait(second, PATIENCE).state == "finished"

    def test_is_refused_for_deleting(self, jobs):
        job_id = jobs.submit("work_for_tests:run_until_asked", {}, "Wait")
        with pytest.raises(ConfigError, match="Cancel it first"):
            jobs.delete(job_id)
        jobs.cancel(job_id)
        jobs.wait(job_id, 5.0)
        jobs.delete(job_id)
        assert jobs.records() == []

    def test_work_that_hears_the_request_late_still_starts_the_next_job(self, jobs, tmp_path):
        marks = tmp_path / "marks"
        late = jobs.submit("work_for_tests:hear_late", {"seconds": reporting.PATIENCE}, "Late")
        after = jobs.submit("work_for_tests:leave_a_mark", {"file": str(marks), "name": "next"}, "Next")
        until(lambda: jobs.log_tail(late))
        Jobs(jobs.home)._of(late).cancel_path(1).touch()  # nobody watches who would end it from outside
        until(marks.exists)
        assert jobs.wait(after, PATIENCE).state == "finished"
        assert jobs.record(late).state == "cancelled"

    def test_a_clock_that_is_wrong_ends_no_job_early(self, jobs):
        job_id = jobs.submit("work_for_tests:run_until_asked", {}, "Wait")
        until(lambda: has_begun(jobs, job_id))
        path = jobs._of(job_id).cancel_path(1)
        with exclusive(jobs.home / "jobs" / ".lock"):
            path.touch()
            os.utime(path, (1.0, 1.0))  # 1970
            assert jobs._overdue(jobs._read_all()) == []
        assert jobs.wait(job_id, 10.0).state == "cancelled"
        assert jobs._of(job_id).read("status")["state"] == "cancelled"  # by its own last words

    def test_drafts_that_killed_processes_left_are_swept(self, jobs):
        job_id = jobs.submit("work_for_tests:run_until_asked", {}, "Wait")
        until(lambda: has_begun(jobs, job_id))
        folder = jobs._of(job_id).path
        for name in (f".launch.json.{'0a' * 16}", ".status.json~elsewhere~1~00"):
            (folder / name).write_text("{")
        jobs.cancel(job_id)
        jobs.wait(job_id, 10.0)
        jobs.wait(jobs.submit("work_for_tests:echo", {"say": 1}, "Echo"), PATIENCE)
        assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []

    def test_jobs_that_killed_processes_left_half_made_or_half_deleted_are_swept(self, jobs, monkeypatch):
        def die(*_, **__):
            raise KeyboardInterrupt

        ended = jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        jobs.wait(ended, PATIENCE)
        for doing, dying in (
            (lambda: jobs.submit("work_for_tests:echo", {"say": 2}, "Echo"), (os, "rename")),
            (lambda: jobs.delete(ended), (shutil, "rmtree")),
        ):
            with monkeypatch.context() as death:
                death.setattr(*dying, die)
                with pytest.raises(KeyboardInterrupt):
                    doing()
        hidden = jobs.home / "jobs"
        assert len([path for path in hidden.glob(".*") if path.is_dir() and len(path.name) == 33]) == 2
        jobs.wait(jobs.submit("work_for_tests:echo", {"say": 3}, "Echo"), PATIENCE)
        assert [path.name for path in hidden.iterdir() if len(path.name) != 32 and path.is_dir()] == []

    def test_whoever_dies_while_starting_a_job_costs_nothing(self, jobs, monkeypatch):
        """The process is there, and is not named in the folder: it does not begin, and another one is started."""

        write = JobFolder.write

        def die_at_launch(self, name, *rest, **more):
            if name == "launch":
                raise KeyboardInterrupt
            write(self, name, *rest, **more)

        with monkeypatch.context() as dying:
            dying.setattr(JobFolder, "write", die_at_launch)
            with pytest.raises(KeyboardInterrupt):
                jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        orphan = processes._CHILDREN[-1]
        (record,) = jobs.records()
        assert jobs.wait(record.id, PATIENCE).result == {"said": 1, "threads": "1"}
        assert orphan.wait(PATIENCE) == 0
        assert len(jobs._of(record.id).log_tail(10)) == 1

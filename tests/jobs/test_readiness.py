"""A process that waits with everything loaded, and who does what."""

import os
import signal
import sys
from pathlib import Path

import pytest

from spectra_core.jobs import processes
from tests.jobs.conftest import PATIENCE, has_begun, process_of, until


class TestReadiness:
    """A process that waits with everything loaded."""

    @pytest.fixture(autouse=True)
    def quick(self, jobs, monkeypatch):
        """Load nothing: what is tested is who does what."""
        root, here = Path(__file__).parents[2], Path(__file__).parent
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (root, here))))

        def start(module, *arguments, **options):
            wanted = "ready_for_tests" if module == "spectra_core.jobs.waiting" else module
            return started(wanted, *arguments, **options)

        started = processes.start
        monkeypatch.setattr(processes, "start", start)
        yield
        for note in jobs._ready._free():
            os.kill(note.pid, signal.SIGKILL)

    def ready(self, jobs):
        jobs.keep_ready()
        jobs.keep_ready()
        (note,) = jobs._ready._free()
        return note

    def test_it_does_the_next_job_with_the_same_promises(self, jobs):
        note = self.ready(jobs)
        job_id = jobs.submit("work_for_tests:run_until_asked", {}, "Wait")
        until(lambda: has_begun(jobs, job_id))
        assert process_of(jobs, job_id) == note.pid
        assert jobs._ready._free() == []
        jobs.cancel(job_id)
        assert jobs.wait(job_id, 5.0).state == "cancelled"
        until(lambda: processes.start_of(note.pid) == "")
        assert not list(jobs._ready._folder.glob("*"))

    def test_killed_while_it_works_the_job_is_interrupted_and_resumes(self, jobs):
        note = self.ready(jobs)
        job_id = jobs.submit("work_for_tests:add_up", {"steps": 8, "seed": 1, "pause": 0.1}, "Add")
        until(lambda: jobs.record(job_id).done >= 2)
        os.kill(note.pid, signal.SIGKILL)
        until(lambda: jobs.record(job_id).state == "interrupted")
        jobs.resume(job_id)
        assert jobs.wait(job_id, PATIENCE).result["started_at"] >= 2

    def test_killed_between_being_chosen_and_beginning_another_process_does_the_job(self, jobs):
        note = self.ready(jobs)
        os.kill(note.pid, signal.SIGSTOP)
        job_id = jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        assert jobs.record(job_id).state == "running"
        os.kill(note.pid, signal.SIGKILL)
        record = jobs.wait(job_id, PATIENCE)
        assert (record.state, record.attempt, record.result["said"]) == ("finished", 1, 1)

    def test_killed_while_it_waits_it_is_not_given_work(self, jobs):
        note = self.ready(jobs)
        os.kill(note.pid, signal.SIGKILL)
        until(lambda: processes.start_of(note.pid) == "")
        assert jobs.wait(jobs.submit("work_for_tests:echo", {"say": 1}, "Echo"), PATIENCE).state == "finished"

    def test_started_otherwise_it_is_not_given_work(self, jobs, monkeypatch):
        note = self.ready(jobs)
        monkeypatch.setenv("SPECTRA_SCHEDULER", "tcp://elsewhere:1")
        job_id = jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        assert jobs.wait(job_id, PATIENCE).state == "finished"
        assert process_of(jobs, job_id) != note.pid

    def test_what_libraries_set_when_they_are_loaded_does_not_matter(self, jobs, monkeypatch):
        monkeypatch.delenv("KMP_INIT_AT_FORK", raising=False)
        note = self.ready(jobs)
        monkeypatch.setenv("KMP_INIT_AT_FORK", "FALSE")  # as scikit-learn does
        job_id = jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        assert jobs.wait(job_id, PATIENCE).state == "finished"
        assert process_of(jobs, job_id) == note.pid

    def test_one_of_another_kind_is_none(self, jobs, monkeypatch):
        self.ready(jobs)
        monkeypatch.setenv("SPECTRA_SCHEDULER", "tcp://elsewhere:1")
        jobs.keep_ready()
        jobs.keep_ready()
        assert len({note.kind for note in jobs._ready._free()}) == len(jobs._ready._free()) == 2

    def test_it_ends_with_whoever_wanted_it(self, jobs, tmp_path):
        import subprocess

        server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        arguments = str(tmp_path), "token", str(server.pid), processes.start_of(server.pid)
        process_id = processes.start("spectra_core.jobs.waiting", *arguments)
        server.kill()
        server.wait()
        until(lambda: processes.start_of(process_id) == "")

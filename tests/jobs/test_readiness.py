"""A process that waits with everything loaded, and who does what."""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from spectra_core.jobs import Jobs, processes
from spectra_core.jobs.ready import Waiting
from spectra_core.store.files import exclusive
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

    @pytest.fixture
    def server(self):
        import subprocess

        server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        yield server
        server.kill()
        server.wait()

    @pytest.mark.parametrize("module", ["spectra_core.jobs.waiting", "loading_for_tests"])
    @pytest.mark.parametrize("gone", ["server", "note"])
    def test_it_ends_with_whoever_wanted_it(self, jobs, tmp_path, server, module, gone):
        note = self.waiting_for(server, jobs, module)
        until(lambda: processes.start_of(note.pid) == "" or has_loaded(note.pid))
        assert processes.start_of(note.pid)
        if gone == "server":
            server.kill()
            server.wait()
        else:
            jobs._ready.remove(note.token)
        until(lambda: processes.start_of(note.pid) == "")
        assert not list(jobs._ready._folder.glob("*"))

    def test_it_does_the_job_that_it_was_given_before_the_server_ended(self, jobs, tmp_path, server):
        note = self.waiting_for(server, jobs, "spectra_core.jobs.waiting")
        until(lambda: has_loaded(note.pid))
        os.kill(note.pid, signal.SIGSTOP)
        job_id = jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        server.kill()
        server.wait()
        os.kill(note.pid, signal.SIGCONT)
        assert jobs.wait(job_id, PATIENCE).result["said"] == 1
        assert process_of(jobs, job_id) == note.pid

    def test_it_brings_no_data_folder_back_that_is_gone(self, jobs, tmp_path, server):
        import shutil

        home = tmp_path / "elsewhere"
        other = Jobs(home)
        note = self.waiting_for(server, other, "spectra_core.jobs.waiting")
        until(lambda: has_loaded(note.pid))
        shutil.rmtree(home)
        until(lambda: processes.start_of(note.pid) == "")
        assert not home.exists()

    def waiting_for(self, server, jobs, module):
        """Start a process that waits for a server other than these tests."""
        with exclusive(jobs.home / "jobs" / ".lock"):
            told = str(jobs.home), "0f" * 16, str(server.pid), processes.start_of(server.pid)
            process_id = processes.start(module, *told)
            note = Waiting(told[1], process_id, processes.start_of(process_id), processes.kind_of_process())
            jobs._ready.write(note)
        return note


def has_loaded(process_id):
    """Whether a process that waits looks after its server: a thread of its own does."""
    import psutil

    with suppress(psutil.Error):
        return psutil.Process(process_id).num_threads() > 1
    return False

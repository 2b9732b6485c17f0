"""Jobs as processes of their own: what survives, what stops, what is told."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from spectra_core.errors import ConfigError, StoreError
from spectra_core.jobs import Jobs, processes, reporting
from spectra_core.jobs.folder import JobFolder
from spectra_core.store import Store
from spectra_core.store.files import exclusive

PATIENCE = 60.0  # seconds a job may take to start on a busy computer


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


class TestAJob:
    def test_returns_what_its_task_returned_and_has_one_numerical_thread(self, jobs):
        job_id = jobs.submit("work_for_tests:echo", {"say": "µ-Ωs <b>"}, "Echo")
        record = jobs.wait(job_id, PATIENCE)
        assert (record.state, record.error) == ("finished", "")
        assert record.result == {"said": "µ-Ωs <b>", "threads": "1"}
        assert jobs.log_tail(job_id)[-1].endswith("Saying it back.")

    def test_runs_in_another_process_that_steps_back(self, jobs):
        job_id = jobs.submit("work_for_tests:run_until_asked", {}, "Wait")
        until(lambda: has_begun(jobs, job_id))
        process_id = process_of(jobs, job_id)
        assert process_id != os.getpid()
        assert os.getpriority(os.PRIO_PROCESS, process_id) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)

    def test_that_the_task_refuses_fails_with_its_sentence(self, jobs):
        record = jobs.wait(jobs.submit("work_for_tests:refuse", {}, "Refuse"), PATIENCE)
        assert record.state == "failed"
        assert record.error == "The set holds 3 spectra, but 8 folds need at least 8. Use fewer folds."

    def test_that_stumbles_over_a_bug_apologises_without_naming_places(self, jobs):
        job_id = jobs.submit("work_for_tests:stumble", {}, "Stumble")
        record = jobs.wait(job_id, PATIENCE)
        assert record.state == "failed"
        reference = record.error.removesuffix(".").split()[-1]
        assert record.error.startswith("Sorry, something went wrong")
        assert "private" not in record.error + str(jobs.log_tail(job_id))
        printed = jobs._of(job_id).output_path.read_text()
        assert "ZeroDivisionError: in /a/private/place" in printed
        assert f"Reference {reference}" in printed

    def test_whose_result_is_no_json_fails(self, jobs):
        record = jobs.wait(jobs.submit("work_for_tests:no_json", {}, "No JSON"), PATIENCE)
        assert (record.state, record.result) == ("failed", None)

    def test_with_an_unknown_task_is_refused_at_once(self, jobs):
        with pytest.raises(ConfigError, match=r"Unknown task 'trian'. Known tasks: .*simulate, study, train"):
            jobs.submit("trian", {}, "Train")
        assert jobs.records() == []

    def test_reports_progress_values_for_curves(self, jobs):
        job_id = jobs.submit("work_for_tests:add_up", {"steps": 5, "seed": 1, "pause": 0.25}, "Add")
        assert jobs.wait(job_id, PATIENCE).state == "finished"
        events = jobs.events(job_id)
        assert events["done"].tolist() == [1, 2, 3, 4, 5]
        assert events["sum"].notna().all()

    def test_is_found_again_by_whoever_looks_later(self, jobs, tmp_path):
        job_id = jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        jobs.wait(job_id, PATIENCE)
        assert Jobs(tmp_path).record(job_id).result == {"said": 1, "threads": "1"}


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

    def test_it_ends_with_whoever_wanted_it(self, jobs, tmp_path):
        import subprocess

        server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        arguments = str(tmp_path), "token", str(server.pid), processes.start_of(server.pid)
        process_id = processes.start("spectra_core.jobs.waiting", *arguments)
        server.kill()
        server.wait()
        until(lambda: processes.start_of(process_id) == "")


class TestInterruption:
    def test_killed_job_shows_as_interrupted_and_resumes_to_the_same_bits(self, jobs, tmp_path):
        arguments = {"steps": 12, "seed": 1, "pause": 0.1}
        job_id = jobs.submit("work_for_tests:add_up", arguments, "Add")
        until(lambda: jobs.record(job_id).done >= 3)
        os.kill(process_of(jobs, job_id), signal.SIGKILL)
        until(lambda: jobs.record(job_id).state == "interrupted")
        assert jobs.record(job_id).error.endswith("Resume it.")
        jobs.resume(job_id)
        record = jobs.wait(job_id, PATIENCE)
        assert (record.state, record.attempt, record.error) == ("finished", 2, "")
        assert record.result["started_at"] >= 3
        undisturbed = Jobs(tmp_path / "elsewhere")
        other = undisturbed.submit("work_for_tests:add_up", {**arguments, "pause": 0.0}, "Add")
        assert undisturbed.wait(other, PATIENCE).result["digest"] == record.result["digest"]
        assert jobs.events(job_id)["done"].is_unique

    def test_a_killed_experiment_resumes_to_the_same_tables(self, jobs, tmp_path, mixtures):
        store, elsewhere = Store(tmp_path), Jobs(tmp_path / "elsewhere")
        experiment = {
            "arms": [{"name": "Baseline", "kind": "baseline"}, {"name": "Duplicates", "kind": "duplicate_rows"}],
            "regressors": [{"name": "mlp", "options": {"epochs": 40, "batch_size": 4}}],
            "n_folds": 4,
            "reference": "baseline",
        }
        arguments = {"set": store.save_set(mixtures), "experiment": experiment, "workers": 1}
        job_id = jobs.submit("study", arguments, "Study")
        until(lambda: jobs.record(job_id).share > 0.3)
        os.kill(process_of(jobs, job_id), signal.SIGKILL)
        until(lambda: jobs.record(job_id).state == "interrupted")
        assert store.results("study") == []
        jobs.resume(job_id)
        assert jobs.wait(job_id, PATIENCE).state == "finished"
        Store(elsewhere.home).save_set(mixtures)
        other = elsewhere.submit("study", arguments, "Study")
        assert elsewhere.wait(other, PATIENCE).state == "finished"
        contents = {Store(home).results("study")[0].content for home in (jobs.home, elsewhere.home)}
        assert len(contents) == 1  # the sha256 of all tables

    def test_another_process_with_the_same_id_is_not_taken_for_the_job(self, jobs):
        job_id = jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        jobs.wait(job_id, PATIENCE)
        folder = jobs._of(job_id)
        (folder.path / "status.json").unlink()
        launch = folder.read("launch")
        folder.write("launch", {**launch, "pid": os.getpid()})  # lives, but began at another moment
        assert jobs.record(job_id).state == "interrupted"
        folder.write("launch", {**launch, "pid": os.getpid(), "started": processes.start_of(os.getpid())})
        assert jobs.record(job_id).state == "running"
        folder.write("launch", launch)

    def test_finished_job_has_nothing_to_resume(self, jobs):
        job_id = jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        jobs.wait(job_id, PATIENCE)
        with pytest.raises(ConfigError, match="is finished, so there is nothing to resume"):
            jobs.resume(job_id)

    def test_job_goes_on_when_the_process_that_submitted_it_ends(self, jobs, tmp_path):
        import subprocess

        code = (
            "import sys, pathlib; from spectra_core.jobs import Jobs;"
            "arguments = {'steps': 8, 'seed': 0, 'pause': 0.1};"
            "print(Jobs(pathlib.Path(sys.argv[1])).submit('work_for_tests:add_up', arguments, 'A'))"
        )
        root = Path(__file__).parents[2]
        path = os.pathsep.join([str(root), os.environ["PYTHONPATH"]])
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert jobs.wait(done.stdout.strip(), PATIENCE).state == "finished"


class TestTheQueue:
    def test_runs_one_at_a_time_in_order_without_anyone_looking(self, jobs, tmp_path):
        marks = tmp_path / "marks"
        last = [jobs.submit("work_for_tests:leave_a_mark", {"file": str(marks), "name": name}, name) for name in "abc"][
            -1
        ]
        until(lambda: marks.exists() and marks.read_text().count("end") == 3)
        assert marks.read_text().split("\n")[:-1] == [f"{what} {name}" for name in "abc" for what in ("begin", "end")]
        jobs.wait(last, 5)

    def test_runs_as_many_as_asked_for(self, jobs, monkeypatch):
        monkeypatch.setenv("SPECTRA_JOBS", "2")
        ids = [jobs.submit("work_for_tests:run_until_asked", {}, str(number)) for number in range(3)]
        assert [jobs.record(one).state for one in ids] == ["running", "running", "queued"]
        assert jobs.record(ids[2]).position == 1

    def test_keeps_every_job_of_concurrent_submitters_and_starts_one(self, jobs, tmp_path):
        def submit():
            Jobs(tmp_path).submit("work_for_tests:run_until_asked", {}, "Many")

        threads = [threading.Thread(target=submit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        records = jobs.records()
        assert sorted(record.sequence for record in records) == list(range(1, 9))
        assert [record.state for record in records].count("running") == 1
        assert sorted(record.position for record in records if record.position) == list(range(1, 8))

    def test_refuses_a_limit_that_is_no_number(self, jobs, monkeypatch):
        monkeypatch.setenv("SPECTRA_JOBS", "many")
        with pytest.raises(ConfigError, match="SPECTRA_JOBS is a number of jobs from 1 upwards, got 'many'"):
            jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        assert jobs.records() == []

    def test_lists_all_others_beside_a_damaged_job(self, jobs):
        job_id = jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        jobs.wait(job_id, PATIENCE)
        broken = jobs.home / "jobs" / ("0" * 32)
        broken.mkdir()
        (broken / "job.json").write_text('{"task": "tra')
        states = {record.id: record.state for record in jobs.records()}
        assert states == {job_id: "finished", broken.name: "failed"}
        assert "damaged" in jobs.record(broken.name).error
        jobs.delete(broken.name)

    def test_takes_no_path_for_an_id(self, jobs):
        with pytest.raises(StoreError, match="not the id of a job"):
            jobs.log_tail("../../etc")

    def test_full_disk_is_told_in_a_sentence_and_leaves_no_job(self, jobs, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="the disk is full"):
            jobs.submit("work_for_tests:echo", {"say": 1}, "Echo")
        assert jobs.records() == []


def test_a_module_started_aside_runs_in_a_session_of_its_own(tmp_path, monkeypatch):
    answer = tmp_path / "answer"
    says = "f\"{os.getsid(0)} {os.environ['OMP_NUM_THREADS']}\""
    source = f"import os, pathlib\npathlib.Path({str(answer)!r}).write_text({says})\n"
    (tmp_path / "aside_for_tests.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process_id = processes.start("aside_for_tests")
    until(lambda: answer.exists() and answer.read_text())
    assert answer.read_text() == f"{process_id} 1"
    until(lambda: processes.reap() or not processes._CHILDREN)

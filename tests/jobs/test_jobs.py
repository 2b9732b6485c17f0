"""Jobs as processes of their own: what survives, what is told, and in which order they run."""

import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest

from spectra_core.contracts import SILENT
from spectra_core.errors import ConfigError, StoreError
from spectra_core.jobs import Jobs, processes
from spectra_core.jobs.tasks import TASKS
from spectra_core.store import Store
from tests.jobs.conftest import PATIENCE, has_begun, process_of, until


class TestAJob:
    def test_returns_what_its_task_returned_and_has_one_numerical_thread(self, jobs, tmp_path):
        job_id = jobs.submit("work_for_tests:echo", {"say": "µ-Ωs <b>"}, "Echo")
        record = jobs.wait(job_id, PATIENCE)
        assert (record.state, record.error) == ("finished", "")
        assert record.result == {"said": "µ-Ωs <b>", "threads": "1"}
        assert jobs.log_tail(job_id)[-1].endswith("Saying it back.")
        assert Jobs(tmp_path).record(job_id).result == record.result  # whoever looks later
        with pytest.raises(ConfigError, match="is finished, so there is nothing to resume"):
            jobs.resume(job_id)

    def test_runs_in_another_process_that_steps_back(self, jobs, monkeypatch):
        monkeypatch.delenv(processes.STEPPED_BACK, raising=False)
        job_id = jobs.submit("work_for_tests:run_until_asked", {}, "Wait")
        until(lambda: has_begun(jobs, job_id))
        process_id = process_of(jobs, job_id)
        assert process_id != os.getpid()
        niceness = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
        assert os.getpriority(os.PRIO_PROCESS, process_id) == niceness
        group = Path(f"/proc/{process_id}/autogroup")
        if group.exists():  # its first line ends in "nice 10"
            assert group.read_text().split()[-1] == str(niceness)

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
        store, undisturbed = Store(tmp_path), Store(tmp_path / "elsewhere")
        experiment = {
            "arms": [{"name": "Baseline", "kind": "baseline"}, {"name": "Duplicates", "kind": "duplicate_rows"}],
            "regressors": ["pls"],
            "n_folds": 4,
            "n_repeats": 6,  # seconds of work in parts of milliseconds
            "reference": "baseline",
        }
        arguments = {"set": store.save_set(mixtures), "experiment": experiment, "workers": 1}
        job_id = jobs.submit("study", arguments, "Study")
        until(lambda: jobs.record(job_id).share > 0.1)
        os.kill(process_of(jobs, job_id), signal.SIGKILL)
        until(lambda: jobs.record(job_id).state == "interrupted")
        assert all(store.load_result(one.id).document["repeats_done"] < 6 for one in store.results("study"))
        jobs.resume(job_id)
        assert jobs.wait(job_id, PATIENCE).state == "finished"
        undisturbed.save_set(mixtures)
        TASKS["study"](arguments, SILENT, undisturbed)
        contents = {one.results("study")[0].content for one in (store, undisturbed)}
        assert len(contents) == 1  # the sha256 of all tables

    def test_what_it_kept_before_it_was_killed_is_not_kept_twice(self, jobs, tmp_path):
        first = jobs.submit("work_for_tests:keep_and_die", {"file": str(tmp_path / "died")}, "Keep")
        until(lambda: jobs.record(first).state == "interrupted")
        jobs.resume(first)
        other = jobs.submit("work_for_tests:keep_and_die", {"file": str(tmp_path / "died")}, "Keep")
        made = [jobs.wait(one, PATIENCE).result.values() for one in (first, other)]
        kept = [record.id for record in Store(tmp_path).results()]
        assert len(kept) == 4  # two of each job
        assert sorted(kept) == sorted(key for keys in made for key in keys)

    def test_a_job_whose_data_folder_went_away_ends_and_goes_on_when_it_is_back(self, jobs, tmp_path):
        """As with a disk that was pulled out: what a new folder in its place held would be found by nobody."""
        job_id = jobs.submit("work_for_tests:add_up", {"steps": 3000, "seed": 1, "pause": 0.1}, "Add")
        until(lambda: jobs.record(job_id).done >= 3)
        process_id = process_of(jobs, job_id)
        pulled = tmp_path.with_name("pulled")
        tmp_path.rename(pulled)
        assert jobs.records() == []
        until(lambda: processes.start_of(process_id) == "")
        assert not (tmp_path / "jobs").exists()
        shutil.rmtree(tmp_path, ignore_errors=True)  # what the work itself may have begun to keep
        pulled.rename(tmp_path)
        assert jobs.record(job_id).state == "interrupted"
        request = jobs._of(job_id).read("job")
        jobs._of(job_id).write("job", {**request, "arguments": {**request["arguments"], "steps": 5, "pause": 0.0}})
        jobs.resume(job_id)
        assert jobs.wait(job_id, PATIENCE).result["started_at"] >= 3

    def test_another_process_with_the_same_id_and_a_damaged_job_are_not_taken_for_a_job(self, jobs):
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
        broken = jobs.home / "jobs" / ("0" * 32)
        broken.mkdir()
        (broken / "job.json").write_text('{"task": "tra')
        states = {record.id: record.state for record in jobs.records()}
        assert states == {job_id: "interrupted", broken.name: "failed"}
        assert "damaged" in jobs.record(broken.name).error
        jobs.delete(broken.name)

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
    def test_runs_one_at_a_time_in_order_without_anyone_looking(self, jobs, tmp_path, monkeypatch):
        monkeypatch.delenv(processes.STEPPED_BACK, raising=False)
        marks = tmp_path / "marks"
        ids = [jobs.submit("work_for_tests:leave_a_mark", {"file": str(marks), "name": name}, name) for name in "abc"]
        until(lambda: marks.exists() and marks.read_text().count("end") == 3)
        assert marks.read_text().split("\n")[:-1] == [f"{what} {name}" for name in "abc" for what in ("begin", "end")]
        stepped_back = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)  # each, though each started the next
        assert [jobs.wait(one, PATIENCE).result for one in ids] == [{"niceness": stepped_back}] * 3

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

"""Workspaces of a class take turns; nobody sees or stops another's jobs."""

from pathlib import Path

import pytest

from spectra_core.errors import StoreError
from spectra_core.jobs import Jobs
from spectra_core.jobs.records import JobRecord
from spectra_core.jobs.turns import Member, in_turn
from spectra_core.store import classroom
from tests.jobs.conftest import PATIENCE


def waiting(*names):
    return [JobRecord(name, "t", name, {}, "queued", 0, "2026") for name in names]


def order(*members):
    return [record.id for _, record in in_turn(members)]


def test_who_has_many_jobs_waits_between_them_for_those_who_have_few():
    many, few = Member(Path("a"), 0, 0, waiting("a1", "a2", "a3")), Member(Path("b"), 0, 0, waiting("b1"))
    assert order(many, few) == ["a1", "b1", "a2", "a3"]


def test_who_had_a_turn_waits_for_those_who_had_none_and_who_runs_for_those_who_do_not():
    served, fresh = Member(Path("a"), 7, 0, waiting("a1")), Member(Path("b"), 3, 0, waiting("b1", "b2"))
    assert order(served, fresh) == ["b1", "a1", "b2"]
    runs, idle = Member(Path("a"), 1, 1, waiting("a1")), Member(Path("b"), 9, 0, waiting("b1"))
    assert order(runs, idle) == ["b1", "a1"]


def test_jobs_of_two_workspaces_run_in_turn_and_stay_their_own(jobs, tmp_path):
    first, second = (Jobs(classroom.home_of_secret(tmp_path, classroom.new_secret())) for _ in range(2))
    classroom.change_rules(tmp_path, {"jobs": 2})
    marks = tmp_path / "marks"

    def submit(queue, name):
        return queue.submit("work_for_tests:leave_a_mark", {"file": str(marks), "name": name}, name)

    ids = {name: submit(first, name) for name in ("a1", "a2")}
    with pytest.raises(StoreError, match="at most 2 jobs at once"):
        submit(first, "a3")
    ids["b1"] = submit(second, "b1")
    assert [record.title for record in second.records()] == ["b1"]
    with pytest.raises(StoreError, match="not in the list"):
        second.cancel(ids["a1"])
    for name in ("b1", "a2"):
        assert (second if name == "b1" else first).wait(ids[name], PATIENCE).state == "finished"
    begun = [line.split()[1] for line in marks.read_text().splitlines() if line.startswith("begin")]
    assert begun == ["a1", "b1", "a2"]
    assert not Jobs(tmp_path).records()

"""The jobs page as a visitor meets it."""

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.jobs import Jobs, processes
from spectra_core.store import Store

APP = str(Path(__file__).parents[2] / "app.py")
PATIENCE = 180.0  # seconds a job may take to start on a busy computer


@pytest.fixture
def jobs(store: Store, monkeypatch: pytest.MonkeyPatch):
    here = str(Path(__file__).parents[1] / "jobs")
    monkeypatch.setenv("PYTHONPATH", here)
    monkeypatch.syspath_prepend(here)
    queue = Jobs(store.root)
    yield queue
    for record in queue.records():
        queue.cancel(record.id)
        queue.wait(record.id, 10)
    while processes._CHILDREN:
        processes.reap()
        time.sleep(0.01)


def opened() -> AppTest:
    return AppTest.from_file(APP, default_timeout=60).switch_page("pages/start/jobs.py").run()


def button(app: AppTest, label: str):
    return next(one for one in app.button if one.label == label)


def test_running_and_waiting_jobs_are_shown_and_cancelled(jobs):
    first = jobs.submit("work_for_tests:run_until_asked", {}, "The <b>first</b>")
    second = jobs.submit("work_for_tests:run_until_asked", {}, "The second")
    deadline = time.monotonic() + PATIENCE
    while jobs.record(first).done == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    app = opened()
    assert not app.exception
    assert "The <b>first</b>" in [text.value for text in app.text]
    assert [one.label for one in app.button].count("Cancel") == 2
    next(one for one in app.button if one.key == f"cancel_{second}").click().run()
    assert jobs.record(second).state == "cancelled"
    button(app, "Cancel").click().run()
    assert jobs.wait(first, 10).state == "cancelled"


def test_failed_job_says_why_and_is_resumed_and_removed(jobs):
    job_id = jobs.submit("work_for_tests:refuse", {}, "Refuse")
    jobs.wait(job_id, PATIENCE)
    app = opened()
    app.selectbox(key="ended_job").set_value(job_id).run()
    assert "Use fewer folds." in app.warning[0].value
    button(app, "Resume").click().run()
    assert not app.exception
    assert jobs.wait(job_id, PATIENCE).attempt == 2
    app = opened()
    app.selectbox(key="ended_job").set_value(job_id).run()
    button(app, "Remove from the list").click().run()
    assert not app.exception
    assert jobs.records() == []


def test_damaged_entries_are_named(store: Store, mixtures):
    key = store.save_set(mixtures.take([0]).with_meta(name="Lost set"))
    (store.root / "sets" / key / "set.json").write_text("{}")
    app = opened()
    assert not app.exception
    assert any("Lost set" in str(frame.value) for frame in app.dataframe)

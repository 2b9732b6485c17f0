"""A process is kept ready where a server runs, and not where pages are tested; a server that ends says what goes on."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from spectra_core.jobs import Jobs
from tests.jobs.test_records import job_that_runs
from ui import ready

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def kept(monkeypatch):
    found = []
    monkeypatch.setattr(Jobs, "keep_ready", lambda self: found.append(self.home))
    monkeypatch.setattr("atexit.register", lambda *what: None)
    st.cache_resource.clear()
    return found


def test_a_page_without_a_server_starts_nothing(store, kept):
    assert not AppTest.from_file(APP, default_timeout=60).run().exception
    assert kept == []


def test_a_server_keeps_one_at_every_visit(store, kept, monkeypatch):
    monkeypatch.setattr("streamlit.runtime.exists", lambda: True)
    monkeypatch.setattr("streamlit.runtime.get_instance", lambda: object.__new__(st.runtime.Runtime))
    ready.begin()
    ready.begin()
    assert len(kept) == 2


def test_a_server_that_ends_says_what_goes_on_and_how_to_stop_it(tmp_path, capsys):
    ready.say_what_goes_on(Jobs(tmp_path))
    assert capsys.readouterr().err == ""
    process_id = job_that_runs(tmp_path, "Train the VAE")
    ready.say_what_goes_on(Jobs(tmp_path))
    said = capsys.readouterr().err
    assert said.startswith("“Train the VAE” goes on without the app")
    assert said.endswith(f"kill {process_id}\n")

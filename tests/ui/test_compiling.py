"""Compiling in the background begins once per server, and not where pages are tested."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from spectra_core.jobs import processes
from ui import compiling

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def started(monkeypatch):
    found = []
    monkeypatch.setattr(processes, "start_aside", lambda module: found.append(module) or 1)
    st.cache_resource.clear()
    return found


def test_a_page_without_a_server_starts_nothing(store, started):
    assert not AppTest.from_file(APP, default_timeout=60).run().exception
    assert started == []


def test_a_server_starts_it_once(started, monkeypatch):
    monkeypatch.setattr("streamlit.runtime.exists", lambda: True)
    monkeypatch.setattr("streamlit.runtime.get_instance", lambda: object.__new__(st.runtime.Runtime))
    compiling.begin()
    compiling.begin()
    assert started == ["spectra_core.jobs.compiling_ahead"]

"""What the jobs page says of a cluster."""

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.cluster import Overview

APP = str(Path(__file__).parents[2] / "app.py")


def opened() -> AppTest:
    return AppTest.from_file(APP, default_timeout=60).switch_page("pages/start/jobs.py").run()


def test_without_a_scheduler_nothing_is_said_of_clusters(store, monkeypatch):
    monkeypatch.delenv("SPECTRA_SCHEDULER", raising=False)
    assert "Cluster" not in [header.value for header in opened().subheader]


def test_a_scheduler_that_does_not_answer_is_one_sentence(store, monkeypatch):
    pytest.importorskip("distributed", reason="the optional package distributed is not installed")
    monkeypatch.setenv("SPECTRA_SCHEDULER", "tcp://127.0.0.1:9")
    app = opened()
    assert not app.exception
    assert "No scheduler answers at tcp://127.0.0.1:9" in app.warning[0].value


def test_an_address_of_another_form_is_one_sentence(store, monkeypatch):
    monkeypatch.setenv("SPECTRA_SCHEDULER", "http://elsewhere")
    app = opened()
    assert not app.exception
    assert "looks like tcp://host:8786" in app.warning[0].value


def test_workers_and_what_they_do_are_listed(store, monkeypatch):
    monkeypatch.setenv("SPECTRA_SCHEDULER", "tcp://host:8786")
    rows = [("one", "tcp://a:1", 2, 90.0, 2**28, 2**32, "VAE: MLP, part 1.1"), ("two", "tcp://b:1", 1, 1.0, 0, 0, "")]
    columns = ["name", "worker", "threads", "cpu", "memory", "memory_limit", "works_on"]
    seen = Overview("tcp://host:8786", pd.DataFrame(rows, columns=columns))
    monkeypatch.setattr("ui.cluster_panel.overview", lambda address: seen)
    app = opened()
    assert not app.exception
    assert "2 workers with 3 threads, 1 of them busy" in " ".join(text.value for text in app.caption)
    assert list(app.dataframe[0].value["works_on"]) == ["VAE: MLP, part 1.1", ""]

"""Names are data: whatever a set, sample, target, unit, model, arm or job is called, no page takes it for markdown."""

import re
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.hostile_names import OUTSIDE, texts
from ui.menu import MENU

APP = str(Path(__file__).parents[2] / "app.py")
PAGES = [entry.path for entries in MENU.values() for entry in entries if entry.title != "Experiment"]
"""The other one times this computer first, and shows no name."""
REPORTING = {"advice", "calibrate", "channels", "errors", "fidelity", "latent_map", "neighbours", "spectra"}
"""Pages that offer a report."""
LIVE = re.compile(rf"(?<!\\)\]\(|(?<!\\)<|(?<!\\)\$|http://{OUTSIDE}|:material/home|(?<!\\):red")
ESCAPED = re.compile(r"\\[*_\[\]<>$`]")


@pytest.fixture(scope="module")
def filled(tmp_path_factory, hostile_folder) -> tuple[Path, dict[str, str]]:
    return shutil.copytree(hostile_folder[0], tmp_path_factory.mktemp("names") / "home"), hostile_folder[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: Path(path).stem)
def test_no_page_or_report_reads_a_name_as_markup(page, filled, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPECTRA_HOME", str(filled[0]))
    offered, reports = st.download_button, []

    def offer(label, data, *given, **named):
        reports.extend([data] if label == "Report (HTML)" else [])
        return offered(label, data, *given, **named)

    monkeypatch.setattr(st, "download_button", offer)
    app = AppTest.from_file(APP, default_timeout=60)
    for kind, identifier in filled[1].items():
        app.query_params[kind] = identifier[:12]
    app.switch_page(page).run()
    for picker in [one for one in app.selectbox if one.key == "ended_job"]:
        picker.set_value("a" * 32).run()
    assert not app.exception
    assert not app.error
    live = [text for text in texts(app) if LIVE.search(text) and "127" in text]
    assert live == []
    # Lists to choose from show letters as they are: a name made safe for markdown reads wrong there.
    listed = [option for picker in (*app.selectbox, *app.multiselect) for option in picker.options]
    assert [option for option in listed if ESCAPED.search(option)] == []
    assert bool(reports) == (Path(page).stem in REPORTING)
    for written in (report().decode() for report in reports):
        assert "<h2>To repeat it</h2>" in written
        assert not re.search(r"<(img|a|script)\b", written)

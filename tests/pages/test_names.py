"""Names are data: whatever a set, sample, target, unit, model, arm or job is called, no page takes it for markdown."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.store import Store
from tests.hostile_names import OUTSIDE, fill, texts
from ui.menu import MENU

APP = str(Path(__file__).parents[2] / "app.py")
PAGES = [entry.path for entries in MENU.values() for entry in entries if entry.title != "Experiment"]
"""The other one times this computer first, and shows no name."""
LIVE = re.compile(rf"(?<!\\)\]\(|(?<!\\)<|(?<!\\)\$|http://{OUTSIDE}|:material/home|(?<!\\):red")


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("names")
    return folder, fill(Store(folder))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: Path(path).stem)
def test_no_page_reads_a_name_as_markdown(page, filled, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPECTRA_HOME", str(filled[0]))
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

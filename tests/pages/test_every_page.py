"""Whatever page a visitor opens first: no exception, and a sentence on what is missing."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.store import Store
from tests.conftest import beer_lambert_set
from tests.pages.forms import require_numbers_that_start_nothing
from ui.menu import MENU, Entry

APP = str(Path(__file__).parents[2] / "app.py")
PAGES = [entry for entries in MENU.values() for entry in entries]
WORK_WITHOUT_SPECTRA = {"overview", "jobs", "dataset", "simulate", "read"}
"""Pages that give data or say what is going on, or read spectra with a calibration: they need no data set in hand."""


def opened(entry: Entry, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run() if entry.path.endswith("overview.py") else app.switch_page(entry.path).run()


def healthy(app: AppTest, entry: Entry) -> None:
    assert not app.exception
    assert not app.error
    require_numbers_that_start_nothing(app)
    assert [title.value for title in app.title] == [entry.title]
    assert f"**{entry.question}**" in [text.value for text in app.markdown]


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.title)
class TestEveryPage:
    def test_opened_first_and_empty_asks_its_question_and_says_what_is_missing(self, entry, store: Store):
        app = opened(entry)
        healthy(app, entry)
        if Path(entry.path).stem not in WORK_WITHOUT_SPECTRA:
            assert app.info[0].value.startswith("No spectra yet.")
            offered = "Run the demo" if entry.path.startswith("pages/learn/") else "Load the demo"
            assert offered in [button.label for button in app.button]

    def test_where_sets_are_kept_and_none_is_in_hand_it_says_so(self, entry, store: Store):
        store.save_set(beer_lambert_set(n_spectra=12))
        app = opened(entry)
        healthy(app, entry)
        if Path(entry.path).stem not in WORK_WITHOUT_SPECTRA and not entry.path.startswith("pages/learn/"):
            assert app.info[0].value.startswith("No data set in hand. This page needs one. Choose a kept one above")

    def test_with_a_data_set_in_hand_is_healthy(self, entry, store: Store):
        fingerprint = store.save_set(beer_lambert_set(n_spectra=30))
        healthy(opened(entry, set=fingerprint[:12]), entry)

    def test_with_generated_spectra_in_hand_is_healthy(self, entry, store: Store):
        spectra = beer_lambert_set(n_spectra=30)
        generated = beer_lambert_set(n_spectra=40, seed=1).with_meta(name="Generated", origin="generated")
        healthy(opened(entry, set=store.save_set(spectra)[:12], generated=store.save_set(generated)[:12]), entry)

    def test_the_script_lies_one_folder_deep(self, entry):
        assert len(Path(entry.path).parts) == 3


def test_every_page_on_disk_is_in_the_menu():
    root = Path(APP).parent
    on_disk = {str(path.relative_to(root)) for path in root.glob("pages/*/*.py")}
    assert on_disk <= {entry.path for entries in MENU.values() for entry in entries}

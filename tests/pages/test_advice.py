"""Asking what would help, as a visitor does it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.choices import Choice
from spectra_core.contracts import SILENT
from spectra_core.experiment.advice import Advice, advise
from spectra_core.experiment.advice.measuring import Measured
from spectra_core.experiment.advice.ways import AS_NOW, ways_for
from spectra_core.jobs import Jobs
from spectra_core.jobs.folder import JobFolder
from spectra_core.jobs.tasks import TASKS
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set, relabelled

APP = str(Path(__file__).parents[2] / "app.py")
PAGE, CALIBRATE = "pages/calibration/advice.py", "pages/use/calibrate.py"
CRIPPLED = Choice("pls", {"max_components": 1})


@pytest.fixture(scope="module")
def known() -> tuple[SpectraSet, Advice]:
    """A set with one label that does not fit, and advice on it."""
    spectra = beer_lambert_set(n_spectra=15, n_channels=20)
    targets = spectra.targets
    targets.loc[3, "Ni2+"] += 0.5
    spectra = relabelled(spectra, targets)
    names = (AS_NOW, "Ridge", "Suspicious labels set aside, Gaussian process")
    pace = {way.name: 1.2 if way.name in names else 1e9 for way in ways_for(spectra, CRIPPLED, 12)[0]}
    return spectra, advise(spectra, reference=CRIPPLED, pace=pace)


@pytest.fixture
def fingerprint(store: Store, known: tuple[SpectraSet, Advice]) -> str:
    spectra, found = known
    key = store.save_set(spectra)
    store.save_result("advice", {**found.document, "set": key}, found.tables, name="Advice")
    return key


def opened(fingerprint: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["set"] = fingerprint[:12]
    return healthy(app.switch_page(PAGE).run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def press(app: AppTest, label: str) -> AppTest:
    return healthy(next(button for button in app.button if button.label == label).click().run())


class TestAdvice:
    def test_it_is_said_in_words_and_an_experiment_is_one_click_away(self, fingerprint):
        app = opened(fingerprint)
        said = " ".join(text.value for text in app.markdown)
        assert "changes the error by" in said
        assert "Suspicious labels set aside, Gaussian process" in said
        caption = " ".join(text.value for text in app.caption)
        assert "Compared with: PLS." in caption
        assert "3 minutes." in caption
        app = press(app, "Open as an experiment")
        assert [title.value for title in app.title] == ["Experiment"]
        assert '"ridge"' in app.text_area(key="experiment_text").value

    def test_ions_stand_as_chemists_write_them_and_errors_with_their_unit(self, fingerprint):
        app = opened(fingerprint)
        table = app.dataframe[0].value
        told = " ".join(text.value for text in app.markdown)
        assert {"Cu²⁺", "Ni²⁺", "SO₄²⁻", "NO₃⁻"} <= set(table["target"])
        assert set(table.loc[table["target"] != "all declared targets", "unit"]) == {"mol/L"}
        assert set(table.loc[table["target"] == "all declared targets", "unit"]) == {"of the standard deviation"}
        assert not any(name in told for name in ("Cu2+", "Ni2+", "SO4 2-", "NO3-"))

    def test_a_calibration_for_use_is_one_click_away(self, fingerprint, tmp_path):
        press(opened(fingerprint), "Calibrate")
        (record,) = Jobs(tmp_path).records()
        Jobs(tmp_path).cancel(record.id)
        assert record.task == "calibrate"
        regressors = JobFolder(tmp_path / "jobs" / record.id).read("job")["arguments"]["regressors"]
        assert {choice["name"] for choice in regressors.values()} == {"ridge"}

    def test_the_advised_regressor_stands_first_where_one_calibrates(self, fingerprint):
        app = healthy(opened(fingerprint).switch_page(CALIBRATE).run())
        assert next(one for one in app.selectbox if one.label == "Regressor").value == "ridge"
        assert any("newest advice on these spectra puts Ridge first" in one.value for one in app.caption)

    def test_suspicious_labels_are_set_aside_by_one_click(self, fingerprint, store):
        app = press(opened(fingerprint), "Set them aside")
        (left,) = [record for record in store.sets() if record.fingerprint != fingerprint]
        assert store.load_set(left.fingerprint).samples["id"].tolist() == [str(n) for n in range(1, 16) if n != 4]
        assert app.query_params["set"] == [left.fingerprint[:12]] or app.query_params["set"] == left.fingerprint[:12]

    def test_the_button_starts_a_job(self, store, tmp_path):
        key = store.save_set(beer_lambert_set(n_spectra=16))
        app = opened(key)
        app.number_input(key="advice_minutes").set_value(0.5)
        press(app.run(), "Find out what helps")
        (record,) = Jobs(tmp_path).records()
        Jobs(tmp_path).cancel(record.id)
        assert record.task == "advise"
        arguments = JobFolder(tmp_path / "jobs" / record.id).read("job")["arguments"]
        assert (arguments["set"], arguments["minutes"], arguments["reference"]) == (key, 0.5, None)

    def test_the_job_makes_what_the_page_shows(self, store, monkeypatch):
        # How long ways take is measured in tests of the command line; here two fit into the time.
        said = {AS_NOW: 0.1, "PLS": 0.1}
        measured = lambda ways, *_: Measured({way.name: said.get(way.name, 1e9) for way in ways}, 60.0)  # noqa: E731
        monkeypatch.setattr("spectra_core.experiment.advice.advising.measure", measured)
        key = store.save_set(beer_lambert_set(n_spectra=16, n_channels=20).with_targets(["Cu2+"]))
        arguments = {"set": key, "minutes": 1.0, "reference": Choice("ridge").to_json(), "workers": 1}
        made = TASKS["advise"](arguments, SILENT, store)["result"]
        assert store.load_result(made).document["set"] == key
        assert "Compared with: Ridge." in " ".join(text.value for text in opened(key).caption)

    def test_too_few_spectra_are_a_sentence(self, store):
        app = opened(store.save_set(beer_lambert_set(n_spectra=8)))
        assert any("at least 12 independent spectra" in warning.value for warning in app.warning)

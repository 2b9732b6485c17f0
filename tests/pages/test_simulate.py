"""Mixing salts, making a set and reading the floors, as a visitor does it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.datasets.simulator import PRESETS, SimulationSettings, constants_table, identifiability, simulate
from spectra_core.figures.names import ion_label, typeset
from spectra_core.jobs import Jobs
from spectra_core.store import Store
from tests.conftest import beer_lambert_set

APP = str(Path(__file__).parents[2] / "app.py")


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return healthy(app.switch_page(f"pages/data/{page}.py").run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    assert not app.error, app.error
    return app


def named(elements, label: str):
    return next(one for one in elements if one.label == label)


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict, str]]:
    """What was handed to the job queue, in place of running it."""
    calls: list[tuple[str, dict, str]] = []
    submit = Jobs.submit

    def noted(self, task, arguments, title):
        calls.append((task, arguments, title))
        job_id = submit(self, task, {**arguments, "n_spectra": 3, "preset": "beer_lambert", "settings": {}}, title)
        self.cancel(job_id)
        return job_id

    monkeypatch.setattr(Jobs, "submit", noted)
    return calls


class TestSimulate:
    def test_moving_a_salt_changes_species_and_acidity(self, store: Store):
        app = opened("simulate")
        before = named(app.metric, "pH").value
        named(app.slider, "Fe(NO₃)₃").set_value(0.5)
        healthy(app.run())
        assert float(named(app.metric, "pH").value) < float(before)
        assert len(app.get("plotly_chart")) == 2

    def test_every_preset_draws_a_picture(self, store: Store):
        app = opened("simulate")
        for name in PRESETS:
            named(app.selectbox, "Preset").set_value(name)
            healthy(app.run())
            assert len(app.get("plotly_chart")) == 2

    def test_constants_are_listed_with_status_and_source(self, store: Store):
        app = opened("simulate")
        table = next(frame.value for frame in app.dataframe if "status" in frame.value)
        assert len(table) == len(constants_table())
        assert {"value", "uncertainty", "unit", "source"} <= set(table.columns)
        assert table["status"].str.contains("assumed").any()

    def test_the_set_is_made_as_a_job_under_the_conditions_shown(self, store: Store, submitted):
        app = opened("simulate")
        named(app.slider, "Nitric acid added, mol/L").set_value(0.1)
        healthy(app.run())
        named(app.number_input, "Spectra").set_value(123)
        named(app.text_input, "Name").set_value("Practical 3")
        named(app.button, "Simulate the set").click()
        healthy(app.run())
        task, arguments, title = submitted[0]
        assert (task, arguments["preset"], arguments["n_spectra"]) == ("simulate", "msu_like", 123)
        assert arguments["settings"] == {"acid": 0.1}
        assert arguments["name"] == "Practical 3 (simulated)"
        assert title == "Simulate 123 spectra, MSU-like (assumed)"
        SimulationSettings.from_dict({**PRESETS["msu_like"].to_dict(), **arguments["settings"]})

    def test_without_salts_there_is_water_and_no_accident(self, store: Store):
        app = opened("simulate")
        for slider in app.slider:
            if slider.label in {ion_label(salt, 0) for salt in PRESETS["msu_like"].salts}:
                slider.set_value(0.0)
        healthy(app.run())
        assert named(app.metric, "pH").value == "7.00"


class TestIdentify:
    def test_floors_of_a_simulated_set_are_those_of_its_own_physics(self, store: Store):
        fingerprint = store.save_set(simulate(PRESETS["beer_lambert"], n_spectra=5, seed=0))
        app = opened("identify", set=fingerprint[:12])
        table = app.dataframe[0].value
        expected = identifiability(PRESETS["beer_lambert"])
        assert table["bayesian_bound"].to_list() == expected["bayesian_bound"].to_list()
        sentence = next(text.value for text in app.markdown if text.value.startswith("**Hardly identifiable"))
        for ion in expected.loc[~expected["identifiable"], "target"]:
            assert typeset(ion) in sentence
        assert not app.selectbox or "Preset" not in [box.label for box in app.selectbox]

    def test_other_sets_are_told_that_their_physics_is_unknown(self, store: Store):
        app = opened("identify", set=store.save_set(beer_lambert_set(n_spectra=30))[:12])
        assert "physics behind “Beer-Lambert mixtures” is not known" in app.info[0].value
        named(app.selectbox, "Preset").set_value("beer_lambert")
        healthy(app.run())
        assert len(app.get("plotly_chart")) == 1

"""The first page: where am I, and one click to see everything at work."""

import re
import shutil
from pathlib import Path

from streamlit.testing.v1 import AppTest

from spectra_core.evaluation.errors.sentences import signed
from spectra_core.jobs import Jobs
from spectra_core.store import Store

APP = str(Path(__file__).parents[2] / "app.py")


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value[:12]
    app.run()
    assert not app.exception
    assert not app.error
    return app


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def boxes(app: AppTest) -> list[str]:
    """Return the state of every box of the pipeline."""
    return re.findall(r'class="pipeline-step (\w+)"', "".join(one.proto.body for one in app.get("html")))


def test_an_empty_app_offers_the_demo_and_a_data_set_as_the_first_step(store: Store):
    app = opened()
    assert "Run the demo" in labels(app)
    assert boxes(app) == ["ready", *["waiting"] * 4]


def test_the_demo_is_one_job(store: Store, tmp_path: Path):
    app = opened()
    next(button for button in app.button if button.label == "Run the demo").click().run()
    (record,) = Jobs(tmp_path).records()
    Jobs(tmp_path).cancel(record.id)
    assert record.title == "Demo: the whole path"
    assert app.query_params["job"] == record.id
    assert "Run the demo" not in labels(app)


def test_with_the_demo_in_hand_generated_spectra_are_drawn_beside_the_experimental_ones(
    store: Store, short_demo, monkeypatch
):
    folder, made = short_demo
    shutil.copytree(folder, store.root, dirs_exist_ok=True)
    monkeypatch.setattr(Store, "load_model", None)  # it loads PyTorch, three seconds that the page would come later
    app = opened(**made)
    asked = ("lower the errors?", "look like the experimental ones?")
    assert [one.value for one in app.subheader] == [f"Do generated spectra {what}" for what in asked]
    (study,) = [one for one in store.results() if one.kind == "study"]
    of_all = store.load_result(study.id).tables["comparisons"].query("target == 'all' and declared")
    said = next(one.value for one in app.markdown if one.value.startswith("**Change of the mean error, by PLS:**"))
    for row in of_all.itertuples():
        assert f"{row.arm} {signed(row.effect)} ({row.verdict})" in said
    assert "Target by target" in [one.label for one in app.get("page_link")]
    assert "60 experimental spectra (“Demo: salts in water”)" in app.caption[-1].value
    assert "Run the demo" not in labels(app)
    assert boxes(app) == ["done"] * 5


def test_a_job_that_failed_is_told_with_its_reason_on_whatever_page(store: Store, tmp_path: Path, monkeypatch):
    job = Jobs(tmp_path).submit("train", {"set": "0" * 64, "generator": "pca"}, "Train on nothing")
    Jobs(tmp_path).wait(job, timeout=180)
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["job"] = job
    app.run()
    assert app.warning[0].value.startswith("Train on nothing: failed. This set is not in the store.")
    monkeypatch.setattr("ui.state.notice_board.NOTICE_SECONDS", 0.0)
    assert not app.run().warning


def test_the_demo_takes_as_long_as_this_computer_takes_beside_what_it_does(store: Store, monkeypatch):
    monkeypatch.setattr("spectra_core.experiment.pace.against_usual", lambda: 0.5)
    monkeypatch.setattr("spectra_core.experiment.busy.slowdown", lambda n_workers, niceness: 2.0 if niceness else 1.0)
    monkeypatch.setattr("ui.demo._ALONE", 30.0)
    assert any("Takes about 30 seconds beside what this computer" in one.value for one in opened().caption)

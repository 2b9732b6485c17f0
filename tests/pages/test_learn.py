"""The tour can be entered at any step, and the quiz counts what was answered."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.contracts import SILENT
from spectra_core.evaluation.similarity import blind_quiz
from spectra_core.jobs.demo import run_demo
from spectra_core.store import Store, classroom
from ui import tour

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    return folder, run_demo({"n_spectra": 60, "epochs": 2}, SILENT, Store(folder))


@pytest.fixture(autouse=True)
def home(demo, monkeypatch):
    monkeypatch.setenv("SPECTRA_HOME", str(demo[0]))


def opened(page: str, demo, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name in ("set", "model", "generated"):
        app.query_params[name] = demo[1][name][:12]
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(f"pages/learn/{page}.py").run()
    assert not app.exception
    assert not app.error
    return app


@pytest.mark.parametrize("number", range(1, len(tour.STEPS) + 1))
def test_every_step_is_reached_by_its_link(demo, number):
    app = opened("tour", demo, step=str(number))
    step = tour.STEPS[number - 1]
    assert app.subheader[0].value == f"{number}. {step.title}"
    assert step.sentence in [text.value for text in app.markdown]
    assert (Path(APP).parent / step.page).is_file()


def test_next_goes_on_and_what_was_seen_is_counted(demo):
    app = opened("tour", demo, step="2")
    next(button for button in app.button if button.label == "Next").click().run()
    assert app.subheader[0].value.startswith("3. ")
    assert app.query_params["step"] == "3"
    assert "2 of 8 steps seen" in app.get("progress")[0].proto.text


def test_the_score_is_the_number_of_right_answers(demo, monkeypatch):
    monkeypatch.setattr(blind_quiz, "N_QUESTIONS", 3)
    app = opened("quiz", demo, quiz_difficulty="medium")
    right = 0
    for _ in range(3):
        app.button(key="quiz_A").click().run()
        said = [text.value for text in app.markdown]
        assert ("**Right.**" in said) != ("**Wrong.**" in said)
        right += "**Right.**" in said
        app.button(key="quiz_next").click().run()
        assert not app.exception
    assert app.subheader[0].value == f"{right} of 3 right"
    assert [metric.label for metric in app.metric] == ["You", "A classifier", "Guessing"]
    next(button for button in app.button if button.label == "Play again").click().run()
    assert app.subheader[0].value.startswith("Question 1 of 3")


def test_a_score_goes_on_the_board_of_the_class_under_a_name_that_is_text(demo, monkeypatch, tmp_path):
    folder, secret = tmp_path / "class", classroom.new_secret()
    shutil.copytree(demo[0], folder)
    monkeypatch.setenv("SPECTRA_HOME", str(folder))
    monkeypatch.setenv("SPECTRA_CLASS", "1")
    monkeypatch.setattr(blind_quiz, "N_QUESTIONS", 1)
    name = "<b>![x](//y)</b> :smile:"
    assert "Board of the class" not in [one.value for one in opened("quiz", demo, workspace=secret).subheader]
    classroom.change_rules(folder, {"board": True})
    app = opened("quiz", demo, workspace=secret)
    assert "Nobody has put a score up yet." in [one.value for one in app.caption]
    app.button(key="quiz_A").click().run()
    app.button(key="quiz_next").click().run()
    app.text_input(key="nickname").set_value(name)
    next(one for one in app.button if one.label == "Put my score up").click().run()
    assert not app.exception
    (row,) = app.dataframe[-1].value.to_dict("records")
    assert row["Nickname"] == name
    assert row["Right"] in ("0 of 1", "1 of 1")
    assert name not in "".join(one.value for kind in (app.markdown, app.caption, app.warning) for one in kind)
    other = opened("quiz", demo, workspace=classroom.new_secret())
    assert list(other.dataframe[-1].value["Nickname"]) == [name]

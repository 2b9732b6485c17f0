"""The tour can be entered at any step, and the quiz counts what was answered."""

import re
import shutil
from pathlib import Path

import pytest
from scipy.stats import beta
from streamlit.testing.v1 import AppTest

from spectra_core.evaluation.similarity import blind_quiz
from spectra_core.shares import percent
from spectra_core.store import classroom
from ui import tour

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture(scope="module")
def demo(tmp_path_factory, short_demo):
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(short_demo[0], folder, dirs_exist_ok=True)
    return folder, short_demo[1]


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


def reloaded(page: str, app: AppTest, **query: str) -> AppTest:
    """Open the address of a page in a new session, as a reload does."""
    again = AppTest.from_file(APP, default_timeout=60)
    for name, value in {**app.query_params, **query}.items():
        again.query_params[name] = value
    again.switch_page(f"pages/learn/{page}.py").run()
    assert not again.exception
    return again


def alt_of_figure(app: AppTest) -> str:
    return app.get("plotly_chart")[0].proto.alt


@pytest.mark.parametrize("number", range(1, len(tour.STEPS) + 1))
def test_every_step_is_reached_by_its_link(demo, number):
    app = opened("tour", demo, step=str(number))
    step = tour.STEPS[number - 1]
    assert app.subheader[0].value == f"{number}. {step.title}"
    assert step.sentence in [text.value for text in app.markdown]
    assert (Path(APP).parent / step.page).is_file()


def test_ions_on_the_tour_stand_as_chemists_write_them(demo):
    app = opened("tour", demo, step="7")
    assert app.selectbox(key="tour_ion").options[0] == "Zn²⁺"
    assert [one.value for one in app.caption if one.value.startswith("Zn²⁺ varies by")]


def test_next_goes_on_and_what_was_seen_is_counted(demo):
    app = opened("tour", demo, step="2")
    next(button for button in app.button if button.label == "Next").click().run()
    assert app.subheader[0].value.startswith("3. ")
    assert app.query_params["step"] == "3"
    assert "2 of 8 steps seen" in app.get("progress")[0].proto.text
    assert "3 of 8 steps seen" in reloaded("tour", app, step="8").get("progress")[0].proto.text


@pytest.mark.parametrize("difficulty", ["Easy", "Medium", "Hard"])
def test_answers_are_counted_to_the_score_also_across_a_reload(demo, difficulty, monkeypatch):
    asked = {"Hard": 12}.get(difficulty, 4)
    monkeypatch.setattr(blind_quiz, "N_QUESTIONS", asked)
    app = opened("quiz", demo, quiz_difficulty=difficulty)
    assert blind_quiz.DIFFICULTIES[difficulty.lower()] in " ".join(one.value for one in app.caption)
    right, drawn = 0, []
    for number in range(1, asked + 1):
        assert app.subheader[0].value.startswith(f"Question {number} of {asked}")
        assert " of 0." not in " ".join(one.value for one in app.caption)
        app.button(key="quiz_A").click().run()
        said = [text.value for text in app.markdown]
        assert ("**Right.**" in said) != ("**Wrong.**" in said)
        is_right = alt_of_figure(app).endswith("A is generated.")
        assert ("**Right.**" in said) == is_right
        right += is_right
        drawn.append(app.get("plotly_chart")[0].proto.spec)
        if number in (3, asked):
            app = reloaded("quiz", app)
            assert app.get("plotly_chart")[0].proto.spec == drawn[-1]
        assert f"{right} right answer{'s' * (right != 1)} of {number}." in " ".join(one.value for one in app.caption)
        app.button(key="quiz_next").click().run()
        assert not app.exception
    app = reloaded("quiz", app)
    assert app.subheader[0].value == f"{right} of {asked} right"
    yours, machine, _ = app.metric
    assert [one.label for one in app.metric] == ["You", "A classifier", "Guessing"]
    assert yours.value == percent(right / asked)
    low = beta.ppf(0.025, right, asked + 1 - right) if right else 0.0
    high = beta.ppf(0.975, right + 1, asked - right) if right < asked else 1.0
    assert f"{percent(low)} to {percent(high)}" in yours.help
    assert re.fullmatch(r"(over |under )?[\d.]+\xa0%", machine.value)
    next(button for button in app.button if button.label == "Play again").click().run()
    assert app.subheader[0].value.startswith(f"Question 1 of {asked}")
    app.button(key="quiz_A").click().run()
    assert app.get("plotly_chart")[0].proto.spec != drawn[0]


@pytest.mark.parametrize("written", ["0-rrrrrrrrrrrrr", "0-.", "0-rx"])
def test_what_is_no_round_of_the_quiz_begins_one(demo, written):
    assert opened("quiz", demo, quiz=written).subheader[0].value.startswith("Question 1 of 12")


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

"""A class on one server: every visitor in a workspace of their own, and a shelf that all see."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.errors import StoreError
from spectra_core.jobs import Jobs
from spectra_core.store import Store, classroom
from tests.conftest import beer_lambert_set
from ui import state

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def folder(store: Store, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPECTRA_CLASS", "1")
    return store.root


@pytest.fixture
def secrets() -> tuple[str, str]:
    return classroom.new_secret(), classroom.new_secret()


def opened(page: str = "data/dataset", **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(
        one.value for kind in (app.markdown, app.info, app.warning, app.error, app.caption) for one in kind
    )


def spectra(n: int):
    return beer_lambert_set(n_spectra=6, seed=n).with_meta(name=f"Day {n}")


def offered(app: AppTest) -> list[str]:
    (box,) = [one for one in app.selectbox if one.label == "Data set"]
    return box.options


def test_a_visitor_sees_neither_sets_nor_jobs_of_another_not_even_by_link(folder, secrets):
    first, second = (classroom.home_of_secret(folder, secret) for secret in secrets)
    key = Store(first).save_set(spectra(0))
    job = Jobs(first).submit("simulate", {}, "A secret study")
    Jobs(first).cancel(job)
    mine = opened(workspace=secrets[0], set=key[:12])
    assert offered(mine) == ["Day 0"]
    assert "Kept until" in said(mine)
    theirs = opened(workspace=secrets[1], set=key[:12], job=job)
    assert offered(theirs) == []
    assert "names a data set that is not in this store" in said(theirs)
    for page, words in (("data/dataset", "Day 0"), ("start/jobs", "A secret study")):
        assert words not in said(opened(page, workspace=secrets[1], job=job))
        assert words not in str([one.value.to_dict() for one in opened(page, workspace=secrets[1]).dataframe])
    assert not second.exists()
    Jobs(first).wait(job, 60)


def test_whoever_comes_without_a_link_gets_a_workspace_of_their_own(folder, secrets):
    homes = {str(opened().session_state["workspace"].home) for _ in range(2)}
    assert len(homes) == 2
    assert all(classroom.is_workspace(Path(home)) for home in homes)
    assert "incomplete" in said(opened(workspace=secrets[0][:-1]))


def test_what_lies_on_the_shelf_is_offered_to_all_and_deleted_by_the_teacher_alone(folder, secrets):
    key = Store(folder).save_set(spectra(0))
    visitor = opened(workspace=secrets[0], set=key[:12])
    assert offered(visitor) == ["Day 0"]
    assert "its teacher alone changes it" in said(visitor)
    assert not [one for one in visitor.button if one.key == f"delete_{key}"]
    teacher = opened(workspace=classroom.teacher_secret(folder), set=key[:12])
    teacher.button(key=f"delete_{key}").click().run()
    assert offered(opened(workspace=secrets[0])) == []


def test_the_panel_tells_limits_and_the_link(folder, secrets):
    Store(classroom.home_of_secret(folder, secrets[0])).save_set(spectra(0))
    app = opened(workspace=secrets[0])
    app.session_state["workspace_panel"] = True
    app.run()
    assert "1 of 40 sets" in said(app)
    assert app.code[0].value.endswith(f"/?workspace={secrets[0]}")
    (leave,) = [one for one in app.button if one.label == "Leave this workspace"]
    assert leave.disabled
    app.checkbox(key="has_link").check().run()
    next(one for one in app.button if one.label == "Leave this workspace").click().run()
    assert not app.exception
    assert not app.selectbox  # nothing more of it is shown


def test_a_single_user_notices_nothing(store):
    key = store.save_set(spectra(0))
    app = opened(workspace=classroom.new_secret(), set=key[:12])
    assert offered(app) == ["Day 0"]
    assert "workspace" not in said(app).lower()
    assert sorted(path.name for path in store.root.iterdir() if path.is_dir()) == ["sets", "staging"]


def test_no_data_folder_stands_in_outside_a_session(folder):
    with pytest.raises(StoreError, match="Nobody's workspace"):
        state.store()

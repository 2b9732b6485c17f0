"""Deleting, undoing and the bin, as a visitor meets them."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from spectra_core.store import Store
from tests.conftest import beer_lambert_set

APP = str(Path(__file__).parents[2] / "app.py")


def opened(**choices: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in choices.items():
        app.query_params[name] = value
    return healthy(app.switch_page("pages/data/dataset.py").run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def press(app: AppTest, key: str) -> AppTest:
    return healthy(app.button(key=key).click().run())


def picker(app: AppTest):
    (box,) = [one for one in app.selectbox if one.label == "Set"]
    return box


def said(app: AppTest) -> str:
    return "\n".join(one.value for kind in (app.markdown, app.info, app.warning, app.caption) for one in kind)


def three_sets(store: Store) -> list[str]:
    return [store.save_set(beer_lambert_set(n_spectra=6, seed=n).with_meta(name=f"Day {n}")) for n in range(3)]


def names(store: Store) -> list[str]:
    return [record.name for record in store.sets()]


def test_what_can_be_deleted_is_the_set_in_hand_and_nothing_where_none_is(store: Store):
    keys = three_sets(store)
    assert picker(opened(set=keys[1])).value == keys[1]
    assert picker(opened()).value is None
    assert not [one for one in opened().button if one.key and one.key.startswith("delete_")]


def test_another_set_in_hand_is_the_one_that_can_be_deleted(store: Store):
    keys = three_sets(store)
    app = opened(set=keys[0])
    healthy(picker(app).set_value(keys[1]).run())
    (status,) = [one for one in app.selectbox if one.label == "Data set"]
    healthy(status.set_value(keys[2]).run())
    assert picker(app).value == keys[2]


def test_what_is_named_is_deleted_and_a_second_click_has_nothing_to_hit(store: Store):
    keys = three_sets(store)
    app = opened(set=keys[1])
    assert "Delete “Day 1”?" in said(app)
    app = press(app, f"delete_{keys[1]}")
    assert names(store) == ["Day 0", "Day 2"]
    assert "Deleted “Day 1”." in said(app)
    assert "no longer in the store" not in said(app)
    assert picker(app).value is None
    assert not [one for one in app.button if one.key and one.key.startswith("delete_")]


def test_deleting_another_set_returns_to_the_one_in_hand(store: Store):
    keys = three_sets(store)
    app = opened(set=keys[2])
    healthy(picker(app).set_value(keys[0]).run())
    app = press(app, f"delete_{keys[0]}")
    assert names(store) == ["Day 1", "Day 2"]
    assert picker(app).value == keys[2]
    assert app.session_state["chosen"]["set"] == keys[2]


def test_undo_brings_a_set_back_into_hand(store: Store):
    keys = three_sets(store)
    app = press(press(opened(set=keys[1]), f"delete_{keys[1]}"), "undo_delete")
    assert sorted(names(store)) == ["Day 0", "Day 1", "Day 2"]
    assert app.session_state["chosen"]["set"] == keys[1]
    assert "“Day 1” is back." in said(app)
    assert "Deleted" not in said(app)


def test_the_bin_lists_restores_and_is_emptied(store: Store):
    keys = three_sets(store)
    for key in keys[:2]:
        store.delete_set(key)
    app = opened(set=keys[2])
    assert "Bin (2)" in [one.label for one in app.expander]
    app.session_state["bin"] = True  # opened
    app = healthy(app.run())
    assert list(app.dataframe[-1].value["Name"]) == ["Day 1", "Day 0"]
    assert "The data folder takes" in said(app)
    app = press(app, "restore")
    assert sorted(names(store)) == ["Day 1", "Day 2"]
    app.session_state["bin"] = True
    app = press(healthy(app.run()), "empty_bin")
    assert store.binned() == []
    assert names(store) != []


def test_a_name_that_is_markup_is_shown_as_text(store: Store):
    key = store.save_set(beer_lambert_set(n_spectra=6).with_meta(name="![x](https://x.y/z.png)"))
    app = press(opened(set=key), f"delete_{key}")
    assert "![x](" not in said(app)

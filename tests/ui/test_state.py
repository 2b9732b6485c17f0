"""Choices live in the session and in the URL, and are checked against the store."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.errors import ReadError
from spectra_core.generators import PCAGenerator
from spectra_core.spectra import SpectralAxis, SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set

APP = str(Path(__file__).parents[2] / "app.py")
TRAIN = "pages/generation/train.py"


def named(name: str, seed: int = 0, **options) -> SpectraSet:
    return beer_lambert_set(seed=seed, n_spectra=20, **options).with_meta(name=name)


def generated_from(spectra: SpectraSet) -> SpectraSet:
    return spectra.with_meta(name="New ones", origin="generated")


def opened(page: str | None = None, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    if page is not None:
        app.switch_page(page).run()
    assert not app.exception
    assert not app.error
    return app


def in_hand(app: AppTest) -> dict[str, str | None]:
    return {kind: picker(app, kind).value for kind in ("set", "model", "generated")}


def picker(app: AppTest, kind: str):
    """The picker of the status line; its key changes with what is chosen."""
    return next(box for box in app.selectbox if (box.key or "").startswith(f"picker_{kind}_"))


def notices(app: AppTest) -> str:
    return " ".join(info.value for info in app.info)


def test_a_set_chosen_in_the_status_line_stands_in_the_url(store: Store):
    fingerprint = store.save_set(named("First"))
    app = opened()
    picker(app, "set").set_value(fingerprint).run()
    assert in_hand(app)["set"] == fingerprint
    assert app.query_params["set"] == fingerprint[:12]


def test_a_choice_told_twice_because_its_run_was_overtaken_is_made_once(store: Store):
    fingerprint, other = store.save_set(named("First")), store.save_set(named("Other", seed=1))
    app = opened()
    told = picker(app, "set").set_value(fingerprint)
    app.session_state["chosen"] = {"set": other, "model": None, "generated": None}  # by the run overtaken
    told.run()
    assert not app.exception
    assert in_hand(app)["set"] == other


def test_the_choice_survives_a_page_switch(store: Store):
    fingerprint = store.save_set(named("First"))
    app = opened(set=fingerprint[:12])
    app.query_params.clear()  # what the browser does when a menu entry is clicked
    app.switch_page(TRAIN).run()
    assert in_hand(app)["set"] == fingerprint
    assert app.query_params["set"] == fingerprint[:12]


def test_a_reload_takes_the_choice_from_the_url(store: Store):
    fingerprint = store.save_set(named("First"))
    assert in_hand(opened(set=fingerprint[:12]))["set"] == fingerprint


@pytest.mark.parametrize("asked", ["0123456789ab", "", "../../etc", "<b>x</b>"])
def test_a_set_that_the_url_names_but_the_store_lacks_is_ignored_with_a_sentence(store: Store, asked):
    store.save_set(named("First"))
    app = opened(set=asked)
    assert in_hand(app)["set"] is None
    assert "names a data set that is not in this store" in notices(app)
    assert "set" not in app.query_params


def test_the_sentence_about_an_unknown_set_is_shown_once_and_for_a_while(store: Store, monkeypatch):
    app = opened(set="0123456789ab")
    assert "names a data set" in notices(app)
    assert notices(app.run()).count("names a data set") == 1
    monkeypatch.setattr("ui.state.notice_board.NOTICE_SECONDS", 0.0)
    assert "names a data set" not in notices(app.run())


def test_a_set_deleted_meanwhile_is_put_down(store: Store):
    fingerprint = store.save_set(named("First"))
    app = opened(set=fingerprint[:12])
    store.delete_set(fingerprint)
    app.run()
    assert not app.exception
    assert in_hand(app)["set"] is None
    assert "no longer in the store" in notices(app)


def test_a_damaged_set_is_put_down_with_its_reason(store: Store, tmp_path: Path):
    fingerprint = store.save_set(named("First"))
    numbers = next(tmp_path.glob(f"sets/{fingerprint}/*.safetensors"))
    content = bytearray(numbers.read_bytes())
    content[-1] ^= 1
    numbers.write_bytes(bytes(content))
    app = opened(TRAIN, set=fingerprint[:12])
    assert "No spectra yet." in notices(app)


def test_another_data_set_puts_down_generated_spectra_of_another_frame(store: Store):
    first, other = named("First"), named("Other", n_channels=30)
    old, new, made = store.save_set(first), store.save_set(other), store.save_set(generated_from(first))
    app = opened(set=old[:12], generated=made[:12])
    assert in_hand(app)["generated"] == made
    picker(app, "set").set_value(new).run()
    assert in_hand(app) == {"set": new, "model": None, "generated": None}
    assert "generated set came from another data set" in notices(app)


def test_another_data_set_of_the_same_frame_keeps_the_generated_spectra(store: Store):
    first, other = named("First"), named("Other", seed=1)
    old, new, made = store.save_set(first), store.save_set(other), store.save_set(generated_from(first))
    app = opened(set=old[:12], generated=made[:12])
    picker(app, "set").set_value(new).run()
    assert in_hand(app)["generated"] == made


def test_generated_spectra_without_targets_fit_by_their_signal(store: Store):
    first = named("First")
    bare = SpectraSet(first.axis, first.signal, meta=first.with_meta(name="Bare", origin="generated").meta)
    old, made = store.save_set(first), store.save_set(bare)
    assert in_hand(opened(set=old[:12], generated=made[:12]))["generated"] == made


def test_a_generator_without_conditions_fits_whatever_the_targets(store: Store):
    first = named("First")
    fitted = PCAGenerator(n_latent=2).fit(first)
    model = store.save_model(fitted, registry="generator", member="pca", train=first, seed=0)
    fewer = store.save_set(first.with_targets(["Cu2+"]))
    assert in_hand(opened(set=fewer[:12], model=model[:12]))["model"] == model


def test_a_generator_of_another_axis_is_put_down(store: Store):
    first = named("First")
    fitted = PCAGenerator(n_latent=2).fit(first)
    model = store.save_model(fitted, registry="generator", member="pca", train=first, seed=0)
    other = store.save_set(named("Other", n_channels=30))
    app = opened(model=model[:12])
    picker(app, "set").set_value(other).run()
    assert in_hand(app)["model"] is None
    assert "model came from another data set" in notices(app)


@pytest.mark.parametrize("page", ["generation/sample", "comparison/latent_map", "generation/train"])
def test_a_page_says_itself_that_the_model_it_needs_is_damaged(page, store: Store, monkeypatch: pytest.MonkeyPatch):
    """What comes up while a page runs is not kept for the next click."""
    first = named("First")
    fitted = PCAGenerator(n_latent=2).fit(first)
    model = store.save_model(fitted, registry="generator", member="pca", train=first, seed=0)
    hand = {"set": store.save_set(first)[:12], "generated": store.save_set(generated_from(first))[:12]}

    def refuse(*arrays):
        raise ReadError("The arrays do not fit.")

    monkeypatch.setattr("spectra_core.store.models.fitted_member", refuse)
    warnings = [one.value for one in opened(f"pages/{page}.py", model=model[:12], **hand).warning]
    assert sum("The arrays do not fit" in one for one in warnings) == 1


def test_generated_spectra_of_another_frame_are_refused(store: Store):
    first, other = named("First"), named("Other", n_channels=30)
    old, made = store.save_set(first), store.save_set(generated_from(other))
    app = opened(set=old[:12])
    picker(app, "generated").set_value(made).run()
    assert in_hand(app)["generated"] is None
    assert "does not belong to First" in notices(app)


def test_generated_and_experimental_sets_are_offered_apart(store: Store):
    first = named("First")
    store.save_set(first)
    store.save_set(generated_from(first))
    app = opened()
    assert picker(app, "set").options == ["First"]
    assert picker(app, "generated").options == ["New ones"]


def test_a_renamed_set_is_shown_under_its_new_name(store: Store):
    fingerprint = store.save_set(named("First"))
    app = opened(set=fingerprint[:12])
    store.rename_set(fingerprint, "Cuvette, Tuesday")
    app.run()
    assert picker(app, "set").options == ["Cuvette, Tuesday"]


def test_a_page_without_data_says_what_is_missing_and_how_to_get_it(store: Store):
    app = opened(TRAIN)
    assert app.info[0].value.startswith("No spectra yet.")
    assert "Load the demo" in [button.label for button in app.button]


def test_sets_without_targets_can_be_in_hand(store: Store):
    bare = SpectraSet(SpectralAxis(np.arange(8.0)), np.random.default_rng(0).normal(size=(12, 8)))
    fingerprint = store.save_set(bare)
    assert in_hand(opened(TRAIN, set=fingerprint[:12]))["set"] == fingerprint


def test_a_browser_that_still_shows_an_earlier_picker_takes_nothing_back(store: Store):
    """The run that adopted a job's result may be overtaken by one that carries the pickers of before."""
    one, two = store.save_set(named("First")), store.save_set(named("Second", seed=1))
    app = opened(set=one)
    assert picker(app, "set").key != picker(opened(set=two), "set").key


def test_a_simulated_set_says_so_on_every_page_whatever_it_is_called(store: Store):
    simulated = store.save_set(beer_lambert_set(n_spectra=20).with_meta(name="Cuvette, Tuesday"))
    measured = store.save_set(beer_lambert_set(n_spectra=20).with_meta(name="Measured", origin="measured"))
    words = "The data set in hand is simulated"
    for fingerprint, told in ((simulated, True), (measured, False)):
        app = opened(set=fingerprint)
        for page in ("pages/data/explore.py", "pages/generation/train.py", "pages/calibration/experiment.py"):
            assert any(words in caption.value for caption in app.switch_page(page).run().caption) is told

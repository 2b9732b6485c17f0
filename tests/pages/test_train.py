"""Training a generator, as a visitor does it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.contracts import SILENT
from spectra_core.generators import GENERATORS, PCAGenerator
from spectra_core.jobs import Jobs
from spectra_core.jobs.tasks import TASKS
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet
from spectra_core.store import Store
from spectra_core.training.plan import Epochs
from tests.conftest import beer_lambert_set

APP = str(Path(__file__).parents[2] / "app.py")
PAGE = "pages/generation/train.py"


@pytest.fixture
def fingerprint(store: Store) -> str:
    return store.save_set(beer_lambert_set(n_spectra=40).with_meta(name="Three salts"))


@pytest.fixture
def model(store: Store, fingerprint: str) -> str:
    spectra = store.load_set(fingerprint)
    rows = [3, 8, 13, 18, 23, 28]
    fitted = PCAGenerator(n_latent=3).fit(spectra.take([row for row in range(40) if row not in rows]))
    return store.save_model(
        fitted, registry="generator", member="pca", train=spectra, seed=0, extra={"held_out_rows": rows}
    )


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value[:12] if name in ("set", "model") else value
    return healthy(app.switch_page(PAGE).run())


def model_in_hand(app: AppTest) -> str | None:
    return next(box for box in app.selectbox if (box.key or "").startswith("picker_model_")).value


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def button(app: AppTest, label: str):
    return next(button for button in app.button if button.label == label)


def test_a_trained_generator_is_kept_in_hand_and_found_again_after_a_reload(fingerprint, store: Store, tmp_path: Path):
    app = opened(set=fingerprint)
    app.selectbox("generator").set_value("pca").run()
    app.slider("held_out_share").set_value(20)
    button(app, "Train").click().run()
    (record,) = Jobs(tmp_path).records()
    job = app.query_params["job"]
    assert record.arguments["held_out_share"] == 0.2
    assert Jobs(tmp_path).wait(record.id, timeout=180).state == "finished"
    healthy(app.run())
    (kept,) = store.models(trained_on=fingerprint)
    assert model_in_hand(app) == kept.id
    assert app.query_params["model"] == kept.id[:12]
    assert "Finished: Train" in app.info[0].value
    assert len(kept.held_out_rows) == 8
    again = AppTest.from_file(APP, default_timeout=60)
    again.query_params.update({"set": fingerprint[:12], "job": job})  # as a reload finds it
    again.run()
    assert model_in_hand(healthy(again)) == kept.id
    linked = opened(set=fingerprint, generator=GENERATORS["pca"].title, held_out_share="20")
    assert (linked.selectbox("generator").value, linked.slider("held_out_share").value) == ("pca", 20)


def test_a_stored_generator_is_judged_on_what_it_has_not_seen(fingerprint, model):
    app = opened(set=fingerprint, model=model)
    assert any("Five held-out spectra" in caption.value for caption in app.caption)
    (verdict,) = [one.value for one in app.markdown if "tells held-out spectra apart" in one.value]
    assert "Loss" not in verdict  # PCA is fitted in one step
    assert "Generate spectra with it" in [one.label for one in app.get("page_link")]
    assert {metric.label for metric in app.metric} == {
        "Parameters",
        "Active latent dimensions",
        "Information",
        "Median reconstruction RMSE",
    }


def test_on_another_set_of_the_same_frame_it_is_judged_on_that_set(store: Store, model):
    other = store.save_set(beer_lambert_set(n_spectra=30, seed=5).with_meta(name="Another day"))
    app = opened(set=other, model=model)
    assert any("Five spectra of “Another day”" in caption.value for caption in app.caption)


def test_stored_generators_are_listed_with_their_provenance(fingerprint, model):
    table = opened(set=fingerprint).dataframe[0].value
    assert table.loc[0, "Trained on"] == "Three salts"
    assert table.loc[0, "Held out"] == 6
    assert "Latent dimensions 3" in table.loc[0, "Options"]


def test_a_model_file_from_elsewhere_is_taken_in_hand(fingerprint, model, store: Store):
    content = store.export_model(model)
    store.delete_model(model)
    app = opened(set=fingerprint)
    app.file_uploader[0].upload("pca.safetensors", content, "application/octet-stream").run()
    button(app, "Take it in hand").click().run()
    assert model_in_hand(healthy(app)) == model


def test_a_file_that_is_no_model_is_refused_with_a_sentence(fingerprint):
    app = opened(set=fingerprint)
    app.file_uploader[0].upload("model.safetensors", b"PK\x03\x04 pickled", "application/octet-stream").run()
    button(app, "Take it in hand").click().run()
    assert not app.exception
    assert "can run code" in app.error[0].value


def test_a_generator_without_latent_space_shows_no_latent_dimensions(fingerprint, store: Store):
    spectra = store.load_set(fingerprint)
    fitted = GENERATORS["jitter"]().fit(spectra)
    jitter = store.save_model(fitted, registry="generator", member="jitter", train=spectra, seed=0)
    app = opened(set=fingerprint, model=jitter)
    assert not app.metric


@dataclass
class Toy(PCAGenerator):
    """Stands for a network that is neither VAE nor cVAE: its loss has parts of its own."""

    title: ClassVar[str] = "Toy network"
    epochs: Epochs = 3

    @property
    def history_(self) -> pd.DataFrame:
        """Return a curve whose parts nobody has heard of."""
        return pd.DataFrame({"epoch": [1, 2, 3], "squeeze": [3.0, 2.0, 1.0]})


def test_a_network_with_a_loss_of_its_own_shows_its_curve(fingerprint, store: Store, monkeypatch):
    monkeypatch.setitem(GENERATORS, "toy", Toy)
    arguments = {"set": fingerprint, "generator": "toy", "options": {"n_latent": 3}, "held_out_share": 0.2}
    ids = [TASKS["train"]({**arguments, "seed": seed}, SILENT, store)["model"] for seed in (0, 1)]
    app = opened(set=fingerprint, model=ids[0])
    assert any("in the last one: squeeze 1" in chart.proto.alt for chart in app.get("plotly_chart"))


def test_options_that_a_generator_refuses_cannot_be_trained(fingerprint):
    app = opened(set=fingerprint)
    latent = next(one for one in app.number_input if one.label == "Latent dimensions")
    assert (latent.min, latent.max) == (1, 4096)
    latent.set_value(-3).run()
    assert next(one for one in app.number_input if one.label == "Latent dimensions").value == 91
    assert not app.error


def test_a_training_that_ended_far_from_its_siblings_is_told(fingerprint, store: Store):
    spectra = store.load_set(fingerprint)
    vae = GENERATORS["vae"](n_hidden=4, n_latent=2, epochs=2).fit(spectra, seed=0)
    found = []
    for error in (0.25, 0.3, 0.8):
        curve = {**vae.weights_.curve, "reconstruction": np.array([1.0, error])}
        vae.weights_ = replace(vae.weights_, curve=curve)
        found.append(store.save_model(vae, registry="generator", member="vae", train=spectra, seed=0, extra={}))
    for one in found:
        warned = [box.value for box in opened(set=fingerprint, model=one).warning]
        assert any("ended far from 2 others" in said for said in warned) == (one == found[-1])


class TestPhysics:
    def test_is_judged_channel_by_channel(self, fingerprint, store: Store):
        spectra = store.load_set(fingerprint)
        fitted = GENERATORS["physics_residual"](physics="pure_components").fit(spectra)
        kept = store.save_model(fitted, registry="generator", member="physics_residual", train=spectra, seed=0)
        app = opened(set=fingerprint, model=kept)
        shown = {metric.label: metric.value for metric in app.metric}
        assert shown["Explained by physics alone"] == "over 99.9\xa0%"  # the set is additive, with little noise
        assert float(shown["Error in units of noise"]) == pytest.approx(1.0, abs=0.1)
        assert len(app.get("plotly_chart")) == 1

    def test_that_does_not_fit_is_said_before_training_and_another_is_taken(self, store: Store):
        key = store.save_set(beer_lambert_set(n_spectra=30).with_meta(quantity="Intensity"))
        app = opened(set=key)
        app.selectbox("generator").set_value("physics_residual").run()
        assert app.selectbox("train_physics").value == "pure_components"
        assert not button(app, "Train").disabled
        app.selectbox("train_physics").set_value("salt_simulator").run()
        assert "gives absorbance, and these spectra hold intensity" in app.warning[0].value
        assert "Pure components" in app.warning[0].value
        assert button(app, "Train").disabled

    def test_of_a_table_that_was_imported_is_shown_and_becomes_an_option(
        self, fingerprint, store: Store, tmp_path: Path
    ):
        positions = np.arange(200.0, 1010.0, 10.0)
        curves = np.array([np.exp(-(((positions - 810) / 100) ** 2)), np.exp(-(((positions - 394) / 50) ** 2))])
        table = SpectraSet(
            SpectralAxis(positions), curves, samples=pd.DataFrame({"id": ["eps_Cu", "eps_Ni"]}), meta=SetMeta("Table")
        )
        key = store.save_set(table)
        app = opened(set=fingerprint)
        app.selectbox("generator").set_value("physics_residual").run()
        app.selectbox("train_physics").set_value("beer_lambert").run()
        assert button(app, "Train").disabled
        app.selectbox("train_table").set_value(key).run()
        assert len(healthy(app).get("plotly_chart")) == 1
        assert any("no SO4 2" in caption.value for caption in app.caption)
        button(app, "Train").click().run()
        (record,) = Jobs(tmp_path).records()
        Jobs(tmp_path).cancel(record.id)
        options = record.arguments["options"]["physics"]["options"]
        assert list(options["absorptivities"]) == ["Cu2+", "Ni2+"]

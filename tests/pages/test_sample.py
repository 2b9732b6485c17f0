"""Drawing new spectra, as a visitor does it."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.generators import GENERATORS
from spectra_core.samplers import SAMPLERS
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set

APP = str(Path(__file__).parents[2] / "app.py")
HELD_OUT = range(40, 50)
SMALL: dict[str, dict[str, object]] = {
    "pca": {"n_latent": 4},
    "vae": {"epochs": 5, "n_hidden": 16, "n_latent": 4, "beta": 0.01},
    "cvae": {"epochs": 5, "n_hidden": 16, "n_latent": 4, "beta": 0.01},
}


def with_model(store: Store, member: str, spectra: SpectraSet | None = None) -> AppTest:
    """Open the page with a small set and a small model in hand."""
    spectra = beer_lambert_set(n_spectra=50) if spectra is None else spectra
    model = GENERATORS[member](**SMALL.get(member, {})).fit(spectra.take(range(40)), seed=0)
    fingerprint = store.save_set(spectra)
    model_id = store.save_model(
        model, registry="generator", member=member, train=spectra, seed=0, extra={"held_out_rows": list(HELD_OUT)}
    )
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["set"], app.query_params["model"] = fingerprint[:12], model_id[:12]
    return healthy(app.switch_page("pages/generation/sample.py").run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    assert not app.error, app.error
    return app


def kept(store: Store) -> SpectraSet:
    (record,) = [record for record in store.sets() if record.origin == "generated"]
    return store.load_set(record.fingerprint)


def charts(app: AppTest) -> int:
    return len(app.get("plotly_chart"))


def generate(app: AppTest) -> AppTest:
    return healthy(next(button for button in app.button if button.label == "Generate and save").click().run())


def test_the_same_spectra_under_another_name_are_told_to_be_kept_already(store: Store):
    app = generate(with_model(store, "pca"))
    first = kept(store).meta.name
    next(box for box in app.text_input if box.label == "Name of the set").set_value("Other").run()
    generate(app)
    assert kept(store).meta.name == first
    assert f"These spectra were kept already, as “{first}”" in " ".join(info.value for info in app.info)


@pytest.mark.parametrize("member", GENERATORS)
def test_one_click_keeps_a_labelled_set_and_takes_it_in_hand(member, store: Store):
    app = generate(with_model(store, member))
    made = kept(store)
    assert len(made) == 40  # as many as the training spectra
    assert made.meta.origin == "generated"
    assert made.target_names == beer_lambert_set().target_names
    assert app.query_params["generated"] == made.fingerprint[:12]
    assert "40 spectra are in the store" in app.info[0].value


def test_held_out_spectra_are_no_training_spectra(store: Store):
    """A held-out spectrum that no other resembles must not be drawn from."""
    spectra = beer_lambert_set(n_spectra=50)
    signal = spectra.signal.copy()
    signal[list(HELD_OUT)] += 1e6
    marked = SpectraSet(spectra.axis, signal, spectra.targets, target_info=spectra.target_info, meta=spectra.meta)
    generate(with_model(store, "pca", marked))
    assert kept(store).signal.max() < 1e3


def test_every_sampler_can_be_chosen(store: Store):
    app = with_model(store, "pca")
    for sampler, kind in SAMPLERS.items():
        healthy(app.selectbox(key="sample_sampler").set_value(sampler).run())
        assert kind.explanation in [caption.value for caption in app.caption]
        generate(app)
        made = store.load_set(max(store.sets(), key=lambda record: record.sequence).fingerprint)
        assert made.meta.provenance["sampler"]["method"] == kind.__name__


def test_an_option_cannot_leave_its_range_and_its_default_generates(store: Store):
    app = with_model(store, "pca")
    app.selectbox(key="sample_sampler").set_value("equalised").run()
    strength = next(box for box in app.number_input if box.label == "Strength")
    assert (strength.min, strength.max) == (0.0, 1.0)
    app = healthy(strength.set_value(2.0).run())
    assert next(box for box in app.number_input if box.label == "Strength").value == 1.0
    assert not app.error


def test_conditional_generator_is_asked_for_charge_balanced_concentrations(store: Store):
    app = with_model(store, "cvae")
    healthy(app.selectbox(key="sample_conditions").set_value("salt_box").run())
    generate(app)
    made = kept(store).targets
    assert np.abs(2 * made["Cu2+"] + 2 * made["Ni2+"] - 2 * made["SO4 2-"] - made["NO3-"]).max() < 1e-12
    provenance = kept(store).meta.provenance
    assert provenance["latent_given"]["method"] == "SimilarConcentrations"
    assert provenance["labelling"]["method"] == "AskedFor"


def test_conditional_generator_can_draw_latent_points_regardless_of_concentrations(store: Store):
    app = with_model(store, "cvae")
    healthy(app.get("button_group")[0].set_value(False).run())
    generate(app)
    provenance = kept(store).meta.provenance
    assert provenance["sampler"]["method"] == "AggregatePosterior"
    assert "latent_given" not in provenance


def test_teacher_labels_from_the_spectrum(store: Store):
    app = with_model(store, "pca")
    healthy(app.selectbox(key="sample_labels").set_value("spectral").run())
    healthy(app.selectbox(key="sample_teacher").set_value("ridge").run())
    app = generate(app)
    made = kept(store)
    assert made.meta.provenance["teacher"]["method"] == "Ridge"
    shown = next(table.value for table in app.dataframe if "low" in table.value)
    np.testing.assert_allclose(shown["value"], made.target_values.ravel())
    assert "Labels (CSV)" in {button.label for button in app.get("download_button")}


def test_number_and_seed_decide_the_set(store: Store):
    app = with_model(store, "pca")
    app.number_input(key="sample_n_spectra").set_value(7).run()
    healthy(app.number_input(key="sample_seed").set_value(5).run())
    generate(app)
    assert len(kept(store)) == 7
    assert kept(store).meta.provenance["seed"] == 5


def test_pictures_stand_before_anything_is_kept(store: Store):
    app = with_model(store, "cvae")
    # Latent map, spectra, marginals, pairs, charge, hull.
    assert charts(app) == 6
    assert not [record for record in store.sets() if record.origin == "generated"]
    assert {button.label for button in app.get("download_button")} >= {"Latent points (CSV)", "Hull distances (CSV)"}


def test_all_strategies_can_be_compared(store: Store):
    app = with_model(store, "cvae")
    before = charts(app)
    healthy(app.toggle(key="compare_strategies").set_value(True).run())
    assert charts(app) == before + 1
    assert [frame.value["strategy"].iloc[0] for frame in app.dataframe] == ["aggregate_posterior", "resampled"]


def test_a_set_without_targets_has_no_concentrations(store: Store):
    spectra = beer_lambert_set(n_spectra=50)
    bare = SpectraSet(spectra.axis, spectra.signal, meta=spectra.meta)
    app = with_model(store, "pca", bare)
    assert charts(app) == 2
    generate(app)
    assert kept(store).n_targets == 0


def test_unknown_charges_are_explained(store: Store):
    spectra = beer_lambert_set(n_spectra=50)
    plain = SpectraSet(spectra.axis, spectra.signal, spectra.targets, meta=spectra.meta)
    app = with_model(store, "pca", plain)
    assert any("the charge of Cu2+" in caption.value for caption in app.caption)

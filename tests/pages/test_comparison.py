"""The comparison pages and the explore page as a visitor meets them."""

import json
from base64 import b64decode
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.evaluation.sampling import sampled_rows
from spectra_core.generators import GENERATORS
from spectra_core.spectra import SetMeta, SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set, relabelled
from ui import umap_warm

APP = str(Path(__file__).parents[2] / "app.py")
HELD_OUT = tuple(range(0, 60, 5))


def generated_from(spectra: SpectraSet, model: str = "") -> SpectraSet:
    """Copies of three spectra, the rest weakened and noisier."""
    rng = np.random.default_rng(1)
    signal = 0.9 * spectra.signal + 3e-3 * rng.standard_normal(spectra.signal.shape)
    signal[1:4] = spectra.signal[1:4]
    meta = SetMeta("New ones", "generated", provenance={"model": model} if model else {})
    return SpectraSet(spectra.axis, signal, spectra.targets, target_info=spectra.target_info, meta=meta)


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value[:12]
    return healthy(app.switch_page(page).run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def chart_texts(app: AppTest) -> list[str]:
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def compared(app: AppTest) -> str:
    """Return what a page says first of the two sets, after a line about simulated ones."""
    return app.caption[1 if "simulated" in app.caption[0].value else 0].value


def words(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.markdown, *app.caption, *app.info, *app.warning])


@pytest.fixture
def in_hand(store: Store) -> dict[str, str]:
    """A set, a PCA generator trained on four fifths of it, and a generated set that names the generator."""
    spectra = beer_lambert_set()
    train = spectra.take([row for row in range(60) if row not in HELD_OUT])
    fitted = GENERATORS["pca"](n_latent=3).fit(train)
    model = store.save_model(
        fitted, registry="generator", member="pca", train=spectra, seed=0, extra={"held_out_rows": list(HELD_OUT)}
    )
    return {
        "set": store.save_set(spectra),
        "model": model,
        "generated": store.save_set(generated_from(spectra, model)),
    }


@pytest.fixture
def no_model(store: Store) -> dict[str, str]:
    spectra = beer_lambert_set()
    return {"set": store.save_set(spectra), "generated": store.save_set(generated_from(spectra))}


COMPARISONS = [f"pages/comparison/{name}.py" for name in ("spectra", "channels", "neighbours", "latent_map")]


@pytest.mark.parametrize("page", COMPARISONS)
class TestEveryComparison:
    def test_says_so_when_the_rows_trained_on_are_not_known(self, page, no_model):
        assert "which rows the generator was trained on is not known" in words(opened(page, **no_model))

    def test_says_which_spectra_were_held_out_and_every_figure_can_be_read_as_text(self, page, in_hand):
        app = opened(page, **in_hand)
        assert compared(app).startswith("“New ones” beside “Beer-Lambert mixtures”")
        assert "beside 48 that the generator was trained on and 12 that it never saw" in words(app)
        assert chart_texts(app)
        assert all(len(text) > 20 for text in chart_texts(app))
        assert any(expander.label == "How to read this" for expander in app.expander)
        assert app.get("download_button")

    def test_without_generated_spectra_says_what_is_missing(self, page, store: Store):
        app = opened(page, set=store.save_set(beer_lambert_set()))
        assert "No generat" in app.info[0].value


def test_spectra_are_shown_as_density_bands_and_single_lines(in_hand):
    app = opened("pages/comparison/spectra.py", **in_hand)
    for view, expected in (("Quantile bands", "quantile bands"), ("Single spectra", "18 single spectra")):
        healthy(app.segmented_control("spectra_view").set_value(view).run())
        assert expected in chart_texts(app)[0]
    app.segmented_control("spectra_view").set_value("Density")
    healthy(app.segmented_control("spectra_reference").set_value("held-out").run())
    assert "Densities" in chart_texts(app)[0]


def test_noise_of_generated_spectra_is_judged_and_given_back_to_smooth_ones(store: Store):
    spectra = beer_lambert_set(n_spectra=200, noise=1e-2)
    smooth = beer_lambert_set(n_spectra=200, noise=1e-3).with_meta(origin="generated", name="Smooth")
    hand = {"set": store.save_set(spectra), "generated": store.save_set(smooth)}
    app = opened("pages/comparison/channels.py", **hand)
    assert float(metrics(app)["Noise, ratio to training"]) < 0.5
    healthy(app.toggle("noise_given_back").set_value(True).run())
    assert 0.9 < float(metrics(app)["Noise, ratio to training"]) < 1.1


def test_replicates_are_set_beside_the_noise(store: Store):
    base = beer_lambert_set(40)
    rng = np.random.default_rng(2)
    signal = np.repeat(base.signal, 2, axis=0) + 1e-2 * rng.standard_normal((80, 50))
    spectra = SpectraSet(
        base.axis,
        signal,
        base.targets.loc[np.repeat(np.arange(40), 2)].reset_index(drop=True),
        target_info=base.target_info,
        samples=pd.DataFrame({"group": np.repeat(np.arange(40), 2).astype(str)}),
    )
    hand = {
        "set": store.save_set(spectra),
        "generated": store.save_set(beer_lambert_set(30).with_meta(origin="generated")),
    }
    said = words(opened("pages/comparison/channels.py", **hand))
    # White noise alone: both read the same, but for bands that coarse channels do not resolve.
    ratio = float(said.split("Replicates of the training set differ by ")[1].split()[0])
    assert 0.3 < ratio < 1.1


def test_copies_are_counted_and_pairs_can_be_stepped_through(in_hand):
    app = opened("pages/comparison/neighbours.py", **in_hand)
    # Copies of rows 1 to 3, none of which is held out.
    assert metrics(app)["Exact copies"] == "3 of 60"
    assert "distance 0 (absorbance)" in words(app)
    healthy(next(button for button in app.button if button.label == "Farthest").click().run())
    assert app.number_input("neighbour_rank").value == 60
    healthy(app.number_input("neighbour_rank").set_value(59).run())
    assert "distance 0 (absorbance)" not in words(app)


def test_neighbours_among_similar_concentrations_and_by_other_distances(in_hand):
    app = opened("pages/comparison/neighbours.py", **in_hand)
    healthy(app.toggle("neighbour_similar").set_value(True).run())
    healthy(app.selectbox("neighbour_metric").set_value("noise_weighted").run())
    assert "noise units" in words(app)
    healthy(app.slider("neighbour_window").set_value(0.05).run())
    healthy(app.segmented_control("neighbour_reference").set_value("held-out").run())
    assert "have no held-out spectrum in the window" in words(app)


def test_memorisation_needs_held_out_spectra(no_model):
    app = opened("pages/comparison/neighbours.py", **no_model)
    assert metrics(app)["Nearer to training"] == "not known"


def test_map_of_the_latent_space_and_of_the_channels(in_hand):
    app = opened("pages/comparison/latent_map.py", **in_hand)
    assert "Score on PC 1, units of the prior" in chart_texts(app)[0]
    healthy(app.segmented_control("map_space").set_value("channels").run())
    assert "Score on PC 1, unit of the signal" in chart_texts(app)[0]
    assert 0.5 < float(metrics(app)["Trustworthiness"]) <= 1


def markers(app: AppTest) -> dict[tuple[str, int], float]:
    """Where every marker of the map lies, by the role and the row that it stands for."""
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    drawn = {}
    for trace in figure["data"]:
        x = np.frombuffer(b64decode(trace["x"]["bdata"]), dtype=trace["x"]["dtype"])
        drawn |= {(role, sample): at for (role, sample, _), at in zip(trace["customdata"], x, strict=True)}
    return drawn


def test_a_random_part_of_many_markers_is_drawn_each_with_its_own_row(in_hand, monkeypatch):
    every = markers(opened("pages/comparison/latent_map.py", **in_hand))
    assert len(every) == 120
    monkeypatch.setattr("ui.map_panel.MOST_MARKERS", 20)
    app = opened("pages/comparison/latent_map.py", **in_hand)
    sizes = {"training": 48, "held-out": 12, "generated": 60}
    asked = {(role, row) for role, size in sizes.items() for row in sampled_rows(size, role, 20)}
    assert markers(app) == {marker: every[marker] for marker in asked}
    assert "20 of 48 training, 20 of 60 generated spectra" in words(app)
    assert markers(healthy(app.toggle("map_every").set_value(True).run())) == every


def colour_titles(app: AppTest) -> list[str]:
    figures = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    axes = [figure["layout"].get("coloraxis", {}) for figure in figures]
    return [axis["colorbar"]["title"]["text"] for axis in axes if axis]


def test_map_is_coloured_by_concentration_errors_and_density(in_hand):
    app = opened("pages/comparison/latent_map.py", **in_hand)
    assert colour_titles(app) == []
    for kind, title in (
        ("target", "Cu²⁺, mol/L"),
        ("label error", "Label \u2212 reading: Cu²⁺, mol/L"),
        ("density", "log₁₀ of density, usual = 0"),
        ("reconstruction error", "RMSE, absorbance"),
    ):
        healthy(app.selectbox("map_colour").set_value(kind).run())
        assert colour_titles(app) == [title]
    healthy(app.selectbox("map_colour").set_value("label error").run())
    healthy(app.selectbox("map_target").set_value("NO3-").run())
    assert colour_titles(app) == ["Label \u2212 reading: NO₃⁻, mol/L"]


def test_latent_space_is_walked_through_along_a_dimension_and_between_spectra(in_hand):
    app = opened("pages/comparison/latent_map.py", **in_hand)
    assert "3 of 3 dimensions are active" in words(app)
    assert any("41 steps over latent dimension 1" in text for text in chart_texts(app))
    healthy(app.selectbox("walk_dimension").set_value(3).run())
    assert any("41 steps over latent dimension 3" in text for text in chart_texts(app))
    healthy(app.segmented_control("walk_way").set_value("Between two spectra").run())
    assert any("41 steps over share of the way, \N{MINUS SIGN}0.5 to 1.5" in text for text in chart_texts(app))
    healthy(app.selectbox("walk_to").set_value(app.selectbox("walk_from").value).run())
    assert "Choose two different spectra." in words(app)


def test_a_conditional_generator_is_walked_at_chosen_concentrations(store: Store):
    spectra = beer_lambert_set()
    fitted = GENERATORS["cvae"](n_latent=2, epochs=2).fit(spectra)
    model = store.save_model(fitted, registry="generator", member="cvae", train=spectra, seed=0)
    hand = {"set": store.save_set(spectra), "model": model, "generated": store.save_set(generated_from(spectra, model))}
    app = opened("pages/comparison/latent_map.py", **hand)
    healthy(app.toggle("walk_fixed").set_value(True).run())
    healthy(app.number_input("walk_target_Cu2+").set_value(0.25).run())
    assert any("41 steps over latent dimension" in text for text in chart_texts(app))


def test_pca_stands_where_umap_will_be_once_it_is_warm(in_hand, monkeypatch):
    app = opened("pages/comparison/latent_map.py", **in_hand)
    with monkeypatch.context() as cold:
        cold.setattr("ui.umap_warm.is_warm", lambda: False)
        healthy(app.segmented_control("map_method").set_value("UMAP").run())
    assert "Score on PC 1" in chart_texts(app)[0]
    assert "The PCA map stands here until then" in words(app)
    umap_warm._compiling().join()
    healthy(app.run())
    assert "UMAP 1" in chart_texts(app)[0]
    assert "Laid out by the 15 nearest neighbours of each spectrum." in words(app)


def test_few_spectra_are_mapped_with_fewer_neighbours_and_equal_ones_get_a_sentence(store: Store):
    umap_warm._compiling().join()
    spectra = beer_lambert_set().take([0, 1, 2, 3, 4, 5])
    hand = {"set": store.save_set(spectra), "generated": store.save_set(spectra.with_meta(origin="generated"))}
    app = opened("pages/comparison/latent_map.py", **hand)
    healthy(app.segmented_control("map_method").set_value("UMAP").run())
    assert "by the 11 nearest neighbours of each spectrum, for there are 12 spectra only" in words(app)
    equal = spectra.take([0] * 6)
    hand = {"set": store.save_set(equal), "generated": store.save_set(equal.with_meta(origin="generated"))}
    app = opened("pages/comparison/latent_map.py", **hand)
    for method in ("UMAP", "t-SNE"):
        app.segmented_control("map_method").set_value(method).run()
        assert not app.exception
        assert [one.value.partition(",")[0] for one in app.error] == ["All 12 spectra are equal"]


def test_a_neighbour_map_is_offered_as_a_job_and_shown_once_it_is_there(in_hand, store: Store):
    from spectra_core.contracts import SILENT
    from spectra_core.jobs.tasks import TASKS

    app = opened("pages/comparison/latent_map.py", **in_hand)
    healthy(app.segmented_control("map_method").set_value("t-SNE").run())
    assert any(button.label == "Draw the map" for button in app.button)
    TASKS["map"]({**in_hand, "method": "tsne", "seed": 0}, SILENT, store)
    healthy(app.run())
    assert "t-SNE 1" in chart_texts(app)[0]


class TestLargeSets:
    @pytest.fixture(autouse=True)
    def small_samples(self, monkeypatch):
        monkeypatch.setattr("ui.comparison.MOST_COMPARED", 20)

    @pytest.mark.parametrize("page", COMPARISONS)
    def test_every_page_compares_a_part_and_says_so(self, page, in_hand):
        app = opened(page, **in_hand)
        assert "A random part is compared, the same at every visit: 20 of 48 training, 20 of 60 generated" in words(app)

    def test_neighbours_are_searched_by_a_job_among_all_spectra(self, in_hand, store: Store):
        from spectra_core.contracts import SILENT
        from spectra_core.jobs.tasks import TASKS

        page = "pages/comparison/neighbours.py"
        app = opened(page, **in_hand)
        assert any(button.label == "Find the neighbours" for button in app.button)
        TASKS["neighbours"]({**in_hand, "metric": "euclidean", "window": None, "seed": 0}, SILENT, store)
        app = opened(page, **in_hand)
        assert metrics(app)["Exact copies"] == "3 of 60"
        assert "60 of 60 generated" in words(app)
        # Rows are those of the whole sets: the copies lie at no distance from what they were copied from.
        assert "Generated spectrum 2 and experimental spectrum 2: distance 0 (absorbance)" in words(app)

    def test_explore_looks_at_a_part(self, store: Store, monkeypatch):
        monkeypatch.setattr("spectra_core.evaluation.sampling.MOST_JUDGED", 30)
        spectra, (one, other) = beer_lambert_set(), sampled_rows(60, "checked", 30)[[4, 25]]
        targets = spectra.targets
        targets.iloc[[one, other]] = spectra.target_values[[other, one]]
        app = opened(EXPLORE, set=store.save_set(relabelled(spectra, targets)))
        assert "Looked at: a random part of 30 of 60 spectra." in words(app)
        assert "2 of 30 spectra carry a label" in words(app)
        wrong = next(frame.value for frame in app.dataframe if "fits_label_of" in frame.value)
        assert set(wrong["id"]) == {str(one + 1), str(other + 1)}


EXPLORE = "pages/data/explore.py"


def test_explore_says_first_whether_the_set_is_fit_and_leads_on(store: Store):
    rng = np.random.default_rng(0)
    fit = beer_lambert_set(n_spectra=60).with_targets(["Cu2+", "Ni2+"])
    blind = relabelled(fit, pd.DataFrame(rng.uniform(size=(60, 2)), columns=fit.target_names))
    verdicts = {fit: "**Fit for a calibration**, as far", blind: "**Hardly fit", fit.with_targets([]): "**Not fit"}
    for spectra, expected in verdicts.items():
        app = AppTest.from_file(APP, default_timeout=60)
        app.query_params["set"] = store.save_set(spectra)[:12]
        app.switch_page(EXPLORE).run()
        said = [one.value for one in app.markdown]
        assert any(one.startswith(expected) for one in said), said
        assert {one.label for one in app.get("page_link")} >= {"What would help?", "Calibrate"}


def test_explore_names_the_dependent_target_and_counts(store: Store):
    app = opened(EXPLORE, set=store.save_set(beer_lambert_set()))
    assert metrics(app)["Independent targets"] == "3 of 4"
    assert "NO₃⁻ = 2 Cu²⁺ + 2 Ni²⁺ \N{MINUS SIGN} 2 SO₄²⁻" in words(app)
    assert metrics(app)["Exact duplicates"] == "0"
    assert len(chart_texts(app)) == 4


def test_explore_names_constant_channels_and_duplicates(store: Store):
    signal = beer_lambert_set().signal.copy()
    signal[:, 7] = 0.25
    signal[5] = signal[6]
    base = beer_lambert_set()
    spectra = SpectraSet(base.axis, signal, base.targets[["Cu2+"]], meta=SetMeta("Spoiled"))
    app = opened(EXPLORE, set=store.save_set(spectra))
    assert f"1 of 50 channels hold one and the same value in every spectrum: {base.axis.positions[7]:g} nm" in words(
        app
    )
    assert metrics(app)["Exact duplicates"] == "1"
    assert "Distribution of Cu²⁺" in " ".join(chart_texts(app))


def test_explore_shows_a_set_without_targets_and_one_too_small_for_outliers(store: Store):
    base = beer_lambert_set()
    app = opened(EXPLORE, set=store.save_set(SpectraSet(base.axis, base.signal[:3], meta=SetMeta("Three"))))
    assert metrics(app)["Independent targets"] == "no targets"
    assert "At least four spectra" in words(app)


def test_explore_shows_twenty_targets_a_few_at_a_time(store: Store):
    base = beer_lambert_set()
    many = pd.DataFrame(np.random.default_rng(0).uniform(size=(60, 20)), columns=[f"ion {i}" for i in range(20)])
    app = opened(EXPLORE, set=store.save_set(SpectraSet(base.axis, base.signal, many, meta=SetMeta("Many"))))
    assert len(app.multiselect("design_targets").value) == 8

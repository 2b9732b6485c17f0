"""Every figure, drawn by plotly in a real browser from real tables: marks are there, and the console is silent."""

import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path

import numpy as np
import pandas as pd
import plotly
import plotly.graph_objects as go
import pytest

import spectra_core.figures
from spectra_core.datasets import simulator
from spectra_core.evaluation.channels import noise
from spectra_core.evaluation.channels import statistics as channel_tables
from spectra_core.evaluation.errors.regression_errors import error_summary, errors_by_concentration, errors_by_value
from spectra_core.evaluation.examples import examples, spectra_rows
from spectra_core.evaluation.labels import concentration_strategies as asked_for
from spectra_core.evaluation.labels.label_errors import label_errors
from spectra_core.evaluation.latent.learning import latent_dimensions, reconstructions
from spectra_core.evaluation.latent.maps import latent_map
from spectra_core.evaluation.latent.strategies import drawn_latent_map, strategy_points
from spectra_core.evaluation.latent.traversal import walk_along
from spectra_core.evaluation.physics import checks
from spectra_core.evaluation.similarity.known_bad import KNOWN_BAD
from spectra_core.evaluation.similarity.metrics import METRICS
from spectra_core.evaluation.similarity.neighbours import neighbours, pair_difference
from spectra_core.evaluation.suitability.outliers import outliers
from spectra_core.experiment import Experiment, run
from spectra_core.figures import calibration as use
from spectra_core.figures import (
    channels,
    explore,
    fidelity,
    forest,
    forward_model,
    gains,
    imports,
    learn,
    physics,
    regression,
    spectra,
    strategies,
    training,
    traversal,
)
from spectra_core.figures import latent_map as maps
from spectra_core.figures import neighbours as nearest
from spectra_core.figures import simulator as simulated
from spectra_core.generators import GENERATORS
from spectra_core.spectra import SpectralAxis, SpectraSet, Target
from tests.browser.conftest import Visitor

pytestmark = pytest.mark.browser

PLACE = {"x_label": "PC 1", "y_label": "PC 2"}
LABELS = {"axis_label": "Wavelength, nm", "signal_label": "Absorbance"}
IONS = ("Cu2+", "SO4 2-", "NH4+", "NO3-", "Ni2+", "Cl-", "glucose", "K+")
LINK = '<a href="https://example.org">a link</a>'
STUDY = {
    "arms": [{"name": "Baseline", "kind": "baseline"}, {"name": "Duplicates", "kind": "duplicate_rows"}],
    "regressors": ["pls"],
    "n_folds": 3,
    "reference": "baseline",
}

DRAW = """async ({data, layout}) => {
  const place = document.getElementById('place');
  await Plotly.newPlot(place, data, layout, {plotGlPixelRatio: 1});
  const full = place._fullData.filter(trace => trace.visible === true);
  const isGl = trace => /gl$|^splom$/.test(trace.type);
  const marks = place.querySelectorAll(
    '.trace path, .trace image, .hm image, .point, .bars path, .shapelayer path, .imagelayer image, .boxlayer path'
  ).length;
  const links = place.querySelectorAll('svg a').length;
  // Markers by WebGL are what has a colour on its canvases: lines of the grid are grey.
  const coloured = canvas => {
    const flat = Object.assign(document.createElement('canvas'), {width: canvas.width, height: canvas.height});
    const pen = flat.getContext('2d');
    pen.drawImage(canvas, 0, 0);
    const pixels = pen.getImageData(0, 0, flat.width, flat.height).data;
    for (let i = 0; i < pixels.length; i += 4)
      if (pixels[i + 3] > 40 && Math.max(...pixels.subarray(i, i + 3)) - Math.min(...pixels.subarray(i, i + 3)) > 40)
        return true;
    return false;
  };
  const gl = full.some(isGl) ? [...place.querySelectorAll('.gl-canvas')].some(coloured) : null;
  const words = [...place.querySelectorAll('svg text')].map(text => text.textContent).join(' | ');
  Plotly.purge(place);
  return {marks, gl, links, words};
}"""


def sets_of(n_spectra: int, names: tuple[str, ...]) -> dict[str, SpectraSet]:
    rng = np.random.default_rng(0)
    axis = SpectralAxis(np.linspace(200.0, 800.0, 24))
    bands = rng.random((len(names), 24))
    info = [Target(name, "mol/L") for name in names]

    def draw(n: int) -> SpectraSet:
        values = rng.random((n, len(names)))
        signal = values @ bands + 0.01 * rng.standard_normal((n, 24))
        return SpectraSet(axis, signal, pd.DataFrame(values, columns=list(names)), target_info=info)

    return {"training": draw(n_spectra), "held-out": draw(max(5, n_spectra // 8)), "generated": draw(n_spectra)}


def figures_of_spectra(sets: dict[str, SpectraSet]) -> dict[str, go.Figure]:
    """Figures that do not ask for targets, by their function and what they show."""
    train, made = sets["training"], sets["generated"]
    histograms, statistics = channel_tables.signal_histograms(sets), channel_tables.channel_statistics(sets)
    near, table = neighbours(sets), latent_map(sets)
    generator = GENERATORS["pca"](n_latent=2).fit(train)
    posterior = generator.encode(train)
    steps, walked = walk_along(generator, train, 1)
    lines = spectra_rows(sets, {"training": np.arange(5)})
    apart, limits = outliers(train)
    beyond = checks.physics(sets)
    kept = checks.physics_limits(beyond)
    return {
        "density": spectra.density(histograms, saturation=0.5, **LABELS),
        "density_comparison": spectra.density_comparison(histograms, **LABELS),
        "quantile_fan": spectra.quantile_fan(statistics, **LABELS),
        "single_spectra": spectra.single_spectra(examples(sets), **LABELS),
        "difference_strips": channels.difference_strips(
            channel_tables.channel_differences(sets), noise.noise_fidelity(sets), statistics, **LABELS
        ),
        "correlation_images": channels.correlation_images(
            channel_tables.channel_correlation(sets), axis_label=LABELS["axis_label"]
        ),
        "duel": nearest.duel(
            pair_difference(sets, 0, "training", int(near["nearest_training"][0])),
            role="generated",
            reference="training",
            **LABELS,
        ),
        "distance_distributions": nearest.distance_distributions(
            {"generated": near}, column="distance_training", label="Distance"
        ),
        "map_scatter": maps.map_scatter(table, **PLACE),
        "walk_figure": traversal.walk_figure(
            steps, walked, way_label="Dimension 1", range_of_data=statistics, limit=0.5, **LABELS
        ),
        "outlier_scatter": explore.outlier_scatter(apart, confidence=limits.confidence),
        "drawn_points": strategies.drawn_points(drawn_latent_map(posterior, posterior.mean)),
        "strategy_panels": strategies.strategy_panels(strategy_points(posterior)),
        "drawn_spectra": strategies.drawn_spectra(
            statistics[statistics["role"] != "held-out"], examples({"generated": made}), **LABELS
        ),
        "import_preview": imports.import_preview(
            lines.rename(columns={"sample": "spectrum"}).assign(used=True), **LABELS
        ),
        "offending_shares": physics.offending_shares(
            checks.physics_summary(beyond, kept), confidence=checks.CONFIDENCE
        ),
        "spectrum_and_mixture": physics.spectrum_and_mixture(
            checks.mixture_residual(sets, "generated", 0), role="generated", **LABELS
        ),
        "information_by_dimension": training.information_by_dimension(latent_dimensions(posterior)),
        "reconstruction_panels": training.reconstruction_panels(reconstructions(generator, train), **LABELS),
    }


def figures_of_targets(sets: dict[str, SpectraSet]) -> dict[str, go.Figure]:
    """Figures that depend on how many targets there are and what they are called."""
    return figures_of_labels(sets) | figures_of_a_study(sets["training"])


def figures_of_labels(sets: dict[str, SpectraSet]) -> dict[str, go.Figure]:
    train, made = sets["training"], sets["generated"]
    labels = {info.name: info.label for info in train.target_info}
    first = train.target_names[0]
    readings = pd.DataFrame(
        {"role": "generated", "id": made.samples["id"], "target": first, "asked": made.targets[first], "predicted": 0.4}
    )
    found = {
        "map_scatter by target": maps.map_scatter(
            latent_map(sets), colour=f"target {first}", colour_label=labels[first], **PLACE
        ),
        "single_target": explore.single_target({"training": train.targets}, name=first, label=labels[first]),
        "concentration_marginals": strategies.concentration_marginals(
            asked_for.concentration_marginals(train.targets, made.targets), labels
        ),
        "distance_to_data": strategies.distance_to_data(asked_for.hull_distances(train.targets, made.targets)),
        "labels_and_readings": physics.labels_and_readings(
            readings, target=first, label=labels[first], reading="predicted", reading_label="read by the teacher"
        ),
    }
    if len(labels) > 1:
        shown = dict(list(labels.items())[:10])
        points = asked_for.concentration_points(train.targets, made.targets)
        found["concentration_design"] = explore.concentration_design({"training": train.targets}, labels=shown)
        found["concentration_pairs"] = strategies.concentration_pairs(points, labels)
    return found


def figures_of_a_study(train: SpectraSet) -> dict[str, go.Figure]:
    labels = {info.name: info.label for info in train.target_info}
    first = train.target_names[0]
    study = run(Experiment.from_document(STUDY), train.take(np.arange(min(len(train), 60)))).tables
    kinds = {"Baseline": "baseline", "Duplicates": "duplicate_rows"}
    units = dict.fromkeys(labels, "mol/L")
    compared = study["comparisons"][study["comparisons"]["arm"] != "Baseline"]
    rows = study["predictions"][study["predictions"]["target"] == first]
    sizes = pd.concat([error_summary(study["errors"]).assign(n_train=size) for size in (20, 40)])
    doses = pd.concat([compared.assign(family="Duplicates", ratio=ratio) for ratio in (1.0, 2.0)])
    one = {"target_label": labels[first]}
    return {
        "error_per_arm": regression.error_per_arm(study["errors"], arm_kinds=kinds, units=units),
        "forest": forest.forest(compared, arm_kinds=kinds, target_labels={}, smallest_effect=5.0, reference="Baseline"),
        "predicted_against_reference": regression.predicted_against_reference(rows, arm_kinds=kinds, **one),
        "error_by_concentration": regression.error_by_concentration(
            errors_by_concentration(rows), arm_kinds=kinds, unit="mol/L", **one
        ),
        "error_by_density": gains.error_by_density(
            errors_by_value(rows, rows["reference"], 3), arm_kinds=kinds, target=first, unit="mol/L"
        ),
        "learning_curves": gains.learning_curves(sizes, arm_kinds=kinds, units=units),
        "dose_response": gains.dose_response(doses, kinds={"Duplicates": "duplicate_rows"}, smallest_effect=5.0),
    }


def other_figures() -> dict[str, go.Figure]:
    """Figures whose tables do not grow with a set."""
    settings = simulator.PRESETS["msu_like"]
    tables = simulator.solution_tables(settings, {"CuSO4": 0.05, "NH4NO3": 0.1})
    history = pd.DataFrame({part: [3.0, 2.0, 1.5] for part in training.LOSS_PARTS}).assign(epoch=[1, 2, 3])
    judged = pd.DataFrame({"metric": list(METRICS), "value": 0.5, "floor": 0.6, "floor_low": 0.5, "floor_high": 0.7})
    judged["verdict"] = np.resize(list(fidelity.VERDICT_COLOUR), len(judged))
    judged["separation"] = np.linspace(-20.0, 20.0, len(judged))
    seen = judged.assign(verdict=np.resize(list(fidelity.VERDICT_MARK), len(judged)))
    names = {name: metric.title for name, metric in METRICS.items()}
    ions = simulator.simulate(settings, n_spectra=12, seed=0)
    residuals = asked_for.charge_residuals(ions, 1.1 * ions.targets)
    checked, _ = label_errors(ions)
    return {
        "stacked_contributions": simulated.stacked_contributions(
            tables["contributions"], tables["spectrum"], axis_label=settings.axis.label
        ),
        "species_bars": simulated.species_bars(tables["species"]),
        "identifiability_bars": simulated.identifiability_bars(simulator.identifiability(settings, n_points=3)),
        "training_curve": training.training_curve(history),
        "metric_distances": fidelity.metric_distances(
            judged, titles=names, better={name: metric.better for name, metric in METRICS.items()}
        ),
        "bench_matrix": fidelity.bench_matrix(
            pd.concat([seen.assign(defect=name) for name in KNOWN_BAD]),
            metric_titles=names,
            defect_titles={name: bad.title for name, bad in KNOWN_BAD.items()},
        ),
        "charge_balance": strategies.charge_balance(residuals),
        "suspicious_labels": physics.suspicious_labels(checked, target=ions.target_names[0], label="Cu2+, mol/L"),
    }


@pytest.fixture(scope="module")
def visitor(browser):
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    visiting = Visitor(context.new_page())
    visiting.page.on("pageerror", lambda error: visiting.errors.append(str(error)))
    visiting.page.on("console", visiting.heard)
    visiting.page.set_content("<html><body><div id='place' style='width:900px'></div></body></html>")
    visiting.page.add_script_tag(path=Path(plotly.__file__).parent / "package_data" / "plotly.min.js")
    yield visiting
    context.close()


def draw(visitor: Visitor, figures: dict[str, go.Figure]) -> dict[str, str]:
    """Draw each in turn; return the words in each."""
    words = {}
    for name, figure in figures.items():
        try:
            found = visitor.page.evaluate(DRAW, json.loads(figure.to_json()))
        except Exception as error:  # the browser's own sentence, with the figure it is about
            raise AssertionError(f"{name}: {error}") from error
        assert found["gl"] is not False, f"{name}: no marks by WebGL"
        assert found["gl"] or found["marks"], f"{name}: no marks"
        assert not found["links"], f"{name}: a name became a link"
        assert visitor.errors == [], name
        words[name] = found["words"]
    return words


def figures_of_use() -> dict[str, go.Figure]:
    """Figures of calibrations, of physics and of the lessons; their values are beside the point here."""
    ids, x, y = ["a", "b", "c"], np.array([300.0, 310.0, 320.0]), np.array([1.0, 2.0, 3.0])
    table = pd.DataFrame(
        {"id": ids, "position": x, "order": [1, 2, 3], "reference": y, "value": y, "held_out": y + 0.1}
    )
    table = table.assign(
        low=y - 0.5, high=y + 0.5, error=0.1 * y, flags=["", "", "Q residual"], coefficient=y, linear=True
    )
    region = pd.DataFrame({"slope": [0.9, 1.1, 1.0, 0.9], "offset": [0.0, 0.0, 0.2, 0.0]})
    covered = pd.DataFrame({"target": "Cu2+", "level": [0.8, 0.9, 0.95], "covered": [0.8, 0.88, 0.97]})
    ways = pd.DataFrame({"ratio": [0.0, 1.0] * 2, "way": np.repeat(["measured", "extended"], 2), "steps": [1, 1, 1, 2]})
    missed = table[["position"]].assign(spread=y, physics=0.5 * y, left_out=0.1 * y, noise=0.05 * y)
    blind = table[["position"]].assign(training=y, generated=y + 0.1, jitter_training=y, jitter_generated=-y)
    line, titles = {"slope": 1.0, "offset": 0.1, "target_label": "Cu2+, mol/L"}, {"target_label": "Cu2+, mol/L"}
    return {
        "predicted_with_region": use.predicted_with_region(table, region, **line),
        "regression_vector": use.regression_vector(table, **LABELS, **titles),
        "coverage_curve": use.coverage_curve(covered, {"Cu2+": "Cu2+"}),
        "beside_nearest": use.beside_nearest(pd.DataFrame({"position": x, "unknown": y, "near": y + 0.1}), **LABELS),
        "readings": use.readings(table, limits=(0.0, 4.0), **titles),
        "errors_in_order": use.errors_in_order(table, drift=0.1, **titles),
        "forward_model": forward_model.forward_model(missed, **LABELS),
        "molar_absorptivities": forward_model.molar_absorptivities(table.assign(component="Cu2+", absorptivity=y)),
        "training_steps": learn.training_steps(ways),
        "blind_spectra": learn.blind_spectra(blind, generated_first=True, told=True, **LABELS),
        "blind_spectra untold": learn.blind_spectra(blind, generated_first=False, told=False, **LABELS),
    }


def public_figures() -> set[str]:
    """The functions of the package that return a figure made from tables."""
    shared = {"styled", "styled_pairs", "pair_of_targets", "lay_image", "lines_over_difference", "with_room"}
    modules = [
        importlib.import_module(f"spectra_core.figures.{module.name}")
        for module in pkgutil.iter_modules(spectra_core.figures.__path__)
    ]
    return {
        name
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation is go.Figure
    } - shared


def named(n_targets: int) -> tuple[str, ...]:
    return IONS[:n_targets] if n_targets <= len(IONS) else tuple(f"ion number {i} of all" for i in range(n_targets))


def test_figures_of_thousands_of_spectra_are_drawn(visitor):
    sets = sets_of(3744, IONS[:2])
    draw(visitor, figures_of_spectra(sets) | figures_of_labels(sets))


@pytest.mark.parametrize("n_targets", [1, 8, 20])
def test_figures_of_targets_are_drawn(visitor, n_targets):
    words = draw(visitor, figures_of_targets(sets_of(8, named(n_targets))))
    if n_targets == 8:
        assert "SO₄²⁻" in words["concentration_design"]
        assert "NH₄⁺" in words["error_per_arm"]


def test_every_public_figure_is_drawn(visitor):
    sets = sets_of(8, IONS[:2])
    words = draw(visitor, figures_of_spectra(sets) | figures_of_targets(sets) | other_figures() | figures_of_use())
    assert [name for name, said in words.items() if "</" in said] == [], "markup of ours is shown letter by letter"
    assert public_figures() == {name.partition(" ")[0] for name in words}


def test_names_are_shown_letter_by_letter_and_never_become_links(visitor):
    words = draw(visitor, figures_of_targets(sets_of(8, (LINK, "<b>bold</b> & more"))))
    for name in ("concentration_marginals", "error_per_arm", "concentration_pairs", "map_scatter by target"):
        assert LINK.replace(" ", "") in re.sub(r"[ |]", "", words[name]), name


def test_a_figure_without_marks_is_noticed(visitor):
    values = [1.0, 2.0, 3.0]
    dimensions = [{"label": name, "values": values} for name in ("Cu2+", "Ni2+")]
    pair = go.Figure(go.Splom(dimensions=dimensions, showupperhalf=False, diagonal_visible=False))
    with pytest.raises(AssertionError, match="pair"):
        draw(visitor, {"pair": pair})

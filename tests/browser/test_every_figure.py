"""Every figure, drawn by plotly in a real browser from real tables: marks are there, and the console is silent."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import plotly
import pytest

from spectra_core.datasets import simulator
from spectra_core.evaluation.channels import noise
from spectra_core.evaluation.channels import statistics as channel_tables
from spectra_core.evaluation.errors.regression_errors import errors_by_concentration
from spectra_core.evaluation.examples import examples, spectra_rows
from spectra_core.evaluation.labels import concentration_strategies as asked_for
from spectra_core.evaluation.latent.learning import latent_dimensions, reconstructions
from spectra_core.evaluation.latent.maps import latent_map
from spectra_core.evaluation.latent.strategies import drawn_latent_map, strategy_points
from spectra_core.evaluation.latent.traversal import walk_along
from spectra_core.evaluation.physics import checks
from spectra_core.evaluation.similarity.neighbours import neighbours, pair_difference
from spectra_core.evaluation.suitability.outliers import outliers
from spectra_core.experiment import Experiment, run
from spectra_core.figures import (
    channels,
    explore,
    imports,
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

pytestmark = pytest.mark.browser

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
  await Plotly.newPlot(place, data, layout);
  const full = place._fullData.filter(trace => trace.visible === true);
  const isGl = trace => /gl$|^splom$/.test(trace.type);
  const marks = place.querySelectorAll(
    '.trace path, .trace image, .hm image, .point, .bars path, .shapelayer path, .imagelayer image, .boxlayer path'
  ).length;
  const links = place.querySelectorAll('svg a').length;
  let gl = true;
  if (full.some(isGl)) {
    const picture = () => Plotly.toImage(place, {format: 'png', width: 500, height: 400});
    const drawn = await picture();
    const hidden = full.filter(isGl).map(trace => trace.index);
    await Plotly.restyle(place, {'marker.opacity': 0}, hidden);
    gl = drawn !== await picture();
  }
  const words = [...place.querySelectorAll('svg text')].map(text => text.textContent).join(' | ');
  Plotly.purge(place);
  return {marks, gl, links, words, only_gl: full.length > 0 && full.every(isGl)};
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


def figures_of(sets: dict[str, SpectraSet]) -> dict:
    """Every figure that depends on how many spectra and targets there are, by name."""
    train, made = sets["training"], sets["generated"]
    labels = {info.name: info.label for info in train.target_info}
    first = train.target_names[0]
    histograms, statistics = channel_tables.signal_histograms(sets), channel_tables.channel_statistics(sets)
    near, table = neighbours(sets), latent_map(sets)
    generator = GENERATORS["pca"](n_latent=2).fit(train)
    posterior = generator.encode(train)
    steps, walked = walk_along(generator, train, 1)
    points = asked_for.concentration_points(train.targets, made.targets)
    lines = spectra_rows(sets, {"training": np.arange(5)})
    preview = lines.rename(columns={"sample": "spectrum"}).assign(used=True)
    readings = pd.DataFrame(
        {"role": "generated", "id": made.samples["id"], "target": first, "asked": made.targets[first], "predicted": 0.4}
    )
    apart, limits = outliers(train)
    beyond = checks.physics(sets)
    kept = checks.physics_limits(beyond)
    study = run(Experiment.from_document(STUDY), train.take(np.arange(min(len(train), 60)))).tables
    kinds = {"Baseline": "baseline", "Duplicates": "duplicate_rows"}
    units = dict.fromkeys(labels, "mol/L")
    compared = study["comparisons"][study["comparisons"]["arm"] != "Baseline"]
    rows = study["predictions"][study["predictions"]["target"] == first]
    place = {"x_label": "PC 1", "y_label": "PC 2"}
    found = {
        "density": spectra.density(histograms, saturation=0.5, **LABELS),
        "density comparison": spectra.density_comparison(histograms, **LABELS),
        "fan": spectra.quantile_fan(statistics, **LABELS),
        "single": spectra.single_spectra(examples(sets), **LABELS),
        "strips": channels.difference_strips(
            channel_tables.channel_differences(sets), noise.noise_fidelity(sets), statistics, **LABELS
        ),
        "correlation": channels.correlation_images(
            channel_tables.channel_correlation(sets), axis_label=LABELS["axis_label"]
        ),
        "duel": nearest.duel(
            pair_difference(sets, 0, "training", int(near["nearest_training"][0])),
            role="generated",
            reference="training",
            **LABELS,
        ),
        "distances": nearest.distance_distributions({"generated": near}, column="distance_training", label="Distance"),
        "map": maps.map_scatter(table, **place),
        "map by target": maps.map_scatter(table, colour=f"target {first}", colour_label=labels[first], **place),
        "walk": traversal.walk_figure(
            steps, walked, way_label="Dimension 1", range_of_data=statistics, limit=0.5, **LABELS
        ),
        "one target": explore.single_target({"training": train.targets}, name=first, label=labels[first]),
        "outliers": explore.outlier_scatter(apart, confidence=limits.confidence),
        "drawn points": strategies.drawn_points(drawn_latent_map(posterior, posterior.mean)),
        "strategy panels": strategies.strategy_panels(strategy_points(posterior)),
        "drawn spectra": strategies.drawn_spectra(
            statistics[statistics["role"] != "held-out"], examples({"generated": made}), **LABELS
        ),
        "marginals": strategies.concentration_marginals(
            asked_for.concentration_marginals(train.targets, made.targets), labels
        ),
        "hull": strategies.distance_to_data(asked_for.hull_distances(train.targets, made.targets)),
        "preview": imports.import_preview(preview, **LABELS),
        "readings": physics.labels_and_readings(
            readings, target=first, label=labels[first], reading="predicted", reading_label="read by the teacher"
        ),
        "shares": physics.offending_shares(checks.physics_summary(beyond, kept), confidence=checks.CONFIDENCE),
        "information": training.information_by_dimension(latent_dimensions(posterior)),
        "reconstructions": training.reconstruction_panels(reconstructions(generator, train), **LABELS),
        "errors": regression.error_per_arm(study["errors"], arm_kinds=kinds, units=units),
        "comparisons": regression.comparison_per_arm(compared, arm_kinds=kinds, rope=0.05, reference="Baseline"),
        "predicted": regression.predicted_against_reference(rows, arm_kinds=kinds, target_label=labels[first]),
        "by concentration": regression.error_by_concentration(
            errors_by_concentration(rows), arm_kinds=kinds, target_label=labels[first], unit="mol/L"
        ),
    }
    if len(labels) > 1:
        found["design"] = explore.concentration_design(
            {"training": train.targets}, labels=dict(list(labels.items())[:10])
        )
        found["pairs"] = strategies.concentration_pairs(points, labels)
    return found


@pytest.fixture
def page(visit):
    visitor = visit(width=1000)
    visitor.page.set_content("<html><body><div id='place' style='width:900px'></div></body></html>")
    visitor.page.add_script_tag(path=Path(plotly.__file__).parent / "package_data" / "plotly.min.js")
    return visitor


def draw(visitor, figures: dict) -> dict[str, str]:
    """Draw each in turn; return the words in each."""
    words = {}
    for name, figure in figures.items():
        try:
            found = visitor.page.evaluate(DRAW, json.loads(figure.to_json()))
        except Exception as error:  # the browser's own sentence, with the figure it is about
            raise AssertionError(f"{name}: {error}") from error
        assert found["gl"], f"{name}: no marks by WebGL"
        assert found["only_gl"] or found["marks"], f"{name}: no marks"
        assert not found["links"], f"{name}: a name became a link"
        assert visitor.errors == [], name
        words[name] = found["words"]
    return words


@pytest.mark.parametrize(("n_targets", "n_spectra"), [(1, 8), (2, 3744), (3, 8), (8, 3744), (20, 8), (2, 8)])
def test_every_figure_is_drawn(page, n_targets, n_spectra):
    names = IONS[:n_targets] if n_targets <= len(IONS) else tuple(f"ion number {i} of all" for i in range(n_targets))
    words = draw(page, figures_of(sets_of(n_spectra, names)))
    if n_targets == 8:
        assert "SO₄²⁻" in words["design"]
        assert "NH₄⁺" in words["errors"]


def test_names_are_shown_letter_by_letter_and_never_become_links(page):
    words = draw(page, figures_of(sets_of(8, (LINK, "<b>bold</b> & more"))))
    for name in ("marginals", "errors", "pairs", "map by target"):
        assert LINK in words[name].replace(" | ", ""), name


def test_figures_of_simulated_solutions_are_drawn(page):
    settings = simulator.PRESETS["msu_like"]
    tables = simulator.solution_tables(settings, {"CuSO4": 0.05, "NaNO3": 0.1})
    axis = {"axis_label": settings.axis.label}
    draw(
        page,
        {
            "contributions": simulated.stacked_contributions(tables["contributions"], tables["spectrum"], **axis),
            "species": simulated.species_bars(tables["species"]),
            "floors": simulated.identifiability_bars(simulator.identifiability(settings)),
        },
    )

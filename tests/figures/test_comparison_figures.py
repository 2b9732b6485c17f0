"""Comparison figures: what is drawn, in which colour, with which titles, at what size."""

import base64
import io

import numpy as np
import pandas as pd
import plotly.io
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from spectra_core.evaluation.channels.noise import noise_fidelity
from spectra_core.evaluation.channels.statistics import (
    channel_correlation,
    channel_differences,
    channel_statistics,
    signal_histograms,
)
from spectra_core.evaluation.examples import examples
from spectra_core.evaluation.labels.concentration_strategies import concentration_marginals, concentration_points
from spectra_core.evaluation.latent.maps import latent_map
from spectra_core.evaluation.latent.strategies import drawn_latent_map, strategy_points
from spectra_core.evaluation.similarity.neighbours import neighbours, pair_difference
from spectra_core.evaluation.suitability.outliers import outliers
from spectra_core.figures import alt_text, channels, explore, image, physics, spectra, strategies, theme, traversal
from spectra_core.figures import latent_map as map_figures
from spectra_core.figures import neighbours as neighbour_figures
from spectra_core.figures.theme import ROLE_COLOUR
from spectra_core.spectra import SpectralAxis, SpectraSet
from spectra_core.spectra.latent import LatentPosterior

LABELS = {"axis_label": "Wavelength, nm", "signal_label": "Absorbance"}


def _sets(n_spectra, n_channels, n_targets=2):
    rng = np.random.default_rng(0)
    axis = SpectralAxis(np.arange(float(n_channels)) + 190)

    def draw(n):
        shape = np.exp(-0.5 * ((np.arange(n_channels) - n_channels / 2) / (n_channels / 6)) ** 2)
        signal = 4 * rng.uniform(size=(n, 1)) * shape + 0.01 * rng.normal(size=(n, n_channels))
        targets = pd.DataFrame(rng.uniform(size=(n, n_targets)), columns=[f"ion {i}" for i in range(n_targets)])
        return SpectraSet(axis, signal, targets)

    return {"training": draw(n_spectra), "held-out": draw(max(20, n_spectra // 8)), "generated": draw(n_spectra)}


@pytest.fixture(scope="module")
def sets():
    return _sets(60, 40)


def walk(training, n_steps=41):
    """Steps of a walk that starts outside the data and is remote at its end, and a spectrum for each."""
    at = np.linspace(-1, 1, n_steps)
    steps = pd.DataFrame(
        {"step": range(n_steps), "at": at, "nearest": 1 + at, "remote": at > 0.61, "outside_range": at < -0.51}
    ).assign(channels_outside=0.25)
    signal = np.arange(n_steps)[:, None] + np.zeros(training.n_channels)
    spectra = pd.DataFrame(
        {
            "step": np.repeat(range(n_steps), training.n_channels),
            "position": np.tile(training.axis.positions, n_steps),
            "signal": signal.ravel(),
        }
    )
    return steps, spectra


def latent_space(n_spectra, n_latent=90):
    """Posteriors of so many spectra, and as many drawn points."""
    rng = np.random.default_rng(1)
    shape = (n_spectra, n_latent)
    return LatentPosterior(rng.normal(size=shape), np.full(shape, 0.5)), rng.normal(size=shape)


def _figures(sets):
    """Every comparison figure, by name."""
    histograms, statistics = signal_histograms(sets), channel_statistics(sets)
    differences, noise = channel_differences(sets), noise_fidelity(sets)
    nearest = neighbours(sets)
    table = latent_map(sets)
    apart, limits = outliers(sets["training"])
    labels = {name: f"{name}, mol/L" for name in sets["training"].target_names}
    single = pd.DataFrame(
        {"role": "generated", "sample": 0, "id": "1", "position": [190.0, 191.0], "signal": [0.0, 1.0]}
    )
    posterior, drawn = latent_space(len(sets["training"]))
    asked, labelled = sets["training"].targets, sets["generated"].targets
    readings = [
        pd.DataFrame({"role": role, "id": part.samples["id"], "target": "ion 0", "asked": part.targets["ion 0"]})
        for role, part in sets.items()
    ]
    return {
        "density": spectra.density(histograms, saturation=3.0, **LABELS),
        "density comparison": spectra.density_comparison(histograms, **LABELS),
        "fan": spectra.quantile_fan(statistics, **LABELS),
        "single": spectra.single_spectra(single, **LABELS),
        "strips": channels.difference_strips(differences, noise, statistics, **LABELS),
        "correlation": channels.correlation_images(channel_correlation(sets), axis_label="Wavelength, nm"),
        "duel": neighbour_figures.duel(
            pair_difference(sets, 0, "training", int(nearest["nearest_training"][0])),
            role="generated",
            reference="training",
            **LABELS,
        ),
        "distances": neighbour_figures.distance_distributions(
            {"generated": nearest}, column="distance_training", label="Distance, absorbance"
        ),
        "map": map_figures.map_scatter(table, x_label="PC 1", y_label="PC 2"),
        "map by ion": map_figures.map_scatter(
            table, x_label="PC 1", y_label="PC 2", colour="target ion 0", colour_label="ion 0, mol/L"
        ),
        "map by error": map_figures.map_scatter(
            table.assign(error=np.linspace(-1, 3, len(table))),
            x_label="PC 1",
            y_label="PC 2",
            colour="error",
            around_zero=True,
        ),
        "walk": traversal.walk_figure(
            *walk(sets["training"]), way_label="Share of the way", range_of_data=statistics, limit=0.5, **LABELS
        ),
        "design": explore.concentration_design({"training": sets["training"].targets}, labels=labels),
        "one target": explore.single_target({"training": sets["training"].targets}, name="ion 0", label="ion 0, mol/L"),
        "outliers": explore.outlier_scatter(apart, confidence=limits.confidence),
        "drawn points": strategies.drawn_points(drawn_latent_map(posterior, drawn)),
        "strategy panels": strategies.strategy_panels(strategy_points(posterior)),
        "drawn spectra": strategies.drawn_spectra(
            statistics[statistics["role"] != "held-out"], examples({"generated": sets["generated"]}), **LABELS
        ),
        "pairs": strategies.concentration_pairs(concentration_points(asked, labelled), labels),
        "marginals": strategies.concentration_marginals(concentration_marginals(asked, labelled), labels),
        "readings": physics.labels_and_readings(
            pd.concat(readings).assign(predicted=0.25),
            target="ion 0",
            label="ion 0, mol/L",
            reading="predicted",
            reading_label="read by the teacher",
        ),
    }


@pytest.fixture(scope="module")
def figures(sets):
    return _figures(sets)


class TestEveryFigure:
    def test_says_in_words_what_it_shows(self, figures):
        assert [name for name, figure in figures.items() if len(alt_text(figure)) <= 20] == []

    def test_lies_on_the_page_without_a_background_of_its_own(self, figures):
        grounds = {(figure.layout.paper_bgcolor, figure.layout.plot_bgcolor) for figure in figures.values()}
        assert grounds == {("rgba(0,0,0,0)", "rgba(0,0,0,0)")}

    def test_names_what_both_axes_measure(self, figures):
        for name in ("design", "pairs"):
            layout = figures[name].layout
            assert [layout.xaxis.title.text, layout.yaxis.title.text] == ["ion 0, mol/L", "ion 1, mol/L"]
        for name, figure in figures.items():
            for kind in ("xaxis", "yaxis"):
                assert any(figure.layout[key].title.text for key in figure.layout if key.startswith(kind)), name

    def test_is_the_same_to_the_byte_when_drawn_again(self, figures, sets):
        again = _figures(sets)
        for name, figure in figures.items():
            assert plotly.io.to_json(again[name]) == plotly.io.to_json(figure), name


@pytest.mark.parametrize(("n_spectra", "n_channels"), [(3744, 40), (400, 911)])
def test_no_figure_of_thousands_of_spectra_or_a_thousand_channels_weighs_1_megabyte(n_spectra, n_channels):
    """So one of both weighs less than 2, unless it draws every channel of every spectrum, which is too much here."""
    for name, figure in _figures(_sets(n_spectra, n_channels, n_targets=8)).items():
        assert len(plotly.io.to_json(figure)) < 1_000_000, name


def test_png_is_read_back_by_another_library():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 4), dtype=np.uint8)
    content = base64.b64decode(image.png_uri(pixels).removeprefix("data:image/png;base64,"))
    assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), pixels)


def test_density_is_opaque_where_most_spectra_are_and_clear_where_none_is():
    histogram = pd.DataFrame([[0, 9], [3, 0]], index=[0.5, 1.5], columns=[200.0, 201.0])
    opacity = image.density_pixels(histogram, "#0072B2")[..., 3]
    # The first row of a picture is its top: the highest signal.
    assert_array_equal(opacity, [[round(255 * (np.log(4) / np.log(10)) ** 0.8), 0], [0, 255]])


def test_places_on_a_walk_have_the_minus_of_the_axes_wherever_they_are_said(figures):
    figure, minus = figures["walk"], "\N{MINUS SIGN}"
    labels = [step.label for step in figure.layout.sliders[0].steps]
    assert [labels[0], labels[20], labels[-1]] == [f"{minus}1", "0", "1"]
    names = [trace.name for trace in figure.data if trace.name]
    assert f"first step, {minus}1" in names
    hover = [trace.hovertemplate for trace in figure.data if trace.hovertemplate]
    assert sum(f"at {minus}" in one for one in hover) > 3
    assert f"{minus}1 to 1" in alt_text(figure)
    assert not any("-" in one for one in [*labels, *names])
    assert not any("at -" in one for one in hover)


def test_a_falling_irregular_axis_is_drawn_rising_on_equal_steps():
    histogram = pd.DataFrame([[3, 2, 1]], index=[0.5], columns=[1000.0, 910.0, 900.0])
    grid = image.on_regular_grid(histogram)
    # Pixels span 875..1025 in three steps centred at 900, 950, 1000; 955 divides the channels 910 and 1000.
    assert_array_equal(grid, [[1, 2, 3]])


def test_wavenumbers_run_from_high_to_low_and_the_picture_turns_with_them():
    histograms = {"training": pd.DataFrame([[0, 9], [3, 0]], index=[0.5, 1.5], columns=[900.0, 1000.0])}
    figure = spectra.density(histograms, axis_label="Wavenumber, 1/cm", signal_label="Absorbance")
    assert_allclose(figure.layout.xaxis.range, [1050, 850])
    assert figure.layout.images[0].x == 1050
    content = base64.b64decode(figure.layout.images[0].source.partition(",")[2])
    opacity = np.asarray(Image.open(io.BytesIO(content)))[..., 3]
    assert_array_equal(opacity > 0, [[False, True], [True, False]])


def test_saturation_is_shaded_only_where_the_spectra_reach_it(sets):
    histograms = {"training": signal_histograms(sets)["training"]}
    assert len(spectra.density(histograms, saturation=3.0, **LABELS).layout.shapes) == 1
    assert len(spectra.density(histograms, saturation=30.0, **LABELS).layout.shapes) == 0


def test_roles_are_drawn_in_their_colours(figures):
    medians = {trace.name: trace.line.color for trace in figures["fan"].data if trace.name}
    assert medians == {
        name: ROLE_COLOUR[role]
        for name, role in (("Experimental", "training"), ("Held-out", "held-out"), ("Generated", "generated"))
    }


def test_at_most_200_single_spectra_are_drawn():
    many = pd.DataFrame({"role": "training", "sample": range(300), "id": "x", "position": 1.0, "signal": 0.0})
    assert len(spectra.single_spectra(many, **LABELS).data) == 200


def test_markers_of_a_map_carry_role_and_row(figures):
    trace = figures["map"].data[2]
    assert list(trace.customdata[4]) == ["generated", 4, "5"]


def test_p_values_of_zero_stay_on_the_strip(sets):
    differences, noise = channel_differences(sets), noise_fidelity(sets)
    differences["ks_p_adjusted"] = 0.0
    figure = channels.difference_strips(differences, noise, channel_statistics(sets), **LABELS)
    assert np.isfinite(np.concatenate([trace.y for trace in figure.data if trace.yaxis == "y5"])).all()


@pytest.mark.parametrize("reference", ["training", "held-out"])
def test_skewness_stands_beside_that_of_the_reference(sets, reference):
    statistics = channel_statistics(sets)
    figure = channels.difference_strips(
        channel_differences(sets), noise_fidelity(sets), statistics, reference=reference, **LABELS
    )
    drawn = {trace.line.color: trace.y for trace in figure.data if trace.yaxis == "y3"}
    assert list(drawn) == [ROLE_COLOUR[reference], ROLE_COLOUR["generated"]]
    expected = statistics.loc[statistics["role"] == reference, "skew"]
    assert_allclose(drawn[ROLE_COLOUR[reference]], expected, rtol=1e-6)


def test_coloured_markers_keep_a_legend_of_their_shapes(figures):
    shown = {trace.name: trace.marker.symbol for trace in figures["map by error"].data if trace.showlegend is not False}
    assert shown == {"Experimental": "circle", "Held-out": "square", "Generated": "diamond-open"}
    axis = figures["map by error"].layout.coloraxis
    # Zero is the middle; all but the largest 2 % of the values lie within.
    assert_allclose(axis.cmax, np.quantile(np.abs(np.linspace(-1, 3, 140)), 0.98))
    assert axis.cmin == -axis.cmax


def test_one_word_for_the_spectra_that_a_generator_was_trained_on(figures):
    named = [trace.name or "" for figure in figures.values() for trace in figure.data]
    titles = [note.text or "" for figure in figures.values() for note in figure.layout.annotations]
    assert not [word for word in [*named, *titles] if word.lower().startswith("training")]
    assert {"Experimental (neighbour)", "Generated"} <= {trace.name for trace in figures["duel"].data}


def test_a_band_shows_what_two_measurements_of_one_solution_differ_by(figures):
    band = next(shape for shape in figures["duel"].layout.shapes if shape.type == "rect")
    assert_allclose([band.y0, band.y1], [-1.96 * np.sqrt(2), 1.96 * np.sqrt(2)])
    assert band.yref == "y2"


def test_long_names_of_targets_are_cut_and_keep_their_unit(sets):
    long = {
        name: f"Tris(2,2'-bipyridine)ruthenium(II) chloride no. {i}, mmol/L"
        for i, name in enumerate(["ion 0", "ion 1", "ion 2"])
    }
    targets = sets["training"].targets.assign(**{"ion 2": 0.5})
    figure = explore.concentration_design({"training": targets}, labels=long)
    short = [one.label for one in figure.data[0].dimensions]
    assert all(max(map(len, label.split("<br>"))) <= 45 for label in short)
    eight = theme.wrapped(long["ion 0"], 13).split("<br>")
    assert (len(eight), eight[-1]) == (3, "mmol/L")
    assert max(map(len, eight)) <= 13


class TestWalk:
    def test_the_slider_moves_line_and_marker_and_starts_in_the_middle(self, figures):
        figure = figures["walk"]
        slider = figure.layout.sliders[0]
        assert (slider.active, len(slider.steps), slider.currentvalue.prefix) == (20, 41, "Share of the way: ")
        change, moved = slider.steps[30].args
        line, marker = (figure.data[number] for number in moved)
        assert (line.name, line.y[0], change["y"][0][0]) == ("at this step", 20, 30)
        assert np.flatnonzero(marker.marker.size).tolist() == [20]
        assert np.flatnonzero(change["marker.size"][1]).tolist() == [30]

    def test_stretches_beyond_the_data_are_shaded_to_half_a_step(self, figures):
        shaded = sorted((shape.x0, shape.x1) for shape in figures["walk"].layout.shapes if shape.type == "rect")
        # Steps of 0.05: outside below -0.51, remote above 0.61.
        assert_allclose(shaded, [(-1.025, -0.525), (0.625, 1.025)], atol=1e-9)

    def test_the_text_says_how_often_the_data_are_left(self, figures):
        assert "at 18 of them the walk has left the data" in alt_text(figures["walk"])


def test_few_spectra_are_counted_by_whole_numbers():
    targets = pd.DataFrame({"glucose": np.arange(21.0)})
    few = explore.single_target({"training": targets}, name="glucose", label="glucose, g/L")
    many = explore.single_target({"training": targets.assign(glucose=1.0)}, name="glucose", label="glucose, g/L")
    assert (few.layout.yaxis.dtick, many.layout.yaxis.dtick) == (1, None)


def test_correlations_do_not_read_as_1_unless_they_are():
    rows = [(0.0, 0.0, 1.0), (0.0, 1.0, 0.99963), (1.0, 0.0, -0.99996), (1.0, 1.0, 0.5)]
    table = pd.DataFrame(rows, columns=["position", "other_position", "correlation"]).assign(role="training")
    (image,) = channels.correlation_images(table, axis_label="Wavelength, nm").data
    assert [list(row) for row in image.text] == [["1", "0.9996"], ["\N{MINUS SIGN}0.99996", "0.5"]]
    assert "%{text}" in image.hovertemplate

"""Means, deviations, references and axes among the spectra of samples: asked about, wherever their names say so."""

import numpy as np
import pytest

from spectra_core.datasets import Recipe
from tests.datasets.tables import CHANNELS, CU, IDS, SIGNAL, N, lines_of
from tests.datasets.test_strangers import HEAD, ROWS, answered, asked, require_whole, understood

SPREAD = np.full(SIGNAL.shape, 0.01)
DEVIATIONS = ["SD", "sd", "StDev", "std. dev.", "StAbw", "standard deviation", "RSD", "SEM", "(±)"]


def in_turns(mean: str, spread: str) -> str:
    rows = [
        row
        for one, value, signal, low in zip(IDS, CU, SIGNAL, SPREAD, strict=True)
        for row in ([mean.format(one), value, *signal], [spread.format(one), value, *low])
    ]
    return lines_of([HEAD, *rows])


def in_columns(heads: list[list[str]]) -> str:
    pairs = [cell for k in range(N) for cell in (SIGNAL[k], SPREAD[k])]
    return lines_of([*heads, *([place, *(one[at] for one in pairs)] for at, place in enumerate(CHANNELS))])


@pytest.mark.parametrize("word", DEVIATIONS)
@pytest.mark.parametrize("mean", ["{} mean", "{}_avg", "{}"])
def test_means_and_deviations_in_turns_are_asked_about(mean, word):
    found = understood(in_turns(mean, f"{{}} {word}"))
    assert asked(found) == ["quantities"]
    chosen = answered(found, "Use the others" if mean == "{}" else "Use mean")
    require_whole(chosen.build())
    assert understood(in_turns(mean, f"{{}} {word}"), recipe=Recipe(summary_rows="keep")).open_questions == []


@pytest.mark.parametrize("spread", ["SD", "std", "std. dev."])
def test_a_column_that_says_mean_or_deviation_is_part_of_the_name(spread):
    lines = [line.split(",") for line in in_turns("{}", "{}").splitlines()]
    words = ["statistic", *["mean", spread] * N]
    found = understood(lines_of([[row[0], word, *row[1:]] for row, word in zip(lines, words, strict=True)]))
    assert "quantities" in asked(found)
    require_whole(answered(found, "Use mean").build())


@pytest.mark.parametrize(
    "heads",
    [
        [["nm", *(cell for one in IDS for cell in (one, "SD"))]],
        [["nm", *(cell for one in IDS for cell in (f"{one} mean", f"{one} std"))]],
        [["", *(cell for one in IDS for cell in (one, ""))], ["nm", *["Mean", "SD"] * N]],
        [["", *(cell for one in IDS for cell in (one, one))], ["Wavelength (nm)", *["average", "stdev"] * N]],
    ],
)
def test_columns_in_turns_are_asked_about_even_under_merged_names(heads):
    found = understood(in_columns(heads))
    assert asked(found) == ["quantities"]
    built = answered(found, "Use").build()
    assert np.array_equal(built.signal, SIGNAL)
    assert [one.split()[0] for one in built.samples["id"]] == IDS


@pytest.mark.parametrize("word", ["dark", "Dark current", "reference", "white ref", "Baseline", "background", "0 %T"])
def test_references_beside_samples_are_asked_about(word):
    found = understood(in_columns([["nm", *(cell for one in IDS for cell in (one, word))]]))
    assert asked(found) == ["quantities"]
    assert np.array_equal(answered(found, "Use the others").build().signal, SIGNAL)


@pytest.mark.parametrize(
    "ids", [["blank", *IDS[1:]], [f"Std {k}" for k in range(N)], ["std", *IDS[1:]], ["white", *IDS[1:]]]
)
def test_blanks_standards_and_colours_are_samples(ids):
    rows = [[one, *row[1:]] for one, row in zip(ids, ROWS, strict=True)]
    found = understood(lines_of([HEAD, *rows]))
    assert asked(found) == []
    require_whole(found.build())


def test_a_second_row_of_positions_is_no_spectrum():
    second = ["cm-1", "", *(round(1e7 / at, 2) for at in CHANNELS)]
    found = understood(lines_of([HEAD, *ROWS, second]))
    assert "quantities" in asked(found)


@pytest.mark.parametrize("names", [("Wavelength (nm)", "Wavenumber (cm-1)"), ("nm", "eV")])
def test_several_axes_of_the_same_spectra_are_asked_about(names):
    other = np.round(1e7 / CHANNELS, 2) if "cm-1" in names[1] else np.round(1239.84 / CHANNELS, 5)
    rows = [[CHANNELS[at], other[at], *SIGNAL[:, at]] for at in range(len(CHANNELS))]
    text = lines_of([[*names, *IDS], *rows])
    found = understood(text)
    assert asked(found) == ["axis column"]
    for name, axis in zip(names, (CHANNELS, other), strict=True):
        built = answered(found, name).build()
        assert built.axis.positions.tolist() == axis.tolist()
        assert np.array_equal(built.signal, SIGNAL)


def test_an_axis_that_stands_on_both_sides_is_one():
    rows = [[CHANNELS[at], *SIGNAL[:, at], CHANNELS[at]] for at in range(len(CHANNELS))]
    found = understood(lines_of([["Wavelength (nm)", *IDS, "Wavelength (nm)"], *rows]))
    assert asked(found) == []
    assert np.array_equal(found.build().signal, SIGNAL)
    assert any("axes, too, are left out" in said for said in found.warnings)


def test_tables_that_name_the_same_spectra_are_asked_about():
    raw = lines_of([HEAD, *ROWS])
    treated = lines_of([HEAD, *([row[0], row[1], *(9 * cell for cell in row[2:])] for row in ROWS)])
    found = understood(raw, treated)
    assert asked(found) == ["same spectra"]
    require_whole(answered(found, "Use only f.csv").build())
    assert len(answered(found, "All are spectra").build().signal) == 2 * N


@pytest.mark.parametrize("name", ["date", "Datum", "timestamp"])
def test_a_date_before_the_names_is_no_name(name):
    rows = [[f"{k + 1:02d}.03.2024", *row] for k, row in enumerate(ROWS)]
    found = understood(lines_of([[name, *HEAD], *rows]))
    assert list(found.ids) == IDS
    require_whole(found.build())


@pytest.mark.parametrize("name", ["mean", "SD", "Average", "std. dev"])
def test_what_was_computed_from_a_spectrum_is_no_target(name):
    rows = [[*row, float(np.mean(row[2:]))] for row in ROWS]
    found = understood(lines_of([[*HEAD, name], *rows]))
    assert found.build().target_names == ("Cu",)


@pytest.mark.parametrize(
    "word", ["Total", "Subtotal", "sum", "Summe", "Mean A", "Average of batch 2", "SD 1", "Std. Dev. (A)"]
)
def test_sums_and_means_among_the_samples_are_asked_about(word):
    rows = [*ROWS[:5], [word, "", *np.round(SIGNAL[:5].sum(axis=0), 4)], *ROWS[5:]]
    found = understood(lines_of([HEAD, *rows]))
    assert "quantities" in asked(found)
    (question,) = [one for one in found.open_questions if one.kind == "quantities"]
    others = next(one for one in question.choices if one.label == "Use the others alone")
    require_whole(found.with_recipe(found.recipe.but(**others.changes)).build())


@pytest.mark.parametrize("word", ["T° 450", "T°", "Temperature(°C)"])
def test_a_column_of_temperatures_among_spectra_is_asked_about(word):
    rows = [[place, 25.1, *column] for place, column in zip(CHANNELS, SIGNAL.T, strict=True)]
    found = understood(lines_of([["Wavelength", word, *IDS], *rows]))
    assert asked(found) == ["quantities"]
    assert np.array_equal(answered(found, "Use the others").build().signal, SIGNAL)


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (lambda: SIGNAL.sum(axis=1).round(3), "the sum of"),
        (lambda: SIGNAL.mean(axis=1), "the mean of"),
        (lambda: SIGNAL.max(axis=1), "the largest value of"),
        (lambda: SIGNAL[:, 7], "equal to one of the channels"),
    ],
)
def test_a_column_that_is_the_spectrum_itself_is_asked_about(made, what):
    rows = [[*row, value] for row, value in zip(ROWS, made(), strict=True)]
    found = understood(lines_of([[*HEAD, "Q"], *rows]))
    assert asked(found) == ["computed column"]
    assert what in found.open_questions[0].text
    assert answered(found, "Do not use Q").build().target_names == ("Cu",)
    assert answered(found, "Use it").build().target_names == ("Cu", "Q")


def test_a_target_that_agrees_with_a_channel_in_one_spectrum_alone_is_a_target():
    rows = [[*row, row[9] if k == 0 else k / 7] for k, row in enumerate(ROWS)]
    assert asked(understood(lines_of([[*HEAD, "Q"], *rows]))) == []

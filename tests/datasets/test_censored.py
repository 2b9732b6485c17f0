"""Values beyond a limit are offered as missing, half the limit or the limit, and never guessed."""

import numpy as np
import pytest

from spectra_core.datasets import Recipe, understand
from spectra_core.datasets.censored import censored, quantities
from spectra_core.errors import ReadError
from tests.datasets.tables import CU, N, wide


def understood(values, recipe=None, **style):
    return understand({"file.csv": wide(values=values, **style).encode()}, recipe)


@pytest.mark.parametrize(
    ("cell", "above", "limit"),
    [
        ("<0.01", False, 0.01), ("< 0.01", False, 0.01), ("<=5", False, 5.0), ("≤5", False, 5.0),
        ("<0,05", False, 0.05),
        ("<1e-3", False, 1e-3), ("<0.1 mM", False, 0.1), (">3", True, 3.0), ("> 3.5", True, 3.5), ("≥3", True, 3.0),
        ("<LOD", False, None), ("<LOQ", False, None), ("LOD", False, None), ("BDL", False, None), ("bql", False, None),
        ("n.d.", False, None), ("nd", False, None), ("trace", False, None), ("Traces", False, None),
        ("below detection", False, None), ("not detected", False, None), ("sat.", True, None),
        ("saturated", True, None), ("<LOD (0.05)", False, 0.05), ("ND<0.02", False, 0.02), ("<<0.1", False, 0.1),
        ("less than 0,1", False, 0.1), ("below 0.1", False, 0.1), ("unter NWG", False, None), ("u.n.g.", False, None),
        ("\uff1c0.1", False, 0.1), ("over 3", True, 3.0), ("größer als 3", True, 3.0),
        (">max", True, None),
    ],
)  # fmt: skip
def test_what_cells_say_of_a_limit(cell, above, limit):
    found = censored(cell)
    assert (found.above, found.limit) == (above, limit)


@pytest.mark.parametrize("cell", ["", "oops", "A1", "0.5", "blank", "NaN", "-", "3>2", "<", "mean"])
def test_other_words_say_nothing_of_a_limit(cell):
    assert censored(cell) is None


@pytest.mark.parametrize(("rule", "low", "high"), [("half", 0.025, 3.0), ("limit", 0.05, 3.0)])
@pytest.mark.parametrize("separator", [",", ";"])
def test_the_limit_or_half_of_it_is_taken_when_told(rule, low, high, separator):
    values = ["<0.05", *CU[1:-1], ">3"]
    with pytest.raises(ReadError, match="2 values lie beyond a limit"):
        understood(values, separator=separator).build()
    built = understood(values, Recipe(censored=rule), separator=separator).build()
    assert built.targets["Cu"].tolist() == pytest.approx([low, *map(float, CU[1:-1]), high])


def test_a_word_without_a_limit_needs_one_and_is_never_guessed():
    values = ["LOD", "<0.05", *CU[2:]]
    (question,) = understood(values).open_questions
    assert question.asks == ("limit of Cu",)
    assert [one.label for one in question.choices] == ["As missing"]
    unknown = understood(values, Recipe(censored="half"))
    assert [one.kind for one in unknown.open_questions] == ["target gaps"]
    told = understood(values, Recipe(censored="half", limits={"Cu": 0.2})).build()
    assert told.targets["Cu"][:2].tolist() == [0.1, 0.025]


def test_as_missing_leads_to_the_question_about_gaps():
    found = understood(["n.d.", *CU[1:]], Recipe(censored="missing"))
    assert [one.kind for one in found.open_questions] == ["target gaps"]
    assert "'n.d.'" in found.open_questions[0].text
    assert len(understood(["n.d.", *CU[1:]], Recipe(censored="missing", gaps="leave out spectra")).build()) == N - 1


def test_a_column_mostly_below_detection_stays_a_target():
    found = understood(["<0.5"] * (N - 3) + CU[-3:], Recipe(censored="limit"))
    assert found.build().targets["Cu"].tolist() == pytest.approx([0.5] * (N - 3) + [float(one) for one in CU[-3:]])


def test_a_column_of_one_unit_is_numbers_in_that_unit():
    built = understood([f"{one} mM" for one in CU]).build()
    assert built.target_info[0].unit == "mmol/L"
    assert built.targets["Cu"].tolist() == pytest.approx([float(one) for one in CU])
    assert quantities(["1 mM", "2 M"], ".") is None


def test_the_signal_beyond_its_range_is_asked_about_with_its_place():
    text = wide().replace(wide().split("\n")[3].split(",")[4], ">3.5", 1)
    (question,) = understand({"file.csv": text.encode()}).open_questions
    assert "'>3.5' in s2 (line 4" in question.text
    built = understand({"file.csv": text.encode()}, Recipe(censored="limit")).build()
    assert built.signal[2, 2] == 3.5
    assert np.isfinite(built.signal).all()


def test_recipe_of_a_decision_survives_json():
    recipe = Recipe(censored="half", limits={"Cu": 0.1}, grid=(400, 500, 2), leave_out_spectra=("a", 3))
    assert Recipe.from_json(recipe.to_json()) == recipe

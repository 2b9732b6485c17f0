"""What is said of a set before it is kept, and leaving spectra out by id."""

import numpy as np
import pytest

from spectra_core.datasets import Recipe, understand
from spectra_core.errors import ReadError
from tests.datasets.tables import CHANNELS, CU, IDS, N, lines_of, wide


def said(found) -> dict[str, str]:
    return {problem.kind: problem.text for problem in found.problems if not problem.blocking}


def understood(text: str, recipe: Recipe | None = None):
    return understand({"file.csv": text.encode()}, recipe)


def test_negative_concentrations_constant_targets_and_missing_units_are_said():
    found = said(understood(wide(target="Cu (mM)", values=["-0.1", *CU[1:]])))
    assert found["negative targets"].startswith("Some concentrations are negative: Cu (1).")
    assert "missing units" not in found
    assert "constant targets" in said(understood(wide(values=["2"] * N)))
    assert "octane" in said(understood(wide(target="octane")))["missing units"]
    assert not any("missing units" in said(understood(wide(target=name))) for name in ("pH", "°Brix"))
    assert "negative targets" not in said(understood(wide(target="score", values=["-1", *CU[1:]])))


def test_few_spectra_one_group_and_no_targets_are_said():
    few = lines_of([["sample", *CHANNELS], *([IDS[k], *np.arange(20) + k] for k in range(5))])
    found = said(understood(few))
    assert "choose at most 5" in found["few spectra"]
    assert "no targets" in found
    one = wide().replace("sample,Cu", "batch,Cu")
    for name in IDS:
        one = one.replace(f"\n{name},", "\nA,")
    assert "no part can be held out" in said(understood(one, Recipe(columns={"batch": "group"})))["one group"]
    many = lines_of(
        [["sample", "Cu (mM)", *CHANNELS], *([f"v{k * 7}x", k / 8, *np.sin(CHANNELS + k)] for k in range(30))]
    )
    assert said(understood(many)) == {}


def test_spectra_are_left_out_by_their_id_or_by_their_number():
    text = wide(ids=range(10, 10 + N))
    by_id = understood(text, Recipe(leave_out_spectra=("12",))).build()
    assert "12" not in by_id.samples["id"].tolist()
    by_number = understood(text, Recipe(leave_out_spectra=(12,))).build()
    assert by_number.samples["id"].tolist() == [str(k) for k in range(10, 9 + N)]
    both = understood(text, Recipe(leave_out_spectra=("12", 12)))
    assert len(both.build()) == N - 2
    assert len(understood(text, Recipe.from_json(both.recipe_used().to_json())).build()) == N - 2


def test_an_id_that_is_not_there_is_asked_about():
    with pytest.raises(ReadError, match="No spectrum is called s99"):
        understood(wide(), Recipe(leave_out_spectra=("s1", "s99"))).build()


def test_an_id_that_repeats_is_left_out_wherever_it_stands():
    text = wide(ids=["a", *IDS[1:-1], "a"])
    assert len(understood(text, Recipe(leave_out_spectra=("a",))).build()) == N - 2


def test_what_was_assumed_is_listed_and_what_was_decided_is_not():
    keys = {point.key for point in understood(wide()).assumed}
    assert {"orientation", "axis unit", "signal", "groups", "separator", "column Cu"} <= keys
    decided = understood(wide(), Recipe(orientation="rows", signal_quantity="Absorbance"))
    assert not {"orientation", "signal"} & {point.key for point in decided.assumed}

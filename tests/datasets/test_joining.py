"""Targets in a table of their own find their spectra by id however it is spelled; contradictions are asked about."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.datasets.tables import CHANNELS, CU, SIGNAL, N, lines_of
from tests.datasets.test_strangers import answered, asked, understood

NUMBERS = [float(value) for value in CU]
TURNED = np.random.default_rng(1).permutation(N).tolist()
WAYS = {
    "as they are": ("S{}", "S{}"),
    "zeros": ("S{:02d}", "S{}"),
    "case": ("S{}", "s{}"),
    "blanks around": ("S{}", "S{}  "),
    "blank or underline": ("Sample {}", "sample_{}"),
    "dash": ("S-{}", "S {}"),
    "ending": ("S{}.spc", "S{}"),
    "numbers": ("{:03d}", "{}"),
}


def spectra(ids) -> str:
    return lines_of([["id", *CHANNELS], *([one, *row] for one, row in zip(ids, SIGNAL, strict=True))])


def targets(ids, values=CU, name="Cu (mg/L)", more=()) -> str:
    rows = [[ids[at], values[at]] for at in TURNED if at < len(ids)]
    return lines_of([["id", name], *rows, *more])


def require_joined(found):
    built = found.build()
    assert built.targets.iloc[:, 0].tolist() == NUMBERS
    assert built.target_info[0].unit == "mg/L"
    assert np.array_equal(built.signal, SIGNAL)


@pytest.mark.parametrize("way", WAYS)
def test_ids_are_found_in_another_spelling_and_that_is_told(way):
    ours, theirs = ([form.format(k + 1) for k in range(N)] for form in WAYS[way])
    found = understood(spectra(ours), targets(theirs))
    assert asked(found) == []
    require_joined(found)
    differs = {one.strip() for one in ours} != {one.strip() for one in theirs}
    assert any("are taken as the same" in said for said in found.warnings) == differs
    assert "Join 1f.csv" in {point.title for point in found.assumed}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(list(WAYS)), min_size=N, max_size=N))
def test_ids_spelled_in_a_way_each_are_found(ways):
    ways = [way for way in ways if way not in {"numbers", "blank or underline"}] or ["case"]
    theirs = [WAYS[ways[k % len(ways)]][1].format(k + 1) for k in range(N)]
    require_joined(understood(spectra([f"S{k + 1}" for k in range(N)]), targets(theirs)))


def test_ids_that_differ_by_case_alone_are_different():
    ids = [f"{letter}{k // 2}" for k, letter in enumerate("aA" * (N // 2))]
    require_joined(understood(spectra(ids), targets(ids)))


def test_ids_that_would_become_one_are_not_joined_in_another_spelling():
    ids = [f"{letter}{k // 2}" for k, letter in enumerate("aA" * (N // 2))]
    found = understood(spectra(ids), targets([f"{one[0]}-{one[1:]}" for one in ids]))
    assert asked(found) == ["join"]
    assert "shares no ids" in found.open_questions[0].text


def test_repeats_find_the_values_of_their_sample():
    ids = [f"S{k // 2 + 1}_{k % 2 + 1}" for k in range(N)]
    half = [f"S{k + 1}" for k in range(N // 2)]
    found = understood(spectra(ids), lines_of([["id", "Cu (mg/L)"], *zip(half, CU, strict=False)]))
    found = answered(found, "Keep them together") if asked(found) else found
    assert found.build().targets.iloc[:, 0].tolist() == [float(CU[k // 2]) for k in range(N)]


def test_curves_find_their_values_by_the_names_of_their_files():
    from spectra_core.datasets import Recipe, understand

    files = {f"S{k + 1}.csv": "".join(f"{x},{y}\n" for x, y in zip(CHANNELS, SIGNAL[k], strict=True)) for k in range(N)}
    files["conc.csv"] = targets([f"S{k + 1}" for k in range(N)])
    found = understand({name: text.encode() for name, text in files.items()}, Recipe(groups="none"))
    require_joined(found)


@pytest.mark.parametrize("value", [9.0, CU[2]])
def test_an_id_given_twice_is_asked_about_where_its_values_differ(value):
    ids = [f"S{k}" for k in range(N)]
    found = understood(spectra(ids), targets(ids, more=[["S2", value]]))
    assert asked(found) == ([] if value == CU[2] else ["join"])
    if value == 9.0:
        assert "several values for one id: S2" in found.open_questions[0].text
    else:
        require_joined(found)


def test_tables_that_give_other_values_for_one_target_are_asked_about():
    ids = [f"S{k}" for k in range(N)]
    found = understood(spectra(ids), targets(ids), targets(ids, [9 + float(value) for value in CU]))
    assert asked(found) == ["join"]
    assert "2f.csv gives Cu (mg/L) another value" in found.open_questions[0].text
    require_joined(answered(found, "Leave out 2f.csv"))


def test_a_target_that_two_tables_give_in_parts_is_one():
    ids = [f"S{k}" for k in range(N)]
    halves = [
        lines_of([["id", "Cu (mg/L)"], *zip(ids[part], CU[part], strict=True)]) for part in (slice(6), slice(6, N))
    ]
    require_joined(understood(spectra(ids), *halves))


class TestNumbers:
    """Ids that agree in their numbers alone, such as "Sample 1" and "1": asked, and joined by them if so said."""

    @pytest.mark.parametrize("theirs", ["{}", "{:02d}", "S{}", "Probe {}", "#{}"])
    @pytest.mark.parametrize("ours", ["Sample {}", "Sample_{:03d}.spc"])
    def test_the_person_says_whether_they_name_the_same_samples(self, ours, theirs):
        spelled = [[form.format(k + 1) for k in range(N)] for form in (ours, theirs)]
        found = understood(spectra(spelled[0]), targets(spelled[1]))
        assert asked(found) == ["join"]
        assert [one.label.split(" f")[0] for one in found.open_questions[0].choices] == [
            "Join by these numbers", "Join by order", "Leave out 1f.csv"
        ]  # fmt: skip
        assert found.open_questions[0].readings
        require_joined(answered(found, "Join by these numbers"))

    @pytest.mark.parametrize("mark", ["{0}", "{0}_{1}", "{0} rep{1}"])
    def test_repeats_share_the_row_of_their_number(self, mark):
        ids = [mark.format(f"Sample {k // 2 + 1}", k % 2 + 1) for k in range(N)]
        found = understood(spectra(ids), targets([str(k + 1) for k in range(N // 2)]))
        assert asked(found) == ["join"]
        built = answered(found, "Join by these numbers").build()
        assert built.targets.iloc[:, 0].tolist() == [NUMBERS[k // 2] for k in range(N)]

    def test_ids_of_several_words_have_no_such_number(self):
        found = understood(spectra([f"{'ab'[k % 2]}{k}" for k in range(N)]), targets([str(k) for k in range(N)]))
        assert "numbers in them agree" not in found.open_questions[0].text

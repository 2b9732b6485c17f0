"""What is said of a set before the work, at the edges of what counts as few and as too many."""

import pytest

from spectra_core.evaluation.suitability.sentences import fitness_sentence

FINE = {"n_spectra": 100, "n_independent": 100, "n_targets": 3, "n_determined": 3, "saturated": False}
FINE |= {"n_apart": 0, "by_chance": 4.0, "n_suspicious": 0, "unreadable": ()}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, None),
        ({"n_independent": 20}, None),
        ({"n_independent": 19}, "19 independent spectra are few"),  # a hundred, of which most are replicates
        ({"n_apart": 8}, None),  # two standard deviations of a count of four
        ({"n_apart": 9}, "9 of 100 spectra stand out, where 4 or so would by chance"),
        ({"n_apart": 1, "by_chance": 0.1}, "1 of 100 spectra stands out, where 0 or so would by chance"),
        ({"n_determined": 1}, "2 of 3 targets follow from the others"),
        ({"saturated": True}, "some spectra are saturated in some channels"),
        ({"n_suspicious": 2}, "2 labels do not fit their spectra"),
        ({"unreadable": ("Li",)}, "the spectra hardly tell Li"),
    ],
)
def test_each_thing_to_look_at_is_said_from_its_edge_on(changed, said):
    sentence = fitness_sentence(**FINE | changed)
    if said is None:
        assert sentence == "**Fit for a calibration**, as far as the spectra show it."
    else:
        assert sentence == f"**Fit for a calibration once looked through:** {said}."


def test_nothing_readable_and_no_targets_are_said_first():
    assert "hardly tell any target" in fitness_sentence(**FINE | {"unreadable": ("a", "b", "c")})
    few = fitness_sentence(**FINE | {"unreadable": ("a", "b", "c"), "n_independent": 5})
    assert few == "**Hardly fit for a calibration:** 5 independent spectra are few; the spectra hardly tell any target."
    assert fitness_sentence(**FINE | {"n_targets": 0, "n_determined": 0}).startswith("**Not fit")

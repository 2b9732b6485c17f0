"""The quiz asks fair questions, says what gives a spectrum away, and scores people and a classifier alike."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from spectra_core.evaluation.physics.checks import physics, physics_limits, physics_offences
from spectra_core.evaluation.similarity import blind_quiz
from spectra_core.spectra import SpectraSet
from tests.conftest import beer_lambert_set

NOISE = 0.1


@pytest.fixture(scope="module")
def sets():
    """Return measured spectra, and generated ones that are their noise-free mixtures."""
    training = beer_lambert_set(80, noise=NOISE)
    smooth = beer_lambert_set(40, seed=1, noise=0.0)
    return {"training": training, "generated": smooth}


@pytest.fixture(scope="module")
def measured(sets):
    table = physics(sets)
    return table, physics_limits(table)


@pytest.mark.parametrize("difficulty", blind_quiz.DIFFICULTIES)
def test_six_pairs_then_six_duels_of_true_neighbours(sets, measured, difficulty):
    offences = physics_offences(*measured)
    asked = blind_quiz.blind_questions(sets, offences, difficulty, seed=3)
    assert [one.kind for one in asked] == ["pair"] * 6 + ["duel"] * 6
    assert asked == blind_quiz.blind_questions(sets, offences, difficulty, seed=3)
    assert asked != blind_quiz.blind_questions(sets, offences, difficulty, seed=4)
    assert len({one.generated for one in asked}) == 12
    assert {one.generated_first for one in asked} == {True, False}
    for one in asked[6:]:
        apart = sets["training"].signal - sets["generated"].signal[one.generated]
        assert one.experimental == np.argmin((apart**2).sum(axis=1))


def test_smooth_spectra_are_given_away_by_their_smoothness(sets, measured):
    question = blind_quiz.BlindQuestion("pair", 0, 0, True)
    assert blind_quiz.giveaways(question, *measured)[0].startswith("Too smooth: its jitter")
    pair = blind_quiz.blind_pair(sets, question)
    np.testing.assert_array_equal(pair["generated"], sets["generated"].signal[0])
    assert pair["jitter_training"].std() > 3 * pair["jitter_generated"].std()


def test_spectra_like_measured_ones_are_given_away_by_nothing(sets):
    alike = {"training": sets["training"], "generated": sets["training"].take(range(20))}
    table = physics(alike)
    limits = physics_limits(table)
    said = [blind_quiz.giveaways(blind_quiz.BlindQuestion("pair", 0, row, True), table, limits) for row in range(20)]
    assert sum("Nothing that we measure" in one[0] for one in said) > 15


def test_what_99_of_100_measured_spectra_hold_gives_nothing_away():
    limits = pd.DataFrame({"check": ["rough", "smooth", "charge"], "limit": [3.0, 0.3, 0.01]})
    generated = pd.DataFrame({"roughness": [0.2, 0.4, 2.9, 4.0], "charge": [0.0, 0.0, 0.0, 0.125]})
    table = pd.concat(
        [generated.assign(role="generated"), pd.DataFrame({"roughness": [0.5, 1.0, 2.0]}).assign(role="training")]
    )
    table = table.assign(sample=[0, 1, 2, 3, 0, 1, 2], id="")
    said = [blind_quiz.giveaways(blind_quiz.BlindQuestion("pair", 0, row, True), table, limits) for row in range(4)]
    assert "is 20\u00a0% of" in said[0][0]
    assert "more than 30\u00a0%" in said[0][0]
    assert all("Nothing that we measure" in one[0] for one in said[1:3])
    assert "4.0 times" in said[3][0]
    assert "12.5\u00a0% of all charge" in said[3][1]
    assert "less than 1.0\u00a0%" in said[3][1]


@pytest.mark.parametrize(("right", "asked"), [(9, 12), (10, 12), (0, 12), (12, 12), (1, 1)])
def test_ends_of_the_interval_are_shares_at_which_the_score_is_rare(right, asked):
    low, high = blind_quiz.score_interval(right, asked)
    assert low <= right / asked <= high
    if right:
        assert binom.sf(right - 1, asked, low) == pytest.approx(0.025)
    if right < asked:
        assert binom.cdf(right, asked, high) == pytest.approx(0.025)


def test_the_classifier_knows_what_differs_and_guesses_what_does_not(sets):
    training = sets["training"]
    shifted = SpectraSet(training.axis, training.signal + 5.0, training.targets, target_info=training.target_info)
    assert blind_quiz.machine_score({"training": training, "generated": shifted}) > 0.95
    same = {"training": training, "generated": beer_lambert_set(80, seed=9, noise=NOISE)}
    assert blind_quiz.machine_score(same) < 0.75

"""What an arm added is made once for all regressors, and changes no number."""

import pytest

from spectra_core.choices import Choice
from spectra_core.experiment import Arm, Experiment, run
from spectra_core.experiment import fold as folds
from spectra_core.experiment.recently_made import RecentlyMade
from spectra_core.generators import GENERATORS


@pytest.fixture
def made(monkeypatch):
    """Keep whatever is made, as if it took long."""
    monkeypatch.setattr("spectra_core.experiment.parts.RecentlyMade", lambda: RecentlyMade(worth_keeping=0.0))


def test_spectra_of_an_arm_are_drawn_once_for_all_regressors_and_checks(mixtures, monkeypatch, request):
    experiment = Experiment(
        arms=(Arm("Step-matched", "step_matched"), Arm("Mixing", generator=Choice("mixing"))),
        regressors=(Choice("ridge"), Choice("pls")),
        n_folds=3,
    )
    drawn = []
    generate = folds.generate_spectra
    monkeypatch.setattr(folds, "generate_spectra", lambda *a, **k: drawn.append(1) or generate(*a, **k))
    as_drawn_each_time = run(experiment, mixtures).tables
    assert len(drawn) == 3 * 3  # folds; two regressors and the check of labels
    drawn.clear()
    request.getfixturevalue("made")
    found = run(experiment, mixtures).tables
    assert len(drawn) == 3
    for name, table in as_drawn_each_time.items():
        assert table.equals(found[name]), name


def test_the_oldest_are_forgotten_first(mixtures):
    a, b, c = (mixtures.take(rows) for rows in ([0, 1], [2, 3], [4, 5]))
    kept = RecentlyMade(most_bytes=2 * a.signal.nbytes, worth_keeping=0.0)
    made = []

    def get(name, spectra):
        return kept.get(name, lambda: made.append(name) or spectra)

    assert get("a", a) is a
    get("b", b)
    assert get("a", b) is a
    get("c", c)  # b was asked for longest ago
    assert get("a", b) is a
    assert get("b", b) is b
    assert made == ["a", "b", "c", "b"]


def test_what_takes_no_time_is_made_again(mixtures):
    kept, made = RecentlyMade(), []
    for _ in range(2):
        kept.get("a", lambda: made.append(1) or mixtures)
    assert len(made) == 2


def test_generators_that_draw_slowly_say_so():
    physics = GENERATORS["physics_residual"]()
    assert physics.drawing_cost(200, 50) == 2 * physics.drawing_cost(100, 50) > 0
    assert GENERATORS["mixing"]().drawing_cost(200, 50) == 0

"""What an experiment will cost, counted in another way."""

import threading
import time
from dataclasses import replace

import pytest

from spectra_core.choices import Choice
from spectra_core.experiment import Arm, Experiment, busy, pace
from spectra_core.experiment.cost import (
    BESIDES,
    CHECK,
    FLOORS,
    USUAL_REPEATS,
    arm_cost,
    coarse_seconds,
    estimated_seconds,
    fitting_repeats,
    seconds_alone,
)
from spectra_core.generators import GENERATORS
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.candidates import CANDIDATES
from spectra_core.training.cost import START

TIMED = pace.against_usual
MLP = REGRESSORS["mlp"](epochs=10, batch_size=5)
EXPERIMENT = Experiment(
    arms=(Arm("Baseline", "baseline"), Arm("Step-matched", "step_matched")),
    regressors=(Choice("mlp", {"epochs": 10, "batch_size": 4}),),
    n_folds=4,
)


@pytest.fixture(autouse=True)
def usual_computer(monkeypatch):
    monkeypatch.setattr(pace, "against_usual", lambda: 1.0)


def test_a_network_costs_two_operations_per_weight_and_product():
    # 50 channels, 64 and 16 hidden units: forward, and two products backward; 40 rows in whole batches, 10 epochs.
    by_hand = 3 * 2 * (50 * 64 + 64 * 16 + 16) * 40 * 10
    assert MLP.cost(40, 50, 1) - START == pytest.approx(1e-9 * by_hand, abs=1e-12)
    assert MLP.cost(40, 50, 4) - START == pytest.approx(4e-9 * by_hand, abs=1e-12)
    vae = GENERATORS["vae"](epochs=10, batch_size=5, n_hidden=8, n_latent=3)
    assert vae.cost(40, 50) == pytest.approx(1e-9 * 3 * 2 * (50 * 8 + 8 * 6 + 3 * 8 + 8 * 50) * 40 * 10)


def test_what_adds_rows_costs_more_and_an_ensemble_its_members():
    base = arm_cost(Arm("Baseline", "baseline"), MLP, 40, 50, 4)
    three = arm_cost(Arm("Three", "duplicate_rows", ratio=2.0), MLP, 40, 50, 4)
    assert three - START == pytest.approx(3 * (base - START))
    assert arm_cost(Arm("Ensemble", "ensemble", n_members=7), MLP, 40, 50, 4) == pytest.approx(7 * base)


@pytest.mark.parametrize("kind", ["step_matched", "ensemble"])
def test_without_steps_such_an_arm_is_the_baseline(kind):
    ridge = REGRESSORS["ridge"]()
    assert arm_cost(Arm("One", kind), ridge, 40, 50, 4) == ridge.cost(40, 50, 4)


def test_a_fit_that_arms_share_is_counted_once_and_so_are_checks_of_what_is_added(mixtures, monkeypatch):
    monkeypatch.setattr(pace, "_measured", lambda *_: 1.0)
    monkeypatch.setattr(busy, "slowdown", lambda n_workers, niceness: 1.0)

    def seconds(*arms):
        experiment = Experiment(arms=arms, regressors=(Choice("ridge"),), n_folds=4)
        return (estimated_seconds(experiment, mixtures, 1) - BESIDES) / 4

    ridge, numbers = REGRESSORS["ridge"](), 45 * mixtures.n_channels
    alone = ridge.cost(45, mixtures.n_channels, mixtures.n_targets) + CHECK * numbers
    plain = Arm("Baseline", "baseline"), Arm("Step-matched", "step_matched")
    assert seconds(plain[0]) == seconds(*plain) == pytest.approx(alone)
    mixing = Arm("Mixing", generator=Choice("mixing"))
    doubled = ridge.cost(90, mixtures.n_channels, mixtures.n_targets)
    reader = REGRESSORS["pls"]().cost(45, mixtures.n_channels, mixtures.n_targets)
    generator = GENERATORS["mixing"]().cost(45, mixtures.n_channels)
    assert seconds(*plain, mixing) == pytest.approx(alone + doubled + reader + generator + CHECK * numbers)


def test_what_can_be_known_of_simulated_spectra_takes_its_time(mixtures, monkeypatch):
    monkeypatch.setattr(pace, "_measured", lambda *_: 0.02)
    monkeypatch.setattr(busy, "slowdown", lambda n_workers, niceness: 1.0)
    simulated = mixtures.with_meta(provenance={"simulator": {}})
    more = estimated_seconds(EXPERIMENT, simulated, 2) - estimated_seconds(EXPERIMENT, mixtures, 2)
    assert more == pytest.approx(FLOORS / 2)


@pytest.mark.parametrize("name", ["ridge", "gaussian_process", "pls"])
def test_exact_fits_grow_with_the_cube_of_few_spectra_and_with_the_number_of_many(name):
    """Their decompositions are of spectra or of channels, whichever are fewer; kernels beyond 2000 are as many."""
    member = REGRESSORS[name]()
    growth = {n: member.cost(2 * n, 900, 1) / member.cost(n, 900, 1) for n in (20, 200, 200_000)}
    assert growth[20] < 1.5  # most of it is calls
    assert 2 < growth[200] < 8
    assert growth[200_000] == pytest.approx(2, rel=0.1)


def test_time_goes_with_repetitions_and_is_shared_by_workers(mixtures, monkeypatch):
    monkeypatch.setattr(pace, "_measured", lambda *_: 0.02)
    monkeypatch.setattr(busy, "slowdown", lambda n_workers, niceness: 1.0)
    once = estimated_seconds(EXPERIMENT, mixtures, 1) - BESIDES
    assert estimated_seconds(replace(EXPERIMENT, n_repeats=3), mixtures, 1) - BESIDES == pytest.approx(3 * once)
    assert estimated_seconds(EXPERIMENT, mixtures, 2) - BESIDES == pytest.approx(once / 2)
    # 45 of 60 spectra train, in batches of 4: 12 steps for 45 rows, 23 for 90.
    rows = 4 * 10 * (12 + 23)
    trained = 0.02 * 4 * (2 * START + 6e-9 * 4 * (50 * 64 + 64 * 16 + 16) * rows)
    assert once == pytest.approx(trained + 4 * CHECK * 45 * mixtures.n_channels)


def test_how_fast_this_computer_fits_is_measured_once_per_kind(mixtures, monkeypatch):
    class Kept(dict):
        def arrays(self, key, compute):
            return self.setdefault(key, None) or self.update({key: compute()}) or self[key]

    measured = []
    monkeypatch.setattr(pace, "_measured", lambda member, *_: measured.append(type(member).__name__) or 1.0)
    kept = Kept()
    both = replace(EXPERIMENT, regressors=(*EXPERIMENT.regressors, Choice("pls")))
    for experiment in (EXPERIMENT, both, replace(both, n_folds=3)):
        estimated_seconds(experiment, mixtures, 1, kept)
    assert measured == ["MLP", "PLS"]


def test_a_stack_takes_what_its_candidates_take_which_are_timed_in_its_place(mixtures, monkeypatch):
    timed = []
    monkeypatch.setattr(pace, "_measured", lambda member, *_: timed.append(type(member).__name__) or 0.5)
    monkeypatch.setattr(busy, "slowdown", lambda n_workers, niceness: 1.0)
    stack = Choice("stack", {"epochs": 3, "n_folds": 4})
    seconds = estimated_seconds(replace(EXPERIMENT, regressors=(stack,), arms=EXPERIMENT.arms[:1]), mixtures, 1)
    checks = CHECK * 45 * mixtures.n_channels
    assert set(timed) == {"GaussianProcess", "Ridge", "PLS", "MLPEnsemble"}
    # 4 folds and a last fit, of 45 spectra and as many copies; 7 candidates.
    parts = [one.exact for one in CANDIDATES if one.exact]
    networks = REGRESSORS["mlp_ensemble"](epochs=3, coordinates="components")
    by_hand = 10 * sum(one.cost(45, mixtures.n_channels, mixtures.n_targets) for one in [*parts, networks])
    assert seconds - BESIDES == pytest.approx(EXPERIMENT.n_splits * (0.5 * by_hand + checks))


def test_a_time_is_said_at_once_and_more_exactly_once_this_computer_is_measured(mixtures, monkeypatch):
    kept: dict[str, object] = {}

    class Kept:
        def arrays(self, key, compute):
            if key not in kept:
                kept[key] = compute()
            return kept[key]

    monkeypatch.setattr(pace, "_measured", lambda *_: 7 * pace.USUAL["torch"])
    monkeypatch.setattr(pace, "against_usual", lambda: 0.5)  # a computer twice as quick as a usual one
    monkeypatch.setattr(busy, "slowdown", lambda n_workers, niceness: 1.0)
    coarse, is_measured = coarse_seconds(EXPERIMENT, mixtures, 1, Kept())
    assert (is_measured, kept) == (False, {})
    exact = estimated_seconds(EXPERIMENT, mixtures, 1, Kept())
    unfitted = 0.5 * (BESIDES + EXPERIMENT.n_splits * CHECK * 45 * mixtures.n_channels)
    assert exact - unfitted == pytest.approx(14 * (coarse - unfitted))
    assert coarse_seconds(EXPERIMENT, mixtures, 1, Kept()) == (exact, True)


def test_the_number_of_repeats_is_no_matter_of_this_computer(mixtures, monkeypatch):
    monkeypatch.setattr(pace, "_measured", lambda *_: pytest.fail("measured"))
    monkeypatch.setattr(pace, "_yardstick", lambda: pytest.fail("timed"))
    assert fitting_repeats(EXPERIMENT, mixtures, 2) == USUAL_REPEATS
    long = replace(EXPERIMENT, regressors=(Choice("mlp", {"epochs": 60_000, "batch_size": 4}),))
    once = seconds_alone(long, mixtures, 1, pace.usual)
    assert 200 < once < 600
    assert fitting_repeats(long, mixtures, 1) == int(600 / once)


@pytest.mark.parametrize("member", [MLP, REGRESSORS["ridge"]()])
def test_a_measured_pace_is_that_of_real_fits(mixtures, member):
    def cost(fitted, on):
        return fitted.cost(len(on), on.n_channels, on.n_targets)

    assert 0 < pace._measured(member, cost, mixtures) * cost(member, mixtures) < 60


def test_work_in_threads_of_its_own_is_timed_too(mixtures):
    """An ensemble trains its members in threads: a pace that left them out said two seconds of any experiment."""

    class InAThread:
        def fit(self, few, seed):
            working = threading.Thread(target=self.work)
            working.start()
            working.join()

        def work(self):
            begin = time.thread_time()
            while time.thread_time() - begin < 0.05:
                pass

    assert pace._measured(InAThread(), lambda *_: 2.0, mixtures) >= 0.05 / 2.0


def test_a_usual_computer_is_one_whose_yardstick_takes_as_long_as_its_own(monkeypatch):
    times = iter([3.0, 2.0, 4.0])
    monkeypatch.setattr(pace, "_yardstick", lambda: pace._YARDSTICK * next(times))
    assert TIMED.__wrapped__() == 2.0  # the quickest: others were interrupted


def test_what_does_not_grow_with_the_steps_is_no_pace(mixtures, monkeypatch):
    """Three seconds before the first epoch and a quarter for each: the pace is the quarter's."""
    monkeypatch.setattr(pace, "_seconds_of", lambda member, few: 3.0 + 0.25 * member.epochs)
    cost_of_an_epoch = 1e-9 * 3 * 2 * (50 * 64 + 64 * 16 + 16) * 60

    def cost(member, on):
        return member.cost(len(on), on.n_channels, 1)

    assert pace._measured(MLP, cost, mixtures) == pytest.approx(0.25 / cost_of_an_epoch)

"""Judging as a job: which spectra play which role, samples of large sets, and stopping."""

import pytest
from numpy.testing import assert_array_equal
from scipy.spatial.distance import cdist

from spectra_core.contracts import SILENT, Cancelled, SilentReporter
from spectra_core.errors import ConfigError
from spectra_core.evaluation.similarity import bench, judgement
from spectra_core.evaluation.similarity.metrics import METRICS
from spectra_core.evaluation.similarity.point_clouds import CloudPair
from spectra_core.generators import GENERATORS
from spectra_core.jobs import judging, judging_time, tasks
from spectra_core.store import Store
from tests.conftest import beer_lambert_set


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def hand(store) -> dict[str, str]:
    generated = beer_lambert_set(60, seed=1).with_meta(origin="generated")
    return {"set": store.save_set(beer_lambert_set(90)), "generated": store.save_set(generated)}


def test_rows_that_a_model_left_out_are_judged_as_held_out(store, hand):
    spectra, held_out = beer_lambert_set(90), [1, 4, 9, 16, 25, 36]
    fitted = GENERATORS["pca"](n_latent=3).fit(spectra)
    model = store.save_model(
        fitted, registry="generator", member="pca", train=spectra, seed=0, extra={"held_out_rows": held_out}
    )
    result = store.load_result(tasks.TASKS["fidelity"]({**hand, "model": model}, SILENT, store)["result"])
    assert result.document["n_judged"] == {"training": 84, "held-out": 6, "generated": 60}
    assert set(result.tables) == {"judgement", "physics", "physics_limits", "label_honesty"}
    named = result.tables["physics"].query("role == 'held-out'")
    assert list(named["id"]) == [str(row + 1) for row in held_out]


def test_a_sample_of_a_large_set_is_judged_by_its_own_row_numbers(store, hand, monkeypatch):
    monkeypatch.setattr(judging, "MOST_JUDGED", 50)
    result = store.load_result(tasks.TASKS["fidelity"](hand, SILENT, store)["result"])
    assert result.document["n_spectra"] == {"training": 90, "generated": 60}
    assert result.document["n_judged"] == {"training": 50, "generated": 50}
    for name in ("physics", "label_honesty"):
        table = result.tables[name]
        assert list(table["id"]) == [str(row + 1) for row in table["sample"]]
        assert table["sample"].max() >= 50


def test_neighbours_are_those_of_whole_sets_asked_for_by_a_part(store, hand, monkeypatch):
    monkeypatch.setattr(judging, "most_asked", lambda n_pool: n_pool // 3)
    result = store.load_result(tasks.TASKS["neighbours"]({**hand, "window": 1.0}, SILENT, store)["result"])
    spectra, generated = store.load_set(hand["set"]), store.load_set(hand["generated"])
    assert result.document["n_asked"] == {"generated": 30}
    table = result.tables["neighbours"]
    every = cdist(generated.signal[table["sample"]], spectra.signal)
    assert_array_equal(table["nearest_training"], every.argmin(axis=1))
    assert list(table["id"]) == [str(row + 1) for row in table["sample"]]
    assert "nearest_training_similar" in table


def test_memorisation_and_its_floor_are_found_where_spectra_were_held_out(store, hand):
    spectra, held_out = store.load_set(hand["set"]), list(range(0, 90, 5))
    fitted = GENERATORS["pca"](n_latent=3).fit(spectra)
    model = store.save_model(
        fitted, registry="generator", member="pca", train=spectra, seed=0, extra={"held_out_rows": held_out}
    )
    copies = store.save_set(spectra.take([1, 2, 3, 4, 6]).with_meta(origin="generated"))
    arguments = {"set": hand["set"], "generated": copies, "model": model}
    result = store.load_result(tasks.TASKS["neighbours"](arguments, SILENT, store)["result"])
    assert result.document["n_copies"] == 5
    assert len(result.tables["floor"]) == len(held_out)
    # Cut from 72 to 18, a quarter of the cuts holds the spectrum that was copied: 1/4 + 3/4 of about one half.
    assert 0.4 < result.tables["memorisation"].set_index("role").loc["generated", "share"] < 0.9


def test_judging_can_be_stopped(store, hand):
    class Stop(SilentReporter):
        def progress(self, stage, done, total, values=None):
            raise Cancelled

    for task, arguments in (("fidelity", hand), ("bench", {"set": store.save_set(beer_lambert_set(120))})):
        with pytest.raises(Cancelled):
            tasks.TASKS[task](arguments, Stop(), store)
    assert store.results() == []


def test_unknown_arguments_are_refused(store, hand):
    with pytest.raises(ConfigError, match="'fidelity' has no argument 'metric'"):
        tasks.TASKS["fidelity"]({**hand, "metric": "mmd"}, SILENT, store)


def test_progress_counts_a_judgement_to_its_end_and_never_back(store, hand):
    told = []

    class Told(SilentReporter):
        def progress(self, stage, done, total, values=None):
            told.append((stage, done, total))

    tasks.TASKS["fidelity"](hand, Told(), store)
    counts = [done for _, done, _ in told]
    assert {total for *_, total in told} == {100}
    assert (counts[0], counts[-1], counts) == (0, 100, sorted(counts))
    assert len(set(counts)) > 10


def test_time_grows_with_what_is_counted_and_with_the_measured_pace(store, monkeypatch):
    monkeypatch.setattr(judging_time, "slowdown", lambda n_workers, niceness: 3.0)
    for module in ("spectra_core.experiment.pace", "spectra_core.jobs.judging_time"):
        monkeypatch.setattr(f"{module}.against_usual", lambda: 1.5)
    monkeypatch.setattr("spectra_core.experiment.pace._measured", lambda member, cost, on: 0.5)
    work, memo = judging_time.Work(of_pairs=50.0, besides=8.0), tasks.memo_of(store, "pace")
    seconds, is_measured = judging_time.coarse_seconds(work, beer_lambert_set(), memo)
    assert (seconds, is_measured) == (
        pytest.approx(3 * 1.5 * (2 + 0.02 * 48)),
        False,
    )  # two halvings at once save a fifth
    judging_time.measure(beer_lambert_set(), memo)
    seconds, is_measured = judging_time.coarse_seconds(work, beer_lambert_set(), memo)
    assert (seconds, is_measured) == (pytest.approx(3 * (1.5 * 2 + 0.5 * 48)), True)


def test_work_is_counted_in_the_pairs_that_are_judged(monkeypatch):
    pairs = []

    def counted(*arguments, **named):
        pairs.append(arguments)
        return CloudPair(*arguments, **named)

    for module in (judgement, bench):
        monkeypatch.setattr(module, "CloudPair", counted)
    real, made, one = beer_lambert_set(150), beer_lambert_set(90, seed=1), [next(iter(METRICS))]
    table = judgement.judgement({"training": real, "generated": made}, metrics=one)
    n, n_pairs = table["n_per_set"][0], len(pairs)
    work = judging_time.of_judgement(150, 90, real.n_channels)
    assert work.of_pairs == pytest.approx(n_pairs * judging_time.of_pair(n, real.n_channels))
    assert work.in_pairs == pytest.approx(work.of_pairs / 1.25 / (work.of_pairs / 1.25 + work.besides))
    assert 0 < work.besides < work.of_pairs
    n = bench.metric_bench(real, metrics=one)["n_per_set"][0]
    of_bench = judging_time.of_bench(150, real.n_channels).of_pairs
    assert of_bench == pytest.approx((len(pairs) - n_pairs) * judging_time.of_pair(n, real.n_channels))
    n_before = len(pairs)
    judging_time.Judging().fit(real, seed=0)
    timed = (len(pairs) - n_before) * judging_time.of_pair(len(pairs[-1][0].points), real.n_channels)
    assert judging_time._timed(judging_time.Judging(), real) == pytest.approx(timed)


def test_of_large_sets_only_so_many_spectra_are_judged():
    most, at_bench = (
        judging_time.of_judgement(2 * judgement.MOST, judgement.MOST, 911),
        judging_time.of_bench(5 * bench.MOST, 911),
    )
    assert judging_time.of_judgement(9999, 9999, 911).of_pairs == most.of_pairs
    assert judging_time.of_bench(9999, 911) == at_bench


def test_a_part_of_a_job_tells_its_share_of_the_whole():
    told = []

    class Told(SilentReporter):
        def progress(self, stage, done, total, values=None):
            told.append((done, total))

    judging_time.Within(Told(), 0.4).progress("Judging", 1, 2)
    assert told == [(20, 100)]

"""Judging as a job: which spectra play which role, samples of large sets, and stopping."""

import pytest

from spectra_core import tasks
from spectra_core.contracts import SILENT, Cancelled, SilentReporter
from spectra_core.errors import ConfigError
from spectra_core.generators import GENERATORS
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
    monkeypatch.setattr(tasks, "JUDGED_SPECTRA", 50)
    result = store.load_result(tasks.TASKS["fidelity"](hand, SILENT, store)["result"])
    assert result.document["n_spectra"] == {"training": 90, "generated": 60}
    assert result.document["n_judged"] == {"training": 50, "generated": 50}
    for name in ("physics", "label_honesty"):
        table = result.tables[name]
        assert list(table["id"]) == [str(row + 1) for row in table["sample"]]
        assert table["sample"].max() >= 50


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

"""What jobs are told to do: JSON in, fingerprints out, the same bits for the same arguments."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spectra_core.contracts import SILENT, Cancelled, SilentReporter
from spectra_core.errors import ConfigError, StoreError
from spectra_core.jobs.tasks import TASKS
from spectra_core.store import Store

TINY_VAE = {"generator": "vae", "options": {"n_hidden": 8, "n_latent": 3, "epochs": 6}}
TINY_STUDY = {
    "arms": [{"name": "Baseline", "kind": "baseline"}, {"name": "Duplicates", "kind": "duplicate_rows"}],
    "regressors": ["pls"],
    "n_folds": 3,
    "reference": "baseline",
}


class StopAfter(SilentReporter):
    """Ask to stop at the n-th report."""

    def __init__(self, n_reports):
        self.left = n_reports

    def progress(self, stage, done, total, values=None):
        self.left -= 1
        if self.left < 0:
            raise Cancelled


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def kept(store, mixtures):
    return store.save_set(mixtures)


class TestTrain:
    def test_keeps_a_model_that_did_not_see_the_held_out_rows(self, store, kept, mixtures):
        from spectra_core.generators import GENERATORS
        from spectra_core.splits import hold_out

        arguments = {"set": kept, "seed": 3, "held_out_share": 0.2, **TINY_VAE}
        found = store.load_model(TASKS["train"](arguments, SILENT, store)["model"])
        split = hold_out(mixtures.groups, 0.2, seed=3)
        assert found.record.held_out_rows == tuple(split.test)
        assert found.record.trained_on == kept
        alone = GENERATORS["vae"](**TINY_VAE["options"]).fit(mixtures.take(split.train), seed=3)
        for name, values in alone.to_arrays().items():
            if not name.startswith("history"):
                assert_array_equal(found.model.to_arrays()[name], values)
        assert any(name.startswith("validation") for name in found.history)

    def test_stopped_training_goes_on_to_the_same_bits(self, store, kept, tmp_path, mixtures):
        arguments = {"set": kept, "seed": 1, **TINY_VAE}
        with pytest.raises(Cancelled):
            TASKS["train"](arguments, StopAfter(3), store)
        stopped = TASKS["train"](arguments, SILENT, store)
        other = Store(tmp_path / "other")
        other.save_set(mixtures)
        assert TASKS["train"](arguments, SILENT, other) == stopped  # ids are the sha256 of the model files

    def test_trains_a_calibration_too(self, store, kept):
        model = TASKS["train"]({"set": kept, "regressor": "pls", "held_out_share": 0}, SILENT, store)["model"]
        assert store.load_model(model).record.registry == "regressor"

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"generator": "vea"}, "Unknown generator 'vea'. Known generators: cvae"),
            ({"options": {"latent": 3}}, "has no option 'latent'"),
            ({"epochs": 3}, "The task 'train' has no argument 'epochs'"),
            ({"held_out_share": 1.0}, "between 0 and 1"),
            ({"regressor": "pls"}, "either a generator or a regressor"),
        ],
    )
    def test_refuses_what_it_does_not_know(self, store, kept, changes, sentence):
        with pytest.raises(ConfigError, match=sentence):
            TASKS["train"]({"set": kept, **TINY_VAE, **changes}, SILENT, store)

    def test_needs_a_set_of_the_store(self, store):
        with pytest.raises(StoreError, match="not in the store"):
            TASKS["train"]({"set": "0" * 64, **TINY_VAE}, SILENT, store)
        with pytest.raises(ConfigError, match="needs the argument 'set'"):
            TASKS["train"]({"generator": "vae"}, SILENT, store)


class TestStudy:
    def test_keeps_the_tables_of_the_experiment(self, store, kept, mixtures):
        from spectra_core.experiment import Experiment, run

        found = store.load_result(TASKS["study"]({"set": kept, "experiment": TINY_STUDY}, SILENT, store)["result"])
        expected = run(Experiment.from_document(TINY_STUDY), mixtures)
        assert_array_equal(found.tables["predictions"]["predicted"], expected.tables["predictions"]["predicted"])
        assert found.document["experiment"]["n_folds"] == 3

    def test_gives_the_same_bits_whoever_works_and_whenever_it_was_stopped(self, store, kept, tmp_path, mixtures):
        with pytest.raises(Cancelled):
            TASKS["study"]({"set": kept, "experiment": TINY_STUDY, "workers": 1}, StopAfter(4), store)
        for home, workers in ((store, 2), (Store(tmp_path / "other"), 1)):
            home.save_set(mixtures)
            TASKS["study"]({"set": kept, "experiment": TINY_STUDY, "workers": workers}, SILENT, home)
        contents = {home.results("study")[0].content for home in (store, Store(tmp_path / "other"))}
        assert len(contents) == 1

    def test_what_was_found_so_far_stays_when_stopped_and_gives_way_to_the_whole(self, store, kept):
        arguments = {"set": kept, "experiment": {**TINY_STUDY, "n_repeats": 3}, "workers": 1}
        kept_so_far = []

        class StopInTheThirdRepeat:
            def progress(self, stage, done, total, values=None):
                found = [store.load_result(record.id).document["repeats_done"] for record in store.results("study")]
                kept_so_far.extend(one for one in found if one not in kept_so_far)
                if done > 0.8 * total:
                    raise Cancelled

            def message(self, text): ...

        with pytest.raises(Cancelled):
            TASKS["study"](arguments, StopInTheThirdRepeat(), store)
        assert kept_so_far == [1, 2]
        left = [store.load_result(record.id).document["repeats_done"] for record in store.results("study")]
        assert left == [2]
        whole = TASKS["study"](arguments, SILENT, store)["result"]
        assert [record.id for record in store.results("study")] == [whole]
        assert not store.binned()

    def test_refuses_an_experiment_in_a_sentence(self, store, kept):
        with pytest.raises(ConfigError, match="has no field 'fold'"):
            TASKS["study"]({"set": kept, "experiment": {**TINY_STUDY, "fold": 3}}, SILENT, store)


class TestMap:
    def test_shows_what_the_model_did_not_see_as_held_out(self, store, kept, mixtures, monkeypatch):
        monkeypatch.setattr("spectra_core.jobs.judging.MOST_COMPARED", 40)
        model = TASKS["train"]({"set": kept, "generator": "pca", "options": {"n_latent": 3}}, SILENT, store)["model"]
        generated = store.save_set(mixtures.take(np.arange(30)).with_meta(origin="generated"))
        arguments = {"set": kept, "generated": generated, "model": model, "method": "pca"}
        found = store.load_result(TASKS["map"](arguments, SILENT, store)["result"])
        table = found.tables["map"]
        assert found.document["n_spectra"] == {"training": 54, "held-out": 6, "generated": 30}
        assert found.document["n_shown"] == {"training": 40, "held-out": 6, "generated": 30}
        unseen = store.load_model(model).record.held_out_rows
        assert tuple(table.loc[table["role"] == "held-out", "sample"]) == unseen
        seen = table[table["role"] == "training"]
        assert not set(seen["sample"]) & set(unseen)
        # Row numbers are those of the whole set: the targets beside them say so.
        assert_array_equal(seen["target Cu2+"], mixtures.targets["Cu2+"].to_numpy()[seen["sample"]])

    def test_refuses_an_unknown_method(self, store, kept):
        with pytest.raises(ConfigError, match=r"Unknown kind of map 'som'. Known kinds: pca, tsne, umap"):
            TASKS["map"]({"set": kept, "method": "som"}, SILENT, store)


class TestSimulate:
    def test_makes_the_set_of_the_preset_with_changed_settings(self, store):
        arguments = {"preset": "beer_lambert", "n_spectra": 5, "settings": {"step": 50.0}, "seed": 2, "name": "Mine"}
        spectra = store.load_set(TASKS["simulate"](arguments, SILENT, store)["set"])
        assert (len(spectra), spectra.meta.origin, spectra.meta.name) == (5, "simulated", "Mine")
        assert_array_equal(np.diff(spectra.axis.positions), 50.0)
        assert TASKS["simulate"](arguments, SILENT, store)["set"] == spectra.fingerprint

    def test_refuses_an_unknown_preset(self, store):
        with pytest.raises(ConfigError, match=r"Unknown preset 'mars'. Known presets: beer_lambert"):
            TASKS["simulate"]({"preset": "mars"}, SILENT, store)


class TestImport:
    def test_makes_a_set_of_uploads_and_forgets_them(self, store):
        text = "id,Cu2+ [mol/L],200,201,202\na,0.1,1,2,3\nb,0.2,2,4,6\nc,0.3,3,6,9.5\n"
        key = store.save_upload("../x.csv", text.encode())
        spectra = store.load_set(TASKS["import"]({"uploads": [key], "name": "Mine"}, SILENT, store)["set"])
        assert_array_equal(spectra.signal, [[1, 2, 3], [2, 4, 6], [3, 6, 9.5]])
        assert (spectra.target_info[0].label, spectra.meta.name) == ("Cu2+, mol/L", "Mine")
        with pytest.raises(StoreError, match="not in the store"):
            store.upload_files([key])

    def test_an_attempt_that_was_ended_before_its_last_words_is_gone_on_with(self, store):
        """Killed once an upload is forgotten, it has nothing left to read: what it kept is what it was asked for."""
        key = store.save_upload("x.csv", b"id,Cu2+ [mol/L],200,201,202\na,0.1,1,2,3\nb,0.2,2,4,6\nc,0.3,3,6,9.5\n")
        arguments = {"uploads": [key]}

        class Killed(BaseException):
            pass

        class Dying(type(store)):
            def delete_upload(self, key):
                super().delete_upload(key)
                raise Killed

        with pytest.raises(Killed):
            TASKS["import"](arguments, SILENT, Dying(store.root))
        (kept,) = store.sets()
        assert TASKS["import"](arguments, SILENT, store) == {"set": kept.fingerprint}
        store.delete_set(kept.fingerprint)
        with pytest.raises(StoreError, match="not in the store"):
            TASKS["import"](arguments, SILENT, store)

"""What is kept comes back, or is refused and named; what is deleted can be brought back."""

import errno
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from spectra_core.errors import StoreError
from spectra_core.json_text import strict_json
from spectra_core.regressors import REGRESSORS
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet
from spectra_core.store import home_folder
from spectra_core.store.files import json_bytes
from tests.store.conftest import raises


def files_of(store, kind, key):
    return sorted((store.root / kind / key).iterdir())


def flip_a_byte(path: Path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


class TestSets:
    def test_set_comes_back_with_every_part(self, store, mixtures):
        spectra = SpectraSet(
            SpectralAxis(mixtures.axis.positions[::-1], "Wavenumber", "cm-1"),
            mixtures.signal.astype(np.float32),
            mixtures.targets,
            target_info=mixtures.target_info,
            samples=pd.DataFrame({"id": [f"=1+{n}\n<b>" for n in range(60)], "group": ["ä/../"] * 60}),
            meta=SetMeta("../../évil", "measured", "Intensity", "counts", {"file": "x.csv", "n": [1, None]}),
        )
        back = store.load_set(store.save_set(spectra))
        assert back.fingerprint == spectra.fingerprint
        assert back.signal.dtype == np.float32
        assert_array_equal(back.signal, spectra.signal)
        assert_frame_equal(back.targets, spectra.targets)
        assert_frame_equal(back.samples, spectra.samples)
        assert back.frame == spectra.frame
        assert back.meta == spectra.meta

    def test_set_without_targets_comes_back(self, store, small):
        bare = small.with_targets([])
        assert store.load_set(store.save_set(bare)).fingerprint == bare.fingerprint

    def test_sets_are_listed_in_the_order_of_keeping_whatever_the_clock_says(self, store, mixtures, monkeypatch):
        import datetime

        from spectra_core.store import entries

        class Backwards(datetime.datetime):
            year_now = 2031

            @classmethod
            def now(cls, tz=None):
                cls.year_now -= 1
                return datetime.datetime(cls.year_now, 1, 1, tzinfo=tz)

        monkeypatch.setattr(entries, "datetime", Backwards)
        kept = [store.save_set(mixtures.take([row])) for row in range(4)]
        assert [record.fingerprint for record in store.sets()] == kept
        assert store.sets()[0].created == "2030-01-01T00:00:00+00:00"

    def test_keeping_a_set_twice_keeps_one(self, store, small):
        store.save_set(small)
        store.save_set(small)
        assert len(store.sets()) == 1

    def test_renaming_changes_the_name_alone(self, store, small):
        key = store.save_set(small)
        store.rename_set(key, "  Another name ")
        assert store.load_set(key).meta.name == store.sets()[0].name == "Another name"
        assert store.load_set(key).fingerprint == key
        with pytest.raises(StoreError, match="A name has 1 to 200 characters, got 0"):
            store.rename_set(key, "  ")

    def test_deleted_set_is_gone(self, store, small):
        key = store.save_set(small)
        store.delete_set(key)
        assert store.sets() == []
        with pytest.raises(StoreError, match="This set is not in the store"):
            store.load_set(key)

    @pytest.mark.parametrize("key", ["../../etc/passwd", "", ".", "A" * 64, "0" * 64])
    def test_key_that_is_not_ours_opens_nothing(self, store, key):
        with pytest.raises(StoreError, match="not in the store"):
            store.load_set(key)

    def test_nothing_is_made_by_looking(self, store):
        assert (store.sets(), store.models(), store.results(), store.damaged()) == ([], [], [], [])
        assert not store.root.exists()


class TestResults:
    def test_tables_come_back_with_their_kinds_of_values(self, store):
        tables = {
            "errors/../ä": pd.DataFrame(
                {"arm": ["a", "b"], "rmsep": [0.1, np.nan], "n": np.array([1, 2], np.int64), "ok": [True, False]}
            ),
            "empty": pd.DataFrame(),
            "no rows": pd.DataFrame({"x": np.array([], dtype=np.float64)}),
        }
        key = store.save_result("note", {"seed": np.int64(3), "share": float("nan")}, tables, name="A study")
        found = store.load_result(key)
        assert found.document == {"seed": 3, "share": None}  # JSON knows no NaN
        assert list(found.tables) == list(tables)
        for name, table in tables.items():
            assert_frame_equal(found.tables[name], table, check_column_type=False)  # of no columns
        assert [record.name for record in store.results("note")] == ["A study"]
        assert store.results("map") == []

    def test_equal_results_share_their_content_and_unequal_ones_do_not(self, store):
        tables = [pd.DataFrame({"x": [value]}) for value in (0.1, 0.1, np.nextafter(0.1, 1))]
        for table in tables:
            store.save_result("study", {}, {"t": table})
        one, same, other = (record.content for record in store.results())
        assert one == same != other

    def test_table_of_mixed_values_is_refused_by_name(self, store):
        with pytest.raises(StoreError, match="The table 'odd' cannot be kept"):
            store.save_result("study", {}, {"odd": pd.DataFrame({"x": [1, "two", object()]})})
        assert store.results() == []


class TestTheBin:
    def test_deleted_entries_of_every_kind_come_back(self, store, small):
        model = REGRESSORS["ridge"]().fit(small)
        kept = {
            "sets": store.save_set(small),
            "models": store.save_model(model, registry="regressor", member="ridge", train=small, seed=0),
            "results": store.save_result("note", {}, {"t": pd.DataFrame({"x": [1.0]})}, name="A study"),
        }
        delete = {"sets": store.delete_set, "models": store.delete_model, "results": store.delete_result}
        for kind, key in kept.items():
            delete[kind](key)
        assert (store.sets(), store.models(), store.results()) == ([], [], [])
        found = {one.kind: (one.key, one.name) for one in store.binned()}
        assert found == {
            "sets": (kept["sets"], small.meta.name),
            "models": (kept["models"], f"{model.title} on {small.meta.name}"),
            "results": (kept["results"], "A study"),
        }
        for kind, key in kept.items():
            store.restore(kind, key)
        assert store.binned() == []
        assert store.load_set(kept["sets"]).fingerprint == small.fingerprint
        assert store.load_model(kept["models"]).record.seed == 0
        assert store.load_result(kept["results"]).tables["t"]["x"].tolist() == [1.0]

    def test_a_set_that_was_made_again_meanwhile_stays(self, store, small):
        key = store.save_set(small)
        store.delete_set(key)
        store.save_set(small)
        store.restore("sets", key)
        assert [record.fingerprint for record in store.sets()] == [key]

    def test_what_is_not_in_the_bin_is_said(self, store, small):
        with pytest.raises(StoreError, match="This set is no longer in the bin"):
            store.restore("sets", small.fingerprint)
        with pytest.raises(StoreError, match="Only sets, models, calibrations, results are restored"):
            store.restore("../sets", small.fingerprint)

    def test_after_thirty_days_it_is_swept_at_the_next_write(self, store, mixtures):
        old, young = (store.save_set(mixtures.take([row])) for row in (0, 1))
        store.delete_set(old)
        (folder,) = (store.root / "bin" / "sets").iterdir()
        past = datetime.now(UTC) - timedelta(days=30, minutes=1)
        folder.rename(folder.with_name(f"{past.strftime('%Y%m%dT%H%M%S%f')}-{old}"))
        store.delete_set(young)
        assert [one.key for one in store.binned()] == [young]
        store.empty_bin()
        assert store.binned() == []

    def test_deleting_needs_no_room_on_the_disk(self, store, small, monkeypatch):
        key = store.save_set(small)
        monkeypatch.setattr(Path, "write_bytes", raises(errno.ENOSPC))
        monkeypatch.setattr(Path, "open", raises(errno.ENOSPC))
        store.delete_set(key)
        assert not (store.root / "sets" / key).exists()

    def test_what_it_takes_of_the_disk_is_told(self, store, small):
        assert store.disk_use().parts == {}
        key = store.save_set(small)
        taken = sum(path.stat().st_size for path in files_of(store, "sets", key))
        assert 0 <= store.disk_use().parts["sets"] - taken <= 4096  # the folder itself
        assert store.disk_use().free > 0


def test_home_is_the_named_folder_else_the_one_of_the_system(monkeypatch, tmp_path):
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path))
    assert home_folder() == tmp_path
    monkeypatch.setenv("SPECTRA_HOME", " ")
    assert home_folder().name == "latent-spectra"


def test_many_repeated_keys_are_refused_in_one_pass():
    text = "{" + ",".join(f'"{number}": 0' for number in range(300_000)) + ', "299999": 1}'
    with pytest.raises(ValueError, match="the key '299999' occurs twice"):
        strict_json(text)


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"\\udfff": 1}', b'{"a": "\xed\xa0\x80"}'])
def test_half_a_character_is_neither_read_nor_written(text):
    with pytest.raises(ValueError, match=r"half a character|codec"):
        strict_json(text)
    with pytest.raises(StoreError, match="half a character"):
        json_bytes({"name": "x\ud800"})
    assert strict_json(json_bytes({"name": "\U0001f600 \\ud800"})) == {"name": "\U0001f600 \\ud800"}

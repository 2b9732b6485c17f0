"""What is kept comes back, or is refused and named; what was kept before a fault is still there."""

import errno
import os
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from spectra_core.errors import StoreError
from spectra_core.regressors import REGRESSORS
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet
from spectra_core.store import Store, drafts, home_folder
from spectra_core.store.files import json_bytes, strict_json
from spectra_core.store.memo import name_for


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


@pytest.fixture
def small(mixtures):
    return mixtures.take(np.arange(6))


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
        key = store.save_result("study", {"seed": np.int64(3), "share": float("nan")}, tables, name="A study")
        found = store.load_result(key)
        assert found.document == {"seed": 3, "share": None}  # JSON knows no NaN
        assert list(found.tables) == list(tables)
        for name, table in tables.items():
            assert_frame_equal(found.tables[name], table, check_column_type=False)  # of no columns
        assert [record.name for record in store.results("study")] == ["A study"]
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


class TestDamage:
    @pytest.mark.parametrize("which", [0, 1, 2])
    def test_truncated_file_sets_its_entry_aside_and_lists_all_others(self, store, mixtures, which):
        bad, good = (store.save_set(mixtures.take([row]).with_meta(name=f"row {row}")) for row in (0, 1))
        path = files_of(store, "sets", bad)[which]
        path.write_bytes(path.read_bytes()[:-1])
        assert [record.fingerprint for record in store.sets()] == [good]
        (damaged,) = store.damaged()
        assert (damaged.kind, damaged.key) == ("sets", bad)
        if path.name != "manifest.json":
            assert damaged.name == "row 0"
            assert path.name in damaged.reason
        with pytest.raises(StoreError, match="set aside as damaged"):
            store.load_set(bad)

    @pytest.mark.parametrize("which", [1, 2])  # the manifest's own flip is found at listing, above
    def test_flipped_bit_is_found_at_reading(self, store, mixtures, which):
        bad, good = (store.save_set(mixtures.take([row])) for row in (0, 1))
        flip_a_byte(files_of(store, "sets", bad)[which])
        with pytest.raises(StoreError, match="not what was kept"):
            store.load_set(bad)
        assert [record.fingerprint for record in store.sets()] == [good]
        assert [damaged.key for damaged in store.damaged()] == [bad]

    def test_flipped_bit_in_any_manifest_byte_is_found_at_listing(self, store, small):
        key = store.save_set(small)
        path = store.root / "sets" / key / "manifest.json"
        whole = path.read_bytes()
        for at in range(0, len(whole), 7):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert store.sets() == []
            (store.root / "damaged" / "sets" / key).rename(path.parent)
            (path.parent / "reason.json").unlink()
        path.write_bytes(whole)
        assert len(store.sets()) == 1

    def test_damaged_set_can_be_kept_again(self, store, small):
        key = store.save_set(small)
        flip_a_byte(store.root / "sets" / key / "set.safetensors")
        assert store.save_set(small) == key
        assert store.load_set(key).fingerprint == key

    def test_damage_on_a_disk_that_cannot_be_written_is_told_all_the_same(self, store, mixtures, monkeypatch):
        bad, good = (store.save_set(mixtures.take([row])) for row in (0, 1))
        path = files_of(store, "sets", bad)[1]
        path.write_bytes(b"")
        monkeypatch.setattr(os, "rename", _raises(errno.EROFS))
        assert [record.fingerprint for record in store.sets()] == [good]
        assert [damaged.key for damaged in store.damaged()] == [bad]

    def test_lost_counter_does_not_repeat_numbers(self, store, mixtures):
        store.save_set(mixtures.take([0]))
        store.save_set(mixtures.take([1]))
        (store.root / "sequence").write_text("nonsense")
        store.save_set(mixtures.take([2]))
        assert [record.sequence for record in store.sets()] == [1, 2, 3]


def _raises(code):
    def fail(*args, **kwargs):
        raise OSError(code, os.strerror(code), "/a/private/path")

    return fail


class TestDisk:
    @pytest.mark.parametrize("call", ["fsync", "rename", "replace"])
    @pytest.mark.parametrize(
        ("code", "sentence"),
        [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "cannot be written"), (errno.EIO, "Input/output error")],
    )
    def test_fault_while_keeping_shows_nothing_and_harms_nothing(
        self, store, mixtures, monkeypatch, call, code, sentence
    ):
        kept = store.save_set(mixtures.take([0]))
        with monkeypatch.context() as broken:
            broken.setattr(os, call, _raises(code))
            with pytest.raises(StoreError, match=sentence) as refusal:
                store.save_set(mixtures.take([1]))
        assert "private" not in str(refusal.value)
        assert [record.fingerprint for record in store.sets()] == [kept]
        assert store.load_set(kept).fingerprint == kept
        assert store.damaged() == []
        assert not any((store.root / "staging").iterdir())

    def test_fault_while_renaming_keeps_the_old_name(self, store, small, monkeypatch):
        key = store.save_set(small)
        with monkeypatch.context() as broken:
            broken.setattr(os, "replace", _raises(errno.ENOSPC))
            with pytest.raises(StoreError, match="disk is full"):
                store.rename_set(key, "New")
        assert store.sets()[0].name == small.meta.name
        assert sorted(path.name for path in (store.root / "sets" / key).iterdir()) == [
            "manifest.json",
            "set.json",
            "set.safetensors",
        ]

    def test_death_at_any_write_leaves_all_or_nothing(self, store, mixtures, monkeypatch):
        """Cut the power at the n-th flush or rename, for every n, and look at what a new process would find."""

        class PowerCut(BaseException):
            pass

        kept = store.save_set(mixtures.take([0]))
        real = {name: getattr(os, name) for name in ("fsync", "rename", "replace")}
        fresh = mixtures.take([1])
        for n in range(100):
            calls = iter(range(1000))
            dead = False

            def dying(name, calls=calls, n=n):
                def call(*args):
                    nonlocal dead
                    if dead or next(calls) == n:
                        dead = True
                        raise PowerCut
                    return real[name](*args)

                return call

            with monkeypatch.context() as power:
                for name in real:
                    power.setattr(os, name, dying(name))
                power.setattr("shutil.rmtree", lambda *args, **kwargs: None)
                try:
                    acknowledged = store.save_set(fresh)
                except PowerCut:
                    acknowledged = None
            after = Store(store.root)
            found = [record.fingerprint for record in after.sets()]
            assert found in ([kept], [kept, fresh.fingerprint])
            assert all(after.load_set(one).fingerprint == one for one in found)
            assert after.damaged() == []
            if acknowledged is not None:
                assert found[-1] == acknowledged
                break
            if len(found) == 2:
                after.delete_set(fresh.fingerprint)
        assert n > 4

    def test_concurrent_keepers_get_numbers_of_their_own(self, store, mixtures):
        def keep(start):
            for row in range(start, start + 5):
                Store(store.root).save_set(mixtures.take([row]))

        threads = [threading.Thread(target=keep, args=(start,)) for start in (0, 5, 10, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sequences = [record.sequence for record in store.sets()]
        assert len(set(sequences)) == len(sequences) == 15
        assert store.damaged() == []


class TestTheBin:
    def test_deleted_entries_of_every_kind_come_back(self, store, small):
        model = REGRESSORS["ridge"]().fit(small)
        kept = {
            "sets": store.save_set(small),
            "models": store.save_model(model, registry="regressor", member="ridge", train=small, seed=0),
            "results": store.save_result("study", {}, {"t": pd.DataFrame({"x": [1.0]})}, name="A study"),
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
        monkeypatch.setattr(Path, "write_bytes", _raises(errno.ENOSPC))
        monkeypatch.setattr(Path, "open", _raises(errno.ENOSPC))
        store.delete_set(key)
        assert not (store.root / "sets" / key).exists()

    def test_what_it_takes_of_the_disk_is_told(self, store, small):
        assert store.disk_use().parts == {}
        key = store.save_set(small)
        taken = sum(path.stat().st_size for path in files_of(store, "sets", key))
        assert 0 <= store.disk_use().parts["sets"] - taken <= 4096  # the folder itself
        assert store.disk_use().free > 0


class TestMemo:
    def test_a_folder_in_place_of_a_file_is_put_aside(self, store):
        memo = store.memo("n")
        memo.arrays("k", lambda: {"x": np.ones(3)})
        (path,) = (store.root / "memo").glob("*/*")
        path.unlink()
        (path / "inside").mkdir(parents=True)
        assert_array_equal(memo.arrays("k", lambda: {"x": np.full(3, 2.0)})["x"], [2, 2, 2])
        assert_array_equal(memo.arrays("k", lambda: pytest.fail("computed again"))["x"], [2, 2, 2])

    def test_a_file_in_place_of_its_folder_makes_way(self, store):
        folder = store.root / "memo" / name_for("n")
        folder.parent.mkdir(parents=True)
        folder.write_text("in the way")
        store.memo("n").arrays("k", lambda: {"x": np.ones(3)})
        assert_array_equal(store.memo("n").arrays("k", lambda: pytest.fail("again"))["x"], [1, 1, 1])

    def test_drafts_of_processes_that_died_are_swept_and_others_left(self, store):
        store.memo("n").arrays("k", lambda: {"x": np.ones(3)})
        (path,) = (store.root / "memo").glob("*/*")
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        host = socket.gethostname()
        left = {owner: path.with_name(f".x~{host}~{owner}~1") for owner in (dead.pid, os.getpid())}
        for draft in left.values():
            draft.write_bytes(b"")
        store.trim_memo()
        assert [owner for owner, draft in left.items() if draft.exists()] == [os.getpid()]

    def test_result_is_computed_once(self, store):
        memo = store.memo("a study")
        first = memo.arrays("key", lambda: {"x": np.arange(6.0).reshape(2, 3).T})
        again = store.memo("a study").arrays("key", lambda: pytest.fail("computed again"))
        assert_array_equal(again["x"], first["x"])
        assert store.memo("another").arrays("key", lambda: {"x": np.zeros(1)})["x"].shape == (1,)

    @pytest.mark.parametrize(
        "harm", [lambda raw: raw[:-1], lambda raw: b"", lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])]
    )
    def test_damaged_result_is_computed_again(self, store, harm):
        store.memo("n").arrays("k", lambda: {"x": np.ones(3)})
        (path,) = (store.root / "memo").glob("*/*")
        path.write_bytes(harm(path.read_bytes()))
        assert_array_equal(store.memo("n").arrays("k", lambda: {"x": np.full(3, 2.0)})["x"], [2, 2, 2])

    def test_objects_are_refused(self, store):
        with pytest.raises(StoreError, match="Only numbers can be kept, but 'x' holds object"):
            store.memo("n").arrays("k", lambda: {"x": np.array([object()])})

    def test_trimming_forgets_what_was_looked_up_least_recently(self, store):
        memo = store.memo("n")
        for number in range(4):
            memo.arrays(str(number), lambda: {"x": np.zeros(1000)})
        for number, path in enumerate(sorted((store.root / "memo").glob("*/*"))):
            os.utime(path, (number, number))
        memo.arrays("0", lambda: pytest.fail("computed again"))
        store.trim_memo(2 * 9000)
        assert len(list((store.root / "memo").glob("*/*"))) == 2
        memo.arrays("0", lambda: pytest.fail("computed again"))

    def test_checkpoint_is_replaced_whole(self, store, monkeypatch):
        checkpoint = store.checkpoint("training 1")
        assert checkpoint.load() is None
        checkpoint.save({"weights": np.array([1.0]), "epoch": np.array(3)})
        with monkeypatch.context() as broken:
            broken.setattr(os, "replace", _raises(errno.ENOSPC))
            with pytest.raises(StoreError, match="disk is full"):
                checkpoint.save({"weights": np.array([2.0]), "epoch": np.array(4)})
        kept = store.checkpoint("training 1").load()
        assert (int(kept["epoch"]), float(kept["weights"][0])) == (3, 1.0)
        checkpoint.clear()
        assert checkpoint.load() is None


class TestUploads:
    def test_file_comes_back_under_its_own_name(self, store):
        key = store.save_upload("../../x.csv", b"1,2\n")
        other = store.save_upload("../../x.csv", b"3,4\n")
        files = store.upload_files([key, other])
        assert {name: path.read_bytes() for name, path in files.items()} == {
            "../../x.csv": b"1,2\n",
            "../../x.csv (2)": b"3,4\n",
        }
        store.delete_upload(other)
        assert len(list((store.root / "uploads").iterdir())) == 1
        store.delete_upload(key)
        with pytest.raises(StoreError, match="This uploaded file is not in the store"):
            store.upload_files([key])


class TestDrafts:
    def test_draft_comes_back_as_it_was_last_kept(self, store):
        upload = store.save_upload("a.csv", b"1,2\n")
        key = store.save_draft([upload], "{}")
        assert store.save_draft([upload], '{"decimal": ","}', key) == key
        draft = store.load_draft(key[:12])
        assert (draft.key, draft.uploads, draft.recipe) == (key, (upload,), '{"decimal": ","}')

    def test_files_go_with_the_last_draft_that_has_them(self, store):
        shared, own = store.save_upload("a.csv", b"1,2\n"), store.save_upload("b.csv", b"3,4\n")
        one, other = store.save_draft([shared, own], "{}"), store.save_draft([shared], "{}")
        store.delete_draft(one)
        assert list(store.upload_files([shared])) == ["a.csv"]
        with pytest.raises(StoreError, match="not in the store"):
            store.upload_files([own])
        store.delete_draft(other)
        store.delete_draft(other)
        assert not list((store.root / "uploads").iterdir())
        with pytest.raises(StoreError, match="no longer kept"):
            store.load_draft(one)

    def test_oldest_drafts_make_room(self, store, monkeypatch):
        monkeypatch.setattr(drafts, "MAX_DRAFTS", 3)
        monkeypatch.setattr(drafts, "MAX_BYTES", 2500)
        # The fourth is one too many; with the large one there is room for itself and one small one only.
        keys = [store.save_draft([store.save_upload(f"{n}.csv", bytes([n]) * 100)], "{}") for n in range(4)]
        assert [entry.key for entry in store._drafts.entries()] == keys[1:]
        large = store.save_draft([store.save_upload("large.csv", b"x" * 2350)], "{}")
        assert [entry.key for entry in store._drafts.entries()] == [keys[3], large]
        larger = store.save_draft([store.save_upload("larger.csv", b"y" * 9000)], "{}")
        assert [entry.key for entry in store._drafts.entries()] == [larger]
        assert len(list((store.root / "uploads").iterdir())) == 1


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

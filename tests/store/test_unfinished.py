"""Work that goes on where it was: results looked up, checkpoints, uploads and drafts."""

import errno
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spectra_core.errors import StoreError
from spectra_core.store import drafts
from spectra_core.store.memo import name_for
from tests.store.conftest import raises


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

    def test_drafts_beside_counter_checkpoints_and_manifests_are_swept_by_the_next_writer(self, store, mixtures):
        key = store.save_set(mixtures)
        store.checkpoint("training").save({"x": np.ones(3)})
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        folders = store.root, store.root / "checkpoints", store.root / "sets" / key
        drafts = [folder / f".x~{socket.gethostname()}~{dead.pid}~1" for folder in folders]
        for draft in drafts:
            draft.write_bytes(b"half")
        store.rename_set(key, "Otherwise")
        store.save_upload("a.csv", b"1,2\n")
        assert [draft.parent.name for draft in drafts if draft.exists()] == []

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

    def test_a_result_that_lies_where_another_one_belongs_is_computed_again(self, store):
        kept = [("n", "k"), ("n", "other"), ("other", "k")]
        for namespace, key in kept:
            store.memo(namespace).arrays(key, lambda: {"x": np.ones(3)})
            store.checkpoint(key).save({"x": np.ones(3)})
        places = {(one, key): store.root / "memo" / name_for(one) / f"{name_for(key)}.safetensors" for one, key in kept}
        for (namespace, key), path in places.items():
            for foreign in set(places.values()) - {path}:
                own = path.read_bytes()
                path.write_bytes(foreign.read_bytes())
                found = store.memo(namespace).arrays(key, lambda: {"x": np.full(3, 2.0)})
                assert_array_equal(found["x"], [2, 2, 2])
                path.write_bytes(own)
        one, other = sorted((store.root / "checkpoints").iterdir())
        one.write_bytes(other.read_bytes())
        assert [store.checkpoint(key).load() is None for key in ("k", "other")].count(True) == 1

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
            broken.setattr(os, "replace", raises(errno.ENOSPC))
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

"""Whatever befalls files and disks: what was kept before is still there, and what is harmed is named."""

import errno
import os
import threading
from pathlib import Path

import pytest

from spectra_core.errors import StoreError
from spectra_core.store import Store
from tests.store.conftest import raises


def files_of(store, kind, key):
    return sorted((store.root / kind / key).iterdir())


def flip_a_byte(path: Path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


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
        monkeypatch.setattr(os, "rename", raises(errno.EROFS))
        assert [record.fingerprint for record in store.sets()] == [good]
        assert [damaged.key for damaged in store.damaged()] == [bad]

    def test_lost_counter_does_not_repeat_numbers(self, store, mixtures):
        store.save_set(mixtures.take([0]))
        store.save_set(mixtures.take([1]))
        (store.root / "sequence").write_text("nonsense")
        store.save_set(mixtures.take([2]))
        assert [record.sequence for record in store.sets()] == [1, 2, 3]


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
            broken.setattr(os, call, raises(code))
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
            broken.setattr(os, "replace", raises(errno.ENOSPC))
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

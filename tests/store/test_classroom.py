"""Workspaces of a class: nothing of each other, the shelf read-only, limits in one sentence, idle ones removed."""

import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from spectra_core.errors import ConfigError, StoreError
from spectra_core.store import Store, board
from spectra_core.store import classroom as room
from tests.conftest import beer_lambert_set


def spectra(n=0):
    return beer_lambert_set(n_spectra=6, seed=n).with_meta(name=f"Day {n}")


@pytest.fixture
def visitors(tmp_path):
    """Two workspaces, and the folder of their class."""
    first, second = (Store(room.home_of_secret(tmp_path, room.new_secret())) for _ in range(2))
    return first, second, tmp_path


def test_a_secret_has_256_bits_and_its_folder_does_not_tell_it(tmp_path):
    secrets = {room.new_secret() for _ in range(50)}
    assert len(secrets) == 50
    for secret in secrets:
        assert room.is_secret(secret)
        home = room.home_of_secret(tmp_path, secret)
        assert room.is_workspace(home)
        assert secret not in str(home)
    assert not any(
        room.is_secret(text) for text in ("", "../" * 14 + "x", secret[:-1], secret + "a", secret[:-1] + "/")
    )


def test_two_workspaces_see_nothing_of_each_other(visitors):
    first, second, _ = visitors
    key = first.save_set(spectra())
    result = first.save_result("study", {}, {})
    upload = first.save_upload("a.csv", b"1")
    draft = first.save_draft([upload], "{}")
    assert second.sets() == second.results() == second.binned() == []
    for ask in (
        lambda: second.load_set(key),
        lambda: second.load_result(result),
        lambda: second.upload_files([upload]),
        lambda: second.load_draft(draft),
        lambda: second.delete_set(key),
    ):
        with pytest.raises(StoreError, match=r"not in the store|no longer kept"):
            ask()
    first.delete_set(key)
    with pytest.raises(StoreError, match="no longer in the bin"):
        second.restore("sets", key)


def test_the_shelf_is_seen_by_all_and_changed_by_none_but_the_teacher(visitors):
    first, second, folder = visitors
    teacher = Store(room.home_of_secret(folder, room.teacher_secret(folder)))
    assert teacher.root == folder
    key, result = teacher.save_set(spectra()), teacher.save_result("note", {"a": 1}, {})
    own = first.save_set(spectra(1))
    assert [one.name for one in first.sets()] == ["Day 0", "Day 1"]
    assert [one.name for one in second.sets()] == ["Day 0"]
    assert first.load_set(key).fingerprint == key
    assert second.load_result(result).document == {"a": 1}
    assert (first.is_shared("sets", key), first.is_shared("sets", own)) == (True, False)
    assert first.save_set(spectra()) == key  # no second copy
    for change in (
        lambda: first.delete_set(key),
        lambda: first.rename_set(key, "Mine"),
        lambda: first.state_licence(key, "CC0"),
        lambda: first.delete_result(result),
    ):
        with pytest.raises(StoreError, match="only its teacher"):
            change()
    first.forget_results([result])
    assert [one.name for one in teacher.sets()] == ["Day 0"]
    assert [one.id for one in teacher.results()] == [result]
    teacher.delete_set(key)
    assert [one.name for one in first.sets()] == ["Day 1"]


def test_a_class_without_rules_of_its_own_has_the_usual_ones_and_refuses_a_file_that_is_none(tmp_path):
    assert room.rules_of(tmp_path) == room.Rules()
    assert room.change_rules(tmp_path, {"sets": 2, "board": True}).sets == 2
    secret = room.teacher_secret(tmp_path)
    room.change_rules(tmp_path, {"jobs": 5})
    assert room.rules_of(tmp_path) == room.Rules(sets=2, board=True, jobs=5)
    assert room.teacher_secret(tmp_path) == secret
    with pytest.raises(ConfigError, match="from 1 upwards"):
        room.change_rules(tmp_path, {"sets": 0})
    for text in ("{", '{"sets": "many"}', '{"idle_days": -1}', '{"idle_days": 100000000000}', '{"jobs": 0}'):
        (tmp_path / "class.json").write_text(text)
        with pytest.raises(StoreError, match=r"class\.json"):
            room.rules_of(tmp_path)
    for damaged in ("5", "{}", '"short"', '["a"]', "true"):
        (tmp_path / "class.json").write_text(f'{{"teacher": {damaged}}}')
        with pytest.raises(StoreError, match="remove it, for a new link"):
            room.home_of_secret(tmp_path, secret)


def test_limits_refuse_in_one_sentence_and_lose_nothing(visitors):
    first, second, folder = visitors
    room.change_rules(folder, {"sets": 2, "megabytes": 1, "workspaces": 1})
    for n in range(2):
        first.save_set(spectra(n))
    with pytest.raises(StoreError, match=r"at most 2 sets: delete one"):
        first.save_set(spectra(2))
    first.delete_set(spectra(1).fingerprint)
    first.save_set(spectra(2))
    with pytest.raises(StoreError, match="at most 2 sets"):
        first.restore("sets", spectra(1).fingerprint)
    with pytest.raises(StoreError, match="at most 1 MB"):
        first.save_upload("large.csv", bytes(10**6))
    with pytest.raises(StoreError, match="1 workspaces, as many as it may"):
        second.save_set(spectra())
    assert not second.root.exists()
    assert [one.name for one in first.sets()] == ["Day 0", "Day 2"]
    for n in range(3):
        Store(folder).save_set(spectra(n))  # the teacher has no limits


def test_a_disk_that_tells_nonsense_of_a_workspace_ends_nothing(visitors):
    first, second, folder = visitors
    first.save_set(spectra())
    (first.root / "used").touch()
    for moment in (-(10.0**10), 2.0**33):  # long before and after all that is
        os.utime(first.root / "used", (moment, moment))
        assert datetime(1970, 1, 1, tzinfo=UTC) <= room.used(first.root) <= datetime.now(UTC)
        room.note_use(first.root)
        assert room.kept_until(first.root) is not None
    (first.root / "used").unlink()
    (first.root / "used").symlink_to("used")
    assert room.workspaces(folder) == [first.root]
    assert room.kept_until(first.root) > datetime.now(UTC)
    shutil.rmtree(folder / room.WORKSPACES)
    (folder / room.WORKSPACES).write_bytes(b"x")
    with pytest.raises(StoreError, match="Looking at the workspace failed"):
        second.save_set(spectra())


def test_idle_workspaces_are_told_beforehand_and_a_visit_keeps_them(visitors):
    first, second, folder = visitors
    room.change_rules(folder, {"idle_days": 10})
    for store in (first, second):
        room.note_use(store.root)
        assert not store.root.exists()  # a visitor who keeps nothing leaves nothing
        store.save_set(spectra())
    long_ago = (datetime.now(UTC) - timedelta(days=11)).timestamp()
    for store in (first, second):
        (store.root / "used").touch()
        os.utime(store.root / "used", (long_ago, long_ago))
    room.note_use(second.root)
    idle, busy = room.workspaces(folder)
    assert (idle, busy) == (first.root, second.root)
    assert room.kept_until(idle) < datetime.now(UTC) < room.kept_until(busy) - timedelta(days=9)
    room.remove_workspace(idle)
    assert room.workspaces(folder) == [second.root]
    assert room.kept_until(idle) is None
    assert first.sets() == []
    assert len(second.sets()) == 1


def test_a_copy_of_the_class_is_the_class(visitors, tmp_path):
    first, second, folder = visitors
    room.change_rules(folder, {"sets": 7})
    secret = room.teacher_secret(folder)
    keys = [store.save_set(spectra(n)) for n, store in enumerate((first, second, Store(folder)))]
    copy = shutil.copytree(folder, tmp_path.with_name(f"{tmp_path.name}-restored"))
    shutil.rmtree(folder / "workspaces")
    for store, own in ((first, keys[0]), (second, keys[1])):
        restored = Store(copy / store.root.relative_to(folder))
        assert [one.fingerprint for one in restored.sets()] == [keys[2], own]
        assert all(restored.load_set(key).fingerprint == key for key in (keys[2], own))  # every byte by its sha256
        assert restored.damaged() == []
    assert (room.rules_of(copy).sets, room.teacher_secret(copy)) == (7, secret)


def test_the_board_keeps_the_last_score_of_each_and_tells_nobody_whose_it_is(visitors):
    first, second, folder = visitors
    for home, name, right in ((first, "Ann", 4), (second, "Bob", 9), (first, " Ann ", 11)):
        board.put_up(home.root, board.Score(name, "hard", right, 12))
    (folder / "board" / "0.json").write_text('{"nickname": "x", "difficulty": "easy", "right": 5, "asked": 0}')
    told = [(one.nickname, one.right) for one in board.scores(second.root)]
    assert told == [("Ann", 11), ("Bob", 9)]
    files = "".join(path.name + path.read_text() for path in (folder / "board").iterdir())
    assert first.root.name not in files
    for name in ("", " ", "two\nlines", "x" * 25, "\u202eturned"):
        with pytest.raises(StoreError, match="nickname"):
            board.put_up(first.root, board.Score(name, "hard", 1, 12))
    with pytest.raises(StoreError, match="Only a class"):
        board.scores(folder / "elsewhere")

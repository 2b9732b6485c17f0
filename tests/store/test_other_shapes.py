"""Every field of what is on disk, changed to another kind of value: listing goes on, using gives a sentence."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy as tensors

from spectra_core.calibration import calibrate
from spectra_core.errors import ReadError, SpectraCoreError, StoreError
from spectra_core.regressors import REGRESSORS
from spectra_core.store import Store
from spectra_core.store.files import sha256
from tests.changed import IN_PLACE, documents_changed, spelled


def signed(manifest):
    return spelled({**manifest, "sha256": sha256(spelled(manifest))})


@pytest.fixture(scope="module")
def kept(tmp_path_factory, mixtures):
    store = Store(tmp_path_factory.mktemp("kept"))
    few = mixtures.take(np.arange(12))
    store.save_set(few)
    model = REGRESSORS["ridge"]().fit(few)
    store.save_model(model, registry="regressor", member="ridge", train=few, seed=0, extra={"note": "µ"})
    store.save_result("note", {"seed": 3}, {"t": pd.DataFrame({"x": [1.0]})}, name="A study")
    upload = store.save_upload("a.csv", b"1,2\n")
    store.save_draft([upload], "{}")
    return store


def look_at(store):
    """Do what pages do with what they list."""
    listed = [
        *[(record.fingerprint, record, store.load_set) for record in store.sets()],
        *[(record.id, record, store.load_model) for record in store.models()],
        *[(record.id, record, store.load_result) for record in store.results()],
    ]
    for key, record, load in listed:
        repr(record).encode()
        pd.to_datetime(record.created, utc=True)
        json.dumps(list(vars(record).values()), allow_nan=False)
        try:
            load(key)
        except SpectraCoreError as refusal:
            str(refusal).encode()
    for draft in store._drafts.entries():
        with suppress(SpectraCoreError):
            store.upload_files(store.load_draft(draft.key).uploads)
    damaged = store.damaged()
    for one in damaged:
        f"{one.kind} {one.key} {one.name} {one.reason}".encode()
    return {one.key for one in damaged}


def entries_changed(kept, home, kind, name):
    """Keep the entry of a kind once for every change of its file `name`, each validly signed; return the store."""
    (folder,) = (kept.root / kind).iterdir()
    manifest = json.loads((folder / "manifest.json").read_bytes())
    del manifest["sha256"]
    for number, (_, _, changed) in enumerate(documents_changed(json.loads((folder / name).read_bytes()))):
        key = f"{number:064x}"
        entry = home / kind / key
        entry.mkdir(parents=True)
        for path in folder.iterdir():
            os.link(path, entry / path.name)
        (entry / "manifest.json").unlink()
        if name == "manifest.json":
            changed.pop("sha256", None)
            signing = {**changed, "key": key} if changed.get("key") == folder.name else changed
        else:
            content = spelled(changed)
            (entry / name).unlink()
            (entry / name).write_bytes(content)
            facts = {"sha256": sha256(content), "size": len(content)}
            signing = {**manifest, "key": key, "files": {**manifest["files"], name: facts}}
        (entry / "manifest.json").write_bytes(signed(signing))
    return Store(home), number + 1


@pytest.mark.parametrize("kind", ["sets", "models", "results", "uploads", "drafts"])
def test_manifests_that_are_validly_signed(kept, tmp_path, kind):
    store, n_entries = entries_changed(kept, tmp_path, kind, "manifest.json")
    n_unlisted = len(store.damaged())
    assert 50 < n_unlisted < n_entries
    n_damaged = len(look_at(store))
    assert n_damaged >= n_unlisted
    assert n_damaged + len(getattr(store, f"_{kind}").entries()) == n_entries


@pytest.mark.parametrize(("kind", "name"), [("sets", "set.json"), ("results", "document.json")])
def test_documents_of_entries_that_are_validly_signed(kept, tmp_path, kind, name):
    store, n_entries = entries_changed(kept, tmp_path, kind, name)
    n_damaged = len(look_at(store))
    assert len(getattr(store, f"_{kind}").entries()) == n_entries - n_damaged
    assert n_damaged > 0


def signed_again(home, kind, key, record=None, **files):
    """Change fields of an entry's record, or its files, and sign it again."""
    entry = home / kind / key
    manifest = json.loads((entry / "manifest.json").read_bytes())
    del manifest["sha256"]
    manifest["record"] |= record or {}
    for name, content in files.items():
        (entry / name).write_bytes(content)
        manifest["files"][name] = {"sha256": sha256(content), "size": len(content)}
    (entry / "manifest.json").write_bytes(signed(manifest))


def sets_calibration(store):
    (record,) = store.sets()
    return store.save_calibration(calibrate(store.load_set(record.fingerprint), regressor="ridge", n_folds=2))


LOADED = {
    "sets": (
        "load_set",
        lambda store: store.sets()[0].fingerprint,
        "set.json",
        {"n_spectra": 3, "n_channels": 7, "target_names": ["Zn"]},
    ),
    "models": (
        "load_model",
        lambda store: store.models()[0].id,
        "model.safetensors",
        {"seed": 5, "configuration": {"alpha": 2.0}},
    ),
    "calibrations": (
        "load_calibration",
        sets_calibration,
        "calibration.zip",
        {"n_spectra": 3, "data": "x", "data_name": "x", "target_names": ["Zn"]},
    ),
}


@pytest.mark.parametrize("kind", LOADED)
def test_what_its_files_contradict_or_do_not_hold_is_set_aside_and_named(kept, tmp_path, kind):
    shutil.copytree(kept.root, tmp_path, dirs_exist_ok=True)
    load, key_in, file, fields = LOADED[kind]
    store = Store(tmp_path)
    key = key_in(store)
    shutil.copytree(tmp_path / kind / key, tmp_path / "right")
    changes = [({name: value}, {}, f"something else of '{name}'") for name, value in fields.items()]
    for record, files, said in [*changes, ({}, {file: b"{}"}, "this version")]:
        shutil.rmtree(tmp_path / "damaged", ignore_errors=True)
        shutil.rmtree(tmp_path / kind / key, ignore_errors=True)
        shutil.copytree(tmp_path / "right", tmp_path / kind / key)
        getattr(Store(tmp_path), load)(key)
        signed_again(tmp_path, kind, key, record, **files)
        with pytest.raises(StoreError, match="was set aside as damaged"):
            getattr(Store(tmp_path), load)(key)
        assert [said in one.reason for one in Store(tmp_path).damaged()] == [True]


def test_a_model_of_numbers_that_are_none_is_told_before_it_is_built(kept, tmp_path):
    shutil.copytree(kept.root, tmp_path, dirs_exist_ok=True)
    (record,) = kept.models()
    content = kept.export_model(record.id)
    metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    arrays = {name: values.copy() for name, values in tensors.load(content).items()}
    floats = [
        name
        for name, values in arrays.items()
        if name.startswith("state.") and values.dtype.kind == "f" and values.size
    ]
    arrays[floats[0]].flat[0] = np.nan
    signed_again(tmp_path, "models", record.id, **{"model.safetensors": tensors.save(arrays, metadata=metadata)})
    with pytest.raises(StoreError, match=r"'Ridge.*' was set aside as damaged: .*not finite"):
        Store(tmp_path).load_frame(record.id)
    assert [one.key for one in Store(tmp_path).damaged()] == [record.id]


def test_a_model_of_another_form_is_set_aside_where_only_its_frame_is_read(kept, tmp_path):
    shutil.copytree(kept.root, tmp_path, dirs_exist_ok=True)
    (record,) = Store(tmp_path).models()
    assert Store(tmp_path).load_frame(record.id) == kept.load_model(record.id).model.frame_
    signed_again(tmp_path, "models", record.id, **{"model.safetensors": b"{}"})
    with pytest.raises(StoreError, match="was set aside as damaged"):
        Store(tmp_path).load_frame(record.id)
    assert [one.key for one in Store(tmp_path).damaged()] == [record.id]


def test_the_frame_of_a_model_is_read_without_building_the_model(kept, monkeypatch):
    def built(*_):
        raise AssertionError("The model was built, which may load PyTorch.")

    (record,) = kept.models()
    frame = kept.load_model(record.id).model.frame_
    monkeypatch.setattr("spectra_core.store.models.fitted_member", built)
    assert Store(kept.root).load_frame(record.id) == frame


def test_what_is_set_aside_is_named_to_who_asks_for_it(tmp_path):
    store = Store(tmp_path)
    key = store.save_result("bench", {"arguments": 3}, {}, name="Last week")
    for _ in range(2):
        with pytest.raises(StoreError, match=r"was set aside as damaged: it was kept by another version.*'arguments'"):
            store.load_result(key)


def test_descriptions_of_models(kept, tmp_path):
    (record,) = kept.models()
    content = kept.export_model(record.id)
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    document = json.loads(header["__metadata__"]["latent_spectra"])
    store, n_refused = Store(tmp_path), 0
    for _, _, changed in documents_changed(document):
        text = json.dumps({**header, "__metadata__": {"latent_spectra": json.dumps(changed)}}).encode()
        text += b" " * (-len(text) % 8)
        try:
            store.import_model(len(text).to_bytes(8, "little") + text + content[8 + length :])
        except ReadError as refusal:
            str(refusal).encode()
            n_refused += 1
    assert look_at(store) == set()
    assert n_refused > 100


@pytest.mark.parametrize("put", IN_PLACE.values(), ids=IN_PLACE)
@pytest.mark.parametrize("name", ["", "manifest.json", "set.json", "set.safetensors"])
def test_something_else_in_place_of_a_file_or_an_entry(kept, tmp_path, name, put):
    (key,) = (path.name for path in (kept.root / "sets").iterdir())
    entry = tmp_path / "sets" / key
    shutil.copytree(kept.root / "sets" / key, entry)
    place = entry / name
    place.unlink() if name else shutil.rmtree(entry)
    put(place)
    store = Store(tmp_path)
    assert store.sets() == []
    assert look_at(store) == {key}
    assert store.save_set(kept.load_set(key)) == key
    assert [record.fingerprint for record in store.sets()] == [key]
    assert not list(Path("/etc").glob("reason*"))

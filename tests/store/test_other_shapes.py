"""Every field of what is on disk, changed to another kind of value: listing goes on, using gives a sentence."""

import json
import os
import shutil
import socket
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from spectra_core.calibration import calibrate
from spectra_core.choices import Choice
from spectra_core.errors import ReadError, SpectraCoreError, StoreError
from spectra_core.evaluation.similarity.distances import DISTANCES
from spectra_core.experiment import Arm, Experiment
from spectra_core.figures.latent_map import METHODS
from spectra_core.jobs import Jobs
from spectra_core.regressors import REGRESSORS
from spectra_core.store import Store
from spectra_core.store.files import sha256
from spectra_core.store.result_shapes import _MARKS, SHAPES, require_shape
from spectra_core.store.shapes import fits

MISSING = object()
VALUES = [MISSING, None, [], ["x"], {}, {"x": 1}, "", "other", "\ud800", True, -1, 1.5, 10**400, 10**17, 1e300]


def documents_changed(document, path=()):
    """Yield the document with every field, however deep, changed to every other value, and with one more field."""
    for name in [*document, "one more"]:
        for value in VALUES:
            changed = {key: kept for key, kept in document.items() if key != name}
            if value is not MISSING:
                changed[name] = value
            yield (*path, name), value, changed
        if isinstance(document.get(name), dict):
            for place, value, inner in documents_changed(document[name], (*path, name)):
                yield place, value, {**document, name: inner}


def spelled(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


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
        {"n_spectra": 3, "target_names": ["Zn"]},
    ),
    "models": (
        "load_model",
        lambda store: store.models()[0].id,
        "model.safetensors",
        {"seed": 5, "configuration": {"alpha": 2.0}},
    ),
    "calibrations": ("load_calibration", sets_calibration, "calibration.zip", {"n_spectra": 3, "data": "x"}),
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


def of_hint(hint):
    """Return a value of an annotated kind, for contracts."""
    values = [value for value in ("x", 3, 0.5, [], {}, *get_args(hint)) if fits(value, hint)]
    return values[0]


def result_of(shape):
    """Return the least that a result of a shape holds."""
    document: dict = {}
    for name, hint in shape.document.items():
        place = document
        *above, last = name.split(".")
        for one in above:
            place = place.setdefault(one, {})
        place[last] = of_hint(hint)
    if "experiment" in document:
        experiment = Experiment((Arm("baseline", "baseline"),), (Choice("ridge"),), reference="baseline")
        document["experiment"] = json.loads(experiment.to_json())
    words = {"verdict": "as real", "arm": "baseline", "regressor": "ridge", "target": "Cu"}
    tables = {
        name: pd.DataFrame(
            {column.removesuffix("?"): [column in _MARKS or words.get(column, "x")] for column in of_words.split()}
            | {column: [1] for column in of_numbers.split()}
        )
        for name, (of_words, of_numbers) in {**shape.tables, **shape.sometimes}.items()
    }
    return document, tables


@pytest.mark.parametrize("kind", SHAPES)
def test_every_field_and_column_that_a_kind_of_result_needs_is_asked_for(kind):
    document, tables = result_of(SHAPES[kind])
    require_shape(kind, document, tables)
    for name, hint in SHAPES[kind].document.items():
        wrong = [one for one in (MISSING, None, 10**400) if one is MISSING or not fits(one, hint)]
        here = [one for one in documents_changed(document) if ".".join(one[0]) == name]
        others = [changed for _, value, changed in here if any(value is one or value == one for one in wrong)]
        assert len(others) >= len(wrong) > 1
        for other in others:
            with pytest.raises(ValueError, match=f"{name.partition('.')[0]}|experiment"):
                require_shape(kind, other, tables)
    for name, table in tables.items():
        for column, cells in table.items():
            wrong = [[1, 2]] if isinstance(cells[0], str | bool) else "x"
            for other in (table.drop(columns=column), table.assign(**{column: [wrong]})):
                with pytest.raises(ValueError, match=f"{column}.*{name}|{name} are"):
                    require_shape(kind, document, {**tables, name: other})
        if name in SHAPES[kind].filled:
            with pytest.raises(ValueError, match=f"{name!r} has no rows"):
                require_shape(kind, document, {**tables, name: table.iloc[:0]})
        if name in SHAPES[kind].tables:
            with pytest.raises(ValueError, match=f"{name!r} is missing"):
                require_shape(kind, document, {at: one for at, one in tables.items() if at != name})


def test_a_result_that_lacks_what_its_kind_is_read_for_is_set_aside_and_named(tmp_path):
    store = Store(tmp_path)
    arguments = {"set": "a", "generated": None, "model": None, "method": "pca"}
    document = {"arguments": arguments, "n_spectra": {"training": 1}, "n_shown": {}, "trustworthiness": 0.9}
    table = pd.DataFrame({"role": ["training"], "id": ["1"], "sample": [0], "x": [0.5], "y": [np.nan]})
    table = table.assign(share_x=0.5, share_y=np.nan)
    right = store.save_result("map", document, {"map": table}, name="Right")
    odd = [
        ("field 'trustworthiness'", {**document, "trustworthiness": "high"}, table),
        ("field 'arguments'", {"trustworthiness": 0.9}, table),
        ("field 'arguments.model'", {**document, "arguments": {"set": "a", "method": "pca", "generated": None}}, table),
        ("field 'arguments.method'", {**document, "arguments": {**arguments, "method": "isomap"}}, table),
        ("'n_shown' counts", {**document, "n_shown": {"generated": 3}}, table),
        ("table 'map' has no rows", document, table.iloc[:0]),
        ("table 'map' is missing", document, None),
        ("column 'x' of its table 'map' is missing", document, table.drop(columns="x")),
        ("column 'y' of its table 'map' holds no numbers", document, table.assign(y=["north"])),
        ("column 'sample' of its table 'map' holds numbers that cannot be", document, table.assign(sample=[np.nan])),
        ("column 'id' of its table 'map' holds something else", document, table.assign(id=[True])),
        ("column 'more' of its table 'map' holds neither words nor", document, table.assign(more=[[1, 2]])),
        ("column 'role' of its table 'map' holds something else than words", document, table.assign(role=[3])),
    ]
    for number, (_, said, cells) in enumerate(odd):
        store.save_result("map", said, {} if cells is None else {"map": cells}, name=f"Odd {number}")
    assert [result.record.id for result in store.loaded_results("map")] == [right]
    reasons = {one.name: one.reason for one in store.damaged()}
    assert len(reasons) == len(odd)
    for number, (words, _, _) in enumerate(odd):
        assert words in reasons[f"Odd {number}"]


def test_kinds_of_results_know_every_method_there_is_and_tables_about_what_there_is():
    assert set(get_args(SHAPES["neighbours"].document["arguments.metric"])) == set(DISTANCES)
    assert set(get_args(SHAPES["map"].document["arguments.method"])) == set(METHODS)
    for kind, changes, said in [
        ("neighbours", {"sample": [3]}, "'sample'"),
        ("neighbours", {"nearest_training": [-1]}, "'nearest_training'"),
    ]:
        document, tables = result_of(SHAPES[kind])
        with pytest.raises(ValueError, match=f"{said}.*cannot be"):
            require_shape(kind, document, {**tables, kind: tables[kind].assign(**changes)})
    document, tables = result_of(SHAPES["bench"])
    with pytest.raises(ValueError, match="verdicts"):
        require_shape("bench", document, {"bench": tables["bench"].assign(verdict="good")})
    with pytest.raises(ValueError, match="twice"):
        require_shape("bench", document, {"bench": pd.concat([tables["bench"]] * 2)})


@pytest.mark.parametrize(
    ("table", "column", "cell", "said"),
    [
        ("errors", "arm", "another", "errors are those of other arms"),
        ("predictions", "regressor", "pls", "predictions are those of other arms"),
        ("errors", "target", "Zn", "errors are about targets whose spread"),
        ("predictions", "predicted", np.inf, "'predicted'.*cannot be"),
        ("spreads", "sd", -np.inf, "'sd'.*cannot be"),
        ("errors", "n_train", np.nan, "'n_train'.*cannot be"),
        ("reasons", "effect", np.inf, None),
    ],
)
def test_tables_of_an_experiment_are_about_its_own_arms_and_finite(table, column, cell, said):
    document, tables = result_of(SHAPES["study"])
    changed = {**tables, table: tables[table].assign(**{column: [cell]})}
    with pytest.raises(ValueError, match=said) if said else nullcontext():
        require_shape("study", document, changed)


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


IN_PLACE = {
    "a pipe": os.mkfifo,
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nowhere": lambda path: path.symlink_to("/nowhere"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a folder elsewhere": lambda path: path.symlink_to("/etc"),
    "gigabytes": lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 8 * 2**30),
    "a file": lambda path: path.write_bytes(b"x"),
    "a folder": os.mkdir,
}


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


@pytest.mark.parametrize("put", IN_PLACE.values(), ids=IN_PLACE)
@pytest.mark.parametrize("name", ["job.json", "status.json", "launch.json", "events.jsonl", "log.txt"])
def test_something_else_in_place_of_a_file_of_a_job(ended, tmp_path, monkeypatch, name, put):
    monkeypatch.setattr(Jobs, "start_waiting", lambda self: None)
    job_id = f"{0:032x}"
    shutil.copytree(ended / "jobs" / job_id, tmp_path / "jobs" / job_id)
    (tmp_path / "jobs" / job_id / name).unlink(missing_ok=True)
    put(tmp_path / "jobs" / job_id / name)
    jobs = Jobs(tmp_path)
    assert [record.id for record in jobs.records()] == [job_id]
    jobs.events(job_id)
    jobs.log_tail(job_id)


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Three jobs as they lie on disk: finished, cancelled, waiting."""
    home = tmp_path_factory.mktemp("jobs")
    for number, state in enumerate(("finished", "cancelled", "")):
        folder = home / "jobs" / f"{number:032x}"
        folder.mkdir(parents=True)
        request = {"task": "train", "title": "Train", "arguments": {"set": "x"}, "attempt": 1}
        request |= {"sequence": number + 1, "queued": number + 1, "created": "2026-01-01T00:00:00+00:00"}
        (folder / "job.json").write_bytes(spelled(request))
        if state:
            launch = {
                "attempt": 1,
                "host": socket.gethostname(),
                "pid": 1,
                "started": "1.00",
                "token": "t",
                "warm": False,
            }
            status = {"attempt": 1, "state": state, "pid": 1, "started": "1.00", "stage": "S", "done": 1, "total": 2}
            status |= {"seconds_running": 1.0, "seconds_left": None, "error": "", "result": {"model": "y"}}
            (folder / "launch.json").write_bytes(spelled(launch))
            (folder / "status.json").write_bytes(spelled({**status, "parts": [["One", 0.5, 3.0]]}))
            event = {"attempt": 1, "seconds": 0.1, "stage": "S", "done": 1, "total": 2, "values": {"loss": 0.5}}
            (folder / "events.jsonl").write_bytes(spelled(event) + b"\n")
    return home


@pytest.mark.parametrize("name", ["job.json", "launch.json", "status.json", "events.jsonl"])
def test_files_of_jobs(ended, monkeypatch, name):
    monkeypatch.setattr(Jobs, "start_waiting", lambda self: None)  # nothing is run for real here
    jobs, job_id = Jobs(ended), f"{0:032x}"
    path = ended / "jobs" / job_id / name
    whole = path.read_bytes()
    n_told = 0
    try:
        for _, _, changed in documents_changed(json.loads(whole)):
            path.write_bytes(spelled(changed))
            records = jobs.records()
            assert [record.id for record in records if record.id != job_id] == [f"{n:032x}" for n in (1, 2)]
            (found,) = [record for record in records if record.id == job_id]
            n_told += "damaged" in found.error
            json.dumps(list(vars(found).values()), allow_nan=False).encode()
            repr(found).encode()
            assert 0 <= found.share <= 1
            assert not any(isinstance(one, dict | list) for one in (found.result or {}).values())  # used as keys
            pd.to_datetime(found.created or None, utc=True)
            round(found.seconds_running)
            jobs.events(job_id).to_json()
            jobs.log_tail(job_id)
    finally:
        path.write_bytes(whole)
    assert n_told > {"job.json": 50, "status.json": 50}.get(name, -1)

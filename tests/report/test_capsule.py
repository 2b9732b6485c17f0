"""A capsule verifies elsewhere, is refused after any change, and runs nothing."""

import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from spectra_core.choices import Choice
from spectra_core.cli.commands import main
from spectra_core.datasets.formulas import table_csv
from spectra_core.errors import ConfigError
from spectra_core.experiment import Arm, Experiment, run
from spectra_core.report.capsule import CapsuleError, capsule_of, open_capsule
from spectra_core.report.finding import read_table
from spectra_core.report.verifying import agreement, verify
from spectra_core.store import ResultRecord, Store, StoredResult
from spectra_core.store.files import sha256
from tests.conftest import beer_lambert_set

NOISE = np.random.default_rng(0).bytes(100_000)
"""It cannot be packed."""


@pytest.fixture(scope="module")
def spectra():
    return beer_lambert_set(40)


@pytest.fixture(scope="module")
def result(spectra):
    arms = (
        Arm("Baseline", "baseline"),
        Arm("=1+1", generator=Choice("mixing")),
        Arm("Jitter", generator=Choice("jitter")),
    )
    experiment = Experiment(arms, (Choice("ridge"),), targets=("Cu2+", "NO3-"), n_folds=3, reference="baseline")
    found = run(experiment, spectra)
    record = ResultRecord("", "study", "A study", tuple(found.tables), "", 0, "2026-11-29T08:00:00+00:00")
    return StoredResult(record, found.document, dict(found.tables))


@pytest.fixture(scope="module")
def content(result, spectra):
    return capsule_of(result, spectra.with_targets(["Cu2+", "NO3-"]))


def repacked(content, changes, *, rehash=True):
    """Return a capsule with members changed by someone who knows the format, checksums and all."""
    old = zipfile.ZipFile(io.BytesIO(content))
    files = {**{name: old.read(name) for name in old.namelist()}, **changes}
    manifest = json.loads(files["capsule.json"])
    if rehash:
        known = {name: {"sha256": sha256(part), "size": len(part)} for name, part in files.items()}
        manifest["members"] = {name: facts for name, facts in known.items() if name != "capsule.json"}
        files["capsule.json"] = json.dumps(manifest).encode()
    return packed(list(files.items()))


def packed(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.comment = b"sha256 of all bytes before it: " + b"0" * 64
        for name, part in members:
            archive.writestr(zipfile.ZipInfo(name), part, method)
    body = out.getvalue()[:-64]
    return body + sha256(body).encode()


def test_everything_agrees_to_the_last_bit_where_nothing_was_changed(content):
    for fold in (2, None):
        found = verify(open_capsule(content), fold=fold)
        assert {one.table for one in found} >= {"predictions", "errors", "comparisons", "spreads", "added"}
        assert all(one.n_identical == one.n_figures and not one.n_differing for one in found)


def test_every_changed_byte_is_refused_and_its_member_named(content):
    for info in zipfile.ZipFile(io.BytesIO(content)).infolist():
        changed = bytearray(content)
        changed[info.header_offset + 30 + len(info.filename) + info.compress_size // 2] ^= 1
        with pytest.raises(CapsuleError, match=f"its member {info.filename} is damaged"):
            open_capsule(bytes(changed))
    for place in np.linspace(0, len(content) - 1, 40).astype(int):
        changed = bytearray(content)
        changed[place] ^= 16
        with pytest.raises(CapsuleError):
            open_capsule(bytes(changed))
    with pytest.raises(CapsuleError):
        open_capsule(content[:-1])


@pytest.mark.parametrize(
    ("table", "column", "fold"), [("errors", "rmsep", 0), ("predictions", "predicted", 2), ("comparisons", "low", None)]
)
def test_a_planted_number_is_found(content, table, column, fold):
    kept = read_table(open_capsule(content).files[f"tables/{table}.csv"])
    row = 0 if fold is None else int(np.flatnonzero(kept["fold"] == fold)[0])
    kept.loc[row, column] *= 1.0001
    planted = repacked(content, {f"tables/{table}.csv": table_csv(kept)})
    found = verify(open_capsule(planted), fold=0)
    said = [words for one in found for words in one.differing]
    assert any(words.startswith(("rmsep", column)) for words in said)
    assert min(one.fewest_digits for one in found) <= 4


@pytest.mark.parametrize("table", ["added", "generators"])
def test_tables_that_tell_of_no_folds_are_refused(content, table):
    kept = read_table(open_capsule(content).files[f"tables/{table}.csv"])
    planted = repacked(content, {f"tables/{table}.csv": table_csv(kept.drop(columns="fold"))})
    with pytest.raises(CapsuleError, match=f"'{table}' of this capsule tells of no"):
        verify(open_capsule(planted))


def test_planted_data_are_refused(content, spectra):
    other = beer_lambert_set(40, seed=5).with_targets(["Cu2+", "NO3-"])
    foreign = zipfile.ZipFile(io.BytesIO(capsule_like(other)))
    planted = repacked(content, {name: foreign.read(name) for name in foreign.namelist()})
    with pytest.raises(CapsuleError, match="are not those of its experiment"):
        verify(open_capsule(planted))


def capsule_like(spectra):
    from spectra_core.store.sets import set_files

    return packed([(f"data/{name}", part) for name, part in set_files(spectra).items()])


def test_data_that_may_not_leave_stay(result, spectra):
    alone = capsule_of(result, None, with_data=False)
    opened = open_capsule(alone)
    assert not [name for name in opened.files if name.startswith("data/") or "predictions" in name]
    assert b"<strong>The spectra.</strong>" not in opened.files["report.html"]
    with pytest.raises(ConfigError, match=f"begins with {opened.fingerprint[:12]}"):
        verify(opened)
    with pytest.raises(CapsuleError, match="Expected the data"):
        verify(opened, beer_lambert_set(40, seed=5))
    assert not sum(one.n_differing for one in verify(opened, spectra))  # with all its targets


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("../evil.json", b"{}")], "no capsule has a member"),
        ([("/etc/passwd", b"{}")], "no capsule has a member"),
        ([("model.pkl", b"\x80\x04.")], "no capsule has a member"),
        ([("capsule.json", b"{}"), ("capsule.json", b"{}")], "there twice"),
        ([("capsule.json", b"{}"), ("tables/errors.csv", b"0" * 5_000_000)], "would unpack to 5 MB"),
        ([("tables/errors.csv", NOISE + b"0" * 6_000_000)], "0.1 MB would unpack to 6 MB"),
        ([("tables/errors.csv", NOISE + b"0" * 4_000_000)], "capsule.json is missing"),  # not as small as to be refused
        ([("capsule.json", b'{"format": "latent-spectra capsule", "version": 2}')], "got '2'"),
        ([("capsule.json", b'{"format": "latent-spectra capsule", "version": true}')], "got 'True'"),
        (
            [("capsule.json", b'{"format": "latent-spectra capsule", "version": 1, "members": {}, "data": {}}')],
            "names no members or no data",
        ),
        ([("capsule.json", b'{"a": 1, "a": 2}')], "capsule.json"),
        ([("capsule.json", b"[" * 100_000)], "capsule.json"),
        ([("experiment.json", b"{}")], "capsule.json"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_archives_are_refused(members, said):
    with pytest.raises(CapsuleError, match=said):
        open_capsule(packed(members))


def test_other_files_are_refused():
    for content in (b"", b"PK", b"\x80\x04K\x01.", b"PK\x05\x06" + b"\0" * 18):
        with pytest.raises(CapsuleError):
            open_capsule(content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_directory_of_many_members_is_not_gone_through(content, monkeypatch):
    many = packed([(f"tables/{'a' * 60}.csv", b"")] * 500)
    counts_few = many[:-117] + many[-117:].replace(b"\xf4\x01\xf4\x01", b"\x05\x00\x05\x00")
    elsewhere = content[:-117] + b"PK\x06\x07".ljust(20, b"\0") + content[-117:]
    inner = content[:-64] + b"PK\x05\x06".ljust(64, b"\0")
    open_capsule(content)
    monkeypatch.setattr(zipfile.ZipFile, "__init__", lambda *given, **named: pytest.fail("gone through"))
    for one in (many, counts_few, elsewhere, inner):
        with pytest.raises(CapsuleError, match="at most 200 members"):
            open_capsule(one)


def test_members_that_are_not_named_are_refused(content):
    with pytest.raises(CapsuleError, match="not one of this capsule"):
        open_capsule(repacked(content, {"cards/0123456789ab.json": b"{}"}, rehash=False))
    with pytest.raises(CapsuleError, match="holds no experiment"):
        open_capsule(repacked(content, {"experiment.json": b'{"arms": []}'}))


def test_digits_are_those_of_the_definition():
    found = pd.DataFrame({"target": ["Cu"] * 4, "rmsep": [1.0, 1.0, 2.0, 1e-9]})
    kept = found.assign(rmsep=[1.0, 1.001, 2.0, 2e-9])
    one = agreement("errors", kept, found, "recomputed")
    assert (one.n_figures, one.n_identical, one.fewest_digits, one.n_differing) == (4, 2, 3, 1)
    assert agreement("errors", kept[:2], found, "recomputed").differing == ("2 rows in the capsule, 4 computed here",)


def test_words_in_the_place_of_no_number_do_not_agree():
    found = pd.DataFrame({"target": ["Cu", "Ni"], "p": [np.nan, np.nan]})
    assert agreement("comparisons", found, found, "follows").n_differing == 0
    assert agreement("comparisons", found.assign(p=["", "0.001?"]), found, "follows").n_differing == 1


@pytest.mark.parametrize("digits", [0, -5, 16])
def test_as_many_digits_are_asked_for_as_numbers_have(content, digits):
    with pytest.raises(ConfigError, match="between 1 and 15"):
        verify(open_capsule(content), digits=digits)


def test_made_in_one_home_it_verifies_in_another(content, result, spectra, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path / "one"))
    store = Store()
    store.save_set(spectra)
    store.save_result("study", result.document, result.tables, name="A study")
    made = tmp_path / "run.capsule"
    assert main(["capsule", "A study", "--out", str(made)]) == 0
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path / "other"))
    assert main(["verify", str(made), "--part", "fold:2"]) == 0
    assert "Verified: all" in capsys.readouterr().out
    assert main(["verify", str(made), "--part", "fold:9"]) == 2
    changed = bytearray(made.read_bytes())
    changed[len(changed) // 2] ^= 1
    made.write_bytes(bytes(changed))
    assert main(["verify", str(made)]) == 1
    assert "Refused: This capsule was changed after it was made" in capsys.readouterr().out

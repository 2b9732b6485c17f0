"""A calibration file is read exactly or refused in one sentence; nothing in it is trusted, or run."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from safetensors.numpy import load, save

from spectra_core.calibration import calibrate
from spectra_core.choices import Choice
from spectra_core.errors import ReadError, StoreError
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.choice import RegressorChoice
from spectra_core.store import Store, load_calibration, save_calibration
from spectra_core.store.calibrations import read_calibration, write_calibration
from spectra_core.store.files import sha256
from tests.conftest import beer_lambert_set

WORDS, NUMBERS = "calibration.json", "calibration.safetensors"


@pytest.fixture(scope="module")
def made(mixtures):
    return calibrate(mixtures, regressor="ridge", targets=["Cu2+", "Ni2+"], n_folds=3, seed=7)


@pytest.fixture(scope="module")
def content(made):
    return write_calibration(made)


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files, compression=zipfile.ZIP_STORED):
    """Pack members under a valid seal, as whoever has read the source can."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, one in files.items():
            archive.writestr(name, one)
    before = stream.getvalue()[:-2]
    return before + b"\x40\x00" + sha256(before).encode()


def with_words(content, **changes):
    files = members(content)
    return packed(files | {WORDS: json.dumps(json.loads(files[WORDS]) | changes).encode()})


def with_numbers(content, change):
    files = members(content)
    arrays = {name: values.copy() for name, values in load(files[NUMBERS]).items()}
    change(arrays)
    return packed(files | {NUMBERS: save(arrays)})


class TestAKeptCalibration:
    @pytest.mark.parametrize("member", sorted(REGRESSORS))
    def test_reads_the_same_digits_on_another_machine(self, member, mixtures, tmp_path):
        quick = {"epochs": 2, "n_members": 2, "max_components": 4, "n_folds": 3}
        options = {name: value for name, value in quick.items() if name in REGRESSORS[member].__dataclass_fields__}
        choice = RegressorChoice(member, options, (Choice("savitzky_golay"), Choice("msc")))
        made = calibrate(
            mixtures.take(range(24)), regressor={"Cu2+": choice, "Ni2+": "pls"}, targets=["Cu2+", "Ni2+"], n_folds=2
        )
        save_calibration(made, tmp_path / "calibration.zip")
        back = load_calibration(tmp_path / "calibration.zip")
        fresh = beer_lambert_set(10, seed=2)
        assert_frame_equal(back.read(fresh, 0.5), made.read(fresh, 0.5), check_exact=True)
        assert_frame_equal(back.predictions(), made.predictions(), check_exact=True)
        assert back.train.fingerprint == made.train.fingerprint
        assert (back.data, back.seed, back.versions) == (made.data, made.seed, made.versions)
        assert [part.choice.to_json() for part in back.parts] == [part.choice.to_json() for part in made.parts]

    def test_lies_on_the_shelf_goes_to_the_bin_and_comes_back(self, made, content, tmp_path, mixtures):
        store = Store(tmp_path)
        key = store.save_calibration(made)
        assert store.import_calibration(content) == key
        (record,) = store.calibrations()
        assert (record.title, record.data, record.target_names) == ("Ridge", mixtures.fingerprint, ("Cu2+", "Ni2+"))
        store.delete_calibration(key)
        assert not store.calibrations()
        store.restore("calibrations", key)
        assert_frame_equal(store.load_calibration(key).read(mixtures), made.read(mixtures), check_exact=True)
        with pytest.raises(StoreError, match="This calibration is not in the store"):
            store.load_calibration("0" * 64)


class TestAHostileFile:
    def test_a_change_of_any_byte_is_refused(self, content):
        places = {*range(80), *range(len(content) - 600, len(content)), *range(80, len(content), len(content) // 150)}
        for place in sorted(places):
            changed = bytearray(content)
            changed[place] ^= 1 + place % 255
            with pytest.raises(ReadError, match=r"changed, repacked or cut off|no calibration file"):
                read_calibration(bytes(changed))

    @pytest.mark.parametrize("length", [0, 3, 30, 5000, -1])
    def test_a_part_is_refused(self, content, length):
        with pytest.raises(ReadError):
            read_calibration(content[:length])

    def test_members_of_other_names_are_refused(self, content):
        files = members(content)
        for other in ({"../../evil.py": b"x", **files}, {name: one for name, one in files.items() if name != NUMBERS}):
            with pytest.raises(ReadError, match=r"A calibration file holds calibration\.json"):
                read_calibration(packed(other))

    def test_a_directory_of_many_members_is_not_gone_through(self, content, monkeypatch):
        many = packed(members(content) | {f"{number:060}": b"" for number in range(100)})
        monkeypatch.setattr(zipfile.ZipFile, "__init__", lambda *given, **named: pytest.fail("gone through"))
        with pytest.raises(ReadError, match="holds four members"):
            read_calibration(many)

    def test_a_bomb_is_refused_before_it_is_unpacked(self, content):
        with pytest.raises(ReadError, match="stored, not compressed"):
            read_calibration(packed(members(content) | {NUMBERS: bytes(10**7)}, zipfile.ZIP_DEFLATED))

    def test_a_pickle_is_refused(self, content):
        with pytest.raises(ReadError):
            read_calibration(pickle.dumps({"model": 1}))
        with pytest.raises(ReadError):
            read_calibration(packed(members(content) | {NUMBERS: pickle.dumps(print)}))

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"version": 99}, "format version 1, got '99'"),
            ({"format": "model"}, "format version 1"),
            ({"n_folds": 4}, "does not fit together"),
            ({"n_folds": 10**9}, "number of folds"),
            ({"seed": "x"}, "seed"),
            ({"parts": []}, "other targets"),
            ({"parts": 3}, "does not fit together"),
            ({"parts": [{"targets": ["Cu2+", "Ni2+"], "regressor": "os.system"}]}, "Unknown regressor 'os.system'"),
            (
                {"parts": [{"targets": ["Cu2+", "Ni2+"], "regressor": {"name": "ridge", "options": {"evil": 1}}}]},
                "'evil'",
            ),
            ({"parts": [{"targets": ["Cu2+", "Ni2+"], "regressor": "pls"}]}, "must hold the arrays"),
            ({"train": {"fingerprint": "0" * 64, "name": "x"}}, "not what was kept"),
            ({"data": {}}, "'fingerprint' is missing"),
        ],
    )
    def test_a_description_that_does_not_fit_is_refused(self, content, changes, said):
        with pytest.raises(ReadError, match=said):
            read_calibration(with_words(content, **changes))

    def test_a_generated_set_without_a_name_is_refused(self, content):
        data = {"fingerprint": "a", "name": "b", "generated": "c"}
        with pytest.raises(ReadError, match="the generated set that was added has no name"):
            read_calibration(with_words(content, data=data))
        assert read_calibration(with_words(content, data={**data, "generated_name": "d"})).data["generated"] == "c"

    def test_json_that_is_none_is_refused(self, content):
        for text in (b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[]", b"\xff"):
            with pytest.raises(ReadError, match="The description in this calibration file"):
                read_calibration(packed(members(content) | {WORDS: text}))

    @pytest.mark.parametrize(
        "change",
        [
            lambda arrays: arrays["held_out"].fill(np.nan),
            lambda arrays: arrays["part0.whole.coefficients"].fill(np.inf),
            lambda arrays: arrays.update(held_out=arrays["held_out"][:-1]),
            lambda arrays: arrays.update({"usual.mean": np.zeros(3)}),
            lambda arrays: arrays.update(fold=arrays["fold"] * 0),
            lambda arrays: arrays.update(more=np.zeros(2)),
            lambda arrays: arrays.pop("fitted"),
            lambda arrays: arrays.update({"part0.whole.coefficients": arrays["part0.whole.coefficients"] > 0}),
            lambda arrays: arrays.update({"part0.whole.coefficients": arrays["part0.whole.coefficients"].astype("f2")}),
            lambda arrays: arrays["part0.fold1.signal.scale"].fill(0.0),
            lambda arrays: arrays.update({"usual.variances": arrays["usual.variances"].astype(int)}),
            lambda arrays: arrays.pop("part0.fold1.coefficients"),
        ],
    )
    def test_numbers_that_do_not_fit_are_refused(self, content, change):
        with pytest.raises(ReadError):
            read_calibration(with_numbers(content, change))

"""Files that are no models, or damaged ones, are refused in one sentence; nothing in them is run."""

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

from spectra_core.errors import ReadError
from spectra_core.regressors import REGRESSORS
from spectra_core.store import Store
from spectra_core.store.model_checks import MAX_BYTES, checked_header
from tests.store.model_files import kept, with_header


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


@pytest.fixture(scope="module")
def exported(mixtures, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("home"))
    return store.export_model(kept(store, REGRESSORS["ridge"]().fit(mixtures.take(np.arange(40))), mixtures))


class TestAFileThatIsNoModel:
    def test_pickle_is_refused_and_not_opened(self, store, tmp_path):
        class Bomb:
            def __reduce__(self):
                return (open, (str(tmp_path / "exploded"), "w"))

        for protocol in range(2, 6):
            with pytest.raises(ReadError, match="can run code when it is opened"):
                store.import_model(pickle.dumps(Bomb(), protocol))
        with pytest.raises(ReadError, match="no model file"):
            store.import_model(pickle.dumps(Bomb(), 0))
        assert not (tmp_path / "exploded").exists()

    def test_torch_archive_is_refused(self, store):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("archive/data.pkl", pickle.dumps({}))
        with pytest.raises(ReadError, match="can run code when it is opened"):
            store.import_model(archive.getvalue())

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{}",
            b"\0" * 8,
            b"\xff" * 64,
            struct.pack("<Q", 2**63) + b"{}",
            struct.pack("<Q", 100) + b"{}",
            b"<html>" * 9,
        ],
    )
    def test_anything_else_is_refused(self, store, content):
        with pytest.raises(ReadError, match="no model file"):
            store.import_model(content)

    def test_file_beyond_the_limit_is_refused_unread(self, store):
        class Huge(bytes):
            def __len__(self):
                return MAX_BYTES + 1

        with pytest.raises(ReadError, match="at most 512 MB are read"):
            store.import_model(Huge())

    def test_header_that_lies_about_its_arrays_is_refused(self, store, exported):
        for old, new in ((b'"F64"', b'"F32"'), (b'"F64"', b'"BF9"'), (b"[50]", b"[51]"), (b"[50]", b"[-9]")):
            lying = with_header(exported, lambda header, old=old, new=new: header.replace(old, new))
            assert lying != exported
            with pytest.raises(ReadError, match="this model file"):
                store.import_model(lying)

    def test_mutated_files_raise_nothing_but_the_refusal(self, store, exported):
        rng = np.random.default_rng(0)
        header_end = 8 + int.from_bytes(exported[:8], "little")
        refusals = []
        for _ in range(400):
            mutated = bytearray(exported)
            for _ in range(rng.integers(1, 4)):
                # Mostly the header: a changed weight is still a weight.
                at = int(rng.integers(header_end if rng.random() < 0.8 else len(mutated)))
                mutated[at] = int(rng.integers(256))
            cut = bytes(mutated[: rng.integers(len(mutated))] if rng.random() < 0.2 else mutated)
            try:
                store.import_model(cut)
            except ReadError as error:
                refusals.append(str(error))
        assert len(refusals) > 200
        assert max(map(len, refusals)) < 700


def test_a_header_whose_length_begins_like_a_zip_archive_is_read():
    """19280 little-endian is "PK": nothing of a pickle, where a brace follows."""
    length = int.from_bytes(b"PK", "little")
    header = b'{"__metadata__": {}}'.ljust(length)
    assert checked_header(length.to_bytes(8, "little") + header) == {"__metadata__": {}}
    with pytest.raises(ReadError, match="pickled or zipped"):
        checked_header(length.to_bytes(8, "little") + b"x" * length)

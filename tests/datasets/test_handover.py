"""Files reach the parser process, and arrays come back, the same by every way; sealed memory cannot be changed."""

import hashlib
import io
import os
import socket

import numpy as np
import pytest

from spectra_core.datasets import handover, sandbox
from spectra_core.datasets.dialect import Dialect
from spectra_core.errors import ReadError
from spectra_core.spectra import SpectralAxis, SpectraSet

by_descriptor = pytest.mark.skipif(not handover.BY_DESCRIPTOR, reason="this system has no memory without a name")
ARRAYS = [np.arange(7, dtype=np.float32), np.empty((0, 3)), np.linspace(0, 1, 2_200_000).reshape(1100, 2000)]
DESCRIBED = [{"shape": array.shape, "dtype": str(array.dtype)} for array in ARRAYS]


def saved(array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("pipes_only", [False, True])
def test_files_are_parsed_alike_from_memory_and_disk_by_descriptor_and_by_pipe(pipes_only, tmp_path, monkeypatch):
    if pipes_only:
        monkeypatch.setattr(handover, "BY_DESCRIPTOR", False)
    path, child = tmp_path / "a.npy", sandbox.Child()
    for shape in ((3, 5), (2100, 1000)):
        array = np.random.default_rng(0).random(shape)
        content = saved(array)
        path.write_bytes(content)
        for given in (content, path):
            parsed = child.parse(given, "a.npy", Dialect())
            assert np.array_equal(parsed.parts[0].numbers, array)
            assert parsed.sha256 == hashlib.sha256(content).hexdigest()
    child.close()
    assert child.deaths == []


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ReadError, match=r"absent\.csv cannot be opened"):
        sandbox.parse_files({"absent.csv": sandbox.Path("absent.csv")}, Dialect())


@by_descriptor
class TestSealedMemory:
    @pytest.fixture
    def memory(self):
        descriptor = handover.nameless_memory()
        yield descriptor
        os.close(descriptor)

    def test_arrays_come_back_equal_and_nobody_can_change_them(self, memory):
        handover.write_arrays(memory, ARRAYS)
        found = handover.arrays_in_memory(memory, DESCRIBED)
        assert all(np.array_equal(one, other) for one, other in zip(found, ARRAYS, strict=True))
        with pytest.raises(OSError, match="not permitted"):
            os.pwrite(memory, b"x", 0)
        with pytest.raises(OSError, match="not permitted"):
            os.ftruncate(memory, 0)
        with pytest.raises(ValueError, match="WRITEABLE"):
            found[2].setflags(write=True)

    def test_a_set_takes_sealed_memory_as_it_is_and_copies_what_could_change(self, memory):
        handover.write_arrays(memory, ARRAYS)
        signal = handover.arrays_in_memory(memory, DESCRIBED)[2]
        axis = SpectralAxis(np.arange(2000.0))
        assert np.shares_memory(SpectraSet(axis, signal).signal, signal)
        locked = np.array(signal)
        locked.setflags(write=False)
        assert not np.shares_memory(SpectraSet(axis, locked).signal, locked)
        assert not np.shares_memory(SpectraSet(SpectralAxis(np.arange(1000.0)), signal[:, 1000:]).signal, signal)

    def test_what_does_not_fit_its_description_is_no_answer(self, memory):
        handover.write_arrays(memory, ARRAYS)
        for wrong in (DESCRIBED[:2], [*DESCRIBED, DESCRIBED[0]], [{"shape": [-1], "dtype": "float64"}]):
            with pytest.raises(ValueError, match=r"."):
                handover.arrays_in_memory(memory, wrong)

    def test_descriptors_arrive_at_the_other_end(self, memory):
        os.pwrite(memory, b"hello", 0)
        ours, theirs = socket.socketpair()
        handover.hand_over(ours, [memory])
        (received,) = handover.taken_over(theirs, 1)
        assert os.pread(received, 5, 0) == b"hello"
        ours.close()
        with pytest.raises(EOFError):
            handover.taken_over(theirs, 1)
        theirs.close()
        os.close(received)

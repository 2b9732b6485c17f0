"""The parser process: alive between files, limited, and replaced when it dies."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from spectra_core.datasets import sandbox, understand
from spectra_core.datasets.dialect import Dialect
from spectra_core.errors import ReadError

SHAPE = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000), }"
WIDE = b"id,400,401,402\na,1,2,3\n"


@pytest.fixture(scope="module")
def child():
    child = sandbox.Child()
    yield child
    child.close()


def process_of(child):
    return child._running.process


def test_one_process_serves_many_files(child):
    child.parse(WIDE, "a.csv", Dialect())
    first = process_of(child).pid
    (grid,) = child.parse(WIDE, "b.csv", Dialect()).parts
    assert process_of(child).pid == first
    assert grid.name == "b.csv"
    assert np.array_equal(grid.numbers[0, 1:], [1.0, 2.0, 3.0])


def test_a_process_that_died_is_replaced_and_the_file_is_read(child):
    child.parse(WIDE, "a.csv", Dialect())
    process_of(child).kill()
    process_of(child).wait()
    (grid,) = child.parse(WIDE, "a.csv", Dialect()).parts
    assert grid.n_rows == 1


def test_a_file_that_takes_too_long_is_stopped_and_the_next_one_is_read(child, monkeypatch):
    child.parse(WIDE, "a.csv", Dialect())
    slow = b"id," + b",".join(b"%d" % at for at in range(400, 200_400)) + b"\n" + b"a" + b",x1" * 200_000 + b"\n"
    monkeypatch.setattr(sandbox, "PATIENCE", 1e-4)
    with pytest.raises(ReadError, match="took too long"):
        child.parse(slow, "slow.csv", Dialect())
    monkeypatch.undo()
    assert child.parse(WIDE, "a.csv", Dialect())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are read back on Linux only")
def test_memory_is_limited_to_what_the_size_explains(child):
    child.parse(WIDE, "a.csv", Dialect())
    folder = Path(f"/proc/{process_of(child).pid}")
    (line,) = [line for line in (folder / "limits").read_text().splitlines() if line.startswith("Max address space")]
    in_use = int((folder / "statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    # Parsing itself may have mapped a little more, or given some back, since the limit was set.
    assert int(line.split()[3]) - in_use == pytest.approx(sandbox.memory_bytes(len(WIDE)), abs=2e8)


def test_hostile_declarations_are_refused_quickly():
    from tests.datasets.files import spc_header

    hostile = {
        "npoints.jdx": b"##TITLE=x\n##NPOINTS=1000000000000\n##FIRSTX=1\n##LASTX=2\n"
        b"##XYDATA=(X++(Y..Y))\n1 2 3\n##END=\n",
        "repeat.jdx": b"##TITLE=x\n##NPOINTS=20\n##FIRSTX=1\n##LASTX=2\n##XYDATA=(X++(Y..Y))\n1A1Z99999999\n##END=\n",
        "points.spc": spc_header(0, 1, 2**31 - 1) + bytes(4000),
        "subfiles.spc": spc_header(4, 2**31 - 1, 1) + bytes(4000),
        "shape.npy": b"\x93NUMPY\x01\x00\x76\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000), }".ljust(117)
        + b"\n",
        "columns.csv": b"1," * 2_000_000,
    }
    for name, content in hostile.items():
        start = time.process_time()
        with pytest.raises(ReadError):
            understand({name: content})
        assert time.process_time() - start < 3, name

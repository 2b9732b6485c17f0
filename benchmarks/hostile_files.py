"""Files built to do harm: how soon each is refused, and how much memory that takes in the parser process.

    python -m benchmarks.hostile_files

Asked: within 3 s, and within 500 MB above what the declared size needs. Times are processor seconds of both processes;
memory is the peak of the parser process above its rest (Linux).
"""

import gzip
import io
import re
import threading
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import scipy.io
import xlsxwriter

from benchmarks.fuzz_readers import Reading
from tests.datasets.files import spc_header

JCAMP = b"##TITLE=x\n##NPOINTS=%s\n##FIRSTX=1\n##LASTX=2\n##XYDATA=(X++(Y..Y))\n%s\n##END=\n"


def workbook(*cells: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        sheet = book.add_worksheet()
        for row, column in cells:
            sheet.write(row, column, 1.0)
    return stream.getvalue()


def archive(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members:
            packed.writestr(name, content)
    return stream.getvalue()


def npy(n_rows: int, n_columns: int, content: bytes = b"") -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({n_rows}, {n_columns}), }}".encode()
    return b"\x93NUMPY\x01\x00\x76\x00" + header.ljust(117) + b"\n" + content


def hdf5() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("X", shape=(200_000, 5_000), dtype="f8", chunks=(1000, 1000), compression="gzip")
    return stream.getvalue()


def parquet() -> bytes:
    stream = io.BytesIO()
    zeros = pa.array(np.zeros(40_000_000, dtype=np.float32))
    pa.parquet.write_table(pa.table({str(position): zeros for position in range(400, 404)}), stream)
    return stream.getvalue()


def matlab() -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"X": np.zeros((4_000, 20_000))}, do_compression=True)
    return stream.getvalue()


def files() -> dict[str, bytes]:
    return {
        "two cells in far corners.xlsx": workbook((0, 0), (1_048_575, 16_383)),
        "three cells far apart.xlsx": workbook((0, 0), (200, 16_383), (3_000, 10)),
        "a line of 2,000,000 cells.csv": b"1," * 2_000_000,
        "two lines of 400,000 cells.csv": b"\n".join([b",".join(b"%d" % at for at in range(400_000))] * 2),
        "one number of 20 MB.csv": b"9" * 20_000_000,
        "5 MB of quotes.csv": b'"' * 5_000_000,
        "10 MB of separators.csv": b";" * 10_000_000,
        "20 MB of line ends.csv": b"\n" * 20_000_000 + b"1,2,3\n",
        "10^12 points declared.jdx": JCAMP % (b"1000000000000", b"1 2 3"),
        "one value 10^8 times.jdx": JCAMP % (b"20", b"1A1Z99999999"),
        "2^31 points declared.spc": spc_header(0, 1, 2**31 - 1) + bytes(4_000),
        "2^31 subfiles declared.spc": spc_header(4, 2**31 - 1, 1) + bytes(4_000),
        "10^12 numbers declared.npy": npy(10**9, 1_000),
        "600 MB of zeros.csv.gz": gzip.compress(b"0" * 600_000_000, 6),
        "300 MB of rows.csv.gz": gzip.compress(b"1,2,3\n" * 50_000_000, 6),
        "900 MB of zeros.zip": archive(("a.csv", b"0,0" * 300_000_000)),
        "an archive in an archive.zip": archive(("a.zip", archive(("c.csv", b"0" * 10_000_000)))),
        "20,000 members.zip": archive(*((f"{number}.csv", b"1,2\n") for number in range(20_000))),
        "800 MB of zeros.npz": archive(("X.npy", npy(5_000, 20_000, bytes(800_000_000)))),
        "10^9 numbers declared.h5": hdf5(),
        "640 MB of zeros.parquet": parquet(),
        "640 MB of zeros.mat": matlab(),
    }


def peak_megabytes(process_id: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process_id}/status").read_text())
    return 0.0 if found is None else int(found[1]) * 1024 / 1e6


def main() -> None:
    reading = Reading()
    print(f"{'file':32}{'MB':>6}  {'outcome':9}{'s':>6}{'MB above rest':>15}")
    for title, content in files().items():
        reading.outcome("warm.csv", b"a,400,401\n1,2,3\n")
        process_id = reading.child.process_id or 0
        Path(f"/proc/{process_id}/clear_refs").write_text("5")  # the peak starts anew
        rest = peak_megabytes(process_id)
        peaks, done = [rest], threading.Event()
        watcher = threading.Thread(target=watch, args=(process_id, peaks, done))
        watcher.start()
        result, _, seconds = reading.outcome(title, content)
        done.set()
        watcher.join()
        print(f"{title:32}{len(content) / 1e6:6.1f}  {result:9}{seconds:6.2f}{max(peaks) - rest:15.0f}", flush=True)
    reading.child.close()


def watch(process_id: int, peaks: list[float], done: threading.Event) -> None:
    while Path(f"/proc/{process_id}").exists():
        peaks.append(peak_megabytes(process_id))
        if done.is_set():
            return
        time.sleep(0.01)


if __name__ == "__main__":
    main()

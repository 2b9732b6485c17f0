"""Import beside plain pandas: time for a 3744 x 919 CSV, and memory for 100,000 spectra of 911 channels.

python -m benchmarks.import [--large]
"""

import argparse
import io
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

MEGABYTE = 1e6


def example(n_spectra: int, dtype: str = "float64") -> pd.DataFrame:
    rng = np.random.default_rng(0)
    channels = [str(190 + channel) for channel in range(911)]
    spectra = pd.DataFrame(rng.random((n_spectra, 911)).round(5).astype(dtype), columns=channels)
    targets = pd.DataFrame(rng.random((n_spectra, 8)).round(5).astype(dtype), columns=list("ABCDEFGH"))
    return pd.concat([targets, spectra], axis=1)


def compare_csv(repeats: int) -> None:
    from spectra_core.datasets import understand

    content = example(3744).to_csv(index=False).encode()
    print(
        f"CSV, 3744 x 919, {len(content) / MEGABYTE:.0f} MB; seconds, median (least) of {repeats}, one after the other"
    )
    understand({"warm.csv": b"a,400,401\n1,2,3\n"})
    pandas_seconds, our_seconds = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        pd.read_csv(io.BytesIO(content))
        pandas_seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        understand({"example.csv": content}).build()
        our_seconds.append(time.perf_counter() - start)
    for name, seconds in (("pandas.read_csv", pandas_seconds), ("understand and build", our_seconds)):
        print(f"  {name:22}{statistics.median(seconds):7.3f} ({min(seconds):.3f})")
    print(
        f"  ratio                 {statistics.median(our_seconds) / statistics.median(pandas_seconds):7.2f}"
        f" ({min(our_seconds) / min(pandas_seconds):.2f})"
    )


def resident(process_id: int) -> float:
    """Memory of a process and its children, MB: pages of files shared out, memory without a name counted once."""
    total = 0.0
    nameless: dict[int, int] = {}
    for one in [process_id, *children(process_id)]:
        with suppress(OSError):
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
            lines = [line.split() for line in text.splitlines() if line.startswith(("Pss_Anon:", "Pss_File:"))]
            total += sum(float(words[1]) for words in lines) * 1024 / MEGABYTE
        for link in sorted(Path(f"/proc/{one}/fd").glob("*")):
            with suppress(OSError):
                if str(link.readlink()).startswith("/memfd:"):
                    nameless[link.stat().st_ino] = link.stat().st_blocks * 512
    return total + sum(nameless.values()) / MEGABYTE


def children(process_id: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]
    except OSError:
        return []


def measure_memory(suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"large{suffix}"
        make = [sys.executable, "-m", "benchmarks.import", "--make", str(path)]
        subprocess.run(make, check=True)
        read = [sys.executable, "-m", "benchmarks.import", "--read", str(path)]
        process = subprocess.Popen(read, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        rest = float(process.stdout.readline())
        peak = [0.0]
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.02):
                peak[0] = max(peak[0], resident(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        words = process.stdout.read().strip()
        process.wait()
        done.set()
        watcher.join()
        size = 100_000 * 911 * 4 / MEGABYTE
        held = peak[0] - rest
        print(f"  {suffix:9} file {path.stat().st_size / MEGABYTE:.0f} MB, spectra {size:.0f} MB; {words}")
        print(f"            peak of both processes above rest {held:.0f} MB = {held / size:.1f} x the spectra")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--make")
    parser.add_argument("--read")
    arguments = parser.parse_args()
    if arguments.make:
        make(Path(arguments.make))
    elif arguments.read:
        read_one(Path(arguments.read))
    else:
        compare_csv(arguments.repeats)
        if arguments.large:
            print("100,000 x 911")
            measure_memory(".npy")
            measure_memory(".parquet")


def make(path: Path) -> None:
    if path.suffix == ".npy":
        rng = np.random.default_rng(0)
        np.save(path, rng.random((100_000, 911), dtype=np.float32))
    else:
        example(100_000, "float32").to_parquet(path)


def read_one(path: Path) -> None:
    import os

    from spectra_core.datasets import Recipe, read, understand

    understand({"warm.csv": b"a,400,401\n1,2,3\n"})
    time.sleep(0.3)
    print(resident(os.getpid()), flush=True)
    recipe = Recipe(orientation="rows", axis_first=190.0, axis_last=1100.0) if path.suffix == ".npy" else Recipe()
    start = time.perf_counter()
    spectra = read(path, recipe)
    print(f"{len(spectra):,} spectra in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()

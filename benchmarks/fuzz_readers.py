"""Damaged files through every reader: refused in a sentence or read, never an uncaught error, a death or a hang.

    python -m benchmarks.fuzz_readers --files 30000

Seeds are the project's own small files, and those of the folder SPECTRA_REFERENCE_DATA where it is set. What is read
goes on to whatever the page does with it: preview, sample, recipe and, where nothing is left open, the set. Times are
processor seconds of both processes, which do not depend on what else the machine does; waiting without end shows as a
death, "overdue". `--reader spc --first 812 --files 1` repeats one file.
"""

import argparse
import gzip
import io
import os
import time
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

from spectra_core.contracts import random_stream
from spectra_core.datasets import Recipe, Understanding, sandbox
from spectra_core.datasets.dialect import Dialect
from spectra_core.errors import SpectraCoreError

LARGEST_SEED = 700_000
SLOWEST = 2.0
PATIENCE = 600.0  # times the processor time allowed: other work may have the processor for minutes
COLUMNS = ("files", "read", "refused", "deaths", "uncaught", "slow")


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a damaged copy: cut, flipped bytes, a bomb in a header field, a doubled or lost piece, other digits."""
    data = bytearray(content)
    kind = int(rng.integers(7))
    if kind == 0:
        return bytes(data[: int(rng.integers(len(data)))])
    if kind in (1, 2):
        for _ in range(int(2 ** rng.integers(0, 8))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
    elif kind == 3:
        at, size = int(rng.integers(min(len(data), 600))), int(rng.choice([1, 2, 4, 8]))
        data[at : at + size] = bytes([rng.choice([0x00, 0x7F, 0x80, 0xFF])] * size)
    elif kind == 4:
        start, end = sorted(int(at) for at in rng.integers(len(data), size=2))
        piece = data[start : min(end, start + 5000)]
        data[start:start] = piece * int(rng.integers(1, 6))
    elif kind == 5:
        start, end = sorted(int(at) for at in rng.integers(len(data), size=2))
        del data[start:end]
    else:
        digits = [at for at, value in enumerate(data[:4000]) if 48 <= value <= 57]
        for at in rng.choice(digits, size=min(len(digits), 20), replace=False) if digits else []:
            data[int(at)] = int(rng.choice([57, 48, 46, 44, 45, 69]))
    return bytes(data)


def mutated_inside(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a packed file with a damaged member: its checksums are right, so that damage reaches the reader."""
    if content.startswith(b"\x1f\x8b"):
        return gzip.compress(mutated(gzip.decompress(content), rng), 1)
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        members = {name: old.read(name) for name in old.namelist()}
        chosen = str(rng.choice([name for name, inside in members.items() if inside]))
        for name, inside in members.items():
            new.writestr(name, mutated(inside, rng) if name == chosen else inside)
    return stream.getvalue()


def is_packed(content: bytes) -> bool:
    """Whether the file can be unpacked here, so that its inside can be damaged."""
    try:
        mutated_inside(content, np.random.default_rng(0))
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OSError, EOFError):
        return False
    return True


def seeds() -> dict[str, list[tuple[str, bytes]]]:
    from spectra_core.datasets.readers import reader_of
    from tests.datasets.files import FILES, jcamp_packed, old_spc

    found = {name: [(title, content)] for name, (title, content, _) in FILES.items()}
    found["jcamp"].append(("packed.jdx", jcamp_packed()))
    found["spc"].append(("old.spc", old_spc()))
    folder = Path(os.environ.get("SPECTRA_REFERENCE_DATA", "absent")) / "formats"
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        if path.stat().st_size > LARGEST_SEED or path.name.startswith(("MANIFEST", "nasty", "zip_bomb")):
            continue
        try:
            found.setdefault(reader_of(path.read_bytes(), path.name), []).append((path.name, path.read_bytes()))
        except SpectraCoreError:
            continue
    return found


class Reading:
    """One parser process, and what files cost in it and here."""

    def __init__(self) -> None:
        self.child = sandbox.Child()

    def outcome(self, title: str, content: bytes) -> tuple[str, str, float]:
        """Return "read", "refused", "deaths" or "uncaught", what was said, and the processor seconds."""
        deaths = len(self.child.deaths)
        self.child.parse(b"a,400,401\n1,2,3\n", "warm.csv", Dialect())  # so that no start of a process is counted
        before = self.seconds()
        try:
            self.show(title, content)
            result, words = "read", ""
        except SpectraCoreError as error:
            result, words = "refused", str(error)
        except Exception as error:
            result, words = "uncaught", f"{type(error).__name__}: {error}"
        died = self.child.deaths[deaths:]
        if died:
            return "deaths", " ".join(died), 0.0
        return result, words, self.seconds() - before

    def show(self, title: str, content: bytes) -> None:
        """Do what the page does with one file."""
        parsed = self.child.parse(content, title, Dialect())
        found = Understanding(parsed.parts, Recipe(), ((title, parsed.sha256),))
        found.preview()
        found.sample()
        found.recipe_used().to_json()
        if not found.open_questions:
            found.build()

    def seconds(self) -> float:
        """Processor seconds of this process and of the parser process so far."""
        fields = Path(f"/proc/{self.child.process_id}/stat").read_text().rpartition(")")[2].split()
        return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=30_000, help="over all readers")
    parser.add_argument("--first", type=int, default=0, help="number of the first file of each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", default="")
    arguments = parser.parse_args()
    sandbox.PATIENCE = PATIENCE
    by_reader = {name: files for name, files in seeds().items() if arguments.reader in ("", name)}
    each = -(-arguments.files // len(by_reader))
    total: Counter[str] = Counter()
    reading = Reading()
    print("reader        " + "".join(f"{column:>10}" for column in COLUMNS) + "  slowest, s", flush=True)
    for name, files in by_reader.items():
        counts, slowest = Counter(files=each), 0.0
        packed = {title for title, content in files if is_packed(content)}
        for number in range(arguments.first, arguments.first + each):
            title, content = files[number % len(files)]
            damage = mutated_inside if title in packed and number // len(files) % 2 else mutated
            damaged = damage(content, random_stream(arguments.seed, name, number))
            result, words, seconds = reading.outcome(title, damaged)
            counts[result] += 1
            counts["slow"] += seconds > SLOWEST
            slowest = max(slowest, seconds)
            if result in {"deaths", "uncaught"} or seconds > SLOWEST:
                print(f"  {name} {number} {title}: {result}, {seconds:.1f} s, {words[:200]}", flush=True)
        total += counts
        print(f"{name:14}" + "".join(f"{counts[column]:10}" for column in COLUMNS) + f"{slowest:12.2f}", flush=True)
    print(f"{'all':14}" + "".join(f"{total[column]:10}" for column in COLUMNS))
    reading.child.close()


if __name__ == "__main__":
    main()

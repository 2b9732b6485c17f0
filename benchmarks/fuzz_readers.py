"""Damaged files through every reader: refused in a sentence or read, never an uncaught error, a death or a hang.

    python -m benchmarks.fuzz_readers --files 30000

Seeds are the project's own small files, and those of the folder SPECTRA_REFERENCE_DATA where it is set.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np

from spectra_core.contracts import random_stream
from spectra_core.errors import SpectraCoreError

LARGEST_SEED = 700_000
SLOWEST = 2.0


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


def main() -> None:
    from spectra_core.datasets import sandbox, understand

    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", default="")
    arguments = parser.parse_args()
    by_reader = {name: files for name, files in seeds().items() if arguments.reader in ("", name)}
    each = -(-arguments.files // len(by_reader))
    print(f"{'reader':14}{'files':>7}{'read':>7}{'refused':>9}{'deaths':>8}{'uncaught':>10}{'slowest, s':>12}")
    for name, files in by_reader.items():
        counts = dict.fromkeys(("read", "refused", "deaths", "uncaught"), 0)
        slowest = 0.0
        for number in range(each):
            title, content = files[number % len(files)]
            damaged = mutated(content, random_stream(arguments.seed, name, number))
            start = time.monotonic()
            try:
                understand({title: damaged})
                counts["read"] += 1
            except SpectraCoreError as error:
                died = "its reader fail" in str(error) or "took too long" in str(error)
                counts["deaths" if died else "refused"] += 1
                if died:
                    print(f"  death: {name} {title} {number}")
            except Exception as error:
                counts["uncaught"] += 1
                print(f"  uncaught: {name} {title} {number}: {type(error).__name__}: {str(error)[:100]}")
            taken = time.monotonic() - start
            if taken > SLOWEST:
                print(f"  slow: {name} {title} {number}: {taken:.1f} s")
            slowest = max(slowest, taken)
        print(
            f"{name:14}{each:7}"
            + f"{counts['read']:7}{counts['refused']:9}{counts['deaths']:8}{counts['uncaught']:10}{slowest:12.2f}",
            flush=True,
        )
    sandbox.close()


if __name__ == "__main__":
    main()

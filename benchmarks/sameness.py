"""One experiment of full size, done in several ways by processes of their own: whether all tables are the same bytes.

    python -m benchmarks.sameness                    # 3744 x 911, 8 folds, fast mode
    python -m benchmarks.sameness --spectra 200      # to try it out

Locally by one worker and by two; locally, killed without warning in the middle and started again; on two workers of a
cluster, of which one is killed in the middle. Every way begins with an empty home, so that nothing is looked up but
what the killed run had finished.
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scale_out import cluster_of

KILLED_AT = 0.4
"""Share of all results that are kept when a process is killed."""
POLL = 0.02


@dataclass(frozen=True)
class Way:
    """How the experiment was done, and what came of it.

    Parameters
    ----------
    name
        For the table.
    seconds
        From the first start to the last end, processes and simulation included.
    digests
        sha256 of every file of the result.
    remark
        What happened in the middle.
    """

    name: str
    seconds: float
    digests: dict[str, str]
    remark: str = ""


class Laboratory:
    """Starts the command ``study`` on the simulated set, with a home and an output folder for each way."""

    def __init__(self, folder: Path, options: Sequence[str]) -> None:
        self._folder, self._options = folder, options

    def start(self, way: str, *options: str) -> subprocess.Popen[bytes]:
        """Start the experiment in a process of its own."""
        own = self._folder / way
        own.mkdir(exist_ok=True)
        environment = {**os.environ, "SPECTRA_HOME": str(own / "home"), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "spectra_core", "study", *self._options, "--out", str(own / "out"), *options]
        with (own / "log.txt").open("ab") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def n_kept(self, way: str) -> int:
        """Return how many results the way's home holds."""
        return sum(1 for _ in (self._folder / way / "home").glob("memo/*/*.safetensors"))

    def digests(self, way: str) -> dict[str, str]:
        """Return sha256 of every table and of the experiment."""
        files = sorted((self._folder / way / "out").iterdir())
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def said(self, way: str, word: str) -> list[str]:
        """Return the messages of a way that hold a word."""
        lines = (self._folder / way / "log.txt").read_text().replace("\r", "\n").splitlines()
        return [line.strip() for line in lines if word in line]


def plain(laboratory: Laboratory, n_workers: int) -> Way:
    """Do it without disturbance."""
    way, begin = f"local-{n_workers}", time.monotonic()
    ended_well(laboratory.start(way, "--workers", str(n_workers)))
    name = f"local, {n_workers} worker{'s' if n_workers > 1 else ''}"
    return Way(name, time.monotonic() - begin, laboratory.digests(way))


def resumed(laboratory: Laboratory, n_results: int) -> Way:
    """Kill it in the middle, then give the same command again."""
    way, begin = "resumed", time.monotonic()
    first = laboratory.start(way, "--workers", "2")
    n_kept = kill_at(first, lambda: laboratory.n_kept(way), n_results, first)
    ended_well(laboratory.start(way, "--workers", "2"))
    remark = f"killed with {n_kept} of {n_results} results kept"
    return Way("local, killed, started again", time.monotonic() - begin, laboratory.digests(way), remark)


def on_a_cluster(laboratory: Laboratory, n_results: int) -> Way:
    """Do it on two workers and kill one of them in the middle."""
    way = "cluster"
    with cluster_of(2) as (address, workers):
        begin = time.monotonic()
        asking = laboratory.start(way, "--scheduler", address)
        n_kept = kill_at(workers[0], lambda: laboratory.n_kept(way), n_results, asking)
        ended_well(asking)
        seconds = time.monotonic() - begin
    remark = f"one worker killed with {n_kept} of {n_results} results kept; "
    remark += " ".join(laboratory.said(way, "lost")) or "it had no work"
    return Way("two workers of a cluster, one killed", seconds, laboratory.digests(way), remark)


def kill_at(
    victim: subprocess.Popen[bytes], n_kept: Callable[[], int], n_results: int, asking: subprocess.Popen[bytes]
) -> int:
    """Kill a process once `KILLED_AT` of all results are kept; return how many were.

    Raises
    ------
    RuntimeError
        When the experiment ended before.
    """
    while (kept := n_kept()) < KILLED_AT * n_results:
        if asking.poll() is not None:
            raise RuntimeError(f"The experiment ended, with code {asking.returncode}, before anything was killed.")
        time.sleep(POLL)
    victim.kill()
    if victim.wait() != -signal.SIGKILL:
        raise RuntimeError("What was to be killed had ended by itself.")
    return kept


def ended_well(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a run.

    Raises
    ------
    RuntimeError
        When it failed.
    """
    if process.wait() != 0:
        raise RuntimeError(f"{process.args!r} ended with code {process.returncode}.")


def table(ways: Sequence[Way]) -> str:
    """Return a Markdown table: every way beside the first."""
    lines = ["| way | s | files | the same bytes as the first | sha256 of all | what happened |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for way in ways:
        differing = sorted(
            name for name in way.digests | ways[0].digests if way.digests.get(name) != ways[0].digests.get(name)
        )
        together = hashlib.sha256("".join(way.digests.values()).encode()).hexdigest()[:12]
        same = f"differ: {', '.join(differing)}" if differing else "all"
        lines.append(f"| {way.name} | {way.seconds:.0f} | {len(way.digests)} | {same} | {together} | {way.remark} |")
    return "\n".join(lines)


def main() -> None:
    """Do all ways; end with an error where a byte differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spectra", type=int, default=3744)
    parser.add_argument("--folds", type=int, default=8)
    parser.add_argument("--mode", choices=["fast", "faithful"], default="fast")
    asked = parser.parse_args()
    data = ("--data", f"simulated:msu_like:{asked.spectra}", "--folds", str(asked.folds), "--mode", asked.mode)
    with tempfile.TemporaryDirectory() as scratch:
        laboratory = Laboratory(Path(scratch), data)
        ways = [plain(laboratory, 1), plain(laboratory, 2)]
        n_results = laboratory.n_kept("local-1")
        ways += [resumed(laboratory, n_results), on_a_cluster(laboratory, n_results)]
    print(table(ways))
    if any(way.digests != ways[0].digests for way in ways):
        sys.exit("Not the same.")


if __name__ == "__main__":
    main()

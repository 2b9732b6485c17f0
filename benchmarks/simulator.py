"""Time and memory of the simulator: how long a set takes, with one and two processes, and what it needs.

Run ``python benchmarks/simulator.py`` (about six minutes; ``--quick`` leaves out the largest set). Every row runs in a
process of its own, so that its peak of memory is its own.
"""

import json
import resource
import subprocess
import sys
import time

ROWS = (("beer_lambert", 3744, 1), ("msu_like", 3744, 1), ("msu_like", 3744, 2), ("msu_like", 100_000, 2))


def measure(preset: str, n_spectra: int, n_workers: int) -> dict[str, float]:
    from spectra_core.contracts import SILENT
    from spectra_core.datasets.simulator import PRESETS, simulate
    from spectra_core.datasets.simulator.solutions import draw_solutions

    started = time.perf_counter()
    draw_solutions(PRESETS[preset], n_spectra, 0, reporter=SILENT, n_workers=n_workers)
    solved = time.perf_counter() - started
    spectra = simulate(PRESETS[preset], n_spectra=n_spectra, seed=0, n_workers=n_workers)
    total = time.perf_counter() - started - solved
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"equilibria": solved, "total": total, "peak": peak, "set": spectra.signal.nbytes / 2**20,
            "replaced": len(spectra.meta.provenance["replaced"])}  # fmt: skip


def single_solution() -> float:
    from spectra_core.datasets.simulator import PRESETS, solution_tables

    solution_tables(PRESETS["msu_like"], {"CuSO4": 0.1})
    started = time.perf_counter()
    for step in range(20):
        solution_tables(PRESETS["msu_like"], {"CuSO4": 0.1, "Fe(NO3)3": 0.01 + 0.001 * step})
    return (time.perf_counter() - started) / 20


def main() -> None:
    print("| preset | spectra | processes | equilibria, s | whole set, s | peak memory, MB | set, MB | replaced |")
    print("|---|---|---|---|---|---|---|---|")
    for preset, n_spectra, n_workers in ROWS:
        if "--quick" in sys.argv and n_spectra > 10_000:
            continue
        command = [sys.executable, __file__, "--row", preset, str(n_spectra), str(n_workers)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(
            f"| {preset} | {n_spectra:,} | {n_workers} | {found['equilibria']:.1f} | {found['total']:.1f} "
            f"| {found['peak']:.0f} | {found['set']:.0f} | {found['replaced']:.0f} |",
            flush=True,
        )
    print(f"\nOne solution for the page, all tables: {1000 * single_solution():.0f} ms")


if __name__ == "__main__":
    if "--row" in sys.argv:
        preset, n_spectra, n_workers = sys.argv[sys.argv.index("--row") + 1 :]
        print(json.dumps(measure(preset, int(n_spectra), int(n_workers))))
    else:
        main()

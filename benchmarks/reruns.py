"""What a run of each page costs once everything is computed, which every click repeats: processor milliseconds.

    OMP_NUM_THREADS=1 python -m benchmarks.reruns [FOLDER] [--pages train spectra] [--profile]

The demo stands in FOLDER, made there the first time. Without a browser: script, tables, figures and their messages.
"""

import argparse
import cProfile
import json
import os
import pstats
import tempfile
import time
from pathlib import Path
from statistics import median

from streamlit.testing.v1 import AppTest

from ui.menu import MENU, ROOT

ROUNDS = 5


def demo_in(home: Path) -> dict[str, str]:
    """Return what is in hand after the demo."""
    from spectra_core.contracts import SILENT
    from spectra_core.jobs.demo import run_demo
    from spectra_core.store import Store

    kept = home / "demo.json"
    if not kept.is_file():
        kept.write_text(json.dumps(run_demo({}, SILENT, Store(home))))
    made: dict[str, str] = json.loads(kept.read_text())
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=None)
    parser.add_argument("--pages", nargs="*", help="all by default")
    parser.add_argument("--profile", action="store_true", help="say where the time goes")
    asked = parser.parse_args()
    home = asked.folder or Path(tempfile.mkdtemp())
    home.mkdir(parents=True, exist_ok=True)
    os.environ["SPECTRA_HOME"] = str(home)
    made = demo_in(home)
    print(f"{'page':<14}{'first, ms':>11}{'again, ms':>11}")
    for entry in [entry for entries in MENU.values() for entry in entries]:
        name = Path(entry.path).stem
        if asked.pages and name not in asked.pages:
            continue
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
        for kind, identifier in made.items():
            app.query_params[kind] = identifier
        begun = time.process_time()
        app.run()
        app = app.switch_page(entry.path).run()
        first = 1e3 * (time.process_time() - begun)
        app.run()
        spent = []
        for _ in range(ROUNDS):
            begun = time.process_time()
            app.run()
            spent.append(1e3 * (time.process_time() - begun))
        print(f"{name:<14}{first:>11.0f}{median(spent):>11.0f}", flush=True)
        if asked.profile:
            _profile(app)


def _profile(app: AppTest) -> None:
    """Print what a run calls; the script runs in a thread of its own, which is profiled there."""
    import threading

    kept: list[cProfile.Profile] = []
    run = threading.Thread.run

    def profiled(thread: threading.Thread) -> None:
        profile = cProfile.Profile()
        kept.append(profile)
        profile.runcall(run, thread)

    threading.Thread.run = profiled  # type: ignore[method-assign]
    try:
        app.run()
    finally:
        threading.Thread.run = run  # type: ignore[method-assign]
    for profile in kept:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(
            "spectra_core|/ui/|/pages/|plotly|pandas/|streamlit/", 45
        )


if __name__ == "__main__":
    main()

"""A visitor's first minutes in a real browser: seconds from a click to the demo, and to an experiment's first verdict.

    OMP_NUM_THREADS=1 python -m benchmarks.first_minutes FOLDER [--rounds 3]

Every round serves the app with an empty data folder in FOLDER. *Run the demo* is clicked half a minute after the first
page is calm, and has come to its end when all five boxes of the overview are filled. Then the page Experiment runs
what it proposes for the demo's 400 spectra; a verdict is there when the page Errors shows it. Nothing else should run.
"""

import argparse
import os
import re
import time
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

from spectra_core.jobs import Jobs
from spectra_core.store import Store
from tests.browser.conftest import BROWSER_OPTIONS, CALM, served

PATIENCE = 600_000


def main() -> None:
    asking = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asking.add_argument("folder", type=Path)
    asking.add_argument("--rounds", type=int, default=3)
    asked = asking.parse_args()
    executable = os.environ.get("SPECTRA_CHROMIUM", "/usr/bin/chromium")
    taken: dict[str, list[float]] = {}
    for number in range(asked.rounds):
        folder = asked.folder / str(number)
        with served(folder / "home", folder / "server.log") as app, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_OPTIONS)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            for what, seconds in (*demo(page, app.url), *first_verdict(page, app.url, Store(app.home))):
                taken.setdefault(what, []).append(seconds)
                print(f"round {number + 1}: {what}: {seconds:.1f} s", flush=True)
            browser.close()
            end_jobs(Jobs(app.home))
    for what, times in taken.items():
        print(f"| {what} | {', '.join(f'{one:.1f}' for one in sorted(times))} | {median(times):.1f} |")


def demo(page: Page, url: str) -> list[tuple[str, float]]:
    """Click the demo and wait until it is done."""
    open_calm(page, url)
    page.wait_for_timeout(30_000)
    begun = time.monotonic()
    page.get_by_role("button", name="Run the demo").click()
    page.get_by_text("Do generated spectra look like the experimental ones?").wait_for(timeout=PATIENCE)
    return [("demo, from its click to five boxes filled", time.monotonic() - begun)]


def first_verdict(page: Page, url: str, store: Store) -> list[tuple[str, float]]:
    """Run the experiment as proposed, and follow the link to the errors as soon as it found some."""
    query = urlsplit(page.url).query
    open_calm(page, f"{url}/experiment?{query}")
    page.wait_for_timeout(30_000)
    begun = time.monotonic()
    known = len(store.results("study"))
    page.get_by_role("button", name="Run the experiment").click()
    while len(store.results("study")) == known:
        page.wait_for_timeout(100)
    page.get_by_role("link", name="See the errors found so far").click()
    page.get_by_text("So far:").wait_for(timeout=PATIENCE)
    page.get_by_text(re.compile("improve|worse|the same|cannot tell", re.IGNORECASE)).first.wait_for(timeout=PATIENCE)
    return [("experiment, from its click to the first verdict", time.monotonic() - begun)]


def end_jobs(jobs: Jobs) -> None:
    """Cancel what is left of the experiment, so that the next round has the machine for itself."""
    while active := [record for record in jobs.records() if record.is_active]:
        for record in active:
            jobs.cancel(record.id)
        time.sleep(1.0)


def open_calm(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(CALM, timeout=PATIENCE)


if __name__ == "__main__":
    main()

"""Save a picture of every page in light and dark, to look at the app as its visitors do.

    python -m benchmarks.screenshots FOLDER [--home DATA_FOLDER] [--query set=...] [--width 1280] [--pages train sample]
    python -m benchmarks.screenshots FOLDER --demo --first-screen --pages spectra --themes light   # as in the README

Beside every picture stands what a person would have to search it for: whether the page scrolls sideways, and which
words of its figures are cut off or lie over each other. Without --home the app starts with an empty data folder, and
the pages show what they say then; with --demo they show what the demo made.
"""

import argparse
import os
import re
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from spectra_core.contracts import SILENT
from spectra_core.jobs.demo import run_demo
from spectra_core.store import Store
from tests.browser.conftest import BROWSER_OPTIONS, CALM, served
from ui.menu import MENU, Entry

TALLEST = 9000
FAULTS = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const faults = main.scrollWidth > main.clientWidth + 1 ? ['scrolls sideways'] : [];
  for (const figure of document.querySelectorAll('.js-plotly-plot')) {
    const frame = figure.getBoundingClientRect();
    const shown = [...figure.querySelectorAll('svg text')]
      .filter(text => text.textContent.trim() && !text.closest('.hoverlayer'))
      .map(text => [text.textContent.slice(0, 40), text.getBoundingClientRect()])
      .filter(([, box]) => box.width > 0);
    shown.forEach(([words, box], number) => {
      if (box.left < frame.left - 1 || box.right > frame.right + 1) faults.push(`cut: ${words}`);
      for (const [others, other] of shown.slice(number + 1)) {
        const width = Math.min(box.right, other.right) - Math.max(box.left, other.left);
        const height = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
        if (width > 2 && height > 3) faults.push(`over each other: ${words} | ${others}`);
      }
    });
  }
  return faults;
}"""
"""Boxes count: words written at a slant are named though they may stand clear of each other."""


def picture(page: Page, path: Path, width: int, *, first_screen: bool) -> list[str]:
    """Save the page, however far it scrolls unless told; return what is wrong with its layout."""
    page.wait_for_selector(CALM, timeout=120_000)
    page.wait_for_timeout(1200)
    page.wait_for_selector(CALM, timeout=120_000)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')", timeout=120_000)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    if not first_screen:
        page.set_viewport_size({"width": width, "height": max(900, min(TALLEST, int(height) + 20))})
    page.wait_for_timeout(700)
    page.screenshot(path=path)
    faults: list[str] = page.evaluate(FAULTS)
    page.set_viewport_size({"width": width, "height": 900})
    return faults


def address(entry: Entry) -> str:
    """Return the page's part of the address; the first page of the menu is the app's own."""
    name = Path(entry.path).stem
    return "" if name == "overview" else name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--home", type=Path, help="data folder of the app")
    parser.add_argument("--query", default="", help="what is in hand, as in the address")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--pages", nargs="*", help="names of pages; all by default")
    parser.add_argument("--themes", nargs="*", default=["light", "dark"])
    parser.add_argument("--demo", action="store_true", help="run the demo first, and show what it made")
    parser.add_argument("--first-screen", action="store_true", help="only what a visitor sees without scrolling")
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    home = wanted.home or Path(tempfile.mkdtemp())
    made = run_demo({}, SILENT, Store(home)) if wanted.demo else {}
    in_hand = {kind: identifier for kind, identifier in made.items() if kind != "calibration"}  # pages find the newest
    query = "&".join([wanted.query, *(f"{kind}={identifier}" for kind, identifier in in_hand.items())])
    entries = [entry for section in MENU.values() for entry in section]
    with served(home, wanted.folder / "server.log") as app, sync_playwright() as playwright:
        executable = os.environ.get("SPECTRA_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_OPTIONS)
        for theme in wanted.themes:
            page = browser.new_page(viewport={"width": wanted.width, "height": 900}, color_scheme=theme)
            page.goto(app.url)  # a fresh server must have run app.py once, see docs/decisions/083
            page.wait_for_selector(CALM, timeout=120_000)
            for entry in entries:
                name = Path(entry.path).stem
                if wanted.pages and name not in wanted.pages:
                    continue
                page.goto(f"{app.url}/{address(entry)}?{query}")
                path = wanted.folder / f"{re.sub(r'[^a-z]', '_', entry.path.split('/')[1])}_{name}_{theme}.png"
                faults = picture(page, path, wanted.width, first_screen=wanted.first_screen)
                print(path, "EXCEPTION" if page.get_by_test_id("stException").count() else "")
                for fault in faults:
                    print(f"    {fault}")
        browser.close()


if __name__ == "__main__":
    main()

"""From a click to a calm page: what a visitor of the comparison pages waits for, in a real browser.

    OMP_NUM_THREADS=1 python -m benchmarks.clicks FOLDER [--pages spectra channels] [--rounds 3]
    OMP_NUM_THREADS=1 python -m benchmarks.clicks FOLDER --umap    # from the choice of UMAP to its map, nothing kept

3744 simulated spectra of 911 channels against as many of a VAE, made in FOLDER the first time. Every round serves the
app afresh; each click comes twice in it, first with nothing computed and then again. Calm: the script has ended,
nothing on the page changes, and frames follow each other within a tenth of a second.
"""

import argparse
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as NothingCame

from spectra_core.contracts import SILENT
from spectra_core.jobs.tasks import TASKS
from spectra_core.regressors import REGRESSORS
from spectra_core.samplers import SAMPLERS
from spectra_core.sampling.generation import generate_spectra
from spectra_core.sampling.labelling import LABELLINGS
from spectra_core.store import Store
from tests.browser.conftest import BROWSER_OPTIONS, CALM, served

N_SPECTRA = 3744
QUIET_MS = 500
"""So long nothing may happen before the page counts as calm; it is not part of the time."""
WATCH = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  if (window.watched) window.watched.disconnect();
  window.watched = new MutationObserver(changes => {
    const places = changes.map(({target}) => target.closest ? target : target.parentElement);
    if (places.some(place => !place?.closest('[data-testid=stStatusWidget]')))
      window.changed = performance.now();
  });
  window.watched.observe(app, {subtree: true, childList: true, attributes: true, characterData: true});
  if (!window.frames_seen) {
    const frame = () => {
      const now = performance.now();
      if (now - window.frames_seen > 100) window.changed = now;
      window.frames_seen = now;
      requestAnimationFrame(frame);
    };
    window.frames_seen = performance.now();
    requestAnimationFrame(frame);
  }
  window.clicked = window.changed = performance.now();
}"""
STATE = (
    "[performance.now() - window.changed, document.querySelector('[data-testid=stApp]').dataset.testScriptState,"
    " (window.changed - window.clicked) / 1000]"
)
CLICKED = "window.clicked = window.changed = performance.now()"

Click = Callable[[Page], None]


def prepare(home: Path) -> str:
    """Make the sets, the generator and what jobs compute, once; return what is in hand as in the address."""
    known = home / "clicks.json"
    if not known.exists():
        home.mkdir(parents=True, exist_ok=True)
        store = Store(home)
        asked = {"preset": "msu_like", "n_spectra": N_SPECTRA, "seed": 0, "name": "Simulated spectra"}
        experimental = TASKS["simulate"](asked, SILENT, store)["set"]
        model = TASKS["train"]({"set": experimental, "generator": "vae", "options": {"epochs": 40}}, SILENT, store)[
            "model"
        ]
        whole, stored = store.load_set(experimental), store.load_model(model)
        held_out = set(stored.record.held_out_rows)
        train = whole.take([row for row in range(len(whole)) if row not in held_out])
        made = generate_spectra(
            stored.model,
            train,
            N_SPECTRA,
            sampler=SAMPLERS["aggregate_posterior"](),
            labelling=LABELLINGS["spectral"](),
            teacher=REGRESSORS["pls"]().fit(train),
            seed=0,
            model=model,
        )
        hand = {"set": experimental, "generated": store.save_set(made), "model": model}
        TASKS["map"]({**hand, "method": "tsne", "seed": 0}, SILENT, store)
        for given_back in (False, True):
            TASKS["fidelity"]({**hand, "noise_given_back": given_back, "seed": 0}, SILENT, store)
        known.write_text(json.dumps(hand))
    return "&".join(f"{kind}={identifier}" for kind, identifier in json.loads(known.read_text()).items())


def words(text: str) -> Click:
    """Click on a choice by its words."""
    return lambda page: page.get_by_test_id("stMain").get_by_text(text, exact=True).first.click()


def button(name: str) -> Click:
    """Click on a button."""
    return lambda page: page.get_by_role("button", name=name).first.click()


def option(label: str, name: str) -> Click:
    """Choose an option of a box; time counts from the choice, not from opening the box."""

    def choose(page: Page) -> None:
        wanted = page.get_by_role("option", name=name, exact=True).first
        for _ in range(3):
            try:
                page.get_by_role("combobox", name=re.compile(f"^{label}")).first.click(timeout=3000)
                wanted.wait_for(timeout=1500)
                break
            except NothingCame:
                page.keyboard.press("Escape")
        page.evaluate(CLICKED)
        wanted.click()

    return choose


def lasso(page: Page) -> None:
    """Draw a lasso around the middle of the first figure; time counts from letting go."""
    page.locator(".modebar-btn[data-title*='asso']").first.click(force=True)
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    x, y, reach = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, 50
    page.mouse.move(x - reach, y - reach)
    page.mouse.down()
    for right, down in ((1, -1), (1, 1), (-1, 1), (-1, -1)):
        page.mouse.move(x + right * reach, y + down * reach, steps=5)
    page.wait_for_timeout(500)
    page.evaluate(CLICKED)
    page.mouse.up()


CLICKS: dict[str, dict[str, Click]] = {
    "spectra": {view: words(view) for view in ("Quantile bands", "Single spectra", "Density", "held-out", "training")},
    "channels": {
        "held-out": words("held-out"),
        "training": words("training"),
        "noise given back": words("Give the noise back"),
        "noise taken away": words("Give the noise back"),
    },
    "neighbours": {
        **{rank: button(rank) for rank in ("Median", "Farthest", "Nearest")},
        **{metric: option("Distance", metric) for metric in ("Noise weighted", "Spectral angle", "Euclidean")},
        "among similar": words("Among similar concentrations"),
        "among all": words("Among similar concentrations"),
    },
    "latent_map": {
        **{
            colour: option("Colour", colour)
            for colour in (
                "Concentration",
                "Error of the label",
                "Error of the reconstruction",
                "Density of the data",
                "Role",
            )
        },
        **{method: words(method) for method in ("UMAP", "t-SNE", "PCA")},
        "lasso": lasso,
        **{way: words(way) for way in ("Between two spectra", "Along a latent dimension")},
        "every spectrum drawn": words("Draw every spectrum"),
        "every spectrum, by concentration": option("Colour", "Concentration"),
        "every spectrum, by role": option("Colour", "Role"),
        "a part drawn": words("Draw every spectrum"),
    },
    "fidelity": {
        **{teacher: words(teacher) for teacher in ("Pure components (CLS)", "Teacher (PLS)")},
        "noise given back": words("Give the noise back"),
        "noise taken away": words("Give the noise back"),
    },
}
"""What is clicked on each page, in this order."""


def seconds(page: Page, click: Click) -> float:
    """Click, wait until the page is calm, and return how long that took."""
    page.wait_for_timeout(300)
    page.evaluate(WATCH)
    click(page)
    while True:
        page.wait_for_timeout(100)
        still, script, taken = page.evaluate(STATE)
        if still > QUIET_MS and script == "notRunning":
            return float(taken)


def umap_seconds(page: Page) -> float:
    """Choose UMAP, ask for its map where a button does, and return the seconds until it is drawn."""
    words("UMAP")(page)
    begun = time.monotonic()
    while page.get_by_text("UMAP 1", exact=False).count() == 0:
        ask = page.get_by_role("button", name="Draw the map")
        if ask.count():
            ask.first.click()
            page.wait_for_timeout(1000)
        page.wait_for_timeout(50)
    return time.monotonic() - begun


def measure_umap(folder: Path, query: str, rounds: int) -> None:
    executable, taken = os.environ.get("SPECTRA_CHROMIUM", "/usr/bin/chromium"), []
    for _ in range(rounds):
        with served(folder, folder / "server.log") as app, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_OPTIONS)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            for address in ("", f"latent_map?{query}"):
                page.goto(f"{app.url}/{address}")
                page.wait_for_selector(CALM, timeout=120_000)
            page.wait_for_timeout(30_000)
            taken.append(umap_seconds(page))
            browser.close()
    print(f"from the choice of UMAP to its map: {', '.join(f'{one:.1f}' for one in sorted(taken))} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", nargs="*", default=list(CLICKS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--umap", action="store_true")
    asked = parser.parse_args()
    query = prepare(asked.folder)
    if asked.umap:
        measure_umap(asked.folder, query, asked.rounds)
        return
    taken: dict[tuple[str, str, bool], list[float]] = {}
    executable = os.environ.get("SPECTRA_CHROMIUM", "/usr/bin/chromium")
    for _ in range(asked.rounds):
        with served(asked.folder, asked.folder / "server.log") as app, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_OPTIONS)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(app.url)  # a fresh server must have run app.py once, see docs/decisions/083
            page.wait_for_selector(CALM, timeout=120_000)
            for name in asked.pages:
                page.goto(f"{app.url}/{name}?{query}")
                page.wait_for_selector(CALM, timeout=120_000)
                page.wait_for_timeout(2500)
                for again in (False, True):
                    for what, click in CLICKS[name].items():
                        taken.setdefault((name, what, again), []).append(seconds(page, click))
            assert page.get_by_test_id("stException").count() == 0
            browser.close()
    print("| page, click | first, s | again, s |\n| --- | --- | --- |")
    for name, what, again in taken:
        if not again:
            first, then = (median(taken[name, what, later]) for later in (False, True))
            print(f"| {name}: {what} | {first:.2f} | {then:.2f} |")


if __name__ == "__main__":
    main()

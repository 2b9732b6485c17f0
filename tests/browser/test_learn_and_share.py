"""A visitor without a mouse walks through the tour; a colleague without a network opens and prints a report."""

import shutil

import pytest

from spectra_core.cli.commands import main
from ui.tour import STEPS

pytestmark = pytest.mark.browser

_FOCUSED = "(document.activeElement.ariaLabel || document.activeElement.innerText || '').trim()"


@pytest.fixture(scope="module")
def made(app, short_demo):
    folder, made = short_demo
    shutil.copytree(folder, app.home, ignore=shutil.ignore_patterns("sequence"), dirs_exist_ok=True)
    return made


def tab_to(visitor, *words: str, most: int = 120) -> None:
    """Press the tabulator until what has the focus says one of these words last."""
    for _ in range(most):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate(_FOCUSED).endswith(words):
            return
    pytest.fail(f"No key leads to {words}.")


def test_the_tour_is_walked_by_keyboard_alone(app, made, visit):
    visitor = visit()
    visitor.open(f"{app.url}/?set={made['set'][:12]}&model={made['model'][:12]}&generated={made['generated'][:12]}")
    tab_to(visitor, "Tour")
    visitor.page.keyboard.press("Enter")
    for number, step in enumerate(STEPS, 1):
        visitor.page.get_by_role("heading", name=f"{number}. {step.title}").wait_for(timeout=60_000)
        visitor.page.get_by_text(f"{number} of {len(STEPS)} steps seen").wait_for(timeout=60_000)
        visitor.calm()
        visitor.require_health()
        if number == 2:
            noise = visitor.page.get_by_text("Usual jitter of the noise-free spectrum")
            before = noise.inner_text()
            tab_to(visitor, "Give the noise back")
            visitor.page.keyboard.press("Space")
            visitor.page.wait_for_function("([text]) => !document.body.innerText.includes(text)", arg=[before])
        tab_to(visitor, "Next", "Now take the quiz")
        visitor.page.keyboard.press("Enter")
    visitor.page.get_by_role("heading", name="Question 1 of").wait_for(timeout=60_000)
    visitor.calm()
    visitor.require_health()


def test_a_report_opens_without_a_network_and_prints(app, made, visit, tmp_path, monkeypatch):
    monkeypatch.setenv("SPECTRA_HOME", str(app.home))
    assert main(["report", made["result"], "--out", str(tmp_path / "report.html")]) == 0
    visitor = visit(stranger=True)
    visitor.page.context.set_offline(True)
    asked = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.page.goto((tmp_path / "report.html").as_uri())
    assert visitor.page.locator("svg").count() > 0
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob"}
    assert visitor.page.pdf(print_background=True).startswith(b"%PDF")
    visitor.require_health()

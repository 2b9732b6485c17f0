"""Every page in a real browser, light and dark: no exception, nothing in the console, no cut-off width, live name."""

from pathlib import Path

import pytest

from spectra_core.store import Store
from tests.hostile_names import OUTSIDE, fill
from ui.menu import MENU, Entry

pytestmark = pytest.mark.browser

PAGES = [entry for entries in MENU.values() for entry in entries]
EMPTY = ("overview", "jobs", "dataset", "simulate", "experiment", "read", "tour")
"""Pages that show more than that they need spectra where none are in hand, and one of those that say so."""


def test_pages_opened_first_are_healthy_in_light(app, visit):
    visitor = visit()
    visitor.open(app.url)  # the first deep link of a process has a test of its own
    for entry in PAGES:
        if Path(entry.path).stem not in EMPTY:
            continue
        visitor.open(f"{app.url}/{address(entry)}")
        require_whole(visitor, entry)


def test_every_page_is_healthy_dark_and_narrow_and_no_name_becomes_a_link_an_image_or_a_request(app, visit):
    hand = "&".join(f"{kind}={key[:12]}" for kind, key in fill(Store(app.home)).items())
    visitor = visit(dark=True, width=800)
    outside: list[str] = []
    visitor.page.on("request", lambda request: outside.append(request.url) if OUTSIDE in request.url else None)
    visitor.open(f"{app.url}/?{hand}")
    # By the menu, which keeps what is in hand. Experiment would first time this computer, and shows no name.
    for entry in sorted(PAGES, key=lambda entry: entry.title == "Experiment"):
        if entry.title == "Experiment":
            visitor.open(f"{app.url}/{address(entry)}")
        else:
            visitor.menu(entry.title)
            assert hand.partition("&")[0] in visitor.page.url
        require_whole(visitor, entry)
        live = visitor.page.locator(f"a[href*='{OUTSIDE}'], img[src*='{OUTSIDE}']")
        assert live.count() == 0, entry.path
        icons = visitor.page.get_by_test_id("stMain").locator("p [data-testid=stIconMaterial]", has_text="home")
        assert icons.count() == 0, entry.path
    assert outside == []


def require_whole(visitor, entry: Entry) -> None:
    heading = visitor.page.get_by_test_id("stMain").get_by_role("heading", level=1)
    assert heading.inner_text().strip() == entry.title, entry.path
    assert not scrolls_sideways(visitor), entry.path
    visitor.require_health()


def test_the_keyboard_passes_the_menu_at_once_and_shows_where_it_is(app, visit):
    visitor = visit()
    visitor.open(f"{app.url}/dataset")
    visitor.page.keyboard.press("Tab")
    link = visitor.page.locator("a:focus")
    assert link.inner_text() == "Go past the menu"
    assert link.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    assert link.bounding_box()["y"] >= 0
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    reached = visitor.page.locator(":focus")
    assert reached.evaluate("one => Boolean(one.closest('[data-testid=stMain]'))")
    assert not reached.evaluate("one => Boolean(one.closest('[data-testid=stSidebar]'))")


def address(entry: Entry) -> str:
    name = Path(entry.path).stem
    return "" if name == "overview" else name


def scrolls_sideways(visitor) -> bool:
    return visitor.page.evaluate(
        "(() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth > main.clientWidth + 1 })()"
    )

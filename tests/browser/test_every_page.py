"""Every page in a real browser, light and dark: no exception, nothing in the console, no cut-off width."""

from pathlib import Path

import pytest

from ui.menu import MENU, Entry

pytestmark = pytest.mark.browser

PAGES = [entry for entries in MENU.values() for entry in entries]


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 800)], ids=["light", "dark and narrow"])
def test_every_page_opened_first_is_healthy(app, visit, dark, width):
    visitor = visit(dark=dark, width=width)
    for entry in PAGES:
        visitor.open(f"{app.url}/{address(entry)}")
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

"""Every page in a real browser, light and dark: no exception, nothing in the console, no cut-off width."""

from pathlib import Path

import pytest

from ui.menu import MENU, Entry

pytestmark = pytest.mark.browser

PAGES = [entry for entries in MENU.values() for entry in entries]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_opened_first_is_healthy(app, visit, dark):
    visitor = visit(dark=dark)
    for entry in PAGES:
        visitor.open(f"{app.url}/{address(entry)}")
        heading = visitor.page.get_by_test_id("stMain").get_by_role("heading", level=1)
        assert heading.inner_text().strip() == entry.title, entry.path
        assert not scrolls_sideways(visitor), entry.path
        visitor.require_health()


def address(entry: Entry) -> str:
    name = Path(entry.path).stem
    return "" if name == "overview" else name


def scrolls_sideways(visitor) -> bool:
    return visitor.page.evaluate(
        "(() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth > main.clientWidth + 1 })()"
    )

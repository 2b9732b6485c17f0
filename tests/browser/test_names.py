"""Names in a real browser: none makes a link, an image or a request, whatever page shows it."""

import pytest

from spectra_core.store import Store
from tests.browser.test_every_page import address
from tests.hostile_names import OUTSIDE, fill
from ui.menu import MENU

pytestmark = pytest.mark.browser

PAGES = [entry for entries in MENU.values() for entry in entries if entry.title != "Experiment"]
"""The other one times this computer first, and shows no name."""


def test_no_name_becomes_a_link_an_image_or_a_request(app, visit):
    hand = "&".join(f"{kind}={key[:12]}" for kind, key in fill(Store(app.home)).items())
    visitor = visit()
    outside: list[str] = []
    visitor.page.on("request", lambda request: outside.append(request.url) if OUTSIDE in request.url else None)
    for entry in PAGES:
        visitor.open(f"{app.url}/{address(entry)}?{hand}")
        live = visitor.page.locator(f"a[href*='{OUTSIDE}'], img[src*='{OUTSIDE}']")
        assert live.count() == 0, entry.path
        icons = visitor.page.get_by_test_id("stMain").locator("p [data-testid=stIconMaterial]", has_text="home")
        assert icons.count() == 0, entry.path
        visitor.require_health()
    assert outside == []

"""What is in hand survives page switches, reloads and the Back button of a real browser."""

import re

import pytest

from spectra_core.store import Store
from tests.conftest import beer_lambert_set

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def fingerprint(app) -> str:
    return Store(app.home).save_set(beer_lambert_set(n_spectra=20).with_meta(name="Three salts in water"))


def require_set_in_hand(visitor) -> None:
    from playwright.sync_api import expect

    chosen = visitor.page.get_by_test_id("stSelectbox").first.get_by_role("combobox")
    expect(chosen).to_have_value("Three salts in water", timeout=60_000)


def test_a_choice_survives_menu_reload_and_back_and_is_opened_by_a_link(app, visit, fingerprint):
    visitor = visit()
    visitor.open(app.url)
    visitor.page.get_by_test_id("stSelectbox").first.get_by_role("combobox").fill("Three salts in")
    visitor.page.get_by_role("option", name="Three salts in water").click()
    visitor.page.wait_for_url(re.compile(rf"set={fingerprint[:12]}"))
    visitor.menu("Train")
    visitor.page.wait_for_url(re.compile(rf"/train\?.*set={fingerprint[:12]}"))
    require_set_in_hand(visitor)
    visitor.page.reload()
    visitor.calm()
    require_set_in_hand(visitor)
    for _ in range(2):  # the page as clicked, and as completed by its choices
        visitor.page.go_back()
        visitor.calm()
    assert "/train" not in visitor.page.url
    require_set_in_hand(visitor)

    visitor.open(f"{app.url}/train?set={fingerprint[:12]}")
    require_set_in_hand(visitor)
    visitor.open(f"{app.url}/?set=0123456789ab")
    assert visitor.page.get_by_text("not in this store").is_visible()
    assert "set=" not in visitor.page.url
    visitor.require_health()

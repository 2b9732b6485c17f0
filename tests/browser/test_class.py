"""Two visitors of a class in real browsers: each finds its own workspace again, and nothing of the other's.

The first follows a link to a page of a server that has just started, as after a restart with a tab still open.
"""

import pytest

from spectra_core.store import Store, classroom
from tests.browser.conftest import served
from tests.conftest import beer_lambert_set

pytestmark = pytest.mark.browser
PATIENCE = 180_000


def test_a_workspace_is_kept_in_the_browser_opened_elsewhere_by_link_and_closed_to_others(visit, tmp_path, monkeypatch):
    from playwright.sync_api import expect

    def emptiness(visitor):
        return expect(visitor.page.get_by_text("The store holds no sets yet."))

    monkeypatch.setenv("SPECTRA_CLASS", "1")
    with served(tmp_path / "home", tmp_path / "log") as app:
        mine, other = visit(stranger=True), visit(stranger=True)
        require_page_without_false_alarm(mine, app)
        mine.page.get_by_role("button", name="Your workspace").click()
        link = mine.page.get_by_test_id("stCode").inner_text(timeout=PATIENCE).strip()
        secret = link.partition("workspace=")[2]
        key = Store(classroom.home_of_secret(app.home, secret)).save_set(beer_lambert_set(n_spectra=6))
        mine.open(f"{app.url}/dataset?set={key[:12]}")  # no link: the browser knows
        emptiness(mine).to_have_count(0, timeout=PATIENCE)
        assert secret not in mine.page.url
        mine.page.get_by_role("button", name="Export").click()
        with mine.page.expect_download(timeout=PATIENCE) as download:
            mine.page.get_by_test_id("stDownloadButton").filter(has_text="CSV").first.get_by_role("button").click()
        assert "Cu2+" in download.value.path().read_text()

        other.open(f"{app.url}/dataset?set={key[:12]}")
        emptiness(other).to_be_visible(timeout=PATIENCE)
        assert other.page.get_by_text("not in this store").is_visible()
        other.open(f"{link}&set={key[:12]}")
        other.menu("Data set")
        emptiness(other).to_have_count(0, timeout=PATIENCE)

        mine.page.get_by_role("button", name="Your workspace").click()
        require_whole(mine)
        mine.page.get_by_text("I have kept the link").click()
        mine.page.get_by_role("button", name="Leave this workspace").click()
        emptiness(mine).to_be_visible(timeout=PATIENCE)
        mine.calm()
        kept = [one["value"] for one in mine.page.context.cookies() if one["name"] == "workspace"]
        assert secret not in kept
        assert key[:12] not in mine.page.url
        for visitor in (mine, other):
            visitor.require_health()
    assert "Traceback" not in app.log.read_text()


def require_page_without_false_alarm(first, app):
    first.open(f"{app.url}/train")
    first.page.get_by_role("heading", name="Train", level=1).wait_for(timeout=PATIENCE)
    first.page.wait_for_timeout(1000)
    assert first.page.get_by_role("dialog").count() == 0
    first.menu("Data set")
    first.page.get_by_role("heading", name="Data set", level=1).wait_for(timeout=PATIENCE)
    (said,) = first.errors  # on the console, before the app closes the dialog
    assert "The page that you have requested does not seem to exist" in said
    first.errors.clear()
    first.require_health()


def require_whole(visitor):
    """In a window of 900 px, the menu with the workspace under it is seen at once, and so is what the panel says."""
    panel = visitor.page.get_by_test_id("stPopoverBody")
    visitor.page.get_by_role("button", name="Leave this workspace").wait_for(timeout=PATIENCE)
    visitor.page.wait_for_timeout(500)
    assert visitor.page.viewport_size["height"] == 900
    assert visitor.page.get_by_text("Kept until").is_visible()
    for one in (panel, visitor.page.get_by_test_id("stSidebarContent")):
        assert one.evaluate("one => one.scrollHeight - one.clientHeight") <= 0
    box = panel.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 900

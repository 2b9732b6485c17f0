"""The first request to a fresh server is a link to a page, as after a restart with a tab still open."""

import pytest

from tests.browser.conftest import served

pytestmark = pytest.mark.browser


def test_the_page_is_there_and_nothing_lies_over_it(visit, tmp_path):
    with served(tmp_path / "home", tmp_path / "server.log") as app:
        visitor = visit()
        visitor.open(f"{app.url}/train")
        visitor.page.get_by_role("heading", name="Train", level=1).wait_for()
        visitor.page.wait_for_timeout(1000)
        assert visitor.page.get_by_role("dialog").count() == 0
        visitor.menu("Data set")
        visitor.page.get_by_role("heading", name="Data set", level=1).wait_for()
        assert visitor.page.get_by_test_id("stException").count() == 0

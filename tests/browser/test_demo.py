"""The first three minutes of a visitor: one click to generated spectra, reloading in the middle."""

import re

import pytest

pytestmark = pytest.mark.browser


def test_one_click_runs_the_pipeline_even_when_the_page_is_reloaded(app, visit):
    visitor = visit()
    visitor.open(app.url)
    visitor.page.get_by_role("button", name="Run the demo").click()
    visitor.page.wait_for_url(re.compile("job="))
    visitor.page.reload()
    visitor.page.get_by_text("Do generated spectra look like the experimental ones?").wait_for(timeout=300_000)
    visitor.calm()
    for kind in ("set", "model", "generated"):
        assert f"{kind}=" in visitor.page.url
    assert "job=" not in visitor.page.url
    visitor.require_health()

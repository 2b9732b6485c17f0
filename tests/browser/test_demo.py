"""The first three minutes of a visitor: one click from an empty app to generated spectra, reloading in the middle."""

import re

import pytest

from spectra_core.contracts import SILENT
from spectra_core.jobs.demo import DEMO_SET
from spectra_core.jobs.tasks import TASKS
from spectra_core.store import Store

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


def test_training_with_live_curves_goes_on_while_another_page_is_visited(app, visit):
    TASKS["simulate"](dict(DEMO_SET), SILENT, Store(app.home))
    visitor = visit()
    visitor.open(app.url)
    choose(visitor, 0, DEMO_SET["name"])
    visitor.menu("Train")
    visitor.page.get_by_text("Parameters").first.click()
    epochs = visitor.page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("150")  # some seconds: long enough to be seen learning
    epochs.press("Enter")
    visitor.calm()
    visitor.page.get_by_role("button", name="Train", exact=True).click()
    visitor.page.get_by_test_id("stVegaLiteChart").wait_for(timeout=60_000)
    visitor.menu("Overview")
    visitor.page.get_by_text("Finished: Train").wait_for(timeout=180_000)
    visitor.menu("Train")
    visitor.page.get_by_text("How well does it reconstruct?").wait_for(timeout=60_000)
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Latent dimensions (CSV)").click()
    assert download.value.suggested_filename == "latent_dimensions.csv"
    visitor.require_health()


def choose(visitor, number: int, name: str) -> None:
    visitor.page.get_by_test_id("stSelectbox").nth(number).get_by_role("combobox").click()
    visitor.page.get_by_role("option", name=name).click()
    visitor.calm()

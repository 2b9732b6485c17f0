"""The whole path of a spectroscopist with a file: upload, train, reload, sample twice, compare, experiment, download.

With SPECTRA_PICTURES naming a folder, every station is also saved as a picture, to be looked at.
"""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import beer_lambert_set

pytestmark = pytest.mark.browser
PATIENCE = 300_000  # milliseconds for a job on two busy cores


@pytest.fixture
def plain_csv(tmp_path) -> Path:
    spectra = beer_lambert_set(n_spectra=80)
    header = ",".join([*spectra.target_names, *(f"{position:g}" for position in spectra.axis.positions)])
    path = tmp_path / "three salts.csv"
    np.savetxt(path, np.hstack([spectra.target_values, spectra.signal]), delimiter=",", header=header, comments="")
    return path


def bring(visitor, app, file: Path, station: "Stations") -> None:
    """Bring a file, keep what was understood, and look at it."""
    visitor.open(app.url)
    visitor.menu("Data set")
    visitor.page.locator("input[type=file]").first.set_input_files(str(file))
    visitor.page.get_by_role("heading", name="What I understood").wait_for(timeout=60_000)
    station("understood")
    visitor.page.get_by_role("button", name="Save and use").click()
    visitor.page.wait_for_url(re.compile("set="), timeout=60_000)
    visitor.menu("Explore")
    station("explore")


def test_thousands_of_published_spectra_are_brought_and_explored(app, visit):
    folder = os.environ.get("SPECTRA_REFERENCE_DATA")
    if folder is None:
        pytest.skip("SPECTRA_REFERENCE_DATA does not name the folder with reference data")
    visitor = visit()
    file = Path(folder) / "real" / "carbon_dots_cu_ni_cr_no3_ex350.csv.gz"
    bring(visitor, app, file, Stations(visitor, "carbon_dots_light"))


def test_a_spectroscopist_goes_from_a_file_to_an_answer(app, visit, plain_csv):
    visitor = visit(dark=True)
    page = visitor.page
    station = Stations(visitor, "three salts_dark")
    bring(visitor, app, plain_csv, station)

    visitor.menu("Train")
    page.get_by_text("Parameters").first.click()
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("300")  # some seconds: long enough to be seen learning
    epochs.press("Enter")
    visitor.calm()
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_test_id("stEChartsChart").wait_for(timeout=PATIENCE)
    station("training")
    page.reload()
    visitor.calm()
    visitor.menu("Overview")  # it goes on while another page is visited
    page.wait_for_url(re.compile("model="), timeout=PATIENCE)
    visitor.menu("Train")
    page.get_by_text("How well does it reconstruct?").wait_for(timeout=PATIENCE)
    station("trained")
    with page.expect_download() as download:
        page.get_by_role("button", name="Latent dimensions (CSV)").click()
    assert download.value.suggested_filename == "latent_dimensions.csv"

    for title in ("Standard normal", "Equalised"):
        visitor.menu("Sample")
        pick(visitor, "Latent points from", title)
        station(f"sample {title}")
        before = page.url
        page.get_by_role("button", name="Generate and save").click()
        page.wait_for_function("old => location.href !== old && location.href.includes('generated=')", arg=before)
        visitor.calm()

    for title in ("Spectra", "Channels", "Neighbours", "Latent map"):
        visitor.menu(title)
        station(title)
        button = page.get_by_role("button", name=re.compile(r"\(CSV\)")).first
        with page.expect_download() as download:
            button.click()
        assert Path(download.value.path()).stat().st_size > 100

    visitor.menu("Experiment")
    page.get_by_text("Your generated way").first.click()  # trained for as long as above in every fold
    visitor.calm()
    for label, value in (("Folds", "3"), ("Repetitions", "1"), ("Epochs", "3")):
        field = page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(value)
        field.press("Enter")
        visitor.calm()
    page.get_by_role("button", name="Run the experiment").click()
    station("experiment")
    page.get_by_text(re.compile("Finished: Experiment")).wait_for(timeout=PATIENCE)
    visitor.menu("Errors")
    page.get_by_text("More about it").wait_for(timeout=60_000)
    station("errors")
    visitor.calm()
    page.wait_for_timeout(1000)  # a click during a run is lost
    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").first.click()
    table = Path(download.value.path()).read_text()
    assert "Duplicate rows" in table
    assert "cannot tell" in table or "same" in table

    visitor.require_health()


def pick(visitor, label: str, title: str) -> None:
    visitor.page.get_by_role("combobox", name=re.compile(label)).click()
    visitor.page.get_by_role("option", name=title, exact=True).click()
    visitor.calm()


class Stations:
    """Checks each station's health and, where asked, keeps a picture of it."""

    def __init__(self, visitor, name: str) -> None:
        self._visitor = visitor
        self._name = name
        self._folder = os.environ.get("SPECTRA_PICTURES")

    def __call__(self, title: str) -> None:
        self._visitor.calm()
        self._visitor.require_health()
        if self._folder:
            Path(self._folder).mkdir(parents=True, exist_ok=True)
            self._visitor.page.screenshot(path=Path(self._folder) / f"{self._name}_{title}.png")

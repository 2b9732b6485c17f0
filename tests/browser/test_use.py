"""From a file with concentrations to those of unknown solutions, as a visitor does it in a browser."""

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import spectra_core as sc
from spectra_core.cli.shared import wide_table
from spectra_core.datasets.formulas import table_csv
from spectra_core.spectra import SpectralAxis, SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set

pytestmark = pytest.mark.browser
PATIENCE = 180_000  # milliseconds for a job on two busy cores


@pytest.fixture
def files(tmp_path) -> dict[str, Path]:
    """A calibration set; unknown spectra, one of them an outlier and one too strong; the same on another axis."""
    fresh = beer_lambert_set(n_spectra=5, seed=5)
    ids = pd.DataFrame({"id": [f"U{row}" for row in range(5)]})
    signal = np.array(fresh.signal)
    signal[2] += 0.3 * np.sin(np.arange(50))
    signal[3] *= 3.0
    positions = np.linspace(220.0, 1000.0, 99)
    sets = {
        "set": beer_lambert_set(n_spectra=60),
        "unknown": SpectraSet(fresh.axis, signal, samples=ids, meta=fresh.meta),
        "denser": SpectraSet(
            SpectralAxis(positions),
            np.stack([np.interp(positions, fresh.axis.positions, row) for row in fresh.signal]),
            samples=ids,
            meta=fresh.meta,
        ),
    }
    for name, spectra in sets.items():
        (tmp_path / f"{name}.csv").write_bytes(table_csv(wide_table(spectra)))
    return {name: tmp_path / f"{name}.csv" for name in sets}


def test_a_visitor_calibrates_and_reads_unknown_solutions(app, visit, files):
    visitor = visit()
    page = visitor.page
    visitor.open(app.url)
    visitor.menu("Data set")
    page.locator("input[type=file]").first.set_input_files(str(files["set"]))
    page.get_by_role("button", name="Save and use").click(timeout=PATIENCE)
    page.wait_for_url(re.compile("set="), timeout=PATIENCE)
    in_hand = re.search(r"set=(\w+)", page.url)[1]

    visitor.menu("Calibrate")
    page.get_by_role("button", name="Calibrate", exact=True).click()
    page.get_by_role("heading", name="Figures of merit").wait_for(timeout=PATIENCE)
    visitor.calm()
    page.get_by_role("link", name=re.compile("Read unknown spectra with it")).click()

    take(visitor, files["unknown"])
    table = downloaded(visitor)
    store = Store(app.home)
    kept = [store.load_calibration(record.id) for record in store.calibrations()]
    (calibration,) = [one for one in kept if one.data["fingerprint"].startswith(in_hand)]
    expected = calibration.read(sc.read(files["unknown"], targets=()))
    assert list(table) == ["id", "target", "value", "low", "high", "unit", "flags"]
    for name in ("value", "low", "high"):
        assert_allclose(table[name], expected[name], rtol=1e-12)
    flags = table.groupby("id")["flags"].agg("; ".join)
    assert "Q residual" in flags["U2"]
    assert "outside calibrated range" in flags["U3"]
    assert not flags["U0"].strip("; ")

    page.reload()
    pd.testing.assert_frame_equal(downloaded(visitor), table)
    page.get_by_role("button", name="Forget them").click()
    page.get_by_text("Bring spectra on the calibration's axis").wait_for(timeout=PATIENCE)
    visitor.calm()
    assert "unknown=" not in page.url
    take(visitor, files["denser"])
    page.get_by_text("What shall be done?").wait_for(timeout=PATIENCE)
    page.get_by_text("Interpolate onto the channels of the calibration").click()
    again = downloaded(visitor)
    expected = calibration.read(sc.read(files["denser"], targets=()), axis="interpolate")
    assert_allclose(again["value"], expected["value"], rtol=1e-12)

    visitor.require_health()


def take(visitor, file: Path) -> None:
    """Bring a file of unknown spectra."""
    page = visitor.page
    page.get_by_text("Bring spectra on the calibration's axis").wait_for(timeout=PATIENCE)
    visitor.calm()
    page.locator("input[type=file]").first.set_input_files(str(file))
    button = page.get_by_role("button", name="Take these spectra")
    button.wait_for(timeout=PATIENCE)
    visitor.calm()
    button.click()


def downloaded(visitor) -> pd.DataFrame:
    """Return the readings as the visitor takes them home."""
    button = visitor.page.get_by_role("button", name="Readings (CSV)")
    button.wait_for(timeout=PATIENCE)
    visitor.calm()
    with visitor.page.expect_download(timeout=PATIENCE) as download:
        button.click()
    return pd.read_csv(io.BytesIO(Path(download.value.path()).read_bytes()), keep_default_na=False)

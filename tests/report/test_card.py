"""A card says what a model saw and where it fails; reports of comparisons and calibrations say it in words."""

import json

import numpy as np
import pytest

from spectra_core.calibration import calibrate
from spectra_core.cli.commands import main
from spectra_core.contracts import SILENT
from spectra_core.generators import GENERATORS
from spectra_core.jobs.judging import judge
from spectra_core.report import generator_card, report_of_named
from spectra_core.report.page import as_html
from spectra_core.store import Store
from tests.conftest import beer_lambert_set
from tests.report.test_report import Page

HELD_OUT = [0, 1, 2, 3]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Return a store with a set of stated licence, a generator of it, and exact copies as its generated set."""
    store = Store(tmp_path_factory.mktemp("home"))
    spectra = beer_lambert_set(60)
    fingerprint = store.save_set(spectra)
    store.state_licence(fingerprint, "CC BY 4.0 <b>")
    fitted = GENERATORS["pca"]().fit(spectra.take(range(4, 60)), seed=0)
    model = store.save_model(
        fitted, registry="generator", member="pca", train=spectra, seed=0, extra={"held_out_rows": HELD_OUT}
    )
    copies = spectra.take(range(4, 60)).with_meta(origin="generated", name="Copies")
    generated = store.save_set(copies)
    return store, fingerprint, model, generated


def test_ranges_are_those_of_the_training_rows_alone(shelf):
    store, fingerprint, model, _ = shelf
    card = generator_card(store, model)
    values = store.load_set(fingerprint).targets.iloc[4:]
    assert [(one["low"], one["high"]) for one in card.targets] == list(zip(values.min(), values.max(), strict=True))
    assert card.trained_on["Spectra"] == 56
    assert "nobody has measured" in card.sentences[0]
    assert card.failures == ()


def test_failures_that_were_measured_are_named(shelf):
    store, fingerprint, model, generated = shelf
    found = judge({"set": fingerprint, "generated": generated, "model": model}, SILENT, store)
    card = generator_card(store, model)
    verdicts = {one["metric"]: one["verdict"] for one in card.failures}
    assert verdicts["Exact copies"] == "worse than real"
    assert "Exact copies" in card.sentences[0]
    document = json.loads(card.to_json())
    assert document["trained_on"]["Licence of the data, as stated"] == "CC BY 4.0 <b>"
    page = Page(as_html(card.report()))
    assert "CC BY 4.0 <b>" in page.text
    assert "b" not in page.tags
    comparison = Page(as_html(report_of_named(found["result"], store)))
    assert card.sentences[0] in comparison.text
    assert not comparison.tags & {"script", "img", "a", "b"}


def test_a_calibration_has_a_report_and_a_card(shelf, tmp_path, monkeypatch):
    store, fingerprint, *_ = shelf
    monkeypatch.setenv("SPECTRA_HOME", str(store.root))
    made = calibrate(store.load_set(fingerprint), regressor="ridge", targets=["Cu2+"], n_folds=4)
    key = store.save_calibration(made)
    assert main(["report", key[:10], "--out", str(tmp_path / "r.html")]) == 0
    text = Page((tmp_path / "r.html").read_text()).text
    predicted = made.predictions()
    rmsecv = np.sqrt(np.mean((predicted["held_out"] - predicted["reference"]) ** 2))
    assert f"RMSECV {rmsecv:.3g} mol/L" in text
    assert "CC BY 4.0 <b>" in text
    assert main(["card", key[:10], "--out", str(tmp_path / "card.json")]) == 0
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["failures"][0]["rmsecv"] == pytest.approx(rmsecv)
    assert main(["card", "nothing", "--out", str(tmp_path / "card.json")]) == 2

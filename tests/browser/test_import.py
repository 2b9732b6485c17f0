"""A visitor brings files in a real browser, corrects a guess, and keeps the recipe."""

import json

import numpy as np
import pytest

from spectra_core.store import Store
from tests.datasets import files

pytestmark = pytest.mark.browser

SEMICOLON = b"probe;Cu2+ (mM);400;401;402\na;1,5;0,1;0,2;0,3\nb;2,5;0,4;0,5;0,7\n"
HEADERLESS = [
    ("spectra.csv", b"\n".join(b",".join(b"%.4f" % v for v in row) for row in files.SPECTRA)),
    ("axis.csv", b"\n".join(b"%.2f" % x for x in files.X)),
    ("conc.csv", b"1.5,9\n5,2.5\n2,4"),
]
ANSWERS = {"headerless": ["Join by order"]}
BROUGHT = {"headerless": HEADERLESS, "spc": [("three.spc", files.spc())]}
"""Several files and a question, and bytes; a text comes below. How a format is read is tested in `tests.datasets`."""


def open_page(visitor, app):
    visitor.open(app.url)
    visitor.menu("Data set")


def bring(visitor, contents):
    payload = [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in contents]
    visitor.page.locator("input[type=file]").first.set_input_files(payload)
    visitor.page.get_by_role("heading", name="What I understood").wait_for(timeout=60_000)
    visitor.calm()


def click(visitor, label):
    visitor.page.get_by_test_id("stMain").get_by_role("button", name=label, disabled=False).first.click()
    visitor.calm()


def test_a_visitor_imports_one_kind_after_the_other(app, visit):
    visitor = visit()
    open_page(visitor, app)
    store = Store(app.home)
    before = len(store.sets())
    for number, (kind, contents) in enumerate(BROUGHT.items(), 1):
        bring(visitor, contents)
        for answer in ANSWERS.get(kind, []):
            click(visitor, answer)
        click(visitor, "Save and use")
        visitor.page.get_by_role("heading", name="Kept sets").wait_for(timeout=60_000)
        assert len(store.sets()) == before + number, kind
        newest = max(store.sets(), key=lambda record: record.sequence)
        spectra = store.load_set(newest.fingerprint)
        visitor.page.wait_for_url(f"**set={newest.fingerprint[:12]}*")
        assert np.isfinite(spectra.signal).all()
        assert spectra.signal.shape == (3, 31)
    visitor.require_health()


def choice_of(visitor, point):
    """Return the box that shows, and changes, what one point was understood as."""
    return visitor.page.get_by_test_id("stSelectbox").filter(has_text=point).get_by_role("combobox").first


def test_a_guess_is_corrected_survives_a_reload_and_the_recipe_reads_the_next_file(app, visit):
    visitor = visit()
    open_page(visitor, app)
    bring(visitor, [("probe.csv", SEMICOLON)])
    signal = choice_of(visitor, "Signal")
    signal.click()
    signal.fill("Intensity")
    signal.press("Enter")
    visitor.calm()
    visitor.page.reload()
    visitor.page.get_by_text("Files in hand: probe.csv").wait_for(timeout=60_000)
    visitor.calm()
    assert choice_of(visitor, "Signal").input_value() == "Intensity"
    with visitor.page.expect_download() as waiting:
        visitor.page.get_by_role("button", name="Save the recipe").click()
    content = waiting.value.path().read_bytes()
    recipe = json.loads(content)
    assert recipe["signal_quantity"] == "Intensity"
    assert recipe["columns"] == {"probe": "id", "Cu2+ (mM)": "target"}
    click(visitor, "Other files")
    bring(visitor, [("next.csv", SEMICOLON.replace(b"0,7", b"0,8"))])
    assert choice_of(visitor, "Signal").input_value() == "Absorbance"
    visitor.page.get_by_role("button", name="Use a recipe").click()
    given = {"name": "import_recipe.json", "mimeType": "application/json", "buffer": content}
    visitor.page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(given)
    visitor.page.get_by_role("button", name="Undo all decisions").wait_for(timeout=60_000)
    visitor.calm()
    assert choice_of(visitor, "Signal").input_value() == "Intensity"
    visitor.require_health()

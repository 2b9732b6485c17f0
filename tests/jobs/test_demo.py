"""The demo runs the whole pipeline and leaves everything in the store."""

from threading import Event

import pytest

from spectra_core.contracts import Cancelled
from spectra_core.jobs.demo import _aside
from spectra_core.store import Store


def test_the_demo_fills_every_box_with_what_belongs_together(short_demo):
    store, made = Store(short_demo[0]), short_demo[1]
    spectra, generated = store.load_set(made["set"]), store.load_set(made["generated"])
    model = store.load_model(made["model"])
    assert (spectra.meta.origin, generated.meta.origin) == ("simulated", "generated")
    assert generated.frame == spectra.frame
    assert model.record.trained_on == made["set"]
    assert generated.meta.provenance["model"] == made["model"]
    assert store.load_result(made["result"]).document["data"]["fingerprint"] == made["set"]
    assert store.load_calibration(made["calibration"]).data["fingerprint"] == made["set"]


def test_generated_spectra_of_the_demo_come_from_training_rows_alone(short_demo):
    store, made = Store(short_demo[0]), short_demo[1]
    held_out = store.load_model(made["model"]).record.held_out_rows
    whole = store.load_set(made["set"])
    seen = whole.take([row for row in range(len(whole)) if row not in held_out])
    assert held_out
    assert store.load_set(made["generated"]).meta.provenance["training_set"] == seen.fingerprint


def test_whoever_cancels_does_not_wait_for_what_is_done_beside():
    released, left = Event(), Event()

    def beside():
        released.wait(60)
        return left.is_set()

    def cancelled():
        with _aside() as aside:
            submitted.extend(aside.submit(beside) for _ in range(2))
            raise Cancelled

    submitted = []
    with pytest.raises(Cancelled):
        cancelled()
    found, never = submitted
    left.set()
    released.set()
    assert found.result()
    assert never.cancelled()

"""A data folder in which everything that people name is called what a page could take for markdown, HTML or a link."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from spectra_core.calibration import calibrate
from spectra_core.choices import Choice
from spectra_core.contracts import SILENT
from spectra_core.experiment import Arm, Experiment, run
from spectra_core.experiment.advice import advise
from spectra_core.experiment.advice.ways import AS_NOW, ways_for
from spectra_core.generators import GENERATORS
from spectra_core.jobs.folder import JobFolder
from spectra_core.jobs.tasks import TASKS, keep_advice
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet, Target
from spectra_core.store import Store
from tests.conftest import beer_lambert_set

OUTSIDE = "127.0.0.1:1/"
"""Nothing but a name here leads there."""
NAME = (
    f"![x](http://{OUTSIDE}i.png) [l](http://{OUTSIDE}l) $x$ :red[r] :material/home: <img src=http://{OUTSIDE}j> "
    f"<a href='http://{OUTSIDE}a'>a</a> http://{OUTSIDE}k =1+1"
)


def fill(store: Store) -> dict[str, str]:
    """Keep a set, a generator, a generated set, an experiment, a calibration and a failed job; return what to open."""
    measured = renamed(beer_lambert_set(40), "measured")
    fitted = GENERATORS["pca"]().fit(measured, seed=0)
    model = store.save_model(fitted, registry="generator", member="pca", train=measured, seed=0)
    hand = {"set": store.save_set(measured), "model": model}
    hand["generated"] = store.save_set(renamed(beer_lambert_set(40, seed=1, noise=0.02), "generated"))
    arms = Arm(f"{NAME} 1", "baseline"), Arm(f"{NAME} 2", generator=Choice("mixing"))
    result = run(Experiment(arms, (Choice("ridge"),), n_folds=4, reference="baseline"), measured)
    store.save_result("study", {"name": NAME, **result.document}, dict(result.tables), NAME)
    store.save_calibration(calibrate(measured, regressor="ridge", n_folds=2))
    job = JobFolder(store.root / "jobs" / ("a" * 32))
    said = {"task": "train", "title": NAME, "arguments": {"set": hand["set"], "generator": "vae"}, "attempt": 1}
    job.write("job", {**said, "sequence": 1, "queued": 1, "created": "2026-01-01T00:00:00+00:00"})
    job.write("status", {"attempt": 1, "state": "failed", "stage": NAME, "error": NAME})
    return hand


def fill_with_judgements(store: Store) -> dict[str, str]:
    """Keep what `fill` keeps, and comparisons and advice; return what to open."""
    hand = fill(store)
    spectra = store.load_set(hand["set"])
    both = {"set": hand["set"], "generated": hand["generated"], "model": None, "seed": 0}
    TASKS["fidelity"]({**both, "noise_given_back": False}, SILENT, store)
    TASKS["neighbours"]({**both, "metric": "euclidean", "window": None}, SILENT, store)
    TASKS["map"]({**both, "model": hand["model"], "method": "pca"}, SILENT, store)
    reference = Choice("pls", {"max_components": 1})
    names = [AS_NOW, "Ridge", "Suspicious labels set aside, Gaussian process"]
    pace = {way.name: 1.2 if way.name in names else 1e9 for way in ways_for(spectra, reference, 30)[0]}
    found = advise(spectra, reference=reference, pace=pace)
    keep_advice(found, {"set": hand["set"], "reference": reference.to_json()}, store, NAME)
    return hand


def texts(app: Any) -> Iterator[str]:
    """Yield every text of a page that Streamlit reads as markdown: bodies, labels and tooltips."""
    for element in app._tree:
        for field in ("body", "label", "help") if element.type != "text" else ():
            text = getattr(getattr(element, "proto", None), field, "")
            if isinstance(text, str):
                yield text


def renamed(spectra: SpectraSet, origin: Any) -> SpectraSet:
    """Return a set in which everything is called so."""
    info = [Target(f"{NAME} {number}", NAME, one.charge) for number, one in enumerate(spectra.target_info)]
    targets = spectra.targets.set_axis([one.name for one in info], axis="columns")
    samples = pd.DataFrame({"id": [f"{NAME} {number}" for number in range(len(spectra))]})
    axis = SpectralAxis(spectra.axis.positions, NAME, NAME)
    meta = SetMeta(f"{NAME} {origin}", origin, "Absorbance", NAME)
    return SpectraSet(axis, spectra.signal, targets, target_info=info, samples=samples, meta=meta)

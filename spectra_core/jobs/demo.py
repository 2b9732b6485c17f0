"""The demo: the whole pipeline on a small simulated set, in well under a minute."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from spectra_core.choices import Choice, build
from spectra_core.contracts import Memo, Reporter
from spectra_core.store import Store

if TYPE_CHECKING:
    from spectra_core.spectra import SpectraSet

DEMO_SET: dict[str, Any] = {"preset": "msu_like", "n_spectra": 400, "seed": 0, "name": "Demo: salts in water"}
"""Arguments of the task "simulate"."""
DEMO_EPOCHS = 30
"""Of the networks in its experiment, which are trained once a fold."""
DEMO_TRAINING: dict[str, Any] = {"generator": "vae", "seed": 0, "held_out_share": 0.1}
"""Arguments of the task "train", besides set and options: the study's VAE."""


DEMO_ARMS = ("Step-matched", "Mixing", "VAE, data's own distribution")
"""What its experiment compares: measured spectra alone, mixtures of them, and those of a network."""


def run_demo(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Walk through the whole pipeline, every step as its page does it.

    A set is simulated; the study's VAE is trained on it while it is calibrated on, makes spectra, and the study's MLP
    labels them; an experiment asks whether generated spectra lower the errors. Networks are trained in fast mode.

    Parameters
    ----------
    arguments
        ``n_spectra`` in place of the usual 400, ``epochs`` in place of those of fast mode.

    Returns
    -------
    ``{"set": fingerprint, "calibration": id, "model": id, "generated": fingerprint, "result": id}``
    """
    from spectra_core.calibration import calibrate
    from spectra_core.datasets.simulator import identifiability_of
    from spectra_core.experiment.fold import OnceMemo
    from spectra_core.experiment.modes import trained
    from spectra_core.jobs.tasks import TASKS, memo_of
    from spectra_core.regressors import REGRESSORS
    from spectra_core.samplers import SAMPLERS
    from spectra_core.sampling.generation import generate_spectra
    from spectra_core.sampling.labelling import LABELLINGS

    n_spectra, epochs = arguments.get("n_spectra", DEMO_SET["n_spectra"]), arguments.get("epochs")
    quickly = partial(trained, mode="fast", epochs=epochs, n_train=n_spectra)
    made = TASKS["simulate"]({**DEMO_SET, "n_spectra": n_spectra}, reporter, store)
    training = {**DEMO_TRAINING, "set": made["set"], "options": dict(quickly(Choice("vae")).options)}
    whole = store.load_set(made["set"])
    memo = OnceMemo(memo_of(store, "study"))
    with _aside() as aside:
        calibrating = aside.submit(calibrate, whole, regressor="pls", n_folds=5, seed=0)
        limits = aside.submit(identifiability_of, whole, memo=memo)  # the experiment asks for it in the end
        made |= TASKS["train"](training, reporter, store)
        found = store.load_model(made["model"])
        unseen = set(found.record.held_out_rows)
        seen = whole.take([row for row in range(len(whole)) if row not in unseen])
        reporter.progress("Training the teacher that labels new spectra", 0, 1)
        teacher = build(REGRESSORS, quickly(Choice("mlp")), "regressor").fit(seen, seed=0)
        reporter.progress("Generating spectra", 0, 1)
        generated = generate_spectra(
            found.model,
            seen,
            n_spectra,
            sampler=SAMPLERS["aggregate_posterior"](),
            labelling=build(LABELLINGS, Choice("spectral", {"clip_to_range": True}), "labelling"),  # as Sample does
            teacher=teacher,
            seed=0,
            name="VAE, aggregate posterior",
            model=made["model"],
        )
        reporter.progress("Generating spectra", 1, 1)
        calibration = calibrating.result()
        kept = {"calibration": store.save_calibration(calibration), "generated": store.save_set(generated)}
        studied = _studied(whole, epochs, reporter, store, memo)
        limits.result()
    return {**made, **kept, "result": studied}


@contextmanager
def _aside() -> Iterator[ThreadPoolExecutor]:
    """Do work beside other work in one thread; whoever stops, stops at once: what is done beside it is forgotten."""
    executor = ThreadPoolExecutor(1)
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _studied(spectra: "SpectraSet", epochs: int | None, reporter: Reporter, store: Store, memo: Memo) -> str:
    """Ask whether generated spectra lower the errors of PLS, in fast mode; return the id of the result."""
    from spectra_core.experiment import fast_experiment, run
    from spectra_core.jobs.tasks import default_workers
    from spectra_core.store.files import json_bytes, sha256

    question = fast_experiment(
        DEMO_ARMS, regressors=["pls"], n_spectra=len(spectra), n_folds=4, epochs=epochs or DEMO_EPOCHS, seed=0
    )
    # PLS labels, too: a network for it would take as long as all the rest.
    arms = tuple(replace(arm, teacher=arm.teacher and Choice("pls")) for arm in question.arms)
    question = replace(question, arms=arms)
    found = run(question, spectra, reporter=reporter, memo=memo, n_workers=default_workers())
    key = sha256(json_bytes(found.document))
    return store.save_result("study", found.document, found.tables, name=f"Study of {spectra.meta.name}", key=key)

"""The demo: the whole pipeline on a small simulated set, in well under a minute."""

from typing import Any

from spectra_core.contracts import Budget, Reporter
from spectra_core.store import Store

DEMO_SET: dict[str, Any] = {"preset": "msu_like", "n_spectra": 400, "seed": 0, "name": "Demo: salts in water"}
"""Arguments of the task "simulate"."""
DEMO_TRAINING: dict[str, Any] = {"generator": "vae", "seed": 0, "held_out_share": 0.1}
"""Arguments of the task "train", besides the set: the study's VAE."""


def run_demo(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Simulate a set, train the study's VAE on it, generate spectra and let the study's MLP label them.

    Parameters
    ----------
    arguments
        ``n_spectra`` and ``epochs`` in place of the usual 400 and 100.

    Returns
    -------
    ``{"set": fingerprint, "model": id, "generated": fingerprint}``
    """
    from spectra_core.jobs.tasks import TASKS
    from spectra_core.regressors import REGRESSORS
    from spectra_core.samplers import SAMPLERS
    from spectra_core.sampling.generation import generate_spectra
    from spectra_core.sampling.labelling import LABELLINGS

    n_spectra, epochs = arguments.get("n_spectra", DEMO_SET["n_spectra"]), arguments.get("epochs", 100)
    made = TASKS["simulate"]({**DEMO_SET, "n_spectra": n_spectra}, reporter, store)
    training = {**DEMO_TRAINING, "set": made["set"], "options": {"epochs": epochs}}
    trained = TASKS["train"](training, reporter, store)
    found = store.load_model(trained["model"])
    whole = store.load_set(made["set"])
    unseen = set(found.record.held_out_rows)
    seen = whole.take([row for row in range(len(whole)) if row not in unseen])
    reporter.progress("Training the teacher that labels new spectra", 0, 1)
    teacher = REGRESSORS["mlp"]().fit(seen, budget=Budget(epochs=epochs), seed=0)
    reporter.progress("Generating spectra", 0, 1)
    generated = generate_spectra(
        found.model,
        seen,
        n_spectra,
        sampler=SAMPLERS["aggregate_posterior"](),
        labelling=LABELLINGS["spectral"](),
        teacher=teacher,
        seed=0,
        name="VAE, aggregate posterior",
        model=trained["model"],
    )
    reporter.progress("Generating spectra", 1, 1)
    return {**made, **trained, "generated": store.save_set(generated)}

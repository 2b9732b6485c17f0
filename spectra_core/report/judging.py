"""What a generator is judged on where no set that it made is kept."""

import pandas as pd

from spectra_core.conditions import CONDITIONS
from spectra_core.contracts import SILENT, Reporter
from spectra_core.evaluation.similarity.judgement import judgement
from spectra_core.generators.base import DirectGenerator
from spectra_core.report.card import training_part
from spectra_core.samplers import SAMPLERS
from spectra_core.sampling.generation import generate_spectra
from spectra_core.store import Store

MOST = 500
"""Spectra per set."""


def judged_now(store: Store, model_id: str, *, seed: int = 0, reporter: Reporter = SILENT) -> pd.DataFrame:
    """Make spectra with a kept generator, as plainly as it can, and judge them by every metric.

    Latent points come from the prior; concentrations, where it needs them, are those of the training spectra.
    """
    stored = store.load_model(model_id)
    train = training_part(stored, store)
    generator = stored.model
    plain = isinstance(generator, DirectGenerator)
    made = generate_spectra(
        generator,
        train,
        min(MOST, len(train)),
        sampler=None if plain else SAMPLERS["standard_normal"](),
        conditions=CONDITIONS["resampled"]() if not plain and generator.needs_conditions else None,
        seed=seed,
    )
    return judgement({"training": train, "generated": made}, most=MOST, seed=seed, reporter=reporter)

"""From finished units of work to the tables of a result."""

import pandas as pd

from spectra_core.choices import Choice
from spectra_core.contracts import Reporter
from spectra_core.datasets.simulator.bounds import identifiability_of
from spectra_core.evaluation.errors import regression_errors
from spectra_core.evaluation.training_density import log_training_density
from spectra_core.evaluation.verdicts import compare_arms
from spectra_core.experiment.added import COLUMNS as ADDED_COLUMNS
from spectra_core.experiment.added import added_rows
from spectra_core.experiment.design import Experiment
from spectra_core.experiment.parts import Part
from spectra_core.experiment.reasons import reasons
from spectra_core.experiment.worth import efficiencies, equivalents
from spectra_core.spectra import SpectraSet


def result_tables(
    experiment: Experiment, spectra: SpectraSet, parts: list[Part], reporter: Reporter
) -> dict[str, pd.DataFrame]:
    """Return the tables that `ExperimentResult` describes."""
    predictions = pd.concat(
        [
            part.prediction_rows(arm, choice)
            for arm in experiment.arms
            for choice in experiment.regressors
            for part in parts
        ],
        ignore_index=True,
    )
    errors = regression_errors(predictions)
    references = experiment.references()
    compared = compare_arms(errors, reference=references, rope=experiment.rope) if references else pd.DataFrame()
    return {
        "predictions": predictions,
        "errors": errors,
        "comparisons": compared,
        "generators": pd.DataFrame(
            [part.generator_row(choice) for choice in generators_of(experiment) for part in parts]
        ),
        "added": _added(experiment, parts, reporter),
        "densities": pd.concat([_density_rows(part) for part in parts], ignore_index=True),
        "efficiencies": efficiencies(experiment, compared),
        "equivalents": equivalents(experiment, errors),
        "reasons": reasons(experiment, errors),
        "floors": _floors(spectra),
        "spreads": pd.DataFrame(
            {
                "target": spectra.target_names,
                "unit": [target.unit for target in spectra.target_info],
                "sd": spectra.target_values.std(axis=0),
            }
        ),
    }


def generators_of(experiment: Experiment) -> list[Choice]:
    """Return the different generators of all arms, each once."""
    different: list[Choice] = []
    for arm in experiment.arms:
        if arm.generator is not None and arm.generator not in different:
            different.append(arm.generator)
    return different


def _added(experiment: Experiment, parts: list[Part], reporter: Reporter) -> pd.DataFrame:
    adding = [arm for arm in experiment.arms if arm.kind in ("generated", "oracle")]
    rows = []
    for number, arm in enumerate(adding):
        reporter.progress("Checking what was added", number, len(adding))
        rows += [added_rows(part, arm) for part in parts]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=ADDED_COLUMNS)


def _density_rows(part: Part) -> pd.DataFrame:
    found = part.fold.memo.arrays(
        part.fold.key("density", {"test": part.test.fingerprint}),
        lambda: {"log_density": log_training_density(part.fold.train, part.test)},
    )
    return pd.DataFrame(
        {
            "repeat": part.split.repeat,
            "fold": part.split.fold,
            "sample": part.split.test,
            "n_train": len(part.fold.train),
            "log_density": found["log_density"],
        }
    )


def _floors(spectra: SpectraSet) -> pd.DataFrame:
    floors = identifiability_of(spectra)
    if floors is None:
        return pd.DataFrame()
    return floors[floors["target"].isin(spectra.target_names)].reset_index(drop=True)

"""From finished units of work to the tables of a result, and what its arms are worth."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from spectra_core.choices import Choice
from spectra_core.contracts import Memo, Reporter
from spectra_core.datasets.simulator.bounds import identifiability_of
from spectra_core.evaluation.errors.gains import augmentation_efficiency, equivalent_samples
from spectra_core.evaluation.errors.regression_errors import regression_errors
from spectra_core.evaluation.errors.verdicts import compare_arms
from spectra_core.evaluation.latent.learning import far_from_siblings
from spectra_core.evaluation.latent.training_density import log_training_density
from spectra_core.experiment.added import added_rows
from spectra_core.experiment.design import Experiment
from spectra_core.experiment.parts import Part
from spectra_core.experiment.reasons import reasons
from spectra_core.experiment.sweeps import WITHOUT_RATIO
from spectra_core.generators import GENERATORS
from spectra_core.spectra import SpectraSet
from spectra_core.training.parallel import run_in_threads


def result_tables(
    experiment: Experiment, spectra: SpectraSet, parts: list[Part], reporter: Reporter, n_workers: int = 1
) -> dict[str, pd.DataFrame]:
    """Return the tables that `ExperimentResult` describes; the checks of parts run `n_workers` at a time."""
    tables = error_tables(experiment, spectra, parts)
    spreads = tables.pop("spreads")
    by_target = dict(zip(spreads["target"], spreads["sd"], strict=True))
    return {
        **tables,
        **check_tables(experiment, spectra, parts, reporter, n_workers),
        **worth_tables(experiment, tables["errors"], tables["comparisons"], by_target),
        "spreads": spreads,
    }


def error_tables(experiment: Experiment, spectra: SpectraSet, parts: list[Part]) -> dict[str, pd.DataFrame]:
    """Return the tables ``predictions``, ``errors``, ``comparisons`` and ``spreads`` of some or all parts."""
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
    deviations = spectra.target_values.std(axis=0)
    compared = comparisons_of(experiment, errors, dict(zip(spectra.target_names, deviations, strict=True)))
    units = [target.unit for target in spectra.target_info]
    spreads = pd.DataFrame({"target": spectra.target_names, "unit": units, "sd": deviations})
    return {"predictions": predictions, "errors": errors, "comparisons": compared, "spreads": spreads}


def comparisons_of(experiment: Experiment, errors: pd.DataFrame, spreads: Mapping[str, float]) -> pd.DataFrame:
    """Return `compare_arms` of an experiment's errors; empty where it has no reference, or nothing beside it.

    Parameters
    ----------
    spreads
        Standard deviation of every target.
    """
    references = experiment.references()
    if not references:
        return pd.DataFrame()
    independent = bool(experiment.fresh_sets)
    return compare_arms(errors, references, experiment.question, spreads=spreads, independent=independent)


def worth_tables(
    experiment: Experiment, errors: pd.DataFrame, comparisons: pd.DataFrame, spreads: Mapping[str, float]
) -> dict[str, pd.DataFrame]:
    """Return the tables ``efficiencies``, ``equivalents`` and ``reasons``, which follow from errors and comparisons."""
    return {
        "efficiencies": efficiencies(experiment, comparisons),
        "equivalents": equivalents(experiment, errors),
        "reasons": reasons(experiment, errors, spreads),
    }


def efficiencies(experiment: Experiment, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Relate every arm to the oracle of its own ratio and reference; see `augmentation_efficiency`.

    Returns
    -------
    DataFrame
        As `augmentation_efficiency`, and ``oracle``; NaN in ``efficiency`` means "not defined". Empty where there is
        no oracle, or it is compared with nothing.
    """
    arms = {arm.name: arm for arm in experiment.arms}
    oracles = [arm for arm in experiment.arms if arm.kind == "oracle"]
    references, names = experiment.references(), {arm.name for arm in oracles}
    tables = []
    for oracle in oracles:
        beside = [
            name
            for name, reference in references.items()
            if name not in names
            and reference == references.get(oracle.name)
            and (arms[name].kind in WITHOUT_RATIO or arms[name].ratio == oracle.ratio)
        ]
        rows = comparisons[comparisons["arm"].isin([*beside, oracle.name])] if len(comparisons) else comparisons
        if beside and len(rows):
            tables.append(augmentation_efficiency(rows, oracle.name).assign(oracle=oracle.name))
    return _joined(tables)


def equivalents(experiment: Experiment, errors: pd.DataFrame) -> pd.DataFrame:
    """Read from the learning curve of every arm's reference how many measured spectra the arm is worth.

    Returns
    -------
    DataFrame
        As `equivalent_samples`, and ``reference``. Empty where there is one training size, or no reference.
    """
    if len(experiment.n_train) < 2:
        return pd.DataFrame()
    references = experiment.references()
    tables = []
    for reference in dict.fromkeys(references.values()):
        # A second reference is an arm for the first one, but its own learning curve is the one read here.
        beside = [name for name, own in references.items() if own == reference]
        rows = errors[errors["arm"].isin([*beside, reference])]
        tables.append(equivalent_samples(rows, reference).assign(reference=reference))
    return _joined(tables)


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def generators_of(experiment: Experiment) -> list[Choice]:
    """Return the different generators of all arms, each once."""
    different: list[Choice] = []
    for arm in experiment.arms:
        if arm.generator is not None and arm.generator not in different:
            different.append(arm.generator)
    return different


def check_tables(
    experiment: Experiment, spectra: SpectraSet, parts: list[Part], reporter: Reporter, n_workers: int
) -> dict[str, pd.DataFrame]:
    """Return the tables ``floors``, ``generators``, ``added`` and ``densities`` of some or all parts."""
    adding = [arm for arm in experiment.arms if arm.adds_spectra]
    works: dict[str, list[Callable[[], Any]]] = {
        "floors": [partial(_floors, spectra, parts[0].fold.memo)],
        "generators": [partial(part.generator_row, choice) for choice in generators_of(experiment) for part in parts],
        "added": [partial(added_rows, part, arm) for arm in adding for part in parts],
        "densities": [partial(_density_rows, part) for part in parts],
    }

    def job(work: Callable[[], Any]) -> Callable[[Reporter], Any]:
        def do(told: Reporter) -> Any:
            found = work()
            told.progress("Checking what was added", 1, 1)
            return found

        return do

    found = run_in_threads([job(work) for each in works.values() for work in each], n_workers, reporter)
    rows = {name: [found.pop(0) for _ in each] for name, each in works.items()}
    generators = with_siblings(pd.DataFrame(rows["generators"]))
    for row in generators[generators["ended_far"]].to_dict("records") if len(generators) else ():
        reporter.message(
            f"{GENERATORS[row['generator']].title}, repetition {row['repeat'] + 1}, fold {row['fold'] + 1}: training "
            f"ended with a reconstruction error of {row['reconstruction_rmse']:.3g}, far above that of the other folds."
        )
    return {
        "floors": rows["floors"][0],
        "generators": generators,
        "added": _joined(rows["added"]),
        "densities": pd.concat(rows["densities"], ignore_index=True),
    }


def with_siblings(generators: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``generators`` with ``ended_far``: whether a training ended far from those of other folds."""
    if generators.empty:
        return generators
    far = pd.Series(False, index=generators.index)
    if "reconstruction_rmse" in generators:
        alike = generators.dropna(subset="reconstruction_rmse").groupby(["generator", "options", "n_train"])
        for _, errors in alike["reconstruction_rmse"]:
            far[errors.index] = far_from_siblings(errors)
    return generators.assign(ended_far=far)


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


def _floors(spectra: SpectraSet, memo: Memo) -> pd.DataFrame:
    floors = identifiability_of(spectra, memo=memo)
    if floors is None:
        return pd.DataFrame()
    return floors[floors["target"].isin(spectra.target_names)].reset_index(drop=True)

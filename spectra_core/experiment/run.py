"""Run an experiment: every arm, regressor and fold is one unit of work, looked up or computed."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd

from spectra_core.choices import Choice, build
from spectra_core.contracts import NO_MEMO, SILENT, Memo, Reporter
from spectra_core.errors import ConfigError
from spectra_core.experiment.cost import arm_cost
from spectra_core.experiment.design import Experiment
from spectra_core.experiment.fold import OnceMemo
from spectra_core.experiment.parts import Part, parts_of, task_of
from spectra_core.experiment.simulated import require_simulator
from spectra_core.experiment.tables import check_tables, error_tables, generators_of, result_tables
from spectra_core.experiment.together import units_together
from spectra_core.experiment.units import Unit, Workforce, work_through
from spectra_core.generators import GENERATORS
from spectra_core.preprocessing.magnitudes import require_computable_signal, require_computable_targets
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.choice import regressor_label, regressor_title
from spectra_core.spectra import SpectraSet, require_targets
from spectra_core.splits import k_fold
from spectra_core.training.devices import CPU, device_title
from spectra_core.training.parallel import one_blas_thread
from spectra_core.training.versions import versions

_TELLING_COST = 1e-3
"""Of telling what there is so far, beside a fit."""


@dataclass(frozen=True, eq=False)
class ExperimentResult:
    """What an experiment found.

    Parameters
    ----------
    experiment
        As run, with the fingerprint of the data.
    tables
        - ``predictions``: row per (arm, regressor, target, repeat, fold, sample, n_train, ratio) with ``reference``
          and ``predicted``, in the target's unit.
        - ``errors``: `evaluation.errors.regression_errors` of it.
        - ``comparisons``: `evaluation.verdicts.compare_arms` of that, against the experiment's reference arm; empty
          where there is no such arm.
        - ``generators``: row per (generator, repeat, fold, n_train): how often it was trained until it did not diverge,
          active units, KL, reconstruction error beside the noise of the training spectra, and how well targets are read
          from z (`dependence_on_targets`: mean and largest over targets).
        - ``added``: row per (arm, target, repeat, fold, n_train) of arms that add spectra, empty without them: label
          honesty and noise; see `experiment.added.added_rows`.
        - ``densities``: row per (repeat, fold, sample, n_train) with ``log_density`` of the training spectra there.
        - ``efficiencies``: shares of what new spectra would bring (`augmentation_efficiency`); empty without oracle.
        - ``equivalents``: gains in numbers of measured spectra (`equivalent_samples`); empty for one training size.
        - ``reasons``: observed arms beside their counterfactuals (`experiment.reasons.reasons`); empty without them.
        - ``floors``: on simulated data, `datasets.simulator.identifiability_of` them: what any method can reach; empty
          for measured data.
        - ``spreads``: row per target with ``unit`` and ``sd``, the error of always predicting the mean.
    document
        JSON values: the experiment, name, origin and fingerprint of the data, units, versions, which name the
        accelerator where networks were trained on one.
    """

    experiment: Experiment
    tables: Mapping[str, pd.DataFrame]
    document: Mapping[str, Any]


def run(
    experiment: Experiment,
    spectra: SpectraSet,
    *,
    reporter: Reporter = SILENT,
    memo: Memo = NO_MEMO,
    n_workers: int = 1,
    workforce: Workforce | None = None,
    after_repeat: Callable[[ExperimentResult, int], None] | None = None,
) -> ExperimentResult:
    """Run every arm of `experiment` on `spectra`.

    Parameters
    ----------
    spectra
        With targets. Test rows never reach a training fold; see `Fold`.
    memo
        Looks up finished work, so that an interrupted run goes on where it stopped.
    n_workers
        Threads, one numerical thread each. Changes the time, never a number.
    workforce
        Does the work in place of threads of this process, such as `spectra_core.cluster.Cluster`.
    after_repeat
        Called after each repeat but the last, from one of the threads, with what there is so far and the number of
        repeats done: predictions, errors, comparisons and spreads; its document tells the number as ``repeats_done``.
        Where there are several regressors, called with 0, too, once the quickest of those that the question is about is
        through its first repeat: then there is nothing of the others. Not where a `workforce` does the work.

    Raises
    ------
    ConfigError
        When the experiment does not fit the data: too few spectra for the folds, another set than it was made
        for, or an oracle on measured data.
    SpectraError
        When there are no targets, or an unknown one is named.
    """
    spectra = runnable(experiment, spectra)
    with one_blas_thread():  # sums of several threads round differently: nothing may depend on what else runs
        memo = OnceMemo(memo)
        parts = parts_of(experiment, spectra, memo)
        units, n_first, device = _units(experiment, parts), 0, parts[0].fold.device
        if device != CPU:
            reporter.message(f"Networks are trained on {device_title(device)}.")
        if workforce is None:
            if device != CPU:
                units, n_first = units_together(experiment, parts, units)
            if after_repeat is not None:

                def tell(done: int, reporter: Reporter) -> None:
                    after_repeat(_so_far(experiment, spectra, parts, done, reporter), done)

                units = _with_tellings(units, tell, _first_to_tell(experiment, parts))
            work_through(units, n_workers, reporter, n_first=n_first)
        else:
            workforce.work_through(units, spectra, memo, reporter)
        tables = result_tables(experiment, spectra, parts, reporter, n_workers)
    experiment = replace(experiment, data=spectra.fingerprint, targets=spectra.target_names)
    return ExperimentResult(experiment, tables, _document(experiment, spectra, device))


def run_fold(
    experiment: Experiment,
    spectra: SpectraSet,
    *,
    repeat: int = 0,
    fold: int = 0,
    reporter: Reporter = SILENT,
    n_workers: int = 1,
) -> dict[str, pd.DataFrame]:
    """Run one fold alone, for all arms, regressors and training sizes: what `run` gives of it, to the last bit.

    Nothing is looked up.

    Returns
    -------
    The tables ``predictions``, ``errors``, ``floors``, ``generators``, ``added``, ``densities`` and ``spreads`` of
    `ExperimentResult`, those by fold with the rows of this one.

    Raises
    ------
    ConfigError, SpectraError
        As `run`, and where there is no such fold.
    """
    spectra = runnable(experiment, spectra)
    with one_blas_thread():
        place = repeat, fold
        every = parts_of(experiment, spectra, OnceMemo(NO_MEMO))
        parts = [part for part in every if (part.split.repeat, part.split.fold) == place]
        if not parts:
            raise ConfigError(
                f"There is no fold {repeat * experiment.n_folds + fold + 1}: the experiment has {experiment.n_splits} "
                "folds in all, those of all repetitions counted."
            )
        work_through(_units(experiment, parts), n_workers, reporter)
        tables = error_tables(experiment, spectra, parts)
        del tables["comparisons"]  # of a single fold: they say nothing
        return {**tables, **check_tables(experiment, spectra, parts, reporter, n_workers)}


def runnable(experiment: Experiment, spectra: SpectraSet) -> SpectraSet:
    """Return the spectra with the targets of an experiment, refusing what `run` cannot do with them, as it says."""
    require_targets(spectra)
    require_computable_signal(spectra, "experimental")
    require_computable_targets(spectra, "experimental")
    if not experiment.fresh_sets:
        k_fold(spectra.groups, experiment.n_folds, seed=experiment.seed)
    if experiment.targets is not None:
        spectra = spectra.with_targets(experiment.targets)
    if experiment.data not in ("", spectra.fingerprint):
        raise ConfigError(
            f"The experiment was made for the data {experiment.data[:12]}, got {spectra.fingerprint[:12]}. "
            'Load that set, or empty the field "data".'
        )
    unknown = sorted(set(experiment.question.targets or ()) - set(spectra.target_names))
    if unknown:
        raise ConfigError(
            f"The question names the target {unknown[0]!r}, which these spectra lack. "
            f"There are: {', '.join(spectra.target_names)}."
        )
    if experiment.fresh_sets or any(arm.kind == "oracle" or arm.true_spectra for arm in experiment.arms):
        require_simulator(spectra)
    return spectra


def _units(experiment: Experiment, parts: list[Part]) -> list[Unit]:
    """Return repeat by repeat, generators first, since several arms wait for the same one."""
    return [
        unit
        for repeat in dict.fromkeys(part.split.repeat for part in parts)
        for unit in _units_of_repeat(experiment, [part for part in parts if part.split.repeat == repeat], repeat)
    ]


def _units_of_repeat(experiment: Experiment, parts: list[Part], repeat: int) -> Iterator[Unit]:
    for choice in generators_of(experiment):
        generator = build(GENERATORS, choice, "generator")
        arm = next(arm for arm in experiment.arms if arm.generator == choice)
        for part in parts:
            yield Unit(
                f"Training {generator.title}",
                generator.cost(len(part.fold.train), part.fold.train.n_channels),
                partial(part.fold.generator, choice),
                key=part.fold.generator_key(choice),
                part="Training generators",
                task=task_of("generator", experiment, arm, experiment.regressors[0], part),
                repeat=repeat,
            )
    for choice in _quickest_first(experiment, parts):
        regressor = build(REGRESSORS, choice, "regressor")
        for arm in experiment.arms:
            for part in parts:
                train = part.fold.train
                yield Unit(
                    f"{arm.name}: {regressor_title(choice)}",
                    arm_cost(arm, regressor, len(train), train.n_channels, train.n_targets),
                    partial(part.predicted, arm, choice),
                    key=part.predicted_key(arm, choice),
                    part=arm.name,
                    shared=part.fold.shared_keys(arm, choice),
                    task=task_of("prediction", experiment, arm, choice, part),
                    repeat=repeat,
                )


def _so_far(
    experiment: Experiment, spectra: SpectraSet, parts: list[Part], done: int, reporter: Reporter
) -> ExperimentResult:
    """Return what the first `done` repeats gave, of the first one its quickest regressor for none.

    What another thread still works on is waited for.
    """
    told = experiment if done else _with_quickest_regressor(experiment, parts)
    known = [part for part in parts if part.split.repeat < max(done, 1)]
    for part in known:
        for choice in told.regressors:
            for arm in told.arms:
                part.predicted(arm, choice, reporter)
    document = {**_document(experiment, spectra, parts[0].fold.device), "repeats_done": done}
    return ExperimentResult(experiment, error_tables(told, spectra, known), document)


def _with_quickest_regressor(experiment: Experiment, parts: list[Part]) -> Experiment:
    question = replace(experiment.question, regressors=None)
    return replace(experiment, regressors=_quickest_first(experiment, parts)[:1], question=question)


def _quickest_first(experiment: Experiment, parts: list[Part]) -> tuple[Choice, ...]:
    """Return the regressors by the time of a fit, those that the question is declared for before others."""
    declared, train = experiment.question.regressors, parts[0].fold.train

    def place(choice: Choice) -> tuple[bool, float]:
        cost = build(REGRESSORS, choice, "regressor").cost(len(train), train.n_channels, train.n_targets)
        return declared is not None and regressor_label(choice) not in declared, cost

    return tuple(sorted(experiment.regressors, key=place))


def _first_to_tell(experiment: Experiment, parts: list[Part]) -> set[str]:
    """Return the keys of what is told within the first repeat; none where that is all of it."""
    if len(experiment.regressors) == 1:
        return set()
    first = _quickest_first(experiment, parts)[0]
    return {part.predicted_key(arm, first) for part in parts if part.split.repeat == 0 for arm in experiment.arms}


def _with_tellings(units: list[Unit], tell: Callable[[int, Reporter], None], first: set[str]) -> list[Unit]:
    """Return the units with one that tells after those of the keys `first`, and after each repeat but the last."""
    out: list[Unit] = []
    left = set(first)
    for unit, after in zip(units, [*units[1:], units[-1]], strict=True):
        out.append(unit)
        left.discard(unit.key)
        told = [0] if first and not left else []
        if told:
            first = set()
        if after.repeat > unit.repeat >= 0:
            told.append(after.repeat)
        for done in told:
            work = partial(tell, done)
            out.append(Unit("Judging the errors so far", _TELLING_COST * unit.cost, work, part=unit.part))
    return out


def _document(experiment: Experiment, spectra: SpectraSet, device: str) -> dict[str, Any]:
    return {
        "experiment": json.loads(experiment.to_json()),
        "data": {
            "name": spectra.meta.name,
            "origin": spectra.meta.origin,
            "fingerprint": spectra.fingerprint,
            "n_spectra": len(spectra),
            "n_channels": spectra.n_channels,
            "units": {target.name: target.unit for target in spectra.target_info},
        },
        "versions": versions(device),
    }

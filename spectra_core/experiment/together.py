"""On an accelerator, the same fits of all folds are one unit of work, trained together.

They leave in the memo what the units of single folds would: those then only look it up. What cannot be trained
together, such as a regressor after preprocessing, is left to them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from spectra_core.choices import Choice, build
from spectra_core.contracts import SILENT, Arrays, Memo, Reporter
from spectra_core.errors import TrainingError
from spectra_core.experiment.cost import arm_cost
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.experiment.fold import mean_prediction
from spectra_core.experiment.parts import Part
from spectra_core.experiment.tables import generators_of
from spectra_core.experiment.units import Unit
from spectra_core.generators import GENERATORS
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.choice import regressor_title, steps_of

_LOOKED_UP = 1e-6
"""Share of its cost that is left of a unit whose work is done together with others."""


def units_together(experiment: Experiment, parts: Sequence[Part], units: Sequence[Unit]) -> tuple[list[Unit], int]:
    """Return units that train all folds together, in the order they need each other, before the given ones.

    Returns
    -------
    units, n_first
        The first `n_first` are to be done one after the other, before all others.
    """
    made = [*_plain_regressors(experiment, parts), *_generators(experiment, parts), *_predictions(experiment, parts)]
    done = {key for _, keys in made for key in keys}
    rest = [replace(unit, cost=_LOOKED_UP * unit.cost) if unit.key in done else unit for unit in units]
    return [unit for unit, _ in made] + rest, len(made)


def _plain_regressors(experiment: Experiment, parts: Sequence[Part]) -> Iterator[tuple[Unit, list[str]]]:
    """Teachers, and what arms without added spectra use."""
    teachers = [arm.teacher for arm in experiment.arms if arm.teacher is not None]
    of_arms = [
        choice
        for choice in experiment.regressors
        if any(parts[0].fold.is_plain(arm, choice) for arm in experiment.arms)
    ]
    different: list[Choice] = []
    for choice in (*teachers, *of_arms):
        if choice not in different and _can_be_trained_together(choice):
            different.append(choice)
    for choice in different:
        regressor = build(REGRESSORS, choice, "regressor")
        cost = sum(regressor.cost(*_sizes(part)) for part in parts)
        keys = [
            part.predicted_key(arm, choice)
            for part in parts
            for arm in experiment.arms
            if choice in experiment.regressors and part.fold.is_plain(arm, choice)
        ]
        work = partial(_fit_plain, parts, choice)
        yield Unit(f"Training {regressor_title(choice)} in all folds", cost, work), keys


def _generators(experiment: Experiment, parts: Sequence[Part]) -> Iterator[tuple[Unit, list[str]]]:
    for choice in generators_of(experiment):
        generator = build(GENERATORS, choice, "generator")
        if hasattr(generator, "fit_many"):
            cost = sum(generator.cost(*_sizes(part)[:2]) for part in parts)
            keys = [part.fold.generator_key(choice) for part in parts]
            yield Unit(f"Training {generator.title} in all folds", cost, partial(_fit_generators, parts, choice)), keys


def _predictions(experiment: Experiment, parts: Sequence[Part]) -> Iterator[tuple[Unit, list[str]]]:
    for choice in filter(_can_be_trained_together, experiment.regressors):
        regressor = build(REGRESSORS, choice, "regressor")
        pairs = [(part, arm) for arm in experiment.arms for part in parts if not part.fold.is_plain(arm, choice)]
        for group in _small_enough(pairs):
            cost = sum(arm_cost(arm, regressor, *_sizes(part)) for part, arm in group)
            keys = [part.predicted_key(arm, choice) for part, arm in group]
            stage = f"Training {regressor_title(choice)} for {len(group)} training sets"
            yield Unit(stage, cost, partial(_predict, group, choice)), keys


def _sizes(part: Part) -> tuple[int, int, int]:
    """Return numbers of training spectra, channels and targets."""
    train = part.fold.train
    return len(train), train.n_channels, train.n_targets


def _small_enough(pairs: Sequence[tuple[Part, Arm]]) -> Iterator[list[tuple[Part, Arm]]]:
    """Part what is to be trained so that no group holds more spectra than fit into memory."""
    from spectra_core.training.loop import MOST_VALUES

    group: list[tuple[Part, Arm]] = []
    n_values = 0.0
    for part, arm in pairs:
        new = part.fold.train.signal.size * (1.0 + arm.ratio) * (arm.n_members if arm.kind == "ensemble" else 1)
        if group and n_values + new > MOST_VALUES:
            yield group
            group, n_values = [], 0.0
        group.append((part, arm))
        n_values += new
    if group:
        yield group


def _can_be_trained_together(choice: Choice) -> bool:
    return not steps_of(choice) and hasattr(REGRESSORS[choice.name], "device")


def _fit_plain(parts: Sequence[Part], choice: Choice, reporter: Reporter) -> None:
    folds = [part.fold for part in parts if not _holds(part.fold.memo, part.fold.regressor_key(choice))]
    if folds:
        tasks = [fold.regressor_task(choice) for fold in folds]
        fitted = folds[0].new_regressor(choice).fit_many(tasks, reporter=reporter)
        for fold, one in zip(folds, fitted, strict=True):
            fold.memo.arrays(fold.regressor_key(choice), one.to_arrays)


def _fit_generators(parts: Sequence[Part], choice: Choice, reporter: Reporter) -> None:
    folds = [part.fold for part in parts if not _holds(part.fold.memo, part.fold.generator_key(choice))]
    if folds:
        generator: Any = folds[0].new_generator(choice)
        try:
            fitted = generator.fit_many(
                [fold.train for fold in folds],
                seeds=[fold.generator_seed(choice) for fold in folds],
                names=[fold.name for fold in folds],
                reporter=reporter,
            )
        except TrainingError as error:
            # Left to the units of single folds, which try another seed where one diverges.
            reporter.message(f"{error} Every fold is trained by itself instead.")
            return
        for fold, one in zip(folds, fitted, strict=True):
            fold.memo.arrays(fold.generator_key(choice), one.to_arrays)


def _predict(group: Sequence[tuple[Part, Arm]], choice: Choice, reporter: Reporter) -> None:
    missing = [(part, arm) for part, arm in group if not _holds(part.fold.memo, part.predicted_key(arm, choice))]
    if not missing:
        return
    tasks = [part.fold.fit_tasks(arm, choice, SILENT) for part, arm in missing]
    of_all = [task for own in tasks for task in own]
    fitted = iter(missing[0][0].fold.new_regressor(choice).fit_many(of_all, reporter=reporter))
    for (part, arm), own in zip(missing, tasks, strict=True):
        predicted = mean_prediction([next(fitted) for _ in own], part.test)
        part.fold.memo.arrays(part.predicted_key(arm, choice), partial(dict, predicted=predicted))


class _NothingKept(Exception):  # noqa: N818 (an answer, not an error)
    """Raised in place of computing."""


def _holds(memo: Memo, key: str) -> bool:
    try:
        memo.arrays(key, _compute_nothing)
    except _NothingKept:
        return False
    return True


def _compute_nothing() -> Arrays:
    raise _NothingKept

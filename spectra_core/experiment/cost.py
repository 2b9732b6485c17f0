"""What a unit of work will cost before it is done, estimated from what each member tells of itself."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spectra_core.contracts import NO_MEMO, Memo
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.experiment.nuisance_choice import FITS
from spectra_core.regressors.base import Regressor
from spectra_core.spectra import SpectraSet

if TYPE_CHECKING:
    from spectra_core.experiment.pace import Pace

BESIDES = 2.0
"""Seconds of a usual computer for what is not fitted: loading, splitting, tables."""
USUAL_REPEATS, LONGEST_UNASKED = 3, 600.0
"""Repeats that are run unless told, where they take no longer than so many seconds."""


def arm_cost(arm: Arm, regressor: Regressor, n_train: int, n_channels: int, n_targets: int) -> float:
    """Return Gflop of training `regressor` on the set of `arm`."""
    if arm.kind == "ensemble" and regressor.has_steps:
        return arm.n_members * regressor.cost(n_train, n_channels, n_targets)
    grows = arm.kind not in ("baseline", "ensemble")
    n_rows = n_train + round(arm.ratio * n_train) if grows else n_train
    return (1 + arm.choose_nuisances * FITS) * regressor.cost(n_rows, n_channels, n_targets)


def estimated_seconds(
    experiment: Experiment, spectra: SpectraSet, n_workers: int, memo: Memo = NO_MEMO, niceness: int = 0
) -> float:
    """Return about how long the whole experiment takes beside what this computer does now, in seconds.

    Parameters
    ----------
    memo
        Keeps how fast this computer fits each kind of member; measured, which may take half a minute, where it is not
        known.
    niceness
        How far the work steps back, as in `busy.slowdown`.
    """
    from spectra_core.experiment.busy import slowdown
    from spectra_core.experiment.pace import against_usual, measured

    alone = seconds_alone(experiment, spectra, n_workers, measured(memo), BESIDES * against_usual())
    return alone * slowdown(max(1, n_workers), niceness)


def coarse_seconds(
    experiment: Experiment, spectra: SpectraSet, n_workers: int, memo: Memo, niceness: int = 0
) -> tuple[float, bool]:
    """Return what `estimated_seconds` does at once, and whether this computer was measured, not a usual one assumed."""
    from spectra_core.experiment.busy import slowdown
    from spectra_core.experiment.pace import NotMeasuredError, against_usual, known, presumed

    besides = BESIDES * against_usual()
    try:
        seconds, is_measured = seconds_alone(experiment, spectra, n_workers, known(memo), besides), True
    except NotMeasuredError:
        seconds, is_measured = seconds_alone(experiment, spectra, n_workers, presumed, besides), False
    return seconds * slowdown(max(1, n_workers), niceness), is_measured


def fitting_repeats(experiment: Experiment, spectra: SpectraSet, n_workers: int) -> int:
    """Return how many repeats are run unless told: three, or as many as take ten minutes on a usual computer, idle.

    How fast this one is and what else it does are left out, so that the same design gives the same experiment.
    """
    from spectra_core.experiment.pace import usual

    one = seconds_alone(replace(experiment, n_repeats=1), spectra, n_workers, usual)
    return max(1, min(USUAL_REPEATS, int(LONGEST_UNASKED / one)))


def seconds_alone(
    experiment: Experiment, spectra: SpectraSet, n_workers: int, pace: "Pace", besides: float = BESIDES
) -> float:
    """Return about how long the whole experiment takes on an idle computer of a given pace, in seconds."""
    from spectra_core.choices import build
    from spectra_core.experiment.tables import generators_of
    from spectra_core.generators import GENERATORS
    from spectra_core.regressors import REGRESSORS

    n_channels = spectra.n_channels
    if experiment.targets is not None:
        spectra = spectra.with_targets(experiment.targets)
    n_targets = spectra.n_targets

    def of_regressor(regressor: Any, on: SpectraSet) -> float:
        return float(regressor.cost(len(on), on.n_channels, on.n_targets))

    def of_generator(generator: Any, on: SpectraSet) -> float:
        return float(generator.cost(len(on), on.n_channels))

    whole_fold = len(spectra) if experiment.fresh_sets else len(spectra) - len(spectra) // experiment.n_folds
    total = 0.0
    for size in experiment.n_train:
        n_train = min(size or whole_fold, whole_fold)
        for choice in experiment.regressors:
            regressor = build(REGRESSORS, choice, "regressor")
            for part, times in regressor.parts(n_train):
                seconds = times * pace(part, of_regressor, spectra)
                total += seconds * sum(arm_cost(arm, part, n_train, n_channels, n_targets) for arm in experiment.arms)
        for choice in generators_of(experiment):
            generator = build(GENERATORS, choice, "generator")
            total += pace(generator, of_generator, spectra) * generator.cost(n_train, n_channels)
    return total * experiment.n_splits / max(1, n_workers) + besides

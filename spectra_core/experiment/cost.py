"""What a unit of work will cost before it is done, estimated from what each member tells of itself."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spectra_core.contracts import NO_MEMO, Memo
from spectra_core.experiment.added import READER
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.experiment.nuisance_choice import FITS
from spectra_core.regressors.base import Regressor
from spectra_core.spectra import SpectraSet

if TYPE_CHECKING:
    from spectra_core.experiment.pace import Pace

BESIDES = 2.0
"""Seconds of a usual computer for what is not fitted: loading, splitting, tables."""
CHECK, FLOORS = 3.5e-7, 5.0
"""Seconds of a usual computer for a check of one number of the training spectra, and for what can be known at all of
simulated ones."""
USUAL_REPEATS, LONGEST_UNASKED = 3, 600.0
"""Repeats that are run unless told, where they take no longer than so many seconds."""
_PLAIN = Arm("Plain", "baseline")


def arm_cost(arm: Arm, regressor: Regressor, n_train: int, n_channels: int, n_targets: int) -> float:
    """Return Gflop of training `regressor` on the set of `arm`."""
    if arm.is_plain(regressor.has_steps):
        return regressor.cost(n_train, n_channels, n_targets)
    if arm.kind == "ensemble":
        return arm.n_members * regressor.cost(n_train, n_channels, n_targets)
    n_rows = n_train + round(arm.ratio * n_train)
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

    alone = seconds_alone(experiment, spectra, n_workers, measured(memo), against_usual())
    return alone * slowdown(max(1, n_workers), niceness)


def coarse_seconds(
    experiment: Experiment, spectra: SpectraSet, n_workers: int, memo: Memo, niceness: int = 0
) -> tuple[float, bool]:
    """Return what `estimated_seconds` does at once, and whether this computer was measured, not a usual one assumed."""
    from spectra_core.experiment.busy import slowdown
    from spectra_core.experiment.pace import NotMeasuredError, against_usual, known, presumed

    slower = against_usual()
    try:
        seconds, is_measured = seconds_alone(experiment, spectra, n_workers, known(memo), slower), True
    except NotMeasuredError:
        seconds, is_measured = seconds_alone(experiment, spectra, n_workers, presumed, slower), False
    return seconds * slowdown(max(1, n_workers), niceness), is_measured


def fitting_repeats(experiment: Experiment, spectra: SpectraSet, n_workers: int) -> int:
    """Return how many repeats are run unless told: three, or as many as take ten minutes on a usual computer, idle.

    How fast this one is and what else it does are left out, so that the same design gives the same experiment.
    """
    from spectra_core.experiment.pace import usual

    one = seconds_alone(replace(experiment, n_repeats=1), spectra, n_workers, usual)
    return max(1, min(USUAL_REPEATS, int(LONGEST_UNASKED / one)))


def seconds_alone(
    experiment: Experiment, spectra: SpectraSet, n_workers: int, pace: "Pace", slower: float = 1.0
) -> float:
    """Return about how long the whole experiment takes on an idle computer of a given pace, in seconds.

    Parameters
    ----------
    slower
        How many times as long as a usual computer this one takes for what is not fitted.
    """
    if experiment.targets is not None:
        spectra = spectra.with_targets(experiment.targets)
    whole_fold = len(spectra) if experiment.fresh_sets else len(spectra) - len(spectra) // experiment.n_folds
    of_splits = sum(
        _fitting(experiment, spectra, n_train, pace) + slower * _checking(experiment, n_train * spectra.n_channels)
        for n_train in (min(size or whole_fold, whole_fold) for size in experiment.n_train)
    )
    has_floors = spectra.meta.origin == "simulated" and "simulator" in spectra.meta.provenance
    floors = FLOORS if has_floors else 0.0
    return (experiment.n_splits * of_splits + slower * floors) / max(1, n_workers) + slower * BESIDES


def _fitting(experiment: Experiment, spectra: SpectraSet, n_train: int, pace: "Pace") -> float:
    """Return the seconds that all fits of one split take, each of those that several arms look up once."""
    from spectra_core.choices import build
    from spectra_core.experiment.tables import generators_of
    from spectra_core.generators import GENERATORS
    from spectra_core.regressors import REGRESSORS

    def of_regressor(regressor: Any, on: SpectraSet) -> float:
        return float(regressor.cost(len(on), on.n_channels, on.n_targets))

    def of_generator(generator: Any, on: SpectraSet) -> float:
        return float(generator.cost(len(on), on.n_channels))

    fits = [(choice, arm) for choice in experiment.regressors for arm in experiment.arms]
    plain = [choice for choice, arm in fits if arm.is_plain(REGRESSORS[choice.name].has_steps)]
    plain += [arm.teacher for arm in experiment.arms if arm.teacher is not None]
    plain += [READER] if any(arm.adds_spectra for arm in experiment.arms) else []
    different = [choice for place, choice in enumerate(plain) if choice not in plain[:place]]
    fits = [(choice, arm) for choice, arm in fits if not arm.is_plain(REGRESSORS[choice.name].has_steps)]
    total = 0.0
    for choice, arm in [*((choice, _PLAIN) for choice in different), *fits]:
        regressor = build(REGRESSORS, choice, "regressor")
        for part, times in regressor.parts(n_train):
            cost = arm_cost(arm, part, n_train, spectra.n_channels, spectra.n_targets)
            total += times * pace(part, of_regressor, spectra) * cost
    for choice in generators_of(experiment):
        generator = build(GENERATORS, choice, "generator")
        added = [round(arm.ratio * n_train) for arm in experiment.arms if arm.generator == choice]
        cost = generator.cost(n_train, spectra.n_channels)
        cost += sum(generator.drawing_cost(n_added, spectra.n_channels) for n_added in added)
        total += pace(generator, of_generator, spectra) * cost
    return total


def _checking(experiment: Experiment, n_numbers: int) -> float:
    """Return the seconds of a usual computer that the checks of one split take: density, noise, labels of each arm."""
    return CHECK * n_numbers * (1 + sum(arm.adds_spectra for arm in experiment.arms))

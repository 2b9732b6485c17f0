"""What would help this calibration: remedies tried within the stated time, ranked and judged."""

import time
from collections.abc import Callable, Mapping

import numpy as np

from spectra_core.choices import Choice
from spectra_core.contracts import NO_MEMO, SILENT, Memo, Reporter
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.experiment.advice.answering import Advice, answer
from spectra_core.experiment.advice.measuring import Measured, measure
from spectra_core.experiment.advice.planning import DESIGNS, Plan, plan
from spectra_core.experiment.advice.trying import Trials
from spectra_core.experiment.advice.ways import AS_NOW, usual_reference, ways_for
from spectra_core.experiment.fold import OnceMemo
from spectra_core.preprocessing.magnitudes import require_computable_signal, require_computable_targets
from spectra_core.regressors.choice import build_regressor
from spectra_core.spectra import SpectraSet, require_targets
from spectra_core.training.parallel import one_blas_thread

FEWEST = 12
"""Independent spectra: fewer leave nothing to hold out twice."""
MINUTES = 3.0
MOST_MINUTES = 10_080
"""A week."""
LEAST_TO_PLAN = 0.25
"""Share of the time that is planned with even where measuring took longer than it should."""


def advise(
    spectra: SpectraSet,
    *,
    minutes: float = MINUTES,
    reference: Choice | None = None,
    physics: Choice | None = None,
    seed: int = 0,
    reporter: Reporter = SILENT,
    memo: Memo = NO_MEMO,
    n_workers: int = 1,
    pace: Mapping[str, float] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Advice:
    """Try within `minutes` what may lower the errors of a calibration of `spectra`.

    Every way is fitted in the training parts of outer folds, and in inner folds of each of these. The way with the
    least error in the outer folds comes first; its promised error is that of the choice: in every outer fold the way
    that the inner folds choose predicts the spectra that it never saw.

    Folds, fits and figures follow from `seed`. Which ways are tried follows from how long they take here, unless
    `pace` says it, and from the clock: what is not done in time is left out, and named.

    Parameters
    ----------
    spectra
        With targets; at least 12 independent spectra.
    reference
        Regressor that is in use; None for the study's network in its fast training.
    physics
        Member of `generators.physics.PHYSICS` with its options; None for the salt simulator where it knows all targets.
    memo
        Looks up finished fits and what was planned from the clock, so that advice that was interrupted goes on where
        it stopped and gives the same, but for ways that would have run out of time: going on has all of it again.
    n_workers
        Fits at a time.
    pace
        Seconds of one fit by name of the way, in place of measuring them.
    clock
        Seconds, from any start.

    Raises
    ------
    SpectraError
        When there are no targets that vary, or too few independent spectra.
    ConfigError
        When the time is too short to compare anything, or no time; when the reference is no regressor.
    """
    if not 0 < minutes <= MOST_MINUTES:
        raise ConfigError(
            f"The time to try things is a positive number of minutes, a week ({MOST_MINUTES}) at most; got {minutes:g}."
        )
    if n_workers < 1:
        raise ConfigError(f"Trying things needs at least 1 worker, got {n_workers}.")
    if reference is not None:
        build_regressor(reference)
    spectra = require_advisable(spectra)
    trials = Trials(spectra, seed, 60.0 * minutes, OnceMemo(memo), n_workers, reporter, clock)
    n_groups = len(np.unique(spectra.groups))
    n_folds = next(folds for folds, _ in DESIGNS if n_groups >= 2 * folds)
    n_train = len(spectra) - len(spectra) // n_folds
    reference = reference or usual_reference(n_train)
    with one_blas_thread():
        ways, not_possible = ways_for(spectra, reference, n_train, physics)
        measured = Measured(pace, trials.left) if pace else measure(ways, trials, n_folds)
        ways = [way for way in ways if way.name not in trials.failed]
        seconds = measured.seconds
        planned = plan(
            {way.name: seconds[way.name] for way in ways},
            max(measured.left, LEAST_TO_PLAN * trials.budget),
            n_workers,
            judging_themselves=[way.name for way in ways if way.judges_itself],
            n_groups=n_groups,
        )
        _tell(planned, reporter)
        tried = [way for way in ways if way.name in planned.ways]
        trials.run(tried, planned, seconds)
        done = [way for way in tried if way.name not in trials.failed]
        if not done or done[0].name != AS_NOW:
            raise SpectraError(f"The calibration in use could not be tried: {trials.failed[AS_NOW]}")
        if len(done) == 1:
            name, why = next(iter(trials.failed.items()))
            raise SpectraError(f"Nothing could be tried beside the calibration in use. {name}: {why}")
        return answer(done, trials, planned, seconds, not_possible)


def require_advisable(spectra: SpectraSet) -> SpectraSet:
    """Return the spectra with the targets that vary.

    Raises
    ------
    SpectraError
        When there are none, too few independent spectra, or values too large to compute with.
    """
    require_targets(spectra)
    require_computable_signal(spectra, "experimental")
    require_computable_targets(spectra, "experimental")
    varying = [name for name, values in spectra.targets.items() if np.ptp(values) > 0]
    n_groups = len(np.unique(spectra.groups))
    if not varying or n_groups < FEWEST:
        raise SpectraError(
            f"Advice takes a target that varies and at least {FEWEST} independent spectra; the set has {len(varying)} "
            f"such targets and {n_groups} spectra, replicates counted once."
        )
    return spectra if len(varying) == spectra.n_targets else spectra.with_targets([str(name) for name in varying])


def _tell(planned: Plan, reporter: Reporter) -> None:
    again = f" ({planned.n_repeats} times)" if planned.n_repeats > 1 else ""
    reporter.message(
        f"Trying {len(planned.ways)} ways in {planned.n_folds} folds{again}, and in "
        f"{planned.n_inner} folds within each; about {planned.seconds:.0f} seconds."
    )
    for name, why in planned.left_out.items():
        reporter.message(f"Left out: {name}. {why}")

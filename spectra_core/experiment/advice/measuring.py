"""How long one fit of every way takes here: the first fold is fitted once, and timed; and what time that leaves."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.choices import Choice
from spectra_core.contracts import NO_MEMO
from spectra_core.errors import SpectraCoreError, SpectraError
from spectra_core.experiment.advice.planning import DESIGNS
from spectra_core.experiment.advice.trying import Trials, fitted
from spectra_core.experiment.advice.ways import Way
from spectra_core.experiment.cost import arm_cost
from spectra_core.experiment.parts import Part
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.choice import build_regressor
from spectra_core.spectra import SpectraSet

LEFT_TO_TRY = 0.6
"""Share of the time that measuring leaves."""
_WARM_ROWS = 32


@dataclass(frozen=True)
class Measured:
    """What a plan is made from.

    Parameters
    ----------
    seconds
        One fit, by name of the way; NaN where it cannot be fitted.
    left
        Seconds that measuring left of the time.
    """

    seconds: Mapping[str, float]
    left: float


def measure(ways: Sequence[Way], trials: Trials, n_folds: int) -> Measured:
    """Fit every way once, and return how long it took; an estimate for what would take all of the time.

    What was measured is kept: advice that was interrupted goes on with the plan it had.
    """
    part = trials.outer(n_folds)[0]
    train = part.fold.train
    content = {"ways": [way.content for way in ways], "budget": trials.budget, "workers": trials.n_workers}
    key = part.fold.key("pace of advice", {"all": json.dumps(content, sort_keys=True)})

    def cost(way: Way) -> float:
        regressor = REGRESSORS[way.regressor.name](**way.regressor.options)
        return arm_cost(way.arm, regressor, len(train), train.n_channels, train.n_targets)

    def measured_now() -> dict[str, NDArray[Any]]:
        found: list[float] = []
        for number, way in enumerate(ways):
            trials.reporter.progress("Measuring how long each way takes", number, len(ways))
            guess = cost(way) / cost(ways[0]) * found[0] if found else 0.0
            if found and trials.left < LEFT_TO_TRY * trials.budget:
                guess = np.inf
            if guess * DESIGNS[-1][0] / trials.n_workers > trials.budget:
                found.append(guess)
                continue
            if not way.judges_itself:
                _warm_up(way.regressor, train)
            found.append(_seconds(way, part, trials))
            if way.name in trials.failed and not number:
                raise SpectraError(f"The calibration in use could not be tried: {trials.failed[way.name]}")
            if way.name in trials.failed:
                found[-1] = np.nan
        return {"seconds": np.array(found), "left": np.array(trials.left)}

    kept = trials.memo.arrays(key, measured_now)
    seconds = {way.name: float(each) for way, each in zip(ways, kept["seconds"], strict=True)}
    for way in ways:
        if np.isnan(seconds[way.name]) and way.name not in trials.failed:
            trials.try_once(way, part, trials.reporter)  # for the reason, which is not kept
    return Measured(seconds, float(kept["left"]))


def _seconds(way: Way, part: Part, trials: Trials) -> float:
    """Time a fit; once more, and apart, where an earlier run had kept some of it, which takes no time to look up."""
    n_found, start = trials.memo.n_found, trials.clock()
    trials.try_once(way, part, trials.reporter)
    if trials.memo.n_found > n_found and way.name not in trials.failed:
        start = trials.clock()
        fitted(way, replace(part, fold=replace(part.fold, memo=NO_MEMO)), trials.reporter)
    return trials.clock() - start


def _warm_up(regressor: Choice, train: SpectraSet) -> None:
    """Fit for a moment, that loading and compiling are not taken for fitting; what cannot be fitted is told later."""
    fresh: Any = build_regressor(regressor)
    if hasattr(fresh, "epochs"):
        fresh = replace(fresh, epochs=1)
    with suppress(SpectraCoreError):
        fresh.fit(train.take(np.arange(min(_WARM_ROWS, len(train)))), seed=0)

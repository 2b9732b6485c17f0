"""How long one fit of every way takes here: the first fold is fitted once, and timed."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.choices import Choice
from spectra_core.experiment.advice.planning import DESIGNS
from spectra_core.experiment.advice.trying import Trials
from spectra_core.experiment.advice.ways import Way
from spectra_core.experiment.cost import arm_cost
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.choice import build_regressor
from spectra_core.spectra import SpectraSet

LEFT_TO_TRY = 0.6
"""Share of the time that measuring leaves."""
_WARM_ROWS = 32


def seconds_of(ways: Sequence[Way], trials: Trials, n_folds: int) -> dict[str, float]:
    """Fit every way once, and return how long it took; an estimate for what would take all of the time.

    What was measured is kept: advice that was interrupted goes on with the plan it had.
    """
    part = trials.outer(n_folds)[0]
    train = part.fold.train
    content = {"ways": [way.content for way in ways], "budget": trials.budget, "workers": trials.n_workers}
    key = part.fold.key("seconds of advice", {"all": json.dumps(content, sort_keys=True)})

    def cost(way: Way) -> float:
        regressor = REGRESSORS[way.regressor.name](**way.regressor.options)
        return arm_cost(way.arm, regressor, len(train), train.n_channels, train.n_targets)

    def measured() -> dict[str, NDArray[Any]]:
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
            start = trials.clock()
            trials.try_once(way, part, trials.reporter)
            found.append(trials.clock() - start)
        return {"seconds": np.array(found)}

    kept = trials.memo.arrays(key, measured)["seconds"]
    return {way.name: float(each) for way, each in zip(ways, kept, strict=True)}


def _warm_up(regressor: Choice, train: SpectraSet) -> None:
    """Fit for a moment, that loading and compiling are not taken for fitting."""
    fresh: Any = build_regressor(regressor)
    if hasattr(fresh, "epochs"):
        fresh = replace(fresh, epochs=1)
    fresh.fit(train.take(np.arange(min(_WARM_ROWS, len(train)))), seed=0)

"""Every way fitted in every fold, within the time there is: what it predicts for spectra left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Arrays, Reporter, derived_seed
from spectra_core.errors import SpectraCoreError
from spectra_core.experiment.advice.planning import Plan
from spectra_core.experiment.advice.preparing import averaged, set_aside
from spectra_core.experiment.advice.ways import Way
from spectra_core.experiment.fold import Fold, OnceMemo
from spectra_core.experiment.parts import Part, cut_down
from spectra_core.experiment.recently_made import RecentlyMade
from spectra_core.experiment.units import Unit, work_through
from spectra_core.spectra import SpectraSet
from spectra_core.splits import Split, k_fold
from spectra_core.training.devices import trained_on

Floats = NDArray[np.float64]

INNER = 2_000_000
"""In the place of a repetition, for the random streams of folds within a training part."""
UNTIL = 0.9
"""Share of the time after which no further fit begins: judging takes the rest."""
OUT_OF_TIME = "The stated time was over before all its folds were done. Allow more minutes to try it."


@dataclass(eq=False)
class Trials:
    """What ways predict for left-out spectra.

    Parameters
    ----------
    spectra
        All of the set.
    seed
        Decides folds and everything random, as in an experiment of the same seed and folds.
    budget
        Seconds, from now.
    memo
        Looks up what was fitted before.
    n_workers
        Fits at a time.
    reporter, clock
        Told of progress; tells seconds.

    Attributes
    ----------
    failed
        By way: why it was given up.
    """

    spectra: SpectraSet
    seed: int
    budget: float
    memo: OnceMemo
    n_workers: int
    reporter: Reporter
    clock: Callable[[], float]
    failed: dict[str, str] = field(default_factory=dict)
    _begin: float = field(init=False)
    _found: dict[tuple[str, tuple[int, int, int]], Arrays] = field(default_factory=dict)
    _parts: dict[tuple[int, int, int, bytes], Part] = field(default_factory=dict)
    _made: RecentlyMade = field(default_factory=RecentlyMade)

    def __post_init__(self) -> None:
        self._begin = self.clock()

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.budget - (self.clock() - self._begin)

    def outer(self, n_folds: int, n_repeats: int = 1) -> list[Part]:
        """Return the outer folds: those of an experiment with the same seed, folds and repeats."""
        splits = k_fold(self.spectra.groups, n_folds, seed=self.seed, n_repeats=n_repeats)
        return [self._part(split) for split in splits]

    def inner(self, outer: Part, n_inner: int) -> list[Part]:
        """Return folds within the training part of an outer fold."""
        rows, number = outer.split.train, outer.split.fold
        seed = derived_seed(self.seed, "inner folds of advice", number)
        return [
            self._part(Split(rows[one.train], rows[one.test], INNER + number, one.fold))
            for one in k_fold(self.spectra.groups[rows], n_inner, seed=seed)
        ]

    def smaller(self, outer: Part, size: int) -> Part:
        """Return an outer fold whose training part is cut down to `size` spectra."""
        rows = cut_down(outer.split, size, self.seed)
        return self._part(Split(rows, outer.split.test, 0, outer.split.fold), size)

    def _part(self, split: Split, size: int = 0) -> Part:
        key = split.repeat, split.fold, size, split.train.tobytes()
        if key not in self._parts:
            place = split.repeat, split.fold, size
            train = self.spectra.take(split.train)
            fold = Fold(train, self.seed, place, self.memo, trained_on("auto"), self._made)
            self._parts[key] = Part(split, size, fold, self.spectra.take(split.test))
        return self._parts[key]

    def run(self, ways: Sequence[Way], plan: Plan, seconds: Mapping[str, float]) -> None:
        """Fit all ways of the plan in all folds, one way after the other; further repeats last.

        The reference and the quickest other way are fitted whatever the time: without them there is no answer.
        """
        outer = self.outer(plan.n_folds, plan.n_repeats)
        first, again = outer[: plan.n_folds], outer[plan.n_folds :]
        nested = [*first, *(one for part in first for one in self.inner(part, plan.n_inner))]

        quickest = min(ways[1:], key=lambda way: seconds[way.name], default=ways[0])

        def unit(way: Way, part: Part, *, needed: bool) -> Unit:
            must = needed and way in (ways[0], quickest)
            work = partial(self._try, way, part, needed=needed, whatever_the_time=must)
            return Unit(f"Trying {way.name}", max(seconds[way.name], 1e-3), work, part=way.name)

        units = [unit(way, part, needed=True) for way in ways for part in (first if way.judges_itself else nested)]
        units += [unit(way, part, needed=False) for part in again for way in ways]
        work_through(units, self.n_workers, self.reporter)

    def try_in(self, way: Way, parts: Sequence[Part]) -> None:
        """Fit one way in some folds."""
        stage = f"Trying {way.name} on fewer spectra"
        work = [partial(self._try, way, part, needed=False) for part in parts]
        units = [Unit(stage, 1.0, one, part="Fewer spectra") for one in work]
        work_through(units, self.n_workers, self.reporter)

    def predicted(self, way: Way, part: Part) -> Floats | None:
        """Return what the way predicts for the test spectra of a fold (n_test, n_targets); None if not done."""
        found = self._found.get((way.name, part.place))
        return None if found is None else found["predicted"]

    def own_error(self, way: Way, part: Part) -> Floats | None:
        """Return the error (n_targets,) that a way which judges itself tells of left-out training spectra."""
        found = self._found.get((way.name, part.place))
        return None if found is None else found["rmsecv"]

    def try_once(self, way: Way, part: Part, reporter: Reporter) -> None:
        """Fit one way in one fold, whatever the time."""
        try:
            self._found[way.name, part.place] = fitted(way, part, reporter)
        except SpectraCoreError as error:
            self.failed[way.name] = str(error)

    def _try(self, way: Way, part: Part, reporter: Reporter, *, needed: bool, whatever_the_time: bool = False) -> None:
        if way.name in self.failed:
            return
        if not whatever_the_time and self.left < (1.0 - UNTIL) * self.budget:
            if needed:
                self.failed[way.name] = OUT_OF_TIME
            return
        self.try_once(way, part, reporter)


def fitted(way: Way, part: Part, reporter: Reporter = SILENT) -> Arrays:
    """Fit a way to the training part of a fold and predict its test spectra, whose labels are not looked at.

    Returns
    -------
    ``predicted`` (n_test, n_targets); of a way that judges itself also ``rmsecv`` (n_targets,).
    """
    if way.spectra == "as they are" and not way.judges_itself:
        return {"predicted": part.predicted(way.arm, way.regressor, reporter)}  # an experiment looks it up, too
    key = part.fold.key("advice", {"way": way.content, "test": part.test.fingerprint})
    return part.fold.memo.arrays(key, lambda: _fitted(way, part, reporter))


def _fitted(way: Way, part: Part, reporter: Reporter) -> Arrays:
    train, test = part.fold.train, part.test
    rows = np.arange(len(test))
    if way.spectra == "replicates averaged":
        train, (test, rows) = averaged(train)[0], averaged(test)
    elif way.spectra == "suspicious labels set aside":
        train = set_aside(train)
    fold = replace(part.fold, train=train)
    if not way.judges_itself:
        return {"predicted": fold.predict(way.arm, way.regressor, test, reporter)[rows]}
    if fold.is_plain(way.arm, way.regressor):
        regressor: Any = fold.regressor(way.regressor, reporter)
    else:
        (task,) = fold.fit_tasks(way.arm, way.regressor, reporter)
        regressor = fold.new_regressor(way.regressor).fit(task.train, seed=task.seed, reporter=reporter)
    return {"predicted": regressor.predict(test).to_numpy()[rows], "rmsecv": regressor.rmsecv_}

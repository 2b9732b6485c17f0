"""Which way to take, by errors on left-out spectra; and the error of that choice, judged by folds around it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spectra_core.evaluation.errors.verdicts import EXPLAINED
from spectra_core.experiment.advice.trying import Trials
from spectra_core.experiment.advice.ways import Way
from spectra_core.experiment.parts import Part

Floats = NDArray[np.float64]


def root_mean_square(errors: Floats) -> Floats:
    """Return the error of every target (n_targets,), above 0, that its logarithm is finite.

    Parameters
    ----------
    errors : (..., n_targets)
    """
    rms: Floats = np.sqrt((errors**2).reshape(-1, errors.shape[-1]).mean(axis=0))
    return np.maximum(rms, np.finfo(np.float64).tiny)


def best_of(errors: Mapping[str, Floats], spreads: Floats) -> str:
    """Return the way with the least geometric mean error over the targets that can be told.

    Targets that no way explains by a tenth of their variance would let chance decide; where there are no others, all
    count. Of equal ways the first is taken.

    Parameters
    ----------
    errors
        By way: root mean square on left-out spectra (n_targets,).
    spreads : (n_targets,)
        Standard deviations of the targets.
    """
    least = np.min(list(errors.values()), axis=0)
    told = least <= np.sqrt(1.0 - EXPLAINED) * spreads
    told = told if told.any() else np.ones_like(told)
    return min(errors, key=lambda name: float(np.log(errors[name][told]).mean()))


def outer_errors(way: Way, trials: Trials, outer: Sequence[Part]) -> Floats | None:
    """Return predicted - reference of every spectrum while left out (n_repeats, n_spectra, n_targets).

    Repeats end where one is not done; None where the first is not.
    """
    repeats: list[Floats] = []
    for repeat in dict.fromkeys(part.split.repeat for part in outer):
        errors = np.empty(trials.spectra.target_values.shape)
        for part in outer:
            if part.split.repeat == repeat:
                predicted = trials.predicted(way, part)
                if predicted is None:
                    return np.array(repeats) if repeats else None
                errors[part.split.test] = predicted - part.test.target_values
        repeats.append(errors)
    return np.array(repeats)


def inner_error(way: Way, trials: Trials, part: Part, inner: Sequence[Part]) -> Floats | None:
    """Return the error (n_targets,) on left-out spectra of one outer training part; None if not done."""
    if way.judges_itself:
        own = trials.own_error(way, part)
        return None if own is None else np.maximum(own, np.finfo(np.float64).tiny)
    rows = []
    for one in inner:
        predicted = trials.predicted(way, one)
        if predicted is None:
            return None
        rows.append(predicted - one.test.target_values)
    return root_mean_square(np.concatenate(rows))


def choice_errors(ways: Sequence[Way], trials: Trials, outer: Sequence[Part], n_inner: int) -> tuple[Floats, list[str]]:
    """Judge the choice itself: in every outer fold the best way of its inner folds predicts the outer test spectra.

    Nested cross-validation (Varma & Simon, BMC Bioinformatics 2006, 7, 91): the winner's error in the folds by which
    it won is too small, that of the outer folds around the choice is not.

    Returns
    -------
    errors : (n_spectra, n_targets)
        Predicted - reference of the way that was chosen without the spectrum.
    chosen
        Name of the way chosen in every outer fold.
    """
    errors = np.full(trials.spectra.target_values.shape, np.nan)
    chosen = []
    for part in outer:
        inner = trials.inner(part, n_inner)
        found = {way.name: inner_error(way, trials, part, inner) for way in ways}
        known = {name: error for name, error in found.items() if error is not None}
        best = best_of(known, part.fold.train.target_values.std(axis=0))
        way = next(way for way in ways if way.name == best)
        predicted = trials.predicted(way, part)
        assert predicted is not None
        errors[part.split.test] = predicted - part.test.target_values
        chosen.append(best)
    return errors, chosen

"""Prediction intervals by cross-validation: CV+ over groups, residuals scaled by the size of the prediction.

CV+ is that of Barber, Candès, Ramdas & Tibshirani (Ann. Stat. 2021, 49, 486-507). With mu_k the model that has not seen
fold k, R_i = |y_i - mu_k(i)(x_i)| the residual of row i out of fold, and n rows, the interval of x at the level 1 - a
ends at the ceil((1 - a)(n + 1))-th smallest of mu_k(i)(x) + R_i, and begins likewise below. It covers at least 1 - 2a
of new samples whatever their distribution, and about 1 - a where models of different folds agree.

Three things are added. Replicates are no independent evidence: every row counts 1 / (rows of its group) and n is the
number of groups, as for two-layer data (Lee, Barber & Willett, arXiv 2306.06342); single rows give CV+ itself. Errors
grow with concentration, and not alike on both sides: residuals are divided by s(mu) = a + b max(mu - lowest label, 0),
with a, b >= 0 fitted to the size of those above and of those below by themselves, and multiplied by s at the new
spectrum. And the third with the largest predictions is also judged among itself (as by Mondrian conformal regressors:
Boström & Johansson, PMLR 2020, 128, 114-133), where it has rows enough for the level: of both intervals it gets the
lower and the upper end that lie farther out, so that none is narrower than among all.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import ConfigError

Floats = NDArray[np.float64]

_LEAST_SHARE = 0.1
"""The least error believed in, as a share of the mean one: a fit through zero would promise an exact reading."""
_FEWEST_OF_A_SIDE = 5
"""Groups with errors of one sign; with fewer, their size is that of all errors."""
LARGEST = 1 / 3
"""Share of groups, those with the largest predictions, that are also judged among themselves."""
_MOST_STRETCH = 10.0
"""A model that predicts almost the same of all spectra ranks them by next to nothing."""
_HALVINGS = 34
"""Bisection to a 10^10th of what folds differ by."""


@dataclass(frozen=True)
class ErrorScale:
    """How large an error is expected where a value is predicted: ``start + slope max(predicted - lowest, 0)``.

    Parameters
    ----------
    start, slope
        In the target's unit, and without one; not negative.
    lowest
        Smallest label of the calibration.
    """

    start: float
    slope: float
    lowest: float

    def at(self, predicted: Floats) -> Floats:
        """Return the expected size of the error, in the target's unit, in the shape of `predicted`."""
        return np.asarray(self.start + self.slope * np.maximum(predicted - self.lowest, 0.0))


def fitted_scale(residuals: Floats, predicted: Floats, weights: Floats, lowest: float) -> ErrorScale:
    """Fit the size of errors to residuals out of fold, by non-negative least squares.

    Parameters
    ----------
    residuals, predicted, weights : (n_rows,)
        Absolute residual, what was predicted, and how much the row counts.
    """
    from scipy.optimize import nnls

    mean = float(np.average(residuals, weights=weights))
    if mean == 0.0:
        return ErrorScale(1.0, 0.0, lowest)
    reach = np.maximum(predicted - lowest, 0.0)
    unit = float(reach.max()) or 1.0
    root = np.sqrt(weights)
    columns = np.column_stack([root, root * reach / unit])
    (start, slope), _ = nnls(columns, root * residuals / mean)
    return ErrorScale(mean * max(float(start), _LEAST_SHARE), mean * float(slope) / unit, lowest)


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What cross-validation says of the errors of one target.

    Parameters
    ----------
    residuals, place : (n_rows,)
        Label less what was predicted out of fold; and where in the range of predictions the row lies, see `of`.
    fold, groups : (n_rows,)
        Which fold each row was left out with, and its group.
    offsets, stretches : (n_folds,)
        A place is the offset of the fold + its stretch x what its model predicts.
    below, above
        How large errors are expected where the true value is smaller, and larger, than what is predicted.
    """

    residuals: Floats
    place: Floats
    fold: NDArray[np.int64]
    groups: NDArray[np.int64]
    offsets: Floats
    stretches: Floats
    below: ErrorScale
    above: ErrorScale

    @classmethod
    def of(
        cls, labels: Floats, predicted: Floats, fold: NDArray[np.int64], groups: NDArray[np.int64], spreads: Floats
    ) -> Self:
        """Fit both scales to what was predicted out of fold.

        Where a fold is left out whose labels are large, those of the others are smaller on average, and so is what
        their model predicts. Of a target that the spectra hardly show, predictions out of fold would fall where labels
        rise, and large ones would seem to be the surest. And of such a target one model predicts nearly the same
        everywhere where another follows noise: spectra that it would tell apart are lost among those of the other. So
        a place is a prediction as of a model whose labels have the mean of all, and whose predictions spread as those
        of all models do.

        Parameters
        ----------
        spreads : (n_folds,)
            Standard deviation of what the model of each fold predicts of calibration spectra.
        """
        weights = group_weights(groups)
        sums, counts = (np.bincount(fold, values, len(spreads)) for values in (weights * labels, weights))
        mean, usual = np.average(labels, weights=weights), float(np.sqrt(np.mean(spreads**2)))
        stretches = usual / np.maximum(spreads, usual / _MOST_STRETCH) if usual else np.ones(len(spreads))
        offsets = mean - stretches * (sums.sum() - sums) / (counts.sum() - counts)
        place, residuals, lowest = offsets[fold] + stretches[fold] * predicted, labels - predicted, float(labels.min())
        sides = []
        for rows in (residuals < 0, residuals > 0):
            few = weights[rows].sum() < _FEWEST_OF_A_SIDE
            use = np.ones(len(labels), dtype=bool) if few else rows
            sides.append(fitted_scale(np.abs(residuals[use]), place[use], weights[use], lowest))
        return cls(residuals, place, fold, groups, offsets, stretches, *sides)

    def places(self, predicted: Floats, fold: NDArray[np.int64]) -> Floats:
        """Return the places (n, n_new) of what the models of these folds (n,) predict of spectra, (n, n_new)."""
        return np.asarray(self.offsets[fold, None] + self.stretches[fold, None] * predicted)

    def size(self, residuals: Floats, place: Floats) -> Floats:
        """Return the size of error expected at a place, on the side of such residuals."""
        return np.where(residuals > 0, self.above.at(place), self.below.at(place))

    def interval(self, centres: Floats, level: float) -> tuple[Floats, Floats]:
        """Return both ends (n_new,) of the intervals of spectra of which the folds' models predict `centres`.

        Raises
        ------
        ConfigError
            When there are too few groups for the level.
        """
        scores = np.abs(self.residuals) / self.size(self.residuals, self.place)
        places = self.places(centres, np.arange(len(centres)))
        below, above = self.below.at(places), self.above.at(places)
        low, high = interval(centres, below, scores, above=above, fold=self.fold, groups=self.groups, level=level)
        rows, new = self.largest(level, np.median(places, axis=0))
        if new.any():
            least, most = interval(
                centres[:, new],
                below[:, new],
                scores[rows],
                above=above[:, new],
                fold=self.fold[rows],
                groups=self.groups[rows],
                level=level,
            )
            low[new], high[new] = np.minimum(low[new], least), np.maximum(high[new], most)
        return low, high

    def largest(self, level: float, new: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which rows (n_rows,) and which places `new` are among the largest; no new ones where rows are few."""
        _, numbers, sizes = np.unique(self.groups, return_inverse=True, return_counts=True)
        of_groups = np.bincount(numbers, self.place) / sizes
        least = np.quantile(of_groups, 1.0 - LARGEST)
        largest = of_groups >= least
        enough = largest.sum() >= fewest_groups(level)
        return largest[numbers], (new >= least) & enough


def group_weights(groups: NDArray[np.int64]) -> Floats:
    """Return 1 / (rows of its group) for every row, (n_rows,).

    >>> group_weights(np.array([0, 1, 1])).tolist()
    [1.0, 0.5, 0.5]
    """
    _, numbers, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / sizes[numbers])


def fewest_groups(level: float) -> int:
    """Return how many independent calibration samples an interval of this level needs.

    >>> [fewest_groups(level) for level in (0.8, 0.9, 0.95)]
    [4, 9, 19]
    """
    return int(np.ceil(level / (1.0 - level) - 1e-9))


def require_level(level: float, n_groups: int) -> None:
    """Refuse a level that so few independent samples cannot give.

    Raises
    ------
    ConfigError
        When it is no share, or the interval would have no end.
    """
    if not 0.0 < level < 1.0:
        raise ConfigError(f"The level of an interval lies between 0 and 1, as 0.9 for 90 %; got {level:g}.")
    if level * (n_groups + 1) > n_groups + 1e-9:
        highest = int(1000 * n_groups / (n_groups + 1)) / 10
        raise ConfigError(
            f"An interval of {100 * level:g} % needs more independent calibration samples than {n_groups}, which "
            f"allow {highest:g} % at most. Ask for a lower level, or calibrate with more samples."
        )


def interval(
    centres: Floats,
    sizes: Floats,
    scores: Floats,
    *,
    above: Floats | None = None,
    fold: NDArray[np.int64],
    groups: NDArray[np.int64],
    level: float,
) -> tuple[Floats, Floats]:
    """Return both ends of the CV+ interval of every new spectrum, (n_new,) each.

    Parameters
    ----------
    centres, sizes : (n_folds, n_new)
        What the model of every fold predicts, and the size of error expected there.
    scores : (n_rows,)
        Absolute residuals out of fold over the size of error expected there.
    above : (n_folds, n_new)
        The size of error expected above the centres, where `sizes` is that below.
    fold, groups : (n_rows,)
        Which fold each calibration row was left out with, and its group.
    level
        Share of new samples to be covered, such as 0.9.

    Raises
    ------
    ConfigError
        When there are too few groups for the level.
    """
    n_groups = len(np.unique(groups))
    require_level(level, n_groups)
    weights = group_weights(groups)
    steps, used = [], np.unique(fold)
    centres, sizes, above = centres[used], sizes[used], (sizes if above is None else above)[used]
    for number in used:
        rows = np.flatnonzero(fold == number)
        rows = rows[np.argsort(scores[rows], kind="stable")]
        steps.append((scores[rows], np.concatenate([[0.0], np.cumsum(weights[rows])])))
    # Weights such as 1/3 do not add up exactly.
    enough = level * (n_groups + 1) - 1e-9 * n_groups
    return -_upper_end(-centres, sizes, steps, enough), _upper_end(centres, above, steps, enough)


def _upper_end(centres: Floats, sizes: Floats, steps: list[tuple[Floats, Floats]], enough: float) -> Floats:
    """Return the smallest value that rows of the weight `enough` do not exceed, by bisection for all new spectra.

    It lies between the least and the most of what each fold alone would give, as any quantile of a mixture does.
    """
    share = enough / sum(cumulated[-1] for _, cumulated in steps)
    alone = [scores[np.searchsorted(cumulated[1:-1], share * cumulated[-1])] for scores, cumulated in steps]
    ends = centres + sizes * np.array(alone)[:, None]
    low, high = ends.min(axis=0), ends.max(axis=0)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        weight = np.zeros_like(middle)
        for centre, size, (scores, cumulated) in zip(centres, sizes, steps, strict=True):
            weight += cumulated[np.searchsorted(scores, (middle - centre) / size, side="right")]
        reached = weight >= enough
        high = np.where(reached, middle, high)
        low = np.where(reached, low, middle)
    return np.asarray(high)

"""A stack: several regressors, weighed for every target by how well they predict spectra they have not seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, UNSAID, Arrays, Budget, Reporter, derived_seed, random_stream
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.options import Range
from spectra_core.preprocessing import Standardiser
from spectra_core.preprocessing.magnitudes import require_computable_signal
from spectra_core.regressors.base import FitTask, Regressor
from spectra_core.regressors.candidates import CANDIDATES, out_of_fold, with_copies
from spectra_core.regressors.inner_folds import inner_folds, inner_groups, measured_rows, require_groups
from spectra_core.regressors.mlp import fitted_in_threads
from spectra_core.regressors.mlp_ensemble import Members, MLPEnsemble
from spectra_core.regressors.state import (
    checked_arrays,
    constant_target_notes,
    require_calibration_set,
    require_fitted,
    scaling_shapes,
    target_table,
)
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.training.devices import CPU, Device
from spectra_core.training.plan import Kernels

Floats = NDArray[np.float64]

WORST = 3.0
"""Standard deviations of the target: a candidate with a larger error out of fold gets no weight."""
BEYOND = 0.2
"""Share of the range of the labels by which a prediction may leave it."""
_MEMBER = "candidate"


@dataclass(eq=False)
class Stack(Regressor):
    """Weighted sum of candidates, weights by non-negative least squares on out-of-fold predictions, target by target.

    Stacked regression (Wolpert, Neural Networks 1992, 5, 241-259; non-negative: Breiman, Machine Learning 1996, 24,
    49-64). The candidates are those of `candidates.CANDIDATES`: Gaussian process, ridge and PLS, each on the spectra
    as they are and on their first derivative, and an ensemble of networks trained the fast way. All see noisy copies
    of every measured spectrum beside the training spectra.

    Each candidate predicts every measured spectrum from the others, by inner folds that keep groups together, copies
    and generated spectra with their parents; errors are counted on measured spectra only. With p_k such predictions
    and y the labels, both centred, the weights minimise |y - sum_k w_k p_k|^2 over w >= 0; candidates worse than three
    standard deviations of the target are left out. Then those with any weight are fitted to all training spectra.
    Predictions end 20 % of the labels' range beyond it.

    Parameters
    ----------
    n_folds
        Inner folds; fewer where there are fewer groups.
    n_copies
        Noisy copies per measured spectrum, each with as much noise again as the spectra hold.
    n_members
        Networks of the ensemble, per target.
    epochs
        Of the networks; None for as many as their fast training takes.
    kernels, device
        Of the networks, as in `NetworkOptions`.

    Attributes
    ----------
    weights_ : (n_candidates, n_targets)
        In the order of `CANDIDATES`; 0 for those left out.
    candidate_rmsecv_ : (n_candidates, n_targets)
        Root mean squared error out of fold, in the target's unit; -1 where these spectra do not allow the candidate.
    rmsecv_ : (n_targets,)
        The same of the weighted sum. The weights were found by these very errors, so it is a little too small.
    offset_ : (n_targets,)
        What the weighted sum is added to.
    limits_ : (2, n_targets)
        Least and largest prediction.
    members_
        Fitted regressors by number of candidate.
    """

    title: ClassVar[str] = "Stack"
    explanation: ClassVar[str] = (
        "Gaussian process, ridge, PLS and networks together, each weighed by how well it predicts left-out spectra."
    )
    study_options: ClassVar[Mapping[str, Any]] = {"kernels": "numba"}

    n_folds: Annotated[int, Range(3, 50), "Inner folds"] = 5
    n_copies: Annotated[int, Range(1, 20), "Noisy copies per spectrum"] = 1
    n_members: Members = 5
    epochs: Annotated[int | None, Range(1, 100_000)] = None
    kernels: Kernels = "torch"
    device: Device = field(default="auto", metadata=UNSAID)

    weights_: Floats = field(init=False, repr=False)
    candidate_rmsecv_: Floats = field(init=False, repr=False)
    rmsecv_: Floats = field(init=False, repr=False)
    offset_: Floats = field(init=False, repr=False)
    limits_: Floats = field(init=False, repr=False)
    target_scaling_: Standardiser = field(init=False, repr=False)
    members_: dict[int, Regressor] = field(init=False, repr=False)
    device_: str = field(init=False, repr=False, default=CPU)

    def cost(self, n_rows: int, n_channels: int, n_targets: int) -> float:
        """Return Gflop of all candidates, in all folds and on all spectra."""
        return sum(times * member.cost(n_rows, n_channels, n_targets) for member, times in self.parts(n_rows))

    def parts(self, n_rows: int) -> Sequence[tuple[Regressor, float]]:
        """Return every candidate, as often as there are folds, a last fit, and copies of the spectra."""
        rows = 1 + self.n_copies
        members = [one.exact or self._networks(rows * n_rows) for one in CANDIDATES]
        return [(member, float(rows * (self.n_folds + 1))) for member in members]

    def fit(
        self,
        train: SpectraSet,
        *,
        budget: Budget | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
    ) -> Self:
        """Weigh and fit the candidates; `budget` is unused.

        Raises
        ------
        SpectraError
            When there are no targets, or too few spectra or groups to hold any out.
        """
        require_calibration_set(train)
        n_groups = len(np.unique(inner_groups(train)[measured_rows(train)]))
        require_groups(n_groups, train)
        if n_groups < 3:
            raise SpectraError(
                f"A stack holds spectra out to weigh its candidates, so it needs at least 3 independent samples; the "
                f"{len(train)} training spectra are of {n_groups}. Add samples, or choose another regressor."
            )
        whole = with_copies(train, self.n_copies, random_stream(seed, "stack", "copies"))
        splits = inner_folds(whole, self.n_folds, derived_seed(seed, "stack", "inner folds"))
        networks, fit_seed = self._networks(len(whole)), derived_seed(seed, "stack", "candidates")
        predicted = out_of_fold(whole, splits, networks, fit_seed, reporter)
        measured = np.flatnonzero(measured_rows(train))
        self._weigh(predicted[:, measured], train.target_values[measured])
        self.members_ = {}
        for number in np.flatnonzero(self.weights_.any(axis=1)).tolist():
            self.members_[number] = CANDIDATES[number].fresh(networks).fit(whole, seed=fit_seed)
            self.device_ = getattr(self.members_[number], "device_", self.device_)
        reporter.progress("Fitting the stack", 1, 1)
        self._take_over(train.frame)
        return self

    def predict(self, spectra: SpectraSet) -> pd.DataFrame:
        """Return predicted targets (n_spectra, n_targets) in the units of the training set."""
        require_fitted(self, self.title)
        self.frame_.require_same_signal(spectra.frame)
        require_computable_signal(spectra, "new")
        values = np.tile(self.offset_, (len(spectra), 1))
        for number, member in self.members_.items():
            values += self.weights_[number] * member.predict(spectra).to_numpy()
        return target_table(np.clip(values, *self.limits_), self.frame_)

    def fit_many(self, tasks: Sequence[FitTask], *, n_workers: int = 1, reporter: Reporter = SILENT) -> "list[Stack]":
        """Fit a fresh copy for every task, `n_workers` at a time; the numbers do not depend on it."""
        return fitted_in_threads(self, tasks, n_workers, reporter)

    @property
    def made_of_(self) -> pd.DataFrame:
        """What predicts each target, one row per target and candidate.

        Columns ``target``, ``candidate``, ``weight``, ``rmsecv`` (out of fold, in the target's unit; NaN where these
        spectra do not allow the candidate) and ``left_out``: worse than three standard deviations of the target.
        """
        require_fitted(self, self.title)
        errors = np.where(self.candidate_rmsecv_ < 0, np.nan, self.candidate_rmsecv_)
        names, titles = self.frame_.target_names, [candidate.title for candidate in CANDIDATES]
        return pd.DataFrame(
            {
                "target": np.repeat(np.array(names, dtype=object), len(titles)),
                "candidate": titles * len(names),
                "weight": self.weights_.T.ravel(),
                "rmsecv": errors.T.ravel(),
                "left_out": (errors > WORST * self.target_scaling_.scale).T.ravel(),
            }
        )

    def to_arrays(self) -> Arrays:
        """Return weights, errors and limits, and the state of every member under its number."""
        require_fitted(self, self.title)
        members = {
            f"{_MEMBER}{number}.{name}": values
            for number, member in self.members_.items()
            for name, values in member.to_arrays().items()
        }
        own = {name: getattr(self, f"{name}_") for name in _OWN}
        return {**own, **self.target_scaling_.to_arrays("targets"), **members}

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a fitted state after checking it; return self."""
        n_targets = len(frame.target_info)
        shapes = {name: (*leading, n_targets) for name, leading in _OWN.items()} | scaling_shapes("targets", n_targets)
        parts: dict[int, Arrays] = {}
        own: Arrays = {}
        for name, values in arrays.items():
            prefix, dot, rest = name.partition(".")
            number = prefix.removeprefix(_MEMBER)
            if dot and prefix.startswith(_MEMBER) and number in map(str, range(len(CANDIDATES))):
                parts.setdefault(int(number), {})[rest] = values
            else:
                own[name] = values
        checked = checked_arrays(own, shapes, self.title)
        if set(parts) != set(np.flatnonzero(checked["weights"].any(axis=1)).tolist()):
            raise ConfigError(
                f"The stored state of {self.title!r} must hold the arrays of every candidate that has a weight, and of "
                "no other. The file belongs to another model or is damaged."
            )
        for name in _OWN:
            setattr(self, f"{name}_", checked[name])
        self.target_scaling_ = Standardiser.from_arrays(checked, "targets")
        self.members_ = {
            number: CANDIDATES[number].fresh(self._networks(1)).from_arrays(part, frame)
            for number, part in sorted(parts.items())
        }
        self._take_over(frame)
        return self

    def _networks(self, n_rows: int) -> MLPEnsemble:
        """Return the ensemble for so many training spectra."""
        fast = MLPEnsemble.fast
        assert fast is not None
        return MLPEnsemble(
            **fast.options,
            epochs=self.epochs or fast.epochs(n_rows),
            n_members=self.n_members,
            kernels=self.kernels,
            device=self.device,
        )

    def _weigh(self, predicted: Floats, labels: Floats) -> None:
        """Find the weights of candidates from what they predict out of fold, (n_candidates, n_spectra, n_targets)."""
        self.target_scaling_ = Standardiser.fit(labels)
        tried = np.asarray(~np.isnan(predicted).any(axis=(1, 2)))
        self.candidate_rmsecv_ = np.where(tried[:, None], np.sqrt(((predicted - labels) ** 2).mean(axis=1)), -1.0)
        self.weights_ = np.zeros(self.candidate_rmsecv_.shape)
        self.offset_ = np.array(self.target_scaling_.mean, dtype=np.float64)
        together = np.tile(self.offset_, (len(labels), 1))
        for target in np.flatnonzero(~self.target_scaling_.constant):
            good = tried & (self.candidate_rmsecv_[:, target] <= WORST * self.target_scaling_.scale[target])
            weights, offset = stacking_weights(predicted[good, :, target].T, labels[:, target])
            self.weights_[good, target], self.offset_[target] = weights, offset
            together[:, target] = offset + weights @ predicted[good, :, target]
        margin = BEYOND * np.ptp(labels, axis=0)
        self.limits_ = np.array([labels.min(axis=0) - margin, labels.max(axis=0) + margin])
        self.rmsecv_ = np.sqrt(((np.clip(together, *self.limits_) - labels) ** 2).mean(axis=0))

    def _take_over(self, frame: Frame) -> None:
        self.frame_ = frame
        unseen = ~self.weights_.any(axis=0) & ~self.target_scaling_.constant
        self.notes_ = constant_target_notes(self.target_scaling_, frame) + tuple(
            f"No candidate tells {target.label} of left-out spectra better than its mean does: that is predicted."
            for target, is_unseen in zip(frame.target_info, unseen, strict=True)
            if is_unseen
        )


_OWN: dict[str, tuple[int | None, ...]] = {
    "weights": (len(CANDIDATES),),
    "candidate_rmsecv": (len(CANDIDATES),),
    "rmsecv": (),
    "offset": (),
    "limits": (2,),
}
"""Leading lengths of the arrays of a stack itself; the last is the number of targets."""


def stacking_weights(predicted: Floats, labels: Floats) -> tuple[Floats, float]:
    """Return non-negative weights (n_candidates,) and the offset of the sum that comes closest to `labels`.

    Parameters
    ----------
    predicted : (n_spectra, n_candidates)
        Out of fold.
    labels : (n_spectra,)

    Examples
    --------
    >>> truth = np.array([0.0, 1.0, 2.0, 3.0])
    >>> weights, offset = stacking_weights(np.column_stack([2.0 * truth + 1.0, -truth]), truth)
    >>> [round(float(weight), 6) for weight in weights], round(offset, 6)
    ([0.5, 0.0], -0.5)
    """
    from scipy.optimize import nnls

    centres, mean, spread = predicted.mean(axis=0), float(labels.mean()), float(labels.std())
    if not predicted.shape[1]:
        return np.zeros(0), mean
    weights, _ = nnls((predicted - centres) / spread, (labels - mean) / spread)
    return weights, mean - float(centres @ weights)

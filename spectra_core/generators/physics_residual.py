"""Physics and what it leaves: a forward model from concentrations to spectra, and new spectra from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.choices import Choice, build
from spectra_core.conditions.as_measured import Design, Reach
from spectra_core.contracts import SILENT, Arrays, Checkpoint, Reporter, random_stream
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.generators.base import DirectGenerator
from spectra_core.generators.parents import ids_as_array, ids_from_array
from spectra_core.generators.physics import PHYSICS
from spectra_core.generators.physics.choosing import chosen_physics
from spectra_core.generators.residual_process import ResidualProcess
from spectra_core.generators.state import checked_arrays, checked_conditions, require_fitted, require_training_set
from spectra_core.preprocessing.magnitudes import LARGEST
from spectra_core.spectra import Frame, SetMeta, SpectraSet, require_targets
from spectra_core.training.signal_basis import signal_basis

Floats = NDArray[np.float64]

FEWEST_DIRECTIONS, MOST_DIRECTIONS = 3, 15
"""Of the residual, where the training rows are many enough."""
N_SCORES, LEAST_SCORE = 10, 1e-6
"""Principal component scores of the physics that the residual may depend on; smaller ones than this share of the first
are rounding."""
MOST_LEVERAGE = 0.95
"""A leftover is not blown up by more than 1/sqrt(1 - 0.95): beyond, hardly anything of it is known."""
N_DONORS = 10
"""Training rows, nearest in the physics, of which one gives a new spectrum its leftover; channel by channel, nearest in
the signal."""
TRUSTED = 0.3
"""How far new concentrations lie beyond the measured ones unless told, where the physics knows more than these."""
LEAST_NOISE = 1.0
"""Variance of the residual that is noise at least, in units of the channels' noise."""
N_SEARCHED, MOST_ROWS, MOST_SETS = 500, 2000, 4000
"""Rows that kernels are chosen on, rows that residuals are learned on, different concentration sets made at once."""
_CHANNELS_AT_ONCE = 64
"""Channels whose leftovers are added together, so that what is needed of them lies close in memory."""


@dataclass
class PhysicsResidual(DirectGenerator):
    """Physics p(c) plus a learned residual (Kennedy & O'Hagan, J. R. Stat. Soc. B 63, 425, 2001).

    Of the training rows' residual x - p(c), each channel in units of its noise, the principal directions that stand
    out of the noise (Gavish & Donoho 2014; 3 to 15) are learned by one Gaussian process each, from the concentrations
    and the first scores of p(c), see `ResidualProcess`. A new spectrum at c* is p(c*), the predicted residual, and the
    leftover of one training row among the ten nearest in the physics: within the directions (t - t^)/sqrt(1 - h) with
    its leverage h, outside them times sqrt(n/(n - K)), so that noise is neither missing nor counted twice. Its label is
    c*. New c* are drawn from the design of the training set, see `conditions.as_measured`.

    Kernels are chosen on 500 rows and residuals learned on 2000 at most, drawn by the seed. More than 4000 spectra
    made at once share 4000 concentration sets, with other leftovers, as replicates do.

    Parameters
    ----------
    physics
        Name in `PHYSICS`, or ``{"name": ..., "options": {...}}``. None for the salt simulator where it fits axis and
        targets, else pure components; `notes_` says which.
    reach
        As in `conditions.as_measured`: how far new concentrations may lie beyond the measured ones. None for 0.3 where
        the physics knows more than the training rows, else 0 (decision 146).

    Attributes
    ----------
    notes_
        What the physics is and leaves out, in sentences.
    channels_ : (3, n_channels)
        Per channel, root mean square over the training rows: of their spread, of what physics alone misses, and of what
        physics and residual miss, each row left out (kernels and directions kept).
    """

    title: ClassVar[str] = "Physics + learned residual"
    explanation: ClassVar[str] = (
        "Computes spectra at new concentrations from physics, corrects them by what the training spectra show beyond "
        "it, and adds the noise of one of them."
    )
    worth: ClassVar[str] = (
        "For a hundred to some hundreds of spectra whose physics is known: it lowered the error of a Gaussian process "
        "by 6 to 13 % on 20 simulated sets of 100, the more the better the constants were known, and that of networks "
        "by a fifth, there and on 12 sets of 400, where ensembles of networks gained for all eight ions."
    )
    cautions: ClassVar[Mapping[str, str]] = {
        "ridge": "where a signal hides below the noise, ridge takes generated noise for the instrument's; on 20 "
        "simulated sets of 100 the error of zinc rose by 9 to 20 % in the mean, with crude physics beyond chance, "
        "while those of copper and nickel fell by about half."
    }

    physics: Any = None
    reach: Reach | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.physics is not None:
            choice = self.physics if isinstance(self.physics, Choice) else Choice.from_json(self.physics)
            build(PHYSICS, choice, "physics")
            self.physics = choice.to_json() if choice.options else choice.name

    def fit(
        self,
        train: SpectraSet,
        *,
        validation: SpectraSet | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
        checkpoint: Checkpoint | None = None,
    ) -> Self:
        """Learn what the physics leaves of `train`; `seed` chooses rows where there are more than are used.

        Raises
        ------
        SpectraError
            When the chosen physics does not fit axis or targets; the sentence says why, and names those that do.
        """
        require_training_set(train, self.title)
        require_targets(train)
        stage = f"Fitting {self.title}"
        reporter.progress(stage, 0, 3)
        self.physics_, self.notes_ = chosen_physics(self.physics, train.frame)
        self.physics_.fit(train)
        self.design_ = Design.of(train)
        signal = np.asarray(train.signal, dtype=np.float64)
        physics = self.physics_.spectra(train.target_values, train.frame)
        reporter.progress(stage, 1, 3)
        self._scale_inputs(train.target_values, physics)
        self._find_directions(signal - physics)
        reporter.progress(stage, 2, 3)
        free = 1.0 - np.minimum(self.physics_.leverages(train.target_values), MOST_LEVERAGE)[:, None]
        left = (signal - physics - self.mean_) / self.scale_
        alone = self._learn(left, free, random_stream(seed, "physics and residual"))
        self._sort_by_level(self._with_residual(physics, self.donor_inputs_))
        self.channels_ = np.array([signal.std(axis=0), _size(signal - physics), _size(alone) * self.scale_])
        self.constant_at_ = np.flatnonzero(train.constant_channels)
        self.constant_ = signal[0, self.constant_at_]
        self.frame_, self.ids_ = train.frame, tuple(train.samples["id"])
        reporter.progress(stage, 3, 3)
        return self

    def drawing_cost(self, n_spectra: int, n_channels: int) -> float:
        """Return Gflop of making spectra: concentrations are drawn, physics is computed, leftovers are added."""
        return 2.0 * self.cost(n_spectra, n_channels)

    def forward(self, targets: Floats) -> Floats:
        """Return the spectra (n_sets, n_channels) at concentrations (n_sets, n_targets), without leftovers."""
        require_fitted(self, self.title)
        made, inputs = self._physics_at(targets)
        return self._with_residual(made, inputs)

    def generate(self, n_spectra: int, rng: np.random.Generator, conditions: pd.DataFrame | None = None) -> SpectraSet:
        """Return new spectra labelled with the concentrations they were made for.

        Parameters
        ----------
        conditions : (n_spectra, n_targets)
            The concentrations; by default drawn from the design of the training set.
        """
        require_fitted(self, self.title)
        if n_spectra < 1:
            raise SpectraError(f"Ask for at least 1 spectrum, got {n_spectra}.")
        if conditions is None:
            sets = self.design_.draw(min(n_spectra, MOST_SETS), rng, self.reach_)
        else:
            sets = checked_conditions(conditions, self.frame_, n_spectra, self.title)
        physics, inputs = self._physics_at(sets)
        repeated = np.arange(n_spectra) % len(sets)
        donors = self._donors(inputs)[repeated]
        parents = donors[np.arange(n_spectra), rng.integers(donors.shape[1], size=n_spectra)]
        signal = self._with_leftovers(self._with_residual(physics, inputs), repeated, parents, rng)
        signal[:, self.constant_at_] = self.constant_
        frame = self.frame_
        return SpectraSet(
            frame.axis,
            signal,
            pd.DataFrame(sets[repeated], columns=list(frame.target_names)),
            target_info=frame.target_info,
            samples=pd.DataFrame({"parent": [self.ids_[row] for row in parents]}),
            meta=SetMeta(self.title, "generated", frame.quantity, frame.unit),
        )

    @property
    def reach_(self) -> float:
        """How far new concentrations may lie beyond the measured ones, as a share of these."""
        usual = 0.0 if self.physics_.data_only else TRUSTED
        return usual if self.reach is None else self.reach

    @property
    def history_(self) -> pd.DataFrame:
        """No rows: the fit is exact."""
        return pd.DataFrame({"epoch": np.empty(0, dtype=np.int64)})

    def to_arrays(self) -> Arrays:
        """Return residual process, leftovers, design and what the physics learned."""
        require_fitted(self, self.title)
        parts = {
            "design": vars(self.design_),
            "process": vars(self.process_),
            "physics": self.physics_.to_arrays(),
        }
        return {
            **{name: getattr(self, f"{name}_") for name in _OWN},
            "ids": ids_as_array(self.ids_),
            **{f"{part}.{name}": values for part, arrays in parts.items() for name, values in arrays.items()},
        }

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over a fitted state after checking it."""
        physics, notes = chosen_physics(self.physics, frame)
        if unsorted := "levels" not in arrays and "outside" in arrays:  # as 0.5.0 kept them
            arrays = {**arrays, "levels": arrays["outside"]}
        rows, q, k = (
            _length(arrays, name, axis) for name, axis in (("outside", 0), ("input_mean", 0), ("directions", 1))
        )
        n_channels, n_targets, learned = len(frame.axis), len(frame.target_info), _length(arrays, "process.inputs", 0)
        n_salts = _length(arrays, "design.matrix", 0)
        shapes: dict[str, tuple[int | None, ...]] = {
            "mean": (n_channels,),
            "scale": (n_channels,),
            "directions": (n_channels, k),
            "inside": (rows, k),
            "outside": (rows, n_channels),
            "levels": (rows, n_channels),
            "donor_inputs": (rows, q),
            "known_mean": (n_channels,),
            "score_directions": (n_channels, None if q is None else max(q - n_targets, 0)),
            "input_mean": (q,),
            "input_scale": (q,),
            "channels": (3, n_channels),
            "ids": (None,),
            "constant": (None,),
            "constant_at": (_length(arrays, "constant", 0),),
            "design.targets": (None, n_targets),
            "design.matrix": (n_salts, n_targets),
            "design.offset": (n_targets,),
            "design.amounts": (None, n_salts),
            "process.inputs": (learned, q),
            "process.weights": (learned, k),
            "process.diagonals": (learned, k),
            **{f"process.{name}": (k,) for name in ("lengths", "curvatures", "noises")},
            **{f"physics.{name}": shape for name, shape in physics.shapes(frame).items()},
        }
        state = checked_arrays(arrays, shapes, self.title)
        for name in ("input_scale", "scale", "process.lengths", "process.diagonals"):
            if not (state[name] > 1.0 / LARGEST).all():
                raise ConfigError(f"{name!r} in the stored state of {self.title} must be positive. Fit it again.")
        at, self.ids_ = state["constant_at"], ids_from_array(state["ids"], self.title)
        if len(self.ids_) != rows:
            raise ConfigError(f"The stored spectra and ids of {self.title} differ in number. Fit it again.")
        has_solutions = len(state["design.targets"]) > 0 and (len(state["design.amounts"]) > 0 or not n_salts)
        if not rows or not has_solutions or not ((at >= 0) & (at < n_channels)).all():
            raise ConfigError(f"The stored state of {self.title} does not fit together. Fit it again.")
        for name in _OWN:
            setattr(self, f"{name}_", state[name])
        self.physics_, self.notes_ = physics.from_arrays(_part(state, "physics")), notes
        self.design_, self.process_ = Design(**_part(state, "design")), ResidualProcess(**_part(state, "process"))
        self.frame_ = frame
        if unsorted:
            self._sort_by_level(self.forward(self.design_.targets))
        return self

    def _scale_inputs(self, targets: Floats, physics: Floats) -> None:
        """Choose what the residual may depend on, z = [c, scores of p(c)], and put it in standard deviations."""
        self.known_mean_ = physics.mean(axis=0)
        _, singular, directions = np.linalg.svd(physics - self.known_mean_, full_matrices=False)
        kept = singular[:N_SCORES] > LEAST_SCORE * max(singular[0], np.finfo(np.float64).tiny)
        self.score_directions_ = directions[:N_SCORES][kept].T
        plain = np.column_stack([targets, (physics - self.known_mean_) @ self.score_directions_])
        self.input_mean_ = plain.mean(axis=0)
        spread = plain.std(axis=0)
        self.input_scale_ = np.where(spread > 0, spread, 1.0)
        self.donor_inputs_ = (plain - self.input_mean_) / self.input_scale_

    def _find_directions(self, left: Floats) -> None:
        """Find the directions of the residual that stand out of its noise, channel by channel."""
        noise = signal_basis(left).noise
        self.mean_ = left.mean(axis=0)
        self.scale_ = np.where(noise > 0, noise, noise[noise > 0].min(initial=1.0))
        most = max(1, min(MOST_DIRECTIONS, len(left) // 3))
        self.directions_ = signal_basis(left / self.scale_, min(FEWEST_DIRECTIONS, most), most).directions

    def _learn(self, left: Floats, free: Floats, rng: np.random.Generator) -> Floats:
        """Learn the residual `left`, centred and in units of noise; keep what is left of every row.

        `free` (n_spectra, 1) is 1 less the leverage of each row in the physics, where that was fitted.

        Returns what is missed of every row where it is left out, (n_spectra, n_channels).
        """
        n, k = len(left), self.directions_.shape[1]
        scores = left @ self.directions_
        learned = np.sort(rng.permutation(n)[:MOST_ROWS])
        searched = np.sort(rng.permutation(len(learned))[:N_SEARCHED])
        self.process_ = ResidualProcess.fit(self.donor_inputs_[learned], scores[learned], searched, LEAST_NOISE)
        missed = scores - self.process_.predict(self.donor_inputs_)
        left_out = missed.copy()
        left_out[learned] = self.process_.missed
        missed[learned] /= np.sqrt(1.0 - np.minimum(self.process_.leverages, MOST_LEVERAGE))
        outside = (left - scores @ self.directions_.T) * np.sqrt(n / (n - k))
        self.inside_, self.outside_ = missed / np.sqrt(free), (outside / np.sqrt(free)).astype(np.float32)
        return np.asarray((left_out @ self.directions_.T + outside) / free)

    def _physics_at(self, targets: Floats) -> tuple[Floats, Floats]:
        """Return the physics (n_sets, n_channels), and what the residual depends on (n_sets, n_inputs)."""
        physics = self.physics_.spectra(targets, self.frame_)
        plain = np.column_stack([targets, (physics - self.known_mean_) @ self.score_directions_])
        return physics, (plain - self.input_mean_) / self.input_scale_

    def _with_residual(self, physics: Floats, inputs: Floats) -> Floats:
        return np.asarray(physics + self.mean_ + self.process_.predict(inputs) @ self.directions_.T * self.scale_)

    def _with_leftovers(
        self, clean: Floats, repeated: NDArray[np.int64], parents: NDArray[np.int64], rng: np.random.Generator
    ) -> Floats:
        """Return spectra `clean` (n_sets, n_channels), as `repeated` (n_spectra,) says, each with leftovers.

        Within the directions, of the parent; outside them, of either sign and channel by channel of any training row
        that shows about as much there, for noise depends on that, most of all where hardly any light is left. A few
        leftovers repeated as they are would be patterns that a regressor learns to see through, as it never can noise.
        """
        inside, last = self.inside_[parents].T, len(self.levels_) - 1
        half = min(N_DONORS, last + 1) // 2
        signal = np.empty((len(repeated), clean.shape[1]))
        for start in range(0, clean.shape[1], _CHANNELS_AT_ONCE):
            block = slice(start, start + _CHANNELS_AT_ONCE)
            levels, outside, shown = (
                np.ascontiguousarray(rows[:, block].T) for rows in (self.levels_, self.outside_, clean)
            )
            added = self.directions_[block] @ inside
            for channel in range(len(added)):
                place = np.searchsorted(levels[channel].astype(np.float64), shown[channel])[repeated]
                place += rng.integers(-half, half + 1, size=len(place))
                # Folded back at both ends.
                place = np.maximum(last - np.abs(last - np.abs(place)), 0)
                sign = rng.integers(2, size=len(place)) * 2 - 1
                added[channel] += sign * outside[channel, place]
            signal[:, block] = (shown[:, repeated] + added * self.scale_[block, None]).T
        return signal

    def _sort_by_level(self, levels: Floats) -> None:
        """Put what is outside the directions (n_rows, n_channels) in the order of each channel's signal."""
        order = levels.argsort(axis=0)
        largest = np.finfo(np.float32).max  # beyond it they only have to stay in order
        self.levels_ = np.take_along_axis(levels, order, axis=0).clip(-largest, largest).astype(np.float32)
        self.outside_ = np.take_along_axis(self.outside_, order, axis=0)

    def _donors(self, inputs: Floats) -> NDArray[np.int64]:
        """Return the nearest training rows (n_sets, up to 10) in the scores of the physics; in the targets without."""
        from scipy.spatial import cKDTree

        n_targets = len(self.frame_.target_info)
        columns = slice(n_targets if inputs.shape[1] > n_targets else 0, None)
        n_donors = min(N_DONORS, len(self.inside_))
        _, found = cKDTree(self.donor_inputs_[:, columns]).query(inputs[:, columns], k=n_donors)
        return np.asarray(found).reshape(len(inputs), n_donors)


_OWN = (
    *("mean", "scale", "directions", "inside", "outside", "levels", "donor_inputs", "known_mean", "score_directions"),
    *("input_mean", "input_scale", "channels", "constant", "constant_at"),
)
"""Arrays of the state, by the names of their attributes."""


def _size(values: Floats) -> Floats:
    """Return the root mean square of every column."""
    return np.asarray(np.sqrt((values**2).mean(axis=0)))


def _length(arrays: Arrays, name: str, axis: int) -> int | None:
    """Return one side of a stored array; None where it is missing or has fewer, so that the check says so."""
    return arrays[name].shape[axis] if name in arrays and arrays[name].ndim > axis else None


def _part(state: Arrays, part: str) -> Arrays:
    return {name.removeprefix(f"{part}."): values for name, values in state.items() if name.startswith(f"{part}.")}

"""The parts of an experiment, one per repetition, fold and training size, and the work on one of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.choices import Choice
from spectra_core.contracts import SILENT, Memo, Reporter, random_stream
from spectra_core.errors import ConfigError
from spectra_core.evaluation.channels.noise import POINTS
from spectra_core.evaluation.errors.question import Question
from spectra_core.evaluation.latent.dependence import dependence_on_targets
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.experiment.fold import Fold
from spectra_core.experiment.recently_made import RecentlyMade
from spectra_core.experiment.simulated import fresh_test_set, fresh_training_set
from spectra_core.generators.base import LatentGenerator
from spectra_core.regressors.choice import regressor_label
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.latent import LatentPosterior
from spectra_core.splits import Split, k_fold
from spectra_core.training.devices import CPU, Device, trained_on

FRESH = 1_000_000
"""In the place of a repetition, for the random streams of fresh training sets."""


@dataclass(frozen=True, eq=False)
class Part:
    """One split: the fold that trains, and the test spectra that only `predicted` hands to a fitted model."""

    split: Split
    size: int
    fold: Fold
    test: SpectraSet

    @property
    def place(self) -> tuple[int, int, int]:
        """Repetition, fold and training size."""
        return self.split.repeat, self.split.fold, self.size

    def predicted_key(self, arm: Arm, choice: Choice) -> str:
        """Return the memo key of `predicted`."""
        content = {"arm": arm.content, "regressor": choice.to_json(), "test": self.test.fingerprint}
        return self.fold.key("prediction", content)

    def predicted(self, arm: Arm, choice: Choice, reporter: Reporter) -> NDArray[np.float64]:
        """Return the predictions (n_test, n_targets) of an arm and regressor, looked up or computed."""
        return self.fold.memo.arrays(
            self.predicted_key(arm, choice),
            lambda: {"predicted": self.fold.predict(arm, choice, self.test, reporter)},
        )["predicted"]

    def prediction_rows(self, arm: Arm, choice: Choice) -> pd.DataFrame:
        """Return this part of the table ``predictions``."""
        predicted = self.predicted(arm, choice, SILENT)
        n_test, n_targets = predicted.shape
        return pd.DataFrame(
            {
                "arm": arm.name,
                "regressor": regressor_label(choice),
                "target": np.repeat(self.test.target_names, n_test),
                "repeat": self.split.repeat,
                "fold": self.split.fold,
                "sample": np.tile(self.split.test, n_targets),
                "n_train": len(self.fold.train),
                "ratio": arm.ratio if arm.kind not in ("baseline", "ensemble") else 0.0,
                "reference": self.test.target_values.T.ravel(),
                "predicted": predicted.T.ravel(),
            }
        )

    def generator_row(self, choice: Choice) -> dict[str, Any]:
        """Return this part's row of the table ``generators``."""
        generator = self.fold.generator(choice, SILENT)
        row: dict[str, Any] = {
            "generator": choice.name,
            "options": str(dict(choice.options)),
            "repeat": self.split.repeat,
            "fold": self.split.fold,
            "n_train": len(self.fold.train),
            "n_trainings": self.fold.n_trainings(choice),
        }
        if hasattr(generator, "components_"):
            row |= {"n_components": int(generator.components_[0]), "share_left_out": float(generator.components_[1])}
        if isinstance(generator, LatentGenerator):
            posterior = generator.encode(self.fold.train)
            conditions = self.fold.train.targets if generator.needs_conditions else None
            residual = generator.decode(posterior.mean, conditions) - self.fold.train.signal
            row |= {
                "n_latent": posterior.n_latent,
                "active_units": int(posterior.active.sum()),
                "kl": float(posterior.kl_per_dimension.sum()),
                "reconstruction_rmse": float(np.sqrt(np.mean(residual**2))),
                "training_noise": _noise(self.fold),
                **_read_from_latent(posterior, self.fold.train),
            }
        return row


def _noise(fold: Fold) -> float:
    """Return the root mean square of the noise over channels, in the signal's unit; NaN for too few channels."""
    if fold.train.n_channels < POINTS:
        return float("nan")
    return float(np.sqrt(np.mean(fold.noise() ** 2)))


def _read_from_latent(posterior: LatentPosterior, train: SpectraSet) -> dict[str, float]:
    r2 = dependence_on_targets(posterior, train)["r2"]
    return {"r2_from_z_mean": float(r2.mean()), "r2_from_z_max": float(r2.max())}


def parts_of(experiment: Experiment, spectra: SpectraSet, memo: Memo) -> list[Part]:
    """Return every part of an experiment: repetitions, folds, training sizes."""
    fold_of = _folds(experiment, memo)
    if experiment.fresh_sets:
        test = fresh_test_set(spectra, experiment.n_fresh_test, experiment.seed)
        return [
            _fresh_part(experiment, spectra, (number, size), test, fold_of)
            for number in range(experiment.fresh_sets)
            for size in experiment.n_train
        ]
    splits = _splits(experiment, spectra)
    if 0 in experiment.n_train:
        for split in splits:
            if len(split.train) in experiment.n_train:
                raise ConfigError(
                    f"A training size of {len(split.train)} is the whole fold, which is asked for as well (0). "
                    "Leave one of them out."
                )
    return [_part(experiment, spectra, split, size, fold_of) for split in splits for size in experiment.n_train]


def _splits(experiment: Experiment, spectra: SpectraSet) -> list[Split]:
    return k_fold(spectra.groups, experiment.n_folds, seed=experiment.seed, n_repeats=experiment.n_repeats)


FoldOf = Callable[[SpectraSet, tuple[int, int, int]], Fold]
"""Makes the fold of training spectra at a place."""


def _folds(experiment: Experiment, memo: Memo) -> FoldOf:
    """Return what makes folds that share a memo and the spectra that arms added a moment ago."""
    device, made = trained_on(experiment.device), RecentlyMade()
    return lambda train, place: Fold(train, experiment.seed, place, memo, device, made)


def _part(experiment: Experiment, spectra: SpectraSet, split: Split, size: int, fold_of: FoldOf) -> Part:
    train = spectra.take(cut_down(split, size, experiment.seed))
    return Part(split, size, fold_of(train, (split.repeat, split.fold, size)), spectra.take(split.test))


def _fresh_part(
    experiment: Experiment, spectra: SpectraSet, place: tuple[int, int], test: SpectraSet, fold_of: FoldOf
) -> Part:
    """Return the part of an independent training set; `place` is its number, in place of the fold, and its size."""
    number, size = place
    train = fresh_training_set(spectra, size or len(spectra), experiment.seed, number)
    split = Split(np.arange(len(train)), np.arange(len(test)), fold=number)
    return Part(split, size, fold_of(train, (FRESH, number, size)), test)


def cut_down(split: Split, size: int, seed: int) -> NDArray[np.int64]:
    """Return `size` training rows chosen at random, all where `size` is 0; larger sets hold the smaller ones."""
    if size == 0:
        return split.train
    if size > len(split.train):
        raise ConfigError(
            f"A training size of {size} was asked for, but a training fold holds {len(split.train)} spectra. "
            "Choose smaller sizes, or 0 for the whole fold."
        )
    shuffled = random_stream(seed, "cut down", split.repeat, split.fold).permutation(split.train)
    return np.sort(shuffled[:size])


def task_of(kind: str, experiment: Experiment, arm: Arm, choice: Choice, part: Part) -> dict[str, Any]:
    """Return the work of one unit as JSON values: an experiment of one arm and one regressor, and which part of it."""
    # "auto" must not mean one device here and another where the work is done.
    device: Device = "cpu" if part.fold.device == CPU else "cuda"
    alone = replace(experiment, arms=(arm,), regressors=(choice,), device=device, data="", question=Question())
    return {"kind": kind, "experiment": json.loads(alone.to_json()), "place": list(part.place)}


def do_task(task: Mapping[str, Any], spectra: SpectraSet, memo: Memo, reporter: Reporter) -> None:
    """Do the work of one unit from JSON values and data alone; `memo` then holds what the unit's own work would give.

    Parameters
    ----------
    task
        `Unit.task`.
    spectra
        What `Workforce.work_through` was given.
    """
    experiment = Experiment.from_document(task["experiment"])
    arm, choice = experiment.arms[0], experiment.regressors[0]
    repeat, fold, size = task["place"]
    if experiment.fresh_sets:
        test = fresh_test_set(spectra, experiment.n_fresh_test, experiment.seed)
        part = _fresh_part(experiment, spectra, (fold, size), test, _folds(experiment, memo))
    else:
        split = next(one for one in _splits(experiment, spectra) if (one.repeat, one.fold) == (repeat, fold))
        part = _part(experiment, spectra, split, size, _folds(experiment, memo))
    if task["kind"] == "generator":
        assert arm.generator is not None
        part.fold.generator(arm.generator, reporter)
    else:
        part.predicted(arm, choice, reporter)

"""One training fold of an experiment: everything is fitted here, and the test rows are not in sight."""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core import __version__
from spectra_core.choices import Choice, build, build_if_chosen
from spectra_core.conditions import CONDITIONS
from spectra_core.contracts import Arrays, Budget, Memo, Reporter, derived_seed, random_stream
from spectra_core.evaluation.noise import with_noise
from spectra_core.experiment.design import Arm
from spectra_core.experiment.regressor_choice import build_regressor
from spectra_core.experiment.simulated import fresh_simulation, truly_measured
from spectra_core.generation import generate_spectra
from spectra_core.generators import GENERATORS
from spectra_core.generators.base import Generator
from spectra_core.labelling import LABELLINGS
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.base import Regressor
from spectra_core.samplers import SAMPLERS
from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS
from spectra_core.spectra import SpectraSet, stack


class OnceMemo:
    """A memo in front of another: two threads asking for one key at a time compute it once."""

    def __init__(self, behind: Memo) -> None:
        self._behind = behind
        self._kept: dict[str, Arrays] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def arrays(self, key: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return what is kept in memory or behind; else compute and keep it in both."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._kept:
                self._kept[key] = self._behind.arrays(key, compute)
            return self._kept[key]


@dataclass(frozen=True, eq=False)
class Fold:
    """The training part of one split.

    Parameters
    ----------
    train
        Training spectra; nothing else of the data is known here.
    seed
        Of the experiment.
    place
        Repetition, fold and training size: names the random streams of this fold.
    memo
        Where fitted models are looked up.
    """

    train: SpectraSet
    seed: int
    place: tuple[int, int, int]
    memo: Memo

    def seed_for(self, *key: str) -> int:
        """Return the seed of one piece of work of this fold."""
        return derived_seed(self.seed, *key, *self.place)

    def key(self, kind: str, content: Mapping[str, Any]) -> str:
        """Return the memo key of a result: content of the training set, place, method, version."""
        document = {
            "kind": kind,
            "train": self.train.fingerprint,
            "seed": self.seed,
            "place": self.place,
            "version": __version__,
            "content": dict(content),
        }
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

    def regressor_key(self, choice: Choice) -> str:
        """Return the memo key of a regressor trained on the training spectra as they are."""
        return self.key("regressor", {"regressor": choice.to_json()})

    def generator_key(self, choice: Choice) -> str:
        """Return the memo key of a generator trained on the training spectra."""
        return self.key("generator", {"generator": choice.to_json()})

    def shared_keys(self, arm: Arm, choice: Choice) -> tuple[str, ...]:
        """Return the memo keys of what `predict` uses and other arms may use too."""
        keys = [] if arm.generator is None else [self.generator_key(arm.generator)]
        if arm.teacher is not None:
            keys.append(self.regressor_key(arm.teacher))
        if arm.kind in ("baseline", "step_matched", "ensemble"):
            keys.append(self.regressor_key(choice))
        return tuple(dict.fromkeys(keys))

    def regressor(self, choice: Choice, reporter: Reporter) -> Regressor:
        """Return the regressor trained on the training spectra as they are."""
        regressor = build_regressor(choice)
        content = {"regressor": choice.to_json()}
        state = self.memo.arrays(
            self.regressor_key(choice),
            lambda: regressor.fit(
                self.train, seed=self.seed_for("regressor", json.dumps(content, sort_keys=True)), reporter=reporter
            ).to_arrays(),
        )
        return build_regressor(choice).from_arrays(state, self.train.frame)

    def generator(self, choice: Choice, reporter: Reporter) -> Generator:
        """Return the generator trained on the training spectra."""
        generator = build(GENERATORS, choice, "generator")
        content = {"generator": choice.to_json()}
        state = self.memo.arrays(
            self.generator_key(choice),
            lambda: generator.fit(
                self.train, seed=self.seed_for("generator", json.dumps(content, sort_keys=True)), reporter=reporter
            ).to_arrays(),
        )
        return build(GENERATORS, choice, "generator").from_arrays(state, self.train.frame)

    def training_set(self, arm: Arm, reporter: Reporter) -> SpectraSet:
        """Return what the regressors of `arm` are trained on."""
        if arm.kind in ("baseline", "step_matched", "ensemble"):
            return self.train
        n_added = max(1, round(arm.ratio * len(self.train)))
        if arm.kind == "duplicate_rows":
            return self.train.take(duplicated_rows(len(self.train), n_added, random_stream(self.seed, *self.place)))
        if arm.kind == "oracle":
            added = fresh_simulation(self.train, n_added, self.seed_for("oracle"))
        else:
            added = self._generated(arm, n_added, reporter)
        return stack([self.train, added], meta=self.train.meta)

    def _generated(self, arm: Arm, n_added: int, reporter: Reporter) -> SpectraSet:
        assert arm.generator is not None
        drawn = json.dumps(arm.drawn_content, sort_keys=True)
        made = generate_spectra(
            self.generator(arm.generator, reporter),
            self.train,
            n_added,
            sampler=build_if_chosen(SAMPLERS, arm.sampler, "sampler"),
            conditions=build_if_chosen(CONDITIONS, arm.conditions, "condition sampler"),
            latent_given=build_if_chosen(CONDITIONAL_SAMPLERS, arm.latent_given, "sampler given concentrations"),
            labelling=build_if_chosen(LABELLINGS, arm.labelling, "labelling"),
            teacher=None if arm.teacher is None else self.regressor(arm.teacher, reporter),
            seed=self.seed_for("generate", drawn),
        )
        if arm.true_spectra:
            made = truly_measured(made, self.train, self.seed_for("true spectra", drawn))
        if arm.give_noise_back:
            made = with_noise(made, self.train, random_stream(self.seed, "noise given back", drawn, *self.place))
        return made

    def predict(self, arm: Arm, choice: Choice, test: SpectraSet, reporter: Reporter) -> NDArray[np.float64]:
        """Train the regressor on the arm's set and predict `test`, whose targets are not looked at.

        Returns
        -------
        ndarray (n_test, n_targets)
        """
        regressor = build(REGRESSORS, choice, "regressor")
        if arm.kind == "baseline" or (arm.kind in ("step_matched", "ensemble") and not regressor.has_steps):
            return self.regressor(choice, reporter).predict(test).to_numpy()
        content = json.dumps([arm.content, choice.to_json()], sort_keys=True)
        train = self.training_set(arm, reporter)
        if arm.kind == "ensemble":
            members = [
                build_regressor(choice).fit(
                    train, seed=self.seed_for("ensemble", content, str(member)), reporter=reporter
                )
                for member in range(arm.n_members)
            ]
            together: NDArray[np.float64] = np.mean([one.predict(test).to_numpy() for one in members], axis=0)
            return together
        budget = self._step_matched_budget(arm, regressor) if arm.kind == "step_matched" else None
        fitted = build_regressor(choice).fit(
            train, budget=budget, seed=self.seed_for("arm", content), reporter=reporter
        )
        return fitted.predict(test).to_numpy()

    def _step_matched_budget(self, arm: Arm, regressor: Regressor) -> Budget:
        n_extended = len(self.train) + max(1, round(arm.ratio * len(self.train)))
        epochs, batch_size = regressor.epochs, regressor.batch_size  # type: ignore[attr-defined]
        return Budget(steps=Budget(epochs=epochs).total_steps(n_extended, batch_size))


def duplicated_rows(n_rows: int, n_added: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return every row once, then `n_added` more: whole copies first, the remainder without replacement.

    >>> sorted(np.bincount(duplicated_rows(4, 6, np.random.default_rng(0))).tolist())
    [2, 2, 3, 3]
    """
    whole, remainder = divmod(n_added, n_rows)
    rows = np.tile(np.arange(n_rows), 1 + whole)
    return np.concatenate([rows, np.sort(rng.choice(n_rows, remainder, replace=False))])

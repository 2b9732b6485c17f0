"""One training fold of an experiment: everything is fitted here, and the test rows are not in sight."""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from spectra_core import __version__
from spectra_core.choices import Choice, build, build_if_chosen
from spectra_core.conditions import CONDITIONS
from spectra_core.contracts import SILENT, Arrays, Budget, Memo, Reporter, derived_seed, random_stream
from spectra_core.errors import TrainingError
from spectra_core.evaluation.channels.noise import noise_level, with_noise
from spectra_core.experiment.design import Arm
from spectra_core.experiment.recently_made import RecentlyMade
from spectra_core.experiment.simulated import fresh_simulation, truly_measured
from spectra_core.generators import GENERATORS
from spectra_core.generators.base import Generator
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.base import FitTask, Regressor
from spectra_core.regressors.choice import build_regressor
from spectra_core.regressors.preprocessed import Preprocessed
from spectra_core.samplers import SAMPLERS
from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS
from spectra_core.sampling.generation import generate_spectra
from spectra_core.sampling.labelling import LABELLINGS
from spectra_core.spectra import SpectraSet, stack
from spectra_core.training.devices import CPU

Member = TypeVar("Member", Generator, Regressor)

MOST_TRAININGS = 3
"""One fold's training that diverges by bad luck must not end an experiment of hours; a hopeless one must."""
_TRAININGS = "n_trainings"


class OnceMemo:
    """A memo in front of another: two threads asking for one key at a time compute it once.

    Attributes
    ----------
    n_found
        How many results came from behind, where an earlier run had kept them.
    """

    def __init__(self, behind: Memo) -> None:
        self.n_found = 0
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
                n_computed = 0

                def computed() -> Arrays:
                    nonlocal n_computed
                    n_computed += 1
                    return compute()

                self._kept[key] = self._behind.arrays(key, computed)
                self.n_found += not n_computed
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
    device
        Torch's name of where networks are trained, from `training.devices.trained_on`.
    made
        Keeps what arms added for the next regressor.
    """

    train: SpectraSet
    seed: int
    place: tuple[int, int, int]
    memo: Memo
    device: str = CPU
    made: RecentlyMade = field(default_factory=RecentlyMade)

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
        if self.device != CPU:  # rounds differently
            document["device"] = self.device
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
        task = self.regressor_task(choice)
        state = self.memo.arrays(
            self.regressor_key(choice),
            lambda: self.new_regressor(choice).fit(task.train, seed=task.seed, reporter=reporter).to_arrays(),
        )
        return build_regressor(choice).from_arrays(state, self.train.frame)

    def regressor_task(self, choice: Choice) -> FitTask:
        """Return what `regressor` is fitted to."""
        content = json.dumps({"regressor": choice.to_json()}, sort_keys=True)
        return FitTask(self.train, self.seed_for("regressor", content), name=self.name)

    def generator(self, choice: Choice, reporter: Reporter) -> Generator:
        """Return the generator trained on the training spectra."""
        return build(GENERATORS, choice, "generator").from_arrays(
            {name: array for name, array in self._generator_state(choice, reporter).items() if name != _TRAININGS},
            self.train.frame,
        )

    def n_trainings(self, choice: Choice) -> int:
        """Return how often the generator was trained until a training did not diverge."""
        return int(self._generator_state(choice, SILENT).get(_TRAININGS, np.ones(1))[0])

    def _generator_state(self, choice: Choice, reporter: Reporter) -> Arrays:
        def trained() -> Arrays:
            for number in range(MOST_TRAININGS):
                try:
                    fitted = self.new_generator(choice).fit(
                        self.train, seed=self.generator_seed(choice, number), reporter=reporter
                    )
                except TrainingError as error:
                    if number == MOST_TRAININGS - 1:
                        raise
                    reporter.message(f"{error} It is trained once more, from another seed.")
                else:
                    return {**fitted.to_arrays(), **({_TRAININGS: np.array([number + 1])} if number else {})}
            raise AssertionError("The loop above returns or raises.")

        return self.memo.arrays(self.generator_key(choice), trained)

    def generator_seed(self, choice: Choice, number: int = 0) -> int:
        """Return the seed of `generator`, and of the trainings after a first one that diverged."""
        again = (str(number),) if number else ()
        return self.seed_for("generator", json.dumps({"generator": choice.to_json()}, sort_keys=True), *again)

    def new_regressor(self, choice: Choice) -> Regressor:
        """Make a regressor that trains where this fold does."""
        return self._here(build_regressor(choice))

    def new_generator(self, choice: Choice) -> Generator:
        """Make a generator that trains where this fold does."""
        return self._here(build(GENERATORS, choice, "generator"))

    def _here(self, member: Member) -> Member:
        network: Any = member.regressor if isinstance(member, Preprocessed) else member
        if self.device == CPU and hasattr(network, "device"):
            network.device = CPU  # else "auto", which has found the device of this fold
        return member

    @property
    def name(self) -> str:
        """What it is called where something fails in it."""
        repeat, fold, size = self.place
        return f"repetition {repeat + 1}, fold {fold + 1}" + (f", {size} spectra" if size else "")

    def noise(self) -> NDArray[np.float64]:
        """Return the noise of every channel of the training spectra, as `noise_level`, which see for its limits."""
        found = self.memo.arrays(self.key("noise", {}), lambda: {"noise": noise_level(self.train)})
        return np.asarray(found["noise"], dtype=np.float64)

    def training_set(self, arm: Arm, reporter: Reporter) -> SpectraSet:
        """Return what the regressors of `arm` are trained on."""
        if arm.kind in ("baseline", "step_matched", "ensemble"):
            return self.train
        n_added = max(1, round(arm.ratio * len(self.train)))
        if arm.kind == "duplicate_rows":
            return self.train.take(duplicated_rows(len(self.train), n_added, random_stream(self.seed, *self.place)))
        added = self.made.get(self.key("added spectra", arm.content), lambda: self._added(arm, n_added, reporter))
        return stack([self.train, added], meta=self.train.meta)

    def _added(self, arm: Arm, n_added: int, reporter: Reporter) -> SpectraSet:
        if arm.kind == "oracle":
            return fresh_simulation(self.train, n_added, self.seed_for("oracle"))
        return self._generated(arm, n_added, reporter)

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
        if self.is_plain(arm, choice):
            return self.regressor(choice, reporter).predict(test).to_numpy()
        fitted = [
            self.new_regressor(choice).fit(task.train, budget=task.budget, seed=task.seed, reporter=reporter)
            for task in self.fit_tasks(arm, choice, reporter)
        ]
        return mean_prediction(fitted, test)

    def is_plain(self, arm: Arm, choice: Choice) -> bool:
        """Whether `predict` uses the regressor trained on the training spectra as they are."""
        return arm.is_plain(REGRESSORS[choice.name].has_steps)

    def fit_tasks(self, arm: Arm, choice: Choice, reporter: Reporter) -> list[FitTask]:
        """Return the fits whose mean prediction `predict` returns, of an arm that is not plain."""
        arm = self.with_chosen(arm, choice, reporter)
        content = json.dumps([arm.content, choice.to_json()], sort_keys=True)
        train = self.training_set(arm, reporter)
        if arm.kind == "ensemble":
            seeds = [self.seed_for("ensemble", content, str(member)) for member in range(arm.n_members)]
            return [FitTask(train, seed, name=self.name) for seed in seeds]
        regressor = build(REGRESSORS, choice, "regressor")
        budget = self._step_matched_budget(arm, regressor) if arm.kind == "step_matched" else None
        return [FitTask(train, self.seed_for("arm", content), budget, f"{arm.name}, {self.name}")]

    def with_chosen(self, arm: Arm, choice: Choice, reporter: Reporter) -> Arm:
        """Return the arm with the nuisances that inner folds choose for a regressor, where it asks for that."""
        if not arm.choose_nuisances:
            return arm
        from spectra_core.experiment.nuisance_choice import choose_nuisances

        content = {"ratio": arm.ratio, "regressor": choice.to_json()}
        seed = self.seed_for("nuisances", json.dumps(content, sort_keys=True))

        def chosen() -> Arrays:
            found, _ = choose_nuisances(self.train, choice, ratio=arm.ratio, seed=seed, reporter=reporter)
            return {name: np.array(float(level)) for name, level in found.options.items()}

        levels = self.memo.arrays(self.key("nuisances", content), chosen)
        options = {name: float(level) for name, level in levels.items()}
        return replace(arm, generator=Choice("nuisances", options), choose_nuisances=False)

    def _step_matched_budget(self, arm: Arm, regressor: Regressor) -> Budget:
        n_extended = len(self.train) + max(1, round(arm.ratio * len(self.train)))
        epochs, batch_size = regressor.epochs, regressor.batch_size  # type: ignore[attr-defined]
        return Budget(steps=Budget(epochs=epochs).total_steps(n_extended, batch_size))


def mean_prediction(fitted: Sequence[Regressor], test: SpectraSet) -> NDArray[np.float64]:
    """Return the mean of what several regressors predict, (n_test, n_targets)."""
    together: NDArray[np.float64] = np.mean([one.predict(test).to_numpy() for one in fitted], axis=0)
    return together


def duplicated_rows(n_rows: int, n_added: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return every row once, then `n_added` more: whole copies first, the remainder without replacement.

    >>> sorted(np.bincount(duplicated_rows(4, 6, np.random.default_rng(0))).tolist())
    [2, 2, 3, 3]
    """
    whole, remainder = divmod(n_added, n_rows)
    rows = np.tile(np.arange(n_rows), 1 + whole)
    return np.concatenate([rows, np.sort(rng.choice(n_rows, remainder, replace=False))])

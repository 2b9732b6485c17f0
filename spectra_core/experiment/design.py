"""What an experiment is: a frozen value, JSON in and out, and nothing outside it may influence a result."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Annotated, Any, Literal, TypeVar

from spectra_core.choices import Choice, build
from spectra_core.conditions import CONDITIONS
from spectra_core.errors import ConfigError, json_fault
from spectra_core.evaluation.errors.question import Question
from spectra_core.generators import GENERATORS
from spectra_core.generators.base import DirectGenerator
from spectra_core.json_text import strict_value
from spectra_core.options import Range, Seed, require_options
from spectra_core.regressors.choice import build_regressor, regressor_from_json, regressor_label
from spectra_core.regressors.mlp_ensemble import Members
from spectra_core.samplers import SAMPLERS
from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS
from spectra_core.sampling.labelling import LABELLINGS
from spectra_core.training.devices import Device

Value = TypeVar("Value")
MAX_FOLDS = 1000
ArmKind = Literal["baseline", "step_matched", "duplicate_rows", "ensemble", "generated", "oracle"]


@dataclass(frozen=True)
class Arm:
    """One way of making a training set, whose errors are compared with the others'.

    Parameters
    ----------
    name
        What tables and figures call it; unique in an experiment.
    kind
        - "baseline": the training spectra as they are.
        - "step_matched": the same, trained for as many optimiser steps as an extended set of this `ratio`.
        - "duplicate_rows": every row repeated to the size of an extended set.
        - "ensemble": `n_members` regressors on the training spectra, averaged.
        - "generated": the training spectra and generated ones.
        - "oracle": the training spectra and new ones from the true simulator; simulated data only.
    ratio
        Added rows per training row.
    generator, sampler, conditions, latent_given, labelling
        Methods by registry name, for "generated" arms. A conditional generator takes `conditions` and
        either `latent_given` (latent points given the concentrations) or `sampler`.
    teacher
        Regressor that gives pseudo-labels; None where labels need none.
    n_members
        Regressors of an "ensemble".
    choose_nuisances
        Whether kind and level of nuisances are chosen on inner folds, for every regressor and training set by itself,
        in place of the generator's options; see `experiment.nuisance_choice`.
    give_noise_back
        Whether generated spectra get the noise added that they lack; see `evaluation.noise.with_noise`.
    true_spectra
        Whether the simulator measures at the labels of the generated spectra, in their place; simulated data only.
    beside, change
        For a counterfactual: the name of the observed arm, and what is changed; they decide no number.
    """

    name: str
    kind: ArmKind = "generated"
    ratio: Annotated[float, Range(1e-3, 20), "Added rows per training row"] = 1.0
    generator: Choice | None = None
    sampler: Choice | None = None
    conditions: Choice | None = None
    latent_given: Choice | None = None
    labelling: Choice | None = None
    teacher: Choice | None = None
    n_members: Members = 5
    choose_nuisances: bool = False
    give_noise_back: bool = False
    true_spectra: bool = False
    beside: str = ""
    change: str = ""

    def __post_init__(self) -> None:
        require_options(self, f"Arm {self.name!r:.60}")
        if not self.name.strip():
            raise ConfigError("Every arm needs a name.")
        object.__setattr__(self, "ratio", float(self.ratio))  # 1 and 1.0 must name the same streams
        if self.kind == "generated":
            self._check_methods()

    @property
    def adds_spectra(self) -> bool:
        """Whether spectra that nobody measured are added."""
        return self.kind in ("generated", "oracle")

    def is_plain(self, has_steps: bool) -> bool:
        """Whether it uses the regressor, with steps or without, as trained on the training spectra as they are."""
        return self.kind == "baseline" or (self.kind in ("step_matched", "ensemble") and not has_steps)

    def _check_methods(self) -> None:
        if self.generator is None:
            raise ConfigError(f"Arm {self.name!r} adds generated spectra, so it needs a generator.")
        generator = build(GENERATORS, self.generator, "generator")
        if self.choose_nuisances and self.generator.name != "nuisances":
            raise ConfigError(f"Arm {self.name!r} chooses nuisances, so its generator must be 'nuisances'.")
        for registry, choice, what in (
            (SAMPLERS, self.sampler, "sampler"),
            (CONDITIONS, self.conditions, "condition sampler"),
            (CONDITIONAL_SAMPLERS, self.latent_given, "sampler given concentrations"),
            (LABELLINGS, self.labelling, "labelling"),
        ):
            if choice is not None:
                build(registry, choice, what)
        if self.teacher is not None:
            build_regressor(self.teacher)
        if isinstance(generator, DirectGenerator):
            return
        if self.labelling is None:
            raise ConfigError(f"Arm {self.name!r} needs a labelling for its generated spectra.")
        if generator.needs_conditions and self.conditions is None:
            raise ConfigError(
                f"Arm {self.name!r} uses a conditional generator, so it needs a way of choosing concentrations."
            )
        if (self.sampler is None) == (self.latent_given is None or not generator.needs_conditions):
            raise ConfigError(
                f"Arm {self.name!r} needs exactly one way of choosing latent points: a sampler, "
                "or, for a conditional generator, a sampler given the concentrations."
            )
        if self.labelling.name == "spectral" and self.teacher is None:
            raise ConfigError(
                f"Arm {self.name!r} labels spectra by a regressor, so it needs a teacher. Name the regressor to use."
            )

    def to_json(self) -> dict[str, Any]:
        """Return the arm as JSON values; choices that are None, and what counterfactuals change, only where set."""
        document: dict[str, Any] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            if value is not None and value is not False and (value != "" or part.name == "name"):
                document[part.name] = value.to_json() if isinstance(value, Choice) else value
        return document

    @classmethod
    def from_json(cls, document: Any) -> "Arm":
        """Read an arm, refusing unknown fields."""
        values = _known_fields(cls, document, "An arm")
        for name in ("generator", "sampler", "conditions", "latent_given", "labelling"):
            if values.get(name) is not None:
                values[name] = Choice.from_json(values[name])
        if values.get("teacher") is not None:
            values["teacher"] = regressor_from_json(values["teacher"])
        return _made(cls, values, "An arm")

    @property
    def content(self) -> dict[str, Any]:
        """What decides the arm's result: all fields but those that name it."""
        return {key: value for key, value in self.to_json().items() if key not in ("name", "beside", "change")}

    @property
    def drawn_content(self) -> dict[str, Any]:
        """What decides which spectra are drawn; what is done to them afterwards does not."""
        return {key: value for key, value in self.content.items() if key not in ("give_noise_back", "true_spectra")}


@dataclass(frozen=True)
class Experiment:
    """Which arms are compared, by which regressors, on which splits.

    Parameters
    ----------
    arms
        Ways of making a training set; their names are unique.
    regressors
        Methods that are trained on each arm's set and predict the held-out spectra, each with or without
        preprocessing of the spectra (see `RegressorChoice`), which is fitted on that set, too.
    targets
        Which targets are predicted; None for all.
    n_folds, n_repeats
        Group-aware k-fold cross-validation, repeated.
    n_train
        Sizes the training folds are cut down to, for learning curves; 0 stands for the whole fold.
    fresh_sets, n_fresh_test
        For simulated sets, in place of folds: so many independent training sets from the same settings, each as large
        as the set (or `n_train`), tested on one set of `n_fresh_test` spectra. Runs are independent, so that the
        plain paired test holds. 0 for folds.
    seed
        Decides everything random.
    reference
        Kind of the arm that the others are compared with; where there are several, the one of the same ratio, else
        the first.
    question
        The comparisons that are declared, and the smallest effect of interest; what else is compared is looked at
        afterwards.
    device
        Where networks are trained: "auto" for an accelerator where torch sees one, else the processor; "cpu" or "cuda"
        insist on one. Random numbers do not depend on it, rounding does; the result names the device that was used.
    data
        Fingerprint of the set the experiment is for; empty until it is known.

    Examples
    --------
    >>> experiment = Experiment(arms=(Arm("Baseline", "baseline"),), regressors=(Choice("pls"),), seed=3)
    >>> Experiment.from_json(experiment.to_json()) == experiment
    True
    """

    arms: tuple[Arm, ...]
    regressors: tuple[Choice, ...] = (Choice("mlp"), Choice("pls"))
    targets: tuple[str, ...] | None = None
    n_folds: Annotated[int, Range(2, MAX_FOLDS)] = 8
    n_repeats: Annotated[int, Range(1, MAX_FOLDS), "Repetitions"] = 1
    n_train: Annotated[tuple[Annotated[int, Range(0, 10**9)], ...], Range(1, 1000)] = (0,)
    fresh_sets: Annotated[int, Range(0, 1000)] = 0
    n_fresh_test: Annotated[int, Range(2, 100_000)] = 1500
    seed: Seed = 0
    reference: ArmKind = "step_matched"
    question: Question = field(default_factory=Question)
    device: Device = "auto"
    data: str = ""

    def __post_init__(self) -> None:
        require_options(self, "Experiment")
        if not self.arms:
            raise ConfigError("An experiment needs at least one arm.")
        names = [arm.name for arm in self.arms]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ConfigError(f"Two arms share the name {repeated[0]!r}. Rename one of them.")
        if not self.regressors:
            raise ConfigError("An experiment needs at least one regressor.")
        for choice in self.regressors:
            build_regressor(choice)
        labels = [regressor_label(choice) for choice in self.regressors]
        if len(set(labels)) < len(labels):
            raise ConfigError(f"A regressor is named twice: {', '.join(labels)}. Name each once.")
        if len(set(self.n_train)) < len(self.n_train):
            raise ConfigError(f"A training size is named twice: {', '.join(map(str, self.n_train))}. Name each once.")
        kinds = [arm.kind for arm in self.arms]
        if len(self.arms) > 1 and self.reference not in kinds:
            raise ConfigError(
                f"The other arms are compared with an arm of kind {self.reference!r}, but there is none. "
                f"Add one, or set the reference to one of: {', '.join(sorted(set(kinds)))}."
            )
        self._check_device()
        self._check_question(labels)

    def _check_question(self, regressors: list[str]) -> None:
        known: dict[str, Sequence[Any]] = {
            "reference": [arm.name for arm in self.arms],
            "arms": [arm.name for arm in self.arms],
            "regressors": regressors,
        }
        if self.targets is not None:
            known["targets"] = self.targets
        for what, names in known.items():
            declared = getattr(self.question, what)
            missing = [one for one in ([declared] if isinstance(declared, str) else declared or ()) if one not in names]
            if missing:
                raise ConfigError(
                    f"The question names {missing[0]!r} among {what}, which the experiment lacks. "
                    f"There are: {', '.join(map(str, names))}."
                )

    def _check_device(self) -> None:
        for choice in (*self.regressors, *(one for arm in self.arms for one in (arm.generator, arm.teacher) if one)):
            if "device" in choice.options:
                raise ConfigError(
                    f"The device of {choice.name!r} is that of the whole experiment: set the experiment's field "
                    f'"device" to {choice.options["device"]!r} instead.'
                )

    def arm(self, name: str) -> Arm:
        """Return the arm of that name.

        Raises
        ------
        ConfigError
            When there is none; the names are listed.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise ConfigError(f"There is no arm {name!r}. The arms are: {'; '.join(arm.name for arm in self.arms)}.")

    @property
    def n_splits(self) -> int:
        """How many training sets of each size there are: folds of all repetitions, or fresh sets."""
        return self.fresh_sets or self.n_folds * self.n_repeats

    def references(self) -> dict[str, str]:
        """Return for every arm that is compared the name of its reference; empty where there is none."""
        found = [arm for arm in self.arms if arm.kind == self.reference]
        if not found:
            return {}
        own = {arm.ratio: arm.name for arm in reversed(found)}
        first = found[0].name
        return {
            arm.name: first if arm.kind in (self.reference, "baseline", "ensemble") else own.get(arm.ratio, first)
            for arm in self.arms
            if arm.name != first
        }

    def to_json(self) -> str:
        """Return the experiment as JSON text, the device only where one is insisted on; `from_json` is the inverse."""
        document = {part.name: getattr(self, part.name) for part in fields(self)}
        if self.device == "auto":
            del document["device"]
        if not self.fresh_sets:
            del document["fresh_sets"], document["n_fresh_test"]
        document["question"] = self.question.to_json()
        document["arms"] = [arm.to_json() for arm in self.arms]
        document["regressors"] = [choice.to_json() for choice in self.regressors]
        return json.dumps(document, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Experiment":
        """Read an experiment from JSON text.

        Raises
        ------
        ConfigError
            When the text is no JSON, or a field, a method or an option is unknown; the known ones are listed.
        """
        try:
            document = strict_value(text)
        except ValueError as error:
            raise ConfigError(f"The experiment {json_fault(error)}. Choose an experiment.json.") from error
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: Any) -> "Experiment":
        """Read an experiment from JSON values."""
        if isinstance(document, Mapping) and "rope" in document:  # as experiments were written before questions
            document = {**document, "question": {"smallest_effect": 100.0 * document["rope"]}}
            del document["rope"]
        values = _known_fields(cls, document, "An experiment")
        if "question" in values:
            values["question"] = Question.from_json(values["question"])
        for name, read in (("arms", Arm.from_json), ("regressors", regressor_from_json)):
            if name in values:
                if not isinstance(values[name], list):
                    raise ConfigError(f"{name!r} must be a list, got {values[name]!r:.100}.")
                values[name] = tuple(read(part) for part in values[name])
        return _made(cls, values, "An experiment")


def _made(cls: type[Value], values: dict[str, Any], what: str) -> Value:
    """Make the value; a field of a wrong kind (text for a number) is the writer's mistake, not a bug."""
    try:
        return cls(**values)
    except (TypeError, AttributeError) as error:
        raise ConfigError(
            f"{what} has a field of the wrong kind. Check that numbers are numbers and lists are lists."
        ) from error


def _known_fields(cls: type[Any], document: Any, what: str) -> dict[str, Any]:
    known = [part.name for part in fields(cls)]
    if not isinstance(document, Mapping):
        raise ConfigError(f"{what} is a JSON object, got {document!r:.100}.")
    unknown = sorted(set(document) - set(known))
    if unknown:
        raise ConfigError(f"{what} has no field {unknown[0]!r}. Its fields: {', '.join(known)}.")
    required = [part.name for part in fields(cls) if part.default is MISSING and part.default_factory is MISSING]
    missing = [name for name in required if name not in document]
    if missing:
        raise ConfigError(f"{what} needs the field {missing[0]!r}.")
    return dict(document)

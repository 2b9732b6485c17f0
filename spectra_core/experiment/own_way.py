"""How a generated set was made, as an arm of an experiment: the same methods, fitted anew in every fold."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from spectra_core.choices import SHORT_TITLES, Choice
from spectra_core.conditions import CONDITIONS
from spectra_core.errors import ConfigError
from spectra_core.experiment.design import Arm
from spectra_core.generators import GENERATORS
from spectra_core.generators.base import DirectGenerator
from spectra_core.regressors import REGRESSORS
from spectra_core.samplers import SAMPLERS
from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS
from spectra_core.sampling.labelling import LABELLINGS
from spectra_core.spectra import SpectraSet

_REGISTRIES: dict[str, Mapping[str, type[Any]]] = {
    "generator": GENERATORS,
    "sampler": SAMPLERS,
    "conditions": CONDITIONS,
    "latent_given": CONDITIONAL_SAMPLERS,
    "labelling": LABELLINGS,
    "teacher": REGRESSORS,
}
"""Where the methods of a generated set are found, by the name of their part in its provenance and in an arm."""
_OF_THE_MACHINE = ("kernels", "device")
"""Options that say where it was computed, not what."""
_LABELS = {
    "asked_for": "labels asked for",
    "latent": "labels read from latent points",
    "parents": "labels from the parents",
}


def own_way(generated: SpectraSet) -> Arm:
    """Return the arm that adds spectra made as those of a generated set were.

    The generator is fitted anew to the training spectra of every fold, so that no held-out spectrum was seen; the
    spectra of the set themselves are not used. Options that only say where it was computed are left to the experiment.

    Raises
    ------
    ConfigError
        When the set does not say how it was made, or in a way that cannot be repeated; the sentence says why.
    """
    name = f"“{generated.meta.name}”"
    provenance = generated.meta.provenance
    if generated.meta.origin != "generated" or "generator" not in provenance:
        raise ConfigError(
            f"{name} does not say which generator made it, so it cannot be compared in an experiment. "
            "Generate spectra on the page Sample, or choose a ready-made way."
        )
    methods = {part: _choice(part, provenance[part], name) for part in _REGISTRIES if part in provenance}
    if not issubclass(GENERATORS[methods["generator"].name], DirectGenerator) and "labelling" not in methods:
        raise ConfigError(
            f"{name} was made without labels, so nothing can be trained on it. Generate spectra with labels."
        )
    return Arm(f"Your generated way: {described(methods)}", **methods)  # type: ignore[arg-type]  # fields of Arm


def described(methods: Mapping[str, Choice]) -> str:
    """Say how spectra are made: generator, where new ones are drawn, who labels them.

    >>> described({"generator": Choice("vae"), "sampler": Choice("equalised"), "labelling": Choice("latent")})
    'VAE, equalised, labels read from latent points'
    """
    generator = methods["generator"].name
    said = [SHORT_TITLES.get(generator, GENERATORS[generator].title)]
    said += [
        str(_REGISTRIES[part][methods[part].name].title).lower()
        for part in ("conditions", "sampler", "latent_given")
        if part in methods
    ]
    if "labelling" in methods:
        teacher = methods.get("teacher")
        read = "" if teacher is None else f"labels read by {REGRESSORS[teacher.name].title}"
        said.append(_LABELS.get(methods["labelling"].name, read or "labels read from spectra"))
    return ", ".join(said)


def is_same_way(way: Arm, arm: Mapping[str, Any]) -> bool:
    """Whether an arm of an experiment, as JSON, makes spectra this way, whatever its ratio and mode of training."""
    for part in _REGISTRIES:
        mine, theirs = getattr(way, part), arm.get(part)
        if (mine is None) != (theirs is None):
            return False
        if mine is not None and theirs is not None:
            other = Choice.from_json({key: theirs[key] for key in ("name", "options") if key in theirs})
            if mine.name != other.name or any(other.options.get(key) != value for key, value in mine.options.items()):
                return False
    return True


def _choice(part: str, document: Any, name: str) -> Choice:
    by_class = {member.__name__: key for key, member in _REGISTRIES[part].items()}
    method = document.get("method") if isinstance(document, Mapping) else None
    if method not in by_class:
        raise ConfigError(
            f"{name} was made with a {part.replace('_', ' ')} that this version does not know ({method!s:.60}), so it "
            "cannot be repeated in an experiment. Generate spectra anew."
        )
    member = _REGISTRIES[part][by_class[method]]
    defaults = {field.name: field.default for field in fields(member)} if is_dataclass(member) else {}
    options = {
        key: value
        for key, value in document.items()
        if key not in ("method", *_OF_THE_MACHINE) and value != _listed(defaults.get(key))
    }
    return Choice(by_class[method], options)


def _listed(value: Any) -> Any:
    """Return a default as JSON has it."""
    return list(value) if isinstance(value, tuple) else value

"""A member of a registry by name, with its options: how experiments, jobs and files say which method to use."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, TypeVar

from spectra_core.errors import ConfigError

Member = TypeVar("Member")

SHORT_TITLES: dict[str, str] = {"vae": "VAE", "cvae": "cVAE", "pca": "PCA"}
"""What generators are called where there is little room; the others by their title."""


@dataclass(frozen=True)
class Choice:
    """A method by its name in a registry, with the options that differ from its defaults.

    Parameters
    ----------
    name
        Key of the registry.
    options
        Fields of the member, as JSON values.

    Examples
    --------
    >>> Choice("vae", {"beta": 0.1}).to_json() == {"name": "vae", "options": {"beta": 0.1}}
    True
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def to_json(self) -> dict[str, Any]:
        """Return the choice as JSON values."""
        return {"name": self.name, "options": dict(self.options)}

    @classmethod
    def from_json(cls, document: Any) -> "Choice":
        """Read a choice from ``"name"`` or ``{"name": ..., "options": {...}}``.

        Raises
        ------
        ConfigError
            When the document has another form.
        """
        if isinstance(document, str):
            return cls(document)
        if (
            not isinstance(document, Mapping)
            or not set(document) <= {"name", "options"}
            or not isinstance(document.get("name"), str)
            or not isinstance(document.get("options", {}), Mapping)
        ):
            raise ConfigError(f'A choice is a name, or {{"name": ..., "options": {{...}}}}; got {document!r:.200}.')
        return cls(document["name"], document.get("options", {}))


def build(registry: Mapping[str, type[Member]], choice: Choice, what: str) -> Member:
    """Make the member of `registry` that `choice` names.

    Parameters
    ----------
    registry
        Members by name; each is a dataclass.
    choice
        Name and options.
    what
        What the registry holds, for the error sentence: "generator".

    Raises
    ------
    ConfigError
        When the name or an option is unknown (the known ones are listed), or the member refuses a value.
    """
    if choice.name not in registry:
        raise ConfigError(f"Unknown {what} {choice.name!r:.80}. Known {what}s: {', '.join(sorted(registry))}.")
    member = registry[choice.name]
    known = [f.name for f in fields(member) if f.init]  # type: ignore[arg-type]  # members are dataclasses
    unknown = [name for name in choice.options if name not in known]
    if unknown:
        raise ConfigError(
            f"The {what} {choice.name!r} has no option {unknown[0]!r:.80}. Its options: {', '.join(known) or 'none'}."
        )
    return member(**choice.options)


def build_if_chosen(registry: Mapping[str, type[Member]], choice: Choice | None, what: str) -> Member | None:
    """Make the member that `choice` names, or return None where there is no choice."""
    return None if choice is None else build(registry, choice, what)


def checked_arguments(arguments: Mapping[str, Any], task: str, **known: Any) -> dict[str, Any]:
    """Return the arguments of a task with defaults filled in; `...` marks those without one.

    Raises
    ------
    ConfigError
        When an argument is not known, or one without a default is missing.
    """
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise ConfigError(f"The task {task!r} has no argument {unknown[0]!r}. It has: {', '.join(known)}.")
    missing = [name for name, default in known.items() if default is ... and name not in arguments]
    if missing:
        raise ConfigError(f"The task {task!r} needs the argument {missing[0]!r}.")
    return {**known, **arguments}

"""A regressor by name, and what is done to the spectra before it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spectra_core.choices import Choice, build
from spectra_core.errors import ConfigError, json_fault
from spectra_core.json_text import strict_value
from spectra_core.preprocessing import PREPROCESSINGS
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.base import Regressor
from spectra_core.regressors.preprocessed import Preprocessed


@dataclass(frozen=True)
class RegressorChoice(Choice):
    """A regressor that sees preprocessed spectra.

    Parameters
    ----------
    preprocessing
        Steps from `PREPROCESSINGS`, in the order they are done; all are fitted on training spectra only.

    Examples
    --------
    >>> regressor_label(RegressorChoice("pls", {}, (Choice("clip", {"level": 2.0}), Choice("snv"))))
    'pls after clip (level 2), snv'
    """

    preprocessing: tuple[Choice, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the choice as JSON values; without steps, the same as a plain choice."""
        steps = {"preprocessing": [step.to_json() for step in self.preprocessing]} if self.preprocessing else {}
        return {**super().to_json(), **steps}


def regressor_from_json(document: Any) -> Choice:
    """Read a regressor from a name, or from name, options and preprocessing.

    Raises
    ------
    ConfigError
        When the document has another form.
    """
    if not isinstance(document, Mapping) or not document.get("preprocessing"):
        plain = (
            {key: value for key, value in document.items() if key != "preprocessing"}
            if isinstance(document, Mapping)
            else document
        )
        return Choice.from_json(plain)
    steps = document["preprocessing"]
    if not isinstance(steps, list):
        raise ConfigError(f"The preprocessing of a regressor is a list of steps, got {steps!r:.100}.")
    plain_choice = Choice.from_json({key: value for key, value in document.items() if key != "preprocessing"})
    return RegressorChoice(plain_choice.name, plain_choice.options, tuple(Choice.from_json(step) for step in steps))


def regressor_from_text(text: str) -> Choice:
    """Read a regressor as a person writes it: a name, steps after a colon, or JSON where options are set.

    >>> regressor_from_text("pls:clip+snv").to_json()["preprocessing"][1]
    {'name': 'snv', 'options': {}}
    >>> regressor_from_text('{"name": "pls", "options": {"max_components": 4}}').options["max_components"]
    4

    Raises
    ------
    ConfigError
        When it is neither.
    """
    if text.startswith("{"):
        try:
            return regressor_from_json(strict_value(text))
        except ValueError as error:
            raise ConfigError(f"The regressor {text[:100]!r} {json_fault(error)}.") from error
    name, _, steps = text.partition(":")
    return with_steps(Choice(name), [Choice(step) for step in steps.split("+") if step])


def regressor_text(choice: Choice) -> str:
    """Return what `regressor_from_text` reads as this choice."""
    steps = steps_of(choice)
    if choice.options or any(step.options for step in steps):
        return json.dumps(choice.to_json())
    return choice.name + (":" + "+".join(step.name for step in steps) if steps else "")


def with_steps(choice: Choice, steps: Sequence[Choice]) -> Choice:
    """Return the regressor with these steps before it; without any, as it is."""
    return RegressorChoice(choice.name, choice.options, tuple(steps)) if steps else choice


def steps_of(choice: Choice) -> tuple[Choice, ...]:
    """Return what is done to the spectra before the regressor."""
    return choice.preprocessing if isinstance(choice, RegressorChoice) else ()


def build_regressor(choice: Choice) -> Regressor:
    """Make the regressor, with its preprocessing where there is any.

    Raises
    ------
    ConfigError
        When a name or an option is unknown, or refused.
    """
    regressor = build(REGRESSORS, choice, "regressor")
    steps = [build(PREPROCESSINGS, step, "preprocessing") for step in steps_of(choice)]
    return Preprocessed(regressor, steps) if steps else regressor


def regressor_label(choice: Choice) -> str:
    """Return what tables call the regressor: its name, and its preprocessing."""
    if not steps_of(choice):
        return choice.name
    return f"{choice.name} after {', '.join(map(_step_label, steps_of(choice)))}"


def regressor_title(choice: Choice) -> str:
    """Return what a person is shown: titles instead of names."""
    title = REGRESSORS[choice.name].title
    if not steps_of(choice):
        return title
    return f"{title} after {', '.join(_step_label(step, PREPROCESSINGS[step.name].title) for step in steps_of(choice))}"


def _step_label(step: Choice, title: str = "") -> str:
    options = ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in step.options.items()
    )
    return (title or step.name) + (f" ({options})" if options else "")

"""What was guessed and what must be asked: values that a page, the command line and a test can all show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Choice:
    """One possible answer: its words, and the decisions it adds to the recipe."""

    label: str
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Point:
    """One thing that was understood.

    Parameters
    ----------
    key
        Stable name.
    title, value, reason
        What, as what, and why, in words.
    choices
        What it could be instead.
    decided
        Whether a person said so; otherwise it is a guess.
    """

    key: str
    title: str
    value: str
    reason: str
    choices: tuple[Choice, ...] = ()
    decided: bool = False


@dataclass(frozen=True)
class Problem:
    """Something about the data a person should know, or must decide.

    Parameters
    ----------
    kind
        Stable name.
    text
        One sentence that names rows and channels.
    choices
        Ways to go on; a problem with choices that is `blocking` stops the import until one is taken.
    blocking
        Whether no set can be built before a decision.
    rows, channels
        Spectra and channels concerned, as indices into the import table.
    """

    kind: str
    text: str
    choices: tuple[Choice, ...] = ()
    blocking: bool = True
    rows: tuple[int, ...] = field(default=(), repr=False)
    channels: tuple[int, ...] = field(default=(), repr=False)


def choice(label: str, **changes: Any) -> Choice:
    """Make a choice from its words and decisions."""
    return Choice(label, changes)


def listed(items: list[str], limit: int = 5) -> str:
    """Name some items and count the rest.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    if len(items) <= limit:
        return ", ".join(items)
    return f"{', '.join(items[:limit])} and {len(items) - limit} more"

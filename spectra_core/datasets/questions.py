"""What was guessed and what must be asked: values that a page, the command line and a test can all show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spectra_core.errors import ReadError


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
    readings
        Whether each choice reads other spectra, so that the first of each are worth seeing side by side.
    asks
        What a person must give besides, where a choice alone cannot say it: "axis ends", or "limit of Cu".
    """

    kind: str
    text: str
    choices: tuple[Choice, ...] = ()
    blocking: bool = True
    rows: tuple[int, ...] = field(default=(), repr=False)
    channels: tuple[int, ...] = field(default=(), repr=False)
    readings: bool = False
    asks: tuple[str, ...] = ()


class UndecidedError(ReadError):
    """Files that were read but not understood; carries what a person can say of them.

    Parameters
    ----------
    text
        One sentence.
    points
        What the files were taken for, with what they could be instead.
    """

    def __init__(self, text: str, points: Sequence[Point] = ()) -> None:
        super().__init__(text)
        self.points = tuple(points)


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

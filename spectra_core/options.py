"""Options declared once: the annotation of a field gives its check, the sentence that refuses a value, and its widget.

>>> from typing import ClassVar
>>> @dataclass
... class Smooth(WithOptions):
...     title: ClassVar[str] = "Smoothing"
...     n_neighbours: Annotated[int, Range(1, 100), "Spectra averaged"] = 5
>>> Smooth(n_neighbours=0)
Traceback (most recent call last):
    ...
spectra_core.errors.ConfigError: Smoothing: Spectra averaged (n_neighbours) must be a whole number from 1 to 100, got 0.
"""

import math
import types
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np

from spectra_core.errors import ConfigError


@dataclass(frozen=True)
class Range:
    """Numbers that an option takes, both ends included; beside a tuple, how many entries it has.

    Parameters
    ----------
    least, most
        Finite ends.
    step
        Between the numbers that are taken, counted from `least`.
    """

    least: float
    most: float
    step: int | None = None

    def __contains__(self, number: float) -> bool:
        """Whether the option takes `number`; never NaN."""
        return self.least <= number <= self.most and (self.step is None or (number - self.least) % self.step == 0)

    def __str__(self) -> str:
        """Name the ends, and steps.

        >>> str(Range(0, 0.49)), str(Range(3, 999, step=2))
        ('from 0 to 0.49', 'from 3 to 999 in steps of 2')
        """
        ends = [f"{end:d}" if isinstance(end, int) else f"{end:g}" for end in (self.least, self.most)]
        return f"from {' to '.join(ends)}" + (f" in steps of {self.step}" if self.step else "")


MOST_SEED = 2**53 - 1
"""The largest whole number that every browser and every reader of JSON keeps exactly."""
Seed = Annotated[int, Range(0, MOST_SEED)]

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


@dataclass(frozen=True)
class Option:
    """What the annotation of a field declares.

    Parameters
    ----------
    name, label
        Of the field, and what a page calls it.
    kind
        bool, int, float, str or tuple; None for what is not checked.
    default
        ``MISSING`` where there is none.
    range
        Of a number, or of the number of entries of a tuple.
    values
        All that a Literal takes; empty for others.
    optional
        Whether None is taken, too.
    entry
        What every entry of a tuple is.
    """

    name: str
    label: str
    kind: type | None
    default: Any
    range: Range | None = None
    values: tuple[Any, ...] = ()
    optional: bool = False
    entry: "Option | None" = None

    def checked(self, value: Any, owner: str) -> Any:
        """Return `value`, numpy's scalars as Python's and lists as tuples.

        Raises
        ------
        ConfigError
            When it is of another kind or out of range; the sentence names owner, option, range and value.
        """
        plain = value.item() if isinstance(value, np.generic) else value
        if plain is None and self.optional:
            return None
        if isinstance(plain, list | tuple) and self.kind is tuple and (self.range is None or len(plain) in self.range):
            return tuple(self.entry.checked(one, owner) if self.entry else one for one in plain)
        if not self._takes(plain):
            called = self.name if self.label == plain_label(self.name) else f"{self.label} ({self.name})"
            comma = ";" if self.values else ","
            raise ConfigError(f"{owner}: {called} must be {self.expected}{comma} got {_shortly(plain)}.")
        return plain

    @property
    def expected(self) -> str:
        """What is taken, in words."""
        limits = f" {self.range}" if self.range is not None else ""
        if self.values:
            words = f"one of {', '.join(map(str, self.values))}"
        elif self.kind is tuple:
            each = f", each {self.entry.expected}" if self.entry is not None and self.entry.kind else ""
            words = f"a list of{limits.removeprefix(' from')} entries{each}" if limits else f"a list{each}"
        else:
            words = f"{_WORDS[self.kind]}{limits}" if self.kind in _WORDS else "set"
        return f"{words}, or none" if self.optional else words

    def _takes(self, value: Any) -> bool:
        if self.values:
            return isinstance(value, str) and value in self.values
        if self.kind in (int, float):
            number = isinstance(value, self.kind | int) and not isinstance(value, bool)
            return number and (value in self.range if self.range is not None else _is_finite(value))
        return self.kind is None or (isinstance(value, self.kind) and self.kind is not tuple)


class WithOptions:
    """A dataclass that takes only what its annotations declare."""

    def __post_init__(self) -> None:
        """Check every option; see `require_options`."""
        require_options(self)


def require_options(member: Any, owner: str | None = None) -> None:
    """Refuse options of a dataclass that its annotations do not allow.

    Parameters
    ----------
    owner
        What the sentence begins with; the title of the class by default.

    Raises
    ------
    ConfigError
        In one sentence.
    """
    kind = type(member)
    who = owner or str(getattr(kind, "title", kind.__name__))
    for option in options_of(kind).values():
        value = getattr(member, option.name)
        kept = option.checked(value, who)
        if kept is not value:
            object.__setattr__(member, option.name, kept)


def options_of(kind: Any) -> dict[str, Option]:
    """Return what the fields of a dataclass declare, by name; those that only `fit` sets are no options."""
    return _declared(kind)


@cache
def _declared(kind: Any) -> dict[str, Option]:
    return {one.name: option_of(one.name, one.type, _default_of(one)) for one in fields(kind) if one.init}


def option_of(name: str, annotation: Any, default: Any = MISSING) -> Option:
    """Return what an annotation declares.

    >>> option_of("seed", Seed | None).expected
    'a whole number from 0 to 9007199254740991, or none'
    """
    kind, notes, optional = annotation, [], False
    while True:
        if get_origin(kind) is Annotated:
            kind, *more = get_args(kind)
            notes += more
        elif get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind):
            (kind,) = (part for part in get_args(kind) if part is not type(None))
            optional = True
        else:
            break
    values: tuple[Any, ...] = ()
    entry = None
    if get_origin(kind) is Literal:
        values, kind = get_args(kind), str
    elif get_origin(kind) is tuple:
        entry, kind = option_of(name, get_args(kind)[0]), tuple
    label = next((note for note in notes if isinstance(note, str)), plain_label(name))
    limits = next((note for note in notes if isinstance(note, Range)), None)
    known = kind if kind in (*_WORDS, tuple) else None
    return Option(name, label, known, default, limits, values, optional, entry)


def plain_label(name: str) -> str:
    """Return what a page calls a field whose annotation names no label.

    >>> plain_label("batch_size"), plain_label("n_neighbours")
    ('Batch size', 'Neighbours')
    """
    return name.removeprefix("n_").replace("_", " ").capitalize()


def _default_of(one: "Field[Any]") -> Any:
    return one.default_factory() if one.default_factory is not MISSING else one.default


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number of hundreds of digits
        return False


def _shortly(value: Any) -> str:
    """Show a value; a number of thousands of digits by its size only."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a whole number of about {int(value.bit_length() * math.log10(2)) + 1} digits"
    return f"{value!r:.80}"

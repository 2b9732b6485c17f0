"""Checks that what was read from a file has the kinds of values it was written with: files come from other versions."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Record = TypeVar("Record")

MOST = 2**63 - 1
"""Whole numbers beyond are none of ours, and tables cannot hold them."""
MOST_COUNTED = 2**53
"""What is counted upwards stays far below, so that there is always a next number."""


def shaped(kind: type[Record], values: Mapping[str, Any]) -> Record:
    """Make a record of values that were read from JSON; fields that `kind` does not know are left out.

    Parameters
    ----------
    kind
        A dataclass whose annotations say what its fields hold; lists become tuples where it asks for them.

    Raises
    ------
    ValueError
        Naming the field that is missing or holds something else.
    """
    assert is_dataclass(kind)
    found = {}
    for field in fields(kind):
        if field.name in values:
            hint = _hints(kind)[field.name]
            value = values[field.name]
            if isinstance(value, list) and get_origin(hint) is tuple:
                value = tuple(value)
            counts = field.name.startswith("n_") and isinstance(value, int)
            if not fits(value, hint) or (counts and value < 0):
                raise ValueError(f"its field {field.name!r} holds {_said(value)}")
            found[field.name] = value
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"its field {field.name!r} is missing")
    return kind(**found)


def fits(value: Any, hint: Any) -> bool:
    """Tell whether a value is of an annotated kind; numbers must be finite, whole ones of a size that tables hold.

    >>> fits(["Cu"], list[str]), fits(True, int), fits(3, float | None), fits(float("inf"), float)
    (True, False, True, False)
    """
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in inner)
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin in (list, tuple):
        return isinstance(value, origin) and all(fits(one, inner[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(one, inner[1]) for one in value.values())
    if hint in (int, float):
        if type(value) is int:
            return abs(value) <= MOST
        return hint is float and isinstance(value, float) and math.isfinite(value)
    return isinstance(value, NoneType if hint is None else hint)


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _said(value: Any) -> str:
    return {NoneType: "nothing", dict: "a mapping", list: "a list", str: "a text", bool: "yes or no"}.get(
        type(value), "a number out of range" if isinstance(value, int | float) else type(value).__name__
    )

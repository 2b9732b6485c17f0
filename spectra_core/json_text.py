"""Text of JSON, read strictly: what could be meant in two ways, or breaks later, is refused where it is read."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

_MOST_DIGITS = 4000
"""Of a whole number. Python refuses more than 4300 in words of its own."""


def strict_json(text: bytes | str) -> dict[str, Any]:
    """Read a JSON object as `strict_value` reads a value, refusing NaN, and anything else at the top.

    Raises
    ------
    ValueError
        Saying what is wrong with the text.
    """
    document = strict_value(text, parse_constant=_no_constant)
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    return document


def strict_value(text: bytes | str, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Read a JSON value, refusing repeated keys, halves of characters, numbers and nesting without an end.

    NaN is a value here unless `parse_constant` says otherwise, so that whoever asks can say which entry holds it.

    Raises
    ------
    ValueError
        Saying what is wrong with the text.
    """
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        document = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=parse_constant, parse_int=_whole)
        require_text(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return document


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits, where at most {_MOST_DIGITS} are read")
    return int(digits)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        often = Counter(name for name, _ in pairs)
        twice = next(name for name, times in often.items() if times > 1)
        raise ValueError(f"the key {twice[:60]!r} occurs twice")
    return document


def require_text(text: str) -> None:
    """Refuse JSON with a lone surrogate: half a character, which no page can show and no file can hold."""
    if "\\ud" in text or "\\uD" in text:
        text = json.dumps(json.loads(text), ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("it holds text with half a character (a lone surrogate)") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")

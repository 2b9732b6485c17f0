"""Ordinates of JCAMP-DX in all forms: AFFN, PAC, SQZ, DIF, DUP (McDonald, Wilks, Appl. Spectrosc. 42, 1988)."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import ReadError

_SQUEEZED = {letter: str(digit) for digit, letter in enumerate("@ABCDEFGHI")}
_SQUEEZED |= {letter: f"-{digit}" for digit, letter in enumerate("abcdefghi", start=1)}
_DIFFERENCE = {letter: str(digit) for digit, letter in enumerate("%JKLMNOPQR")}
_DIFFERENCE |= {letter: f"-{digit}" for digit, letter in enumerate("jklmnopqr", start=1)}
_REPEAT = {letter: str(digit) for digit, letter in enumerate("STUVWXYZs", start=1)}
_PACKED = re.compile(r"[@A-DF-Za-df-s%]")
_TOKEN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)|[@A-Ia-i]\d*\.?\d*|[%J-Rj-r]\d*\.?\d*|[S-Zs]\d*|\?|[\s,;]+|(?P<odd>.)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?|\?|[\s,;]+|(?P<odd>.)")


@dataclass(frozen=True)
class LineStart:
    """Position at the start of a line of data: unscaled, one unit of its last digit, and how many values precede."""

    position: float
    digit: float
    index: int


def digit_of(text: str) -> float:
    """Return one unit of the last digit of a number as it is written.

    >>> digit_of("400"), digit_of("-1.25"), digit_of("4.09E-08")
    (1.0, 0.01, 1e-10)
    """
    plain, _, power = text.strip().upper().replace(",", ".").partition("E")
    return float(f"1e{int(power or 0) - len(plain.partition('.')[2])}")


def ordinates(lines: list[str], limit: int, name: str) -> tuple[NDArray[np.float64], list[LineStart]]:
    """Decode ``(X++(Y..Y))`` lines.

    Parameters
    ----------
    lines
        Each starts with the position of its first value.
    limit
        How many values are declared; more are refused before they fill the memory.
    name
        What to call the file in a message.

    Returns
    -------
    values, starts
        Values before scaling, "?" as NaN; and what stands at the start of each line.

    Raises
    ------
    ReadError
        When a line holds something else, or a check value of the difference form does not fit.
    """
    text = "".join(lines)
    packed = _PACKED.search(text) is not None
    values: list[float] = []
    starts: list[LineStart] = []
    check: float | None = None
    for number, line in enumerate(lines, 1):
        index = len(values)
        found, check = _line(
            line, check, values, packed=packed, limit=limit, where=f"line {number} of the data in {name}"
        )
        if found is not None:
            starts.append(LineStart(found[0], digit_of(found[1]), index))
    return np.array(values, dtype=np.float64), starts


def _line(
    line: str, check: float | None, values: list[float], *, packed: bool, limit: int, where: str
) -> tuple[tuple[float, str] | None, float | None]:
    start: tuple[float, str] | None = None
    first = True
    previous: tuple[str, float] = ("value", 0.0)
    for match in (_TOKEN if packed else _PLAIN).finditer(line):
        token = match.group()
        if match["odd"]:
            raise ReadError(f"In {where}, {token!r} is no value. Export the file again.")
        if not token.strip(" \t,;\r\n\f\v"):
            continue
        kind, number = _meaning(token, packed)
        if start is None:
            start = number, token if kind == "value" and token[-1:].isdigit() and token[0] not in _SQUEEZED else "0"
            continue
        if kind == "repeat":
            if first:
                raise ReadError(f"In {where}, a repeat stands before any value.")
            _repeat(values, previous, int(number) - 1, limit, where)
            continue
        value = values[-1] + number if kind == "difference" and values else number
        if first and check is not None:
            # After differences, the next line starts with the last value again, as a check.
            if kind == "value" and not (abs(value - check) <= 1e-6 * max(1.0, abs(check))):
                raise ReadError(
                    f"In {where}, the check value is {value:g} where {check:g} was expected: data are missing."
                )
            first, check = False, None
            previous = (kind, number)
            continue
        first = False
        values.append(value)
        previous = (kind, number)
        _require_room(values, limit, where)
    ends_in_difference = previous[0] == "difference" and start is not None and bool(values)
    return start, (values[-1] if ends_in_difference else None)


def _meaning(token: str, packed: bool) -> tuple[str, float]:
    if token == "?":  # noqa: S105 (a mark of the format)
        return "value", float("nan")
    head, rest = token[0], token[1:]
    if packed and head in _SQUEEZED:
        return "value", float(_SQUEEZED[head] + rest)
    if packed and head in _DIFFERENCE:
        return "difference", float(_DIFFERENCE[head] + rest)
    if packed and head in _REPEAT:
        return "repeat", float((_REPEAT[head] + rest)[:9])
    return "value", float(token)


def _repeat(values: list[float], previous: tuple[str, float], times: int, limit: int, where: str) -> None:
    if times < 0 or len(values) + times > limit + 1:
        raise ReadError(f"In {where}, a value is repeated {times + 1} times: more than the file declares.")
    kind, number = previous
    for _ in range(times):
        values.append(values[-1] + number if kind == "difference" else values[-1] if values else number)


def _require_room(values: list[float], limit: int, where: str) -> None:
    if len(values) > limit + 1:
        raise ReadError(f"In {where}, there are more values than the {limit} the file declares.")


def pairs(lines: list[str], name: str) -> NDArray[np.float64]:
    """Decode ``(XY..XY)`` lines into (n_points, 2), before scaling.

    Raises
    ------
    ReadError
        When a line holds something else, or half a pair.
    """
    numbers: list[float] = []
    for line in lines:
        if re.sub(_NUMBER, "", line).strip(" ,;\t") or re.search(r"\d\.\d*\.", line):
            raise ReadError(
                f"In the data of {name}, {line.strip()[:40]!r} is no pair of numbers. Export the file again."
            )
        numbers += [float(found) for found in _NUMBER.findall(line)]
    if len(numbers) % 2:
        raise ReadError(f"The pairs of numbers in {name} do not come out even: the file is cut off.")
    return np.array(numbers, dtype=np.float64).reshape(-1, 2)

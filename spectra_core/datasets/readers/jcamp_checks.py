"""What the header of a JCAMP-DX block says about its data, checked against them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.readers.jcamp_values import LineStart, digit_of
from spectra_core.errors import ReadError

_VALUE = re.compile(
    r"(?P<number>[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eEdD][+-]?\d{1,3})?)(?P<rest>\s+[A-Za-z%/(\[].*)?", re.DOTALL
)
_ROUNDING = 1e-6  # of writers that compute in single precision
Written = tuple[float, float]
"""A number of the header, and one unit of its last digit."""


@dataclass(frozen=True)
class Scale:
    """Ends, step and factors of a block; None where the header does not say.

    Parameters
    ----------
    comma
        Whether a number of the header has a decimal comma.
    """

    x_factor: float
    y_factor: float
    first: Written | None
    last: Written | None
    step: Written | None
    comma: bool

    def contradicted_ends(self, x: NDArray[np.float64]) -> bool:
        """Whether FIRSTX or LASTX lies elsewhere than the data do."""
        return any(
            said is not None and x.size > 0 and not _close(said, float(x[at]), self.x_factor)
            for said, at in ((self.first, 0), (self.last, -1))
        )


def scale_of(records: Mapping[str, str], name: str) -> Scale:
    """Return what the header says of the axis and of the factors.

    Raises
    ------
    ReadError
        When a record of numbers holds something else.
    """
    x_factor, y_factor = (written(records, label, name) or (1.0, 0.0) for label in ("XFACTOR", "YFACTOR"))
    if x_factor[0] == 0.0 or y_factor[0] == 0.0:
        raise ReadError(f"XFACTOR or YFACTOR of {name} is zero, which would make all its values zero. Export it again.")
    first, last, step = (written(records, label, name) for label in ("FIRSTX", "LASTX", "DELTAX"))
    comma = any("," in records.get(label, "") for label in ("XFACTOR", "YFACTOR", "FIRSTX", "LASTX", "DELTAX", "MAXY"))
    return Scale(x_factor[0], y_factor[0], first, last, step, comma)


def written(records: Mapping[str, str], label: str, name: str) -> Written | None:
    """Return a number of the header, with a decimal point or comma, and one unit of its last digit.

    Raises
    ------
    ReadError
        When the record holds no number.
    """
    text = records.get(label, "").strip()
    if not text:
        return None
    match = _VALUE.fullmatch(text)
    if match is None:
        raise ReadError(f"{label} of {name} is {text[:30]!r}, which is no number. Export the file again.")
    plain = match["number"].replace(",", ".").upper().replace("D", "E")
    return float(plain), digit_of(plain)


def require_line_starts(starts: Sequence[LineStart], scale: Scale, n_points: int, name: str) -> None:
    """Refuse data whose lines start elsewhere than FIRSTX, LASTX and NPOINTS say: a line is lost, or the axis turned.

    In the difference form a line repeats the last value of the one before it, so that it may start one point earlier.

    Raises
    ------
    ReadError
        Naming the first line that contradicts the header.
    """
    assert scale.first is not None
    assert scale.last is not None
    first, last = scale.first[0], scale.last[0]
    step = (last - first) / max(n_points - 1, 1)
    slack = _ROUNDING * max(abs(first), abs(last))
    worst: tuple[int, float] = (0, 0.0)
    for repeated in (1, 0):
        off = [
            start.position * scale.x_factor - first - step * (start.index - (repeated if start.index else 0))
            for start in starts
        ]
        digit = max((start.digit for start in starts), default=0.0) * abs(scale.x_factor)
        # Rounded or cut off alike in all lines, so what they are off lies within one unit of the last digit.
        spread = max(off, default=0.0) - min(off, default=0.0)
        worst = max(enumerate(off), key=lambda one: abs(one[1]), default=(0, 0.0))
        if spread <= digit + 0.25 * abs(step) + slack and abs(worst[1]) <= digit + 0.5 * abs(step) + slack:
            return
    number = worst[0] + 1
    found = starts[worst[0]].position * scale.x_factor
    expected = found - worst[1]
    raise ReadError(
        f"Line {number} of the data in {name} starts at {found:g}, where FIRSTX {first:g}, LASTX {last:g} and NPOINTS "
        f"{n_points:,} put {expected:g}: a line is lost or doubled, or the header is that of another axis. "
        "Export the file again."
    )


def doubts(
    records: Mapping[str, str],
    scale: Scale,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    even: bool,
    twice: Mapping[str, str],
    name: str,
) -> str:
    """Return a sentence on what the header says and the data deny, though they can be read; empty where all agrees."""
    said = [f"{label} is {records[label].strip()!r} first and {again!r} later" for label, again in twice.items()]
    if even and not records.get("YFACTOR", "").strip():
        said.append("YFACTOR, which data of this form need, is missing")
    if scale.contradicted_ends(x):
        said.append(f"its axis begins at {x[0]:g} and ends at {x[-1]:g}, but {_words(records, ('FIRSTX', 'LASTX'))}")
    if scale.step is not None and even and len(x) > 1:
        step = abs(x[-1] - x[0]) / (len(x) - 1)
        if abs(abs(scale.step[0]) - step) > scale.step[1] + 1.5 * step / len(x) + _ROUNDING * step:
            said.append(f"FIRSTX, LASTX and NPOINTS give steps of {step:g}, but {_words(records, ('DELTAX',))}")
    finite = y[np.isfinite(y)]
    found = {"FIRSTY": y[0], "MAXY": finite.max(), "MINY": finite.min()} if finite.size else {}
    for label, value in found.items():
        stated, at = written(records, label, name), float(value)
        if stated is None or np.isnan(at):
            continue
        # Many writers state the value as it stands in the data, before YFACTOR.
        if not (_close(stated, at, scale.y_factor) or _close(stated, at / scale.y_factor, 1.0)):
            said.append(f"{label} is {stated[0]:g} in the header and {at:g} in the data")
    return f"{name} contradicts itself: {'; '.join(said)}." if said else ""


def _close(said: Written, found: float, factor: float) -> bool:
    """Whether two numbers agree within their digits; data with a factor are whole numbers, which rounds them."""
    rounding = 0.0 if factor == 1.0 else 0.5 * abs(factor)
    return abs(said[0] - found) <= 0.99 * said[1] + rounding + 1e-4 * abs(found)


def _words(records: Mapping[str, str], labels: Sequence[str]) -> str:
    return " and ".join(f"{label} is {records[label].strip()}" for label in labels if records.get(label, "").strip())

"""Where the axes of a plotly figure lie, what they span, and which numbers stand at them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

LETTER = 7.2
"""Mean pixels of a letter at 12 pixels height."""
_PAD = 0.05
"""Room beyond the data, share of their span."""
_APART = {True: 90.0, False: 46.0}
"""Pixels between two numbers, across and up."""
_FEWEST = 3
"""Steps between numbers, at least about so many: one number alone tells no scale."""
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass
class Axis:
    """One axis in pixels of the picture.

    Parameters
    ----------
    start, end
        Pixels of its low and its high end.
    side
        Pixel, across it, at which its numbers stand.
    across
        Ends of its grid lines.
    low, high
        Values at its ends; logarithms on an axis of logarithms.
    categories
        Place of every name on an axis of names.
    """

    name: str
    is_x: bool
    start: float
    end: float
    side: float
    across: tuple[float, float]
    low: float
    high: float
    is_log: bool = False
    categories: dict[str, int] = field(default_factory=dict)
    ticks: list[tuple[float, str]] = field(default_factory=list)
    title: str = ""
    has_numbers: bool = True
    has_grid: bool = True
    on_top: bool = False

    def at(self, values: Iterable[Any] | None) -> NDArray[np.float64]:
        """Return the pixels of values or names; what is missing stays so."""
        listed = [] if values is None else list(values)
        if self.categories:
            numbers = np.array([float(self.categories.get(one, np.nan)) for one in map(str, listed)])
        else:
            numbers = np.array([np.nan if one is None else float(one) for one in listed], dtype=np.float64)
        if self.is_log:
            with np.errstate(divide="ignore", invalid="ignore"):
                numbers = np.log10(numbers)
        return self.start + (numbers - self.low) / (self.high - self.low) * (self.end - self.start)

    def line(self, place: float) -> str:
        """Return a grid line at a pixel."""
        first, last = self.across
        return f"M{place:.1f} {first:.1f}V{last:.1f}" if self.is_x else f"M{first:.1f} {place:.1f}H{last:.1f}"

    @property
    def longest(self) -> int:
        """Letters of the longest number that stands at it."""
        lines = [line for _, text in self.ticks for line in text.split("<br>")] if self.has_numbers else []
        return max((len(line.replace("<b>", "").replace("</b>", "")) for line in lines), default=0)


def with_room(figure: go.Figure) -> go.Figure:
    """Return a figure with its left margin as wide as the names there, where it asks for that."""
    longest = 0
    for name in figure.layout:
        part = figure.layout[name] if name.startswith("yaxis") else None
        if part is not None and part.automargin and part.ticktext is not None:
            lines = [line for text in part.ticktext for line in text.split("<br>")]
            longest = max(longest, *(len(line.replace("<b>", "").replace("</b>", "")) for line in lines))
    if not longest or LETTER * longest + 16 <= figure.layout.margin.l:
        return figure
    return go.Figure(figure).update_layout(margin_l=LETTER * longest + 16)


def axes_of(figure: go.Figure, width: int, height: int) -> dict[str, Axis]:
    """Return the axes of a figure by what traces call them ("x", "y2")."""
    margin = figure.layout.margin
    inner = (margin.l, width - margin.r), (height - margin.b, margin.t)
    parts = {_short(name): figure.layout[name] for name in figure.layout if name.startswith(("xaxis", "yaxis"))}
    for trace in figure.data:
        parts.setdefault(trace.xaxis or "x", figure.layout.xaxis)
        parts.setdefault(trace.yaxis or "y", figure.layout.yaxis)
    axes = {}
    for name, part in parts.items():
        is_x = name.startswith("x")
        start, end = _span(part, inner[0 if is_x else 1])
        other = parts.get(part.anchor if part.anchor not in (None, "free") else name.replace(*("xy" if is_x else "yx")))
        beside = _span(other, inner[1 if is_x else 0]) if other is not None else inner[1 if is_x else 0]
        on_top = part.side == "top"
        axis = Axis(name, is_x, start, end, beside[1 if on_top else 0], beside, 0.0, 1.0, on_top=on_top)
        alike = {name, *(own for own, one in parts.items() if part.matches == own or _matches(one, name, part))}
        _scale(axis, part, [trace for trace in figure.data if (trace[f"{name[0]}axis"] or name[0]) in alike])
        axis.ticks = _ticks(axis, part)
        axis.title = part.title.text or ""
        axis.has_numbers = part.showticklabels is not False
        axis.has_grid = part.showgrid is not False
        axes[name] = axis
    return axes


def _short(name: str) -> str:
    return name.replace("axis", "")


def _matches(one: Any, name: str, part: Any) -> bool:
    return one.matches is not None and one.matches in (name, part.matches)


def _span(part: Any, inner: tuple[float, float]) -> tuple[float, float]:
    low, high = part.domain or (0.0, 1.0)
    return inner[0] + low * (inner[1] - inner[0]), inner[0] + high * (inner[1] - inner[0])


def _scale(axis: Axis, part: Any, traces: list[Any]) -> None:
    """Find what an axis spans: as it says, else what its traces hold."""
    side = axis.name[0]
    held = [one for trace in traces for one in _held(trace, side) if one is not None]
    axis.is_log = part.type == "log"
    if any(isinstance(one, str) for one in held):
        names = [*(part.categoryarray if part.categoryarray is not None else ()), *map(str, held)]
        axis.categories = {name: number for number, name in enumerate(dict.fromkeys(map(str, names)))}
        axis.low, axis.high = -0.5, len(axis.categories) - 0.5
    elif part.range is not None:
        axis.low, axis.high = map(float, part.range)
    else:
        axis.low, axis.high = _reach(traces, side, is_log=axis.is_log, to_zero=part.rangemode == "tozero")
    if part.autorange == "reversed":
        axis.low, axis.high = axis.high, axis.low


def _held(trace: Any, side: str) -> Any:
    return () if trace[side] is None else trace[side]


def _reach(traces: list[Any], side: str, *, is_log: bool, to_zero: bool) -> tuple[float, float]:
    found = [np.array([0.0])] if to_zero else []
    for trace in traces:
        values = np.array([np.nan if one is None else one for one in _held(trace, side)], dtype=np.float64)
        bars = trace[f"error_{side}"] if trace.type.startswith("scatter") else None
        found.append(values)
        if bars is not None and bars.array is not None:
            above = np.asarray(bars.array, dtype=np.float64)
            below = above if bars.arrayminus is None else np.asarray(bars.arrayminus, dtype=np.float64)
            found += [values + above, values - below]
    numbers = np.concatenate([*found, np.empty(0)])
    if is_log:
        numbers = np.log10(numbers[numbers > 0])
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return 0.0, 1.0
    low, high = float(numbers.min()), float(numbers.max())
    room = _PAD * (high - low) or 0.5 * abs(high) or 0.5
    return (0.0 if to_zero and low >= 0 else low - room), high + room


def _ticks(axis: Axis, part: Any) -> list[tuple[float, str]]:
    """Return pixel and text of every number or name at an axis."""
    if part.tickvals is not None:
        texts = part.ticktext if part.ticktext is not None else [_said(one) for one in part.tickvals]
        return [(float(place), str(text)) for place, text in zip(axis.at(part.tickvals), texts, strict=False)]
    if axis.categories:
        return [(float(place), name) for place, name in zip(axis.at(axis.categories), axis.categories, strict=True)]
    low, high = sorted((axis.low, axis.high))
    if axis.is_log:
        values = _decades(low, high)
    else:
        most = max(2, int(abs(axis.end - axis.start) / _APART[axis.is_x]))
        values = _round_numbers(low, high, max(_FEWEST, min(most, part.nticks or most)))
    return [(float(axis.at([value])[0]), _said(value)) for value in values]


def _round_numbers(low: float, high: float, most: int) -> list[float]:
    """Return at most so many numbers at a step of 1, 2 or 5 times a power of ten.

    >>> _round_numbers(0.0, 1.0, 6)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = (high - low) / max(most, 1)
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def _decades(low: float, high: float) -> list[float]:
    """Return round numbers between two logarithms: powers of ten, and twice and five times them where there is room."""
    factors = (1, 2, 5) if high - low < 2 else (1,)
    powers = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    found = [factor * 10.0**power for power in powers for factor in factors]
    return [number for number in found if low - 1e-9 <= np.log10(number) <= high + 1e-9]


def number_text(value: float, n_digits: int = 6) -> str:
    """Write a number as a reader would, with at most so many significant digits.

    >>> number_text(-0.5), number_text(0.00002), number_text(3.0), number_text(1234.5, 3)
    ('−0.5', '2×10⁻⁵', '3', '1.23×10³')
    """
    mantissa, marked, power = f"{value:.{n_digits}g}".partition("e")
    text = mantissa
    if marked:
        text = (
            "" if mantissa == "1" else f"{mantissa}\N{MULTIPLICATION SIGN}"
        ) + f"10{str(int(power)).translate(_SUPERSCRIPT)}"
    return text.replace("-", "\N{MINUS SIGN}")


def _said(value: Any) -> str:
    return value if isinstance(value, str) else number_text(float(value))

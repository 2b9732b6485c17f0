"""A figure as a picture: plotly's lines, markers, bands and titles as SVG, without a browser and without scripts.

For pages that are printed and read offline. Drawn is what our figures are made of; anything else is refused, so that
no picture silently lacks a part.
"""

import re
from collections.abc import Iterable
from html import escape, unescape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from spectra_core.figures.svg_axis import LETTER, Axis, axes_of, with_room
from spectra_core.figures.theme import GREY, HEIGHT, alt_text

WIDTH = 900
"""Pixels; the picture scales to the width of its page."""
_INK = "#1D2730"
_DASHES = {
    "dot": "2 3",
    "dash": "8 5",
    "dashdot": "8 4 2 4",
    "longdash": "13 5",
    "longdashdot": "13 4 2 4",
}
_SYMBOLS = {
    "circle": "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z",
    "square": "M-.9-.9h1.8v1.8h-1.8z",
    "diamond": "M0-1.3L1.3 0L0 1.3L-1.3 0z",
    "triangle-up": "M0-1.1L1.1.8H-1.1z",
    "triangle-left": "M-1.1 0L.8-1.1V1.1z",
    "triangle-right": "M1.1 0L-.8-1.1V1.1z",
    "cross": "M-1-.35h.65v-.65h.7v.65h.65v.7h-.65v.65h-.7v-.65h-.65z",
    "x": "M-1-.6L-.6-1L0-.4L.6-1L1-.6L.4 0L1 .6L.6 1L0 .4L-.6 1L-1 .6L-.4 0z",
    "star": "M0-1.2L.35-.4L1.2-.35L.55.2L.75 1L0 .55L-.75 1L-.55.2L-1.2-.35L-.35-.4z",
    "line-ns": "M0-1.2V1.2",
}
_EDGE = 8
"""Pixels around a panel into which markers and bars may reach."""
_BREAK = re.compile("<br ?/?>")


def svg(figure: go.Figure, width: int = WIDTH) -> str:
    """Return a figure as one SVG element for a page of HTML; every text of it is escaped.

    Raises
    ------
    ValueError
        When it holds a kind of trace that is not drawn here.
    """
    height = int(figure.layout.height or HEIGHT)
    figure = with_room(figure)
    axes = axes_of(figure, width, height)
    parts = [_frame(axis) for axis in axes.values()]
    parts += [_shape(shape, axes, figure, width, height) for shape in figure.layout.shapes]
    below: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for trace in figure.data:
        across, up = axes[trace.xaxis or "x"], axes[trace.yaxis or "y"]
        if trace.type == "heatmap":
            parts.append(_cells(trace, across, up))
        elif trace.type == "bar" and trace.orientation == "h":
            beside = [one for one in figure.data if one.type == "bar"]
            parts.append(_beams(trace, across, up, beside.index(trace), len(beside)))
        elif trace.type in ("scatter", "scattergl"):
            parts.append(_scatter(trace, across, up, below))
        else:
            raise ValueError(f"A picture holds lines, markers, lying bars and tables of cells, not {trace.type!r}.")
    parts += [_annotation(one, axes, figure, width, height) for one in figure.layout.annotations]
    parts.append(_legend(figure, width))
    alt = escape(unescape(alt_text(figure)))
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{alt}" '
        f'font-family="sans-serif" font-size="12" fill="{_INK}"><title>{alt}</title>{"".join(parts)}</svg>'
    )


def _frame(axis: Axis) -> str:
    """Draw grid, numbers and title of an axis."""
    parts = []
    if axis.has_grid:
        lines = "".join(axis.line(place) for place, _ in axis.ticks)
        parts.append(f'<path d="{lines}" stroke="{GREY}" stroke-opacity=".25" fill="none"/>')
    if axis.has_numbers:
        for place, text in axis.ticks:
            more = len(_BREAK.split(text)) - 1
            if axis.is_x:
                parts.append(_text(text, place, axis.side + (-6 - 14 * more if axis.on_top else 16)))
            else:
                parts.append(_text(text, axis.side - 7, place + 4 - 7 * more, anchor="end"))
    if axis.title:
        middle = (axis.start + axis.end) / 2
        if axis.is_x:
            parts.append(_text(axis.title, middle, axis.side + (-44 if axis.on_top else 38), size=13))
        else:
            left = max(16.0, axis.side - 12 - LETTER * axis.longest - 16 * axis.title.count("<br>"))
            parts.append(
                f'<g transform="translate({left:.1f} {middle:.1f}) rotate(-90)">{_text(axis.title, 0, 0, size=13)}</g>'
            )
    return "".join(parts)


def _scatter(trace: Any, across: Axis, up: Axis, below: dict[str, Any]) -> str:
    x, y = across.at(trace.x), up.at(trace.y)
    parts = []
    mode = trace.mode or "lines"
    key = f"{across.name} {up.name}"
    if trace.fill == "tonexty" and key in below:
        back_x, back_y = below[key]
        outline = _path(np.concatenate([x, back_x[::-1]]), np.concatenate([y, back_y[::-1]]))
        parts.append(f'<path d="{outline}z" {_paint("fill", trace.fillcolor)}/>')
    elif trace.fill in ("tozeroy", "toself"):
        foot = float(up.at([0.0])[0])
        ends = ([x[-1], x[0]], [foot, foot]) if trace.fill == "tozeroy" else ([], [])
        outline = _path(np.concatenate([x, ends[0]]), np.concatenate([y, ends[1]]))
        parts.append(f'<path d="{outline}z" {_paint("fill", trace.fillcolor)}/>')
    below[key] = x, y
    if trace.opacity == 0:
        return ""
    for bars, own, along in ((trace.error_x, x, across), (trace.error_y, y, up)):
        if bars.array is not None:
            values = np.asarray(trace.x if along.is_x else trace.y, dtype=np.float64)
            lower = bars.array if bars.arrayminus is None else bars.arrayminus
            high, low = along.at(values + _numbers(bars.array)), along.at(values - _numbers(lower))
            parts.append(_bars(own, (low, high), y if along.is_x else x, bars, along=along, colour=_colour(trace)))
    if "lines" in mode:
        line = trace.line
        dash = _DASHES.get(line.dash or "")
        style = f' stroke-dasharray="{dash}"' if dash else ""
        colour = _paint("stroke", line.color or _colour(trace))
        width = 2 if line.width is None else line.width
        parts.append(f'<path d="{_path(x, y)}" fill="none" {colour} stroke-width="{width:g}"{style}/>')
    if "markers" in mode:
        parts += _markers(trace, x, y)
    return _clipped(parts, across, up) if parts else ""


def _clipped(parts: list[str], across: Axis, up: Axis) -> str:
    """Cut off what lies outside a panel, but for the markers at its edge."""
    left, right = sorted((across.start, across.end))
    top, bottom = sorted((up.start, up.end))
    box = f"{left - _EDGE:.0f} {top - _EDGE:.0f} {right - left + 2 * _EDGE:.0f} {bottom - top + 2 * _EDGE:.0f}"
    x, y, width, height = box.split()
    return f'<svg x="{x}" y="{y}" width="{width}" height="{height}" viewBox="{box}">{"".join(parts)}</svg>'


def _bars(
    own: NDArray[np.float64],
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
    beside: NDArray[np.float64],
    bars: Any,
    *,
    along: Axis,
    colour: str,
) -> str:
    cap = 3 if bars.width is None else bars.width
    strokes = []
    for low, high, at, here in zip(*ends, beside, own, strict=True):
        if not np.isfinite([low, high, at, here]).all():
            continue
        if along.is_x:
            strokes.append(f"M{low:.1f} {at:.1f}H{high:.1f}")
            strokes += [f"M{end:.1f} {at - cap:.1f}v{2 * cap}" for end in (low, high)]
        else:
            strokes.append(f"M{at:.1f} {low:.1f}V{high:.1f}")
            strokes += [f"M{at - cap:.1f} {end:.1f}h{2 * cap}" for end in (low, high)]
    width = bars.thickness or 1.5
    return f'<path d="{"".join(strokes)}" {_paint("stroke", bars.color or colour)} stroke-width="{width:g}"/>'


def _markers(trace: Any, x: NDArray[np.float64], y: NDArray[np.float64]) -> list[str]:
    marker = trace.marker
    shown = np.isfinite(x) & np.isfinite(y)
    colours, symbols, sizes = (
        _each(value, len(x)) for value in (marker.color or _colour(trace), marker.symbol or "circle", marker.size or 6)
    )
    opacity = "" if marker.opacity is None else f' opacity="{marker.opacity:g}"'
    return [
        f'<g transform="translate({x[i]:.1f} {y[i]:.1f})"{opacity}>{_symbol(symbols[i], colours[i], sizes[i])}</g>'
        for i in np.flatnonzero(shown)
    ]


def _symbol(name: str, colour: str, size: float) -> str:
    shape = _SYMBOLS.get(name.removesuffix("-open"), _SYMBOLS["circle"])
    half = size / 2
    if name.endswith("-open") or name.startswith("line"):
        paint = f'fill="none" {_paint("stroke", colour)} stroke-width="{1.6 / half:.2f}"'
    else:
        paint = _paint("fill", colour)
    return f'<path transform="scale({half:g})" d="{shape}" {paint}/>'


def _beams(trace: Any, across: Axis, up: Axis, number: int, n_beside: int) -> str:
    """Draw lying bars: the `number`-th of so many beside each other at every name."""
    ends, middles, foot = across.at(trace.x), up.at(trace.y), float(across.at([0.0])[0])
    slot = 0.8 * abs(up.end - up.start) / max(len(up.categories), 1)
    high = slot / n_beside
    paint = _paint("fill", trace.marker.color)
    return "".join(
        f'<rect x="{min(foot, end):.1f}" y="{middle - slot / 2 + number * high:.1f}" width="{abs(end - foot):.1f}" '
        f'height="{0.9 * high:.1f}" {paint}/>'
        for end, middle in zip(ends, middles, strict=True)
    )


def _cells(trace: Any, across: Axis, up: Axis) -> str:
    """Draw a table of coloured cells with a word in each."""
    x, y, z = across.at(trace.x), up.at(trace.y), np.asarray(trace.z, dtype=np.float64)
    wide, high = (abs(axis.end - axis.start) / len(own) - 2 for axis, own in ((across, x), (up, y)))
    low, top = float(trace.zmin), float(trace.zmax)
    parts = []
    for row, at_y in enumerate(y):
        for column, at_x in enumerate(x):
            share = (z[row, column] - low) / (top - low)
            colour = min(trace.colorscale, key=lambda stop: abs(stop[0] - share))[1]  # cells take steps of the scale
            parts.append(
                f'<rect x="{at_x - wide / 2:.1f}" y="{at_y - high / 2:.1f}" width="{wide:.1f}" height="{high:.1f}" '
                f"{_paint('fill', colour)}/>"
            )
            if trace.text is not None:
                ink = _INK if share == 0 else "#FFFFFF"
                parts.append(f'<g fill="{ink}">{_text(str(trace.text[row][column]), at_x, at_y + 4)}</g>')
    return "".join(parts)


def _shape(shape: Any, axes: dict[str, Axis], figure: go.Figure, width: int, height: int) -> str:
    wide, tall = _papers(figure, width, height)
    x0, x1 = (_place(value, shape.xref, axes, wide) for value in (shape.x0, shape.x1))
    y0, y1 = (_place(value, shape.yref, axes, tall) for value in (shape.y0, shape.y1))
    line = shape.line
    thick = 2 if line.width is None else line.width
    dash = _DASHES.get(line.dash or "")
    stroke = f'{_paint("stroke", line.color or GREY)} stroke-width="{thick:g}"' if thick else 'stroke="none"'
    stroke += f' stroke-dasharray="{dash}"' if dash else ""
    if shape.type == "line":
        return f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" {stroke}/>'
    paint = _paint("fill", shape.fillcolor) if shape.fillcolor else 'fill="none"'
    return (
        f'<rect x="{min(x0, x1):.1f}" y="{min(y0, y1):.1f}" width="{abs(x1 - x0):.1f}" height="{abs(y1 - y0):.1f}" '
        f"{paint} {stroke}/>"
    )


def _place(value: Any, ref: str | None, axes: dict[str, Axis], paper: tuple[float, float]) -> float:
    """Return the pixel of a place that is told on an axis, as a share of one, or of the whole (`paper`: its ends)."""
    name, _, domain = (ref or "paper").partition(" ")
    if name == "paper":
        return paper[0] + float(value) * (paper[1] - paper[0])
    axis = axes[name]
    return axis.start + float(value) * (axis.end - axis.start) if domain else float(axis.at([value])[0])


def _papers(figure: go.Figure, width: int, height: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the pixels of the left and right, and of the lower and upper end of what all panels fill."""
    margin = figure.layout.margin
    return (margin.l, width - margin.r), (height - margin.b, margin.t)


def _annotation(one: Any, axes: dict[str, Axis], figure: go.Figure, width: int, height: int) -> str:
    wide, tall = _papers(figure, width, height)
    x, y = _place(one.x, one.xref, axes, wide), _place(one.y, one.yref, axes, tall)
    anchor = {"left": "start", "right": "end"}.get(one.xanchor or "center", "middle")
    lines = len(_BREAK.split(one.text or ""))
    first = y + (14 if one.yanchor == "top" else -5 - 15 * (lines - 1))
    return _text(one.text or "", x + (one.xshift or 0), first - (one.yshift or 0), size=13, anchor=anchor)


def _legend(figure: go.Figure, width: int) -> str:
    """Draw the legend as rows above the panels."""
    named = [trace for trace in figure.data if trace.name and trace.showlegend is not False]
    if not named or (len(named) == 1 and named[0].showlegend is None) or figure.layout.showlegend is False:
        return ""
    rows: list[list[Any]] = [[]]
    left = 12.0
    for trace in named:
        long = 34 + LETTER * len(unescape(trace.name))
        if left + long > width and rows[-1]:
            rows.append([])
            left = 12.0
        rows[-1].append((left, trace))
        left += long + 14
    parts = []
    for number, row in enumerate(rows):
        y = 14 + 18 * number
        for left, trace in row:
            mode = "bars" if trace.type == "bar" else trace.mode or "lines"
            if mode == "bars":
                paint = _paint("fill", trace.marker.color)
                parts.append(f'<rect x="{left:.0f}" y="{y - 6}" width="24" height="11" {paint}/>')
            if "lines" in mode:
                dash = _DASHES.get(trace.line.dash or "")
                style = f' stroke-dasharray="{dash}"' if dash else ""
                colour = _paint("stroke", trace.line.color or _colour(trace))
                parts.append(f'<path d="M{left:.0f} {y}h24" {colour} stroke-width="2"{style}/>')
            if "markers" in mode:
                mark = trace.marker
                symbol, colour = _each(mark.symbol or "circle", 1)[0], _each(mark.color or _colour(trace), 1)[0]
                parts.append(f'<g transform="translate({left + 12:.0f} {y})">{_symbol(symbol, colour, 9)}</g>')
            parts.append(_text(trace.name, left + 30, y + 4, anchor="start"))
    return "".join(parts)


def _text(text: str, x: float, y: float, *, size: int = 12, anchor: str = "middle") -> str:
    """Write text as plotly reads it: <br> and <b> are markup, everything else is shown letter by letter."""
    bold = ' font-weight="600"' if text.startswith("<b>") else ""
    lines = [escape(unescape(re.sub("</?b>", "", line))) for line in _BREAK.split(text)]
    spans = "".join(
        f'<tspan x="{x:.1f}" dy="{0 if number == 0 else 1.2 * size:g}">{line}</tspan>'
        for number, line in enumerate(lines)
    )
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{bold}>{spans}</text>'


def _path(x: Iterable[float], y: Iterable[float]) -> str:
    """Return a line through points; it is interrupted where one is missing."""
    parts, begun = [], False
    for across, up in zip(x, y, strict=True):
        if not (np.isfinite(across) and np.isfinite(up)):
            begun = False
            continue
        parts.append(f"{'L' if begun else 'M'}{across:.1f} {up:.1f}")
        begun = True
    return "".join(parts)


def _paint(what: str, colour: Any) -> str:
    """Return a colour as attributes: older readers of SVG know no rgba()."""
    match = re.fullmatch(r"rgba\((\d+), ?(\d+), ?(\d+), ?([\d.]+)\)", str(colour or "none"))
    if match:
        return f'{what}="rgb({match[1]},{match[2]},{match[3]})" {what}-opacity="{match[4]}"'
    return f'{what}="{escape(str(colour or "none"))}"'


def _colour(trace: Any) -> str:
    return str(trace.line.color or (trace.marker.color if isinstance(trace.marker.color, str) else None) or _INK)


def _each(value: Any, n: int) -> list[Any]:
    return list(value) if isinstance(value, tuple | list | np.ndarray) else [value] * n


def _numbers(values: Any) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)

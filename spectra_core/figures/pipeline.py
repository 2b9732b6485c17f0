"""The pipeline as a diagram whose boxes fill as steps are done."""

from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape

from spectra_core.figures.theme import BLUE, GREY

StepState = Literal["waiting", "ready", "done"]

_BOX, _GAP, _HEIGHT, _MARGIN = 168, 36, 92, 2
_TEXT = {"light": "#1D2730", "dark": "#E4E8EC"}
_FAINT = {"light": "#5B6873", "dark": "#9AA6B1"}
"""Text on the page, and text that stands back; both at 4.5:1 or more from the page (WCAG 2.1, 1.4.3)."""


@dataclass(frozen=True)
class Step:
    """One box of the diagram.

    Parameters
    ----------
    title
        What the step gives: "Generator".
    detail
        What is in hand, or what is missing; one short line.
    state
        "done" fills the box, "ready" outlines it in the accent, "waiting" in grey.
    """

    title: str
    detail: str
    state: StepState


def pipeline_diagram(steps: list[Step], *, theme: Literal["light", "dark"] = "light") -> str:
    """Return the diagram as an SVG image, boxes from left to right with arrows between them.

    Parameters
    ----------
    theme
        Of the page, for the text outside filled boxes.
    """
    width = len(steps) * _BOX + (len(steps) - 1) * _GAP + 2 * _MARGIN
    parts = [_step(step, _MARGIN + number * (_BOX + _GAP), theme) for number, step in enumerate(steps)]
    arrows = [
        _arrow(_MARGIN + number * (_BOX + _GAP) - _GAP, step.state != "waiting")
        for number, step in enumerate(steps)
        if number
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT + 2 * _MARGIN}" '
        f'font-family="sans-serif">{"".join(arrows + parts)}</svg>'
    )


def pipeline_text(steps: list[Step]) -> str:
    """Return what a person who cannot see the diagram should know."""
    return "; ".join(
        f"{number}. {step.title}: {step.state}, {step.detail}" for number, step in enumerate(steps, start=1)
    )


def _step(step: Step, left: int, theme: str) -> str:
    done = step.state == "done"
    fill, edge = (BLUE, BLUE) if done else ("none", BLUE if step.state == "ready" else GREY)
    dash = ' stroke-dasharray="5 4"' if step.state == "waiting" else ""
    title, detail = ("#FFFFFF", "#FFFFFF") if done else (_TEXT[theme], _FAINT[theme])
    tick = (
        f'<path d="M{left + _BOX - 30} 62l5 5 9-11" fill="none" stroke="#FFFFFF" stroke-width="2.5"/>' if done else ""
    )
    return (
        f'<rect x="{left}" y="{_MARGIN}" width="{_BOX}" height="{_HEIGHT}" rx="8" fill="{fill}" stroke="{edge}" '
        f'stroke-width="2"{dash}/>'
        f'<text x="{left + 14}" y="36" font-size="17" font-weight="600" fill="{title}">{escape(step.title)}</text>'
        f'<text x="{left + 14}" y="66" font-size="13.5" fill="{detail}">{escape(_shortened(step.detail))}</text>'
        + (tick if done else "")
    )


def _arrow(left: int, open_: bool) -> str:
    colour, middle = (BLUE if open_ else GREY), _MARGIN + _HEIGHT // 2
    tip = left + _GAP - 7
    return f'<path d="M{left + 7} {middle}H{tip}m-6 -5.5l6 5.5l-6 5.5" fill="none" stroke="{colour}" stroke-width="2"/>'


def _shortened(text: str, length: int = 18) -> str:
    """Cut text that does not fit its box.

    >>> _shortened("Carbon dots with copper and nickel")
    'Carbon dots with…'
    """
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"

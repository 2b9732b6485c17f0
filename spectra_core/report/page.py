"""A report as one HTML file: text, tables, pictures, listings; nothing in it is fetched, run, or read as markup."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from spectra_core.figures.names import typeset
from spectra_core.figures.svg_axis import number_text
from spectra_core.shares import digits_below_one

MOST_BYTES = 5_000_000
"""A report is sent by mail: what would make it larger is left out and named."""


@dataclass(frozen=True)
class Table:
    """Rows of text under headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A figure as SVG, and how it is read.

    Parameters
    ----------
    svg
        From `figures.svg`, which escapes its texts: the one part of a report that is markup.
    """

    svg: str
    title: str
    how_to_read: str


@dataclass(frozen=True)
class Listing:
    """Text in letters of equal width, such as commands; a long one is folded under its title."""

    text: str
    title: str = ""


Part = str | Table | Picture | Listing


@dataclass(frozen=True)
class Section:
    """One question and its answer."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Report:
    """A report before it is laid out."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]


def facts(values: Mapping[str, Any]) -> Table:
    """Lay out facts, each with its name; those that are not known say so."""
    rows = [(name, "not recorded" if value in (None, "") else str(value)) for name, value in values.items()]
    return Table(("", ""), tuple(rows))


def table_of(frame: pd.DataFrame, headings: Mapping[str, str]) -> Table:
    """Lay out columns of a table, numbers with three digits.

    Parameters
    ----------
    headings
        Column by column, what stands above it.
    """
    columns = [[_cell(value) for value in frame[name]] for name in headings]
    return Table(tuple(headings.values()), tuple(zip(*columns, strict=True)))


def as_html(report: Report) -> str:
    """Lay a report out as one HTML page that needs nothing else, opens offline and prints.

    Pictures that would make it larger than `MOST_BYTES` are left out, and the page says which.
    """
    body, size = [], 0
    for section in report.sections:
        body.append(f"<section><h2>{escape(section.title)}</h2>")
        for part in section.parts:
            text = _laid_out(part)
            size += len(text.encode())
            if size > MOST_BYTES - 100_000 and isinstance(part, Picture):
                size -= len(text.encode())
                text = f"<p>The figure “{escape(part.title)}” is left out: it would make this file too large.</p>"
            body.append(text)
        body.append("</section>")
    contents = "".join(f"<li>{escape(section.title)}</li>" for section in report.sections)
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        # Whatever a name in it might be taken for, the page may fetch and run nothing.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head>"
        f"<body><header><h1>{escape(report.title)}</h1><p>{escape(report.subtitle)}</p></header>"
        f'<ol class="contents">{contents}</ol>{"".join(body)}</body></html>\n'
    )


def _laid_out(part: Part) -> str:
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Picture):
        words = f"<strong>{escape(part.title)}.</strong> {escape(part.how_to_read)}"
        return f"<figure>{part.svg}<figcaption>{words}</figcaption></figure>"
    if isinstance(part, Listing):
        text = f"<pre>{escape(part.text)}</pre>"
        return f"<details><summary>{escape(part.title)}</summary>{text}</details>" if part.title else text
    return f"<p>{_sentence(part)}</p>"


def _sentence(text: str) -> str:
    """Escape a sentence; the name of the arm that it begins with, between two stars each, is set bold."""
    match = re.match(r"\*\*(.+)\*\*: ", text, re.DOTALL)
    if match is None:
        return escape(text)
    return f"<strong>{escape(match[1])}</strong>: {escape(text[match.end() :])}"


def _table(table: Table) -> str:
    head = _row("th", table.headings) if any(table.headings) else ""
    rows = "".join(_row("td", row) for row in table.rows)
    return f'<div class="wide"><table>{f"<thead>{head}</thead>" if head else ""}<tbody>{rows}</tbody></table></div>'


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _cell(value: Any) -> str:
    """Write a value of a table.

    >>> _cell(-0.5), _cell(5.4e-5), _cell(float("nan")), _cell("NO3-"), _cell(0.9997)
    ('−0.5', '5.4×10⁻⁵', '', 'NO₃⁻', '0.9997')
    """
    if isinstance(value, float):
        return "" if pd.isna(value) else number_text(value, digits_below_one(value, 3))
    return typeset(str(value))


def times(number: int) -> str:
    """Say how often.

    >>> times(1), times(3)
    ('once', '3 times')
    """
    return "once" if number == 1 else f"{number} times"


_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1D2730;background:#fff;max-width:960px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem;line-height:1.2;margin:0}h2{font-size:1.25rem;margin:2.2rem 0 .5rem;border-bottom:1px solid #C9D1D8}
h1,h2,p,td,th,figcaption{overflow-wrap:anywhere}header p{color:#5B6873;margin:.3rem 0}
.contents{columns:2;color:#5B6873;padding-left:1.2rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.86rem;margin:.6rem 0;width:100%}
td,th{border-bottom:1px solid #E1E6EA;padding:.3rem .6rem .3rem 0;text-align:left;vertical-align:top;min-width:4.5em}
figure{margin:1.2rem 0}figure svg{width:100%;height:auto}figcaption{font-size:.9rem;color:#43505B}
pre{background:#F4F6F8;padding:.7rem;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.82rem}
summary{cursor:pointer}
@media print{body{max-width:none;margin:0;font-size:11pt}figure,tr{break-inside:avoid}h2{break-after:avoid}
pre{border:1px solid #C9D1D8}@page{margin:16mm}}
"""

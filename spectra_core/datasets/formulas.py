"""Text that a spreadsheet would run as a formula: guarded on the way out, taken back on the way in."""

import re
from dataclasses import replace
from typing import Any

import pandas as pd

from spectra_core.datasets.numbers import parse_number
from spectra_core.datasets.parts import Grid

FULL_WIDTH_MARKS = ("\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66", "\ufe62", "\ufe63", "\ufe6b")
"""Wide and small forms of = + - @, which East Asian spreadsheets take for the plain ones."""
# Blanks before a mark do not stop every spreadsheet; apostrophes before it are counted, so that one can be taken off.
_MARK = rf"[=+\-@{''.join(FULL_WIDTH_MARKS)}]"
# What no one sees: control characters, blanks, soft hyphens, marks of width, joining and direction.
_UNSEEN = r"\s\x00-\x1f\x7f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_RUNS = re.compile(rf"'*(?:[{_UNSEEN}]*{_MARK}|[\t\r\n\0])")
# Where semicolons part cells, as in much of Europe, commas and the quotes around a cell do not: one may begin inside.
_BEGINS = re.compile(rf"(?<=[;\t\r\n])(?='*(?:(?![;\t\r\n])[{_UNSEEN}\"])*{_MARK})")
_BEGAN = re.compile(rf"(?<=[;\t\r\n])'(?='*(?:(?![;\t\r\n])[{_UNSEEN}\"])*{_MARK})")


def guarded(cell: str) -> str:
    """Return a text cell behind an apostrophe where a spreadsheet would run it; numbers stay as they are.

    >>> guarded("=1+1"), guarded("-0.5"), guarded("sample 1"), guarded("'=x"), guarded("a;=x")
    ("'=1+1", '-0.5', 'sample 1', "''=x", "a;'=x")
    """
    if parse_number(cell) is not None:
        return cell
    cell = _BEGINS.sub("'", cell)
    return f"'{cell}" if _RUNS.match(cell) else cell


def unguarded(cell: str) -> str:
    """Undo `guarded`.

    >>> unguarded("'=1+1"), unguarded("'tis")
    ('=1+1', "'tis")
    """
    plain = cell[1:] if cell.startswith("'") and _RUNS.match(cell[1:]) else cell
    return _BEGAN.sub("", plain)


def table_csv(table: pd.DataFrame, *, index: bool = False) -> bytes:
    """Return a table as CSV in which no cell, heading or row name runs: the one way by which tables leave as CSV.

    Numbers keep all their digits.
    """
    safe = table.copy(deep=False)
    for at in range(safe.shape[1]):
        values = safe.iloc[:, at]
        if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
            safe.isetitem(at, [_guarded_value(value) for value in values])
    safe.columns = _guarded_names(safe.columns)
    if index:
        safe.index = _guarded_names(safe.index)
    text = safe.to_csv(index=index)
    if "\r" in text:
        # Cells with a carriage return are quoted only where it ends lines; else what follows it is a row of its own.
        text = safe.to_csv(index=index, lineterminator="\r\n")
    return text.encode("utf-8", errors="replace")


def _guarded_names(names: "pd.Index[Any]") -> "pd.Index[Any]":
    if isinstance(names, pd.MultiIndex):
        cells = [tuple(_guarded_value(part) for part in name) for name in names]
        levels: pd.Index[Any] = pd.MultiIndex.from_tuples(cells, names=[_guarded_value(name) for name in names.names])
        return levels
    plain: pd.Index[Any] = pd.Index([_guarded_value(name) for name in names], name=_guarded_value(names.name))
    return plain


def _guarded_value(value: Any) -> Any:
    return guarded(value) if isinstance(value, str) else value


def unguarded_grid(grid: Grid) -> Grid:
    """Return a table of text as it was before its cells were guarded, with a note where one was."""
    header = tuple(tuple(unguarded(cell) for cell in row) for row in grid.header)
    text = {column: tuple(unguarded(cell) for cell in cells) for column, cells in grid.text.items()}
    pairs = [*zip(header, grid.header, strict=True), *((text[column], cells) for column, cells in grid.text.items())]
    changed = sum(one != other for new, old in pairs if new != old for one, other in zip(new, old, strict=True))
    if not changed:
        return grid
    note = f"{changed} texts stood behind an apostrophe that keeps a spreadsheet from running them; it is taken off."
    return replace(grid, header=header, text=text, notes=(*grid.notes, note))
